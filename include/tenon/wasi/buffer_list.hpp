// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest's list of buffers to read into or write from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Where the list is longer than kMaximumBuffers the rest is left for the guest's next call, as if
/// the stream had been short.
class BufferList {
 public:
  static constexpr std::uint32_t kMaximumBuffers = 1024;

  BufferList(const Memory& memory, BufferListOperands list)
      : memory_{memory},
        list_{list.offset},
        whole_count_{list.count},
        count_{std::min(list.count, kMaximumBuffers)} {}

  /// Whether the list and every buffer in it are in memory, and their sum is a number of 32 bits.
  Errno Check() const {
    if (!list_.IsIn(memory_, whole_count_)) return Errno::Fault;
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
      const auto buffer = Find(i);
      if (!buffer) return Errno::Fault;
      total += buffer->size();
    }
    return total <= UINT32_MAX ? Errno::Success : Errno::Inval;
  }

  std::uint32_t Count() const { return count_; }
  /// Buffer `index`; empty where it no longer is in bounds.
  std::span<std::uint8_t> operator[](std::uint32_t index) const {
    return Find(index).value_or(std::span<std::uint8_t>{});
  }

 private:
  std::optional<std::span<std::uint8_t>> Find(std::uint32_t index) const {
    const std::optional<Iovec> buffer = list_.Read(memory_, index);
    if (!buffer) return std::nullopt;
    return memory_.ViewUnsynchronized(buffer->offset, buffer->length);
  }

  const Memory& memory_;
  Place<Iovec> list_;
  std::uint32_t whole_count_;
  std::uint32_t count_;
};

}  // namespace tenon::inline TENON_ABI::wasi::detail
