// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads and writes of values in guest memory, whether other threads use it or not.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/shared_bytes.hpp>

namespace tenon::inline TENON_ABI::bind::detail {

/// The value at an offset that was checked, read once.
template <class Layout>
inline auto LoadGuest(const abi::MemoryRecord& memory, std::uint64_t offset) {
  const std::uint8_t* const from = memory.base + offset;
  if ((memory.flags & abi::kMemoryShared) != 0) [[unlikely]] {
    alignas(std::uint64_t) std::uint8_t copy[Layout::kSize];
    abi::CopyFromShared(copy, from, Layout::kSize);
    return Layout::Load(copy);
  }
  return Layout::Load(from);
}

/// Writes a value to an offset that was checked. In shared memories padding becomes zero.
template <class Layout, class T>
inline void StoreGuest(const abi::MemoryRecord& memory, std::uint64_t offset,
                       const T& value) noexcept {
  std::uint8_t* const to = memory.base + offset;
  if ((memory.flags & abi::kMemoryShared) != 0) [[unlikely]] {
    alignas(std::uint64_t) std::uint8_t copy[Layout::kSize] = {};
    Layout::Store(copy, value);
    abi::CopyToShared(to, copy, Layout::kSize);
    return;
  }
  Layout::Store(to, value);
}

}  // namespace tenon::inline TENON_ABI::bind::detail
