// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/streams.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/streams.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

inline constexpr std::uint32_t kStdin = 0;
inline constexpr std::uint32_t kStdout = 1;
inline constexpr std::uint32_t kStderr = 2;

inline constexpr std::uint8_t kFiletypeUnknown = 0;
inline constexpr std::uint64_t kRightFdRead = 1u << 1;
inline constexpr std::uint64_t kRightFdWrite = 1u << 6;
inline constexpr std::uint32_t kWhenceCount = 3;

/// A guest's list of buffers. Where it is longer than kMaximumBuffers the rest is left for the
/// guest's next call, as if the stream had been short.
class BufferList {
 public:
  static constexpr std::uint32_t kMaximumBuffers = 1024;

  /// Checks the list, every buffer in it, and the place for the resulting count.
  static Errno Check(const Memory& memory, std::uint32_t list, std::uint32_t count,
                     std::uint32_t result) {
    if (!memory.View(list, std::uint64_t{8} * count) || !memory.View(result, 4)) {
      return Errno::Fault;
    }
    const BufferList buffers{memory, list, count};
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
      const auto buffer = buffers.Find(i);
      if (!buffer) return Errno::Fault;
      total += buffer->size();
    }
    return total <= UINT32_MAX ? Errno::Success : Errno::Inval;
  }

  BufferList(const Memory& memory, std::uint32_t list, std::uint32_t count)
      : memory_{memory}, list_{list}, count_{std::min(count, kMaximumBuffers)} {}

  std::uint32_t Count() const { return count_; }
  /// Buffer `index`; empty where it no longer is in bounds.
  std::span<std::uint8_t> operator[](std::uint32_t index) const {
    return Find(index).value_or(std::span<std::uint8_t>{});
  }

 private:
  std::optional<std::span<std::uint8_t>> Find(std::uint32_t index) const {
    const std::uint64_t entry = list_ + std::uint64_t{8} * index;
    const auto offset = memory_.ReadUint32Le(entry);
    const auto length = memory_.ReadUint32Le(entry + 4);
    if (!offset || !length) return std::nullopt;
    return memory_.View(*offset, *length);
  }

  const Memory& memory_;
  std::uint32_t list_;
  std::uint32_t count_;
};

TENON_DECL Errno FdClose(Module& caller, std::uint32_t fd) {
  return caller.System().CloseDescriptor(fd) ? Errno::Success : Errno::Badf;
}

TENON_DECL Errno FdFdstatGet(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t stat) {
  if (!caller.System().IsOpen(fd)) return Errno::Badf;
  const auto record = memory.View(stat, 24);
  if (!record) return Errno::Fault;
  // fs_filetype (u8 at 0), fs_flags (u16 at 2), fs_rights_base (u64 at 8), fs_rights_inheriting
  // (u64 at 16).
  std::fill(record->begin(), record->end(), std::uint8_t{0});
  memory.WriteByte(stat, kFiletypeUnknown);
  memory.WriteUint64Le(std::uint64_t{stat} + 8, fd == kStdin ? kRightFdRead : kRightFdWrite);
  return Errno::Success;
}

TENON_DECL Errno FdPrestatGet(std::uint32_t /*fd*/, std::uint32_t /*prestat*/) {
  return Errno::Badf;
}

TENON_DECL Errno FdPrestatDirName(std::uint32_t /*fd*/, std::uint32_t /*path*/,
                                  std::uint32_t /*path_len*/) {
  return Errno::Badf;
}

TENON_DECL Errno FdRead(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t iovs,
                        std::uint32_t iovs_len, std::uint32_t nread) {
  System& system = caller.System();
  if (fd != kStdin || !system.IsOpen(fd)) return Errno::Badf;
  const Errno fault = BufferList::Check(memory, iovs, iovs_len, nread);
  if (fault != Errno::Success) return fault;
  const BufferList buffers{memory, iovs, iovs_len};
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
    if (buffers[i].empty()) continue;
    // One read a call: asking again could block although there is something to give.
    total = system.ReadStdin(buffers[i]);
    break;
  }
  memory.WriteUint32Le(nread, static_cast<std::uint32_t>(total));
  return Errno::Success;
}

TENON_DECL Errno FdSeek(Module& caller, std::uint32_t fd, std::int64_t /*offset*/,
                        std::uint32_t whence, std::uint32_t /*newoffset*/) {
  if (!caller.System().IsOpen(fd)) return Errno::Badf;
  return whence < kWhenceCount ? Errno::Spipe : Errno::Inval;
}

TENON_DECL Errno FdTell(Module& caller, std::uint32_t fd, std::uint32_t /*offset*/) {
  return caller.System().IsOpen(fd) ? Errno::Spipe : Errno::Badf;
}

TENON_DECL Errno FdWrite(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t iovs,
                         std::uint32_t iovs_len, std::uint32_t nwritten) {
  System& system = caller.System();
  if ((fd != kStdout && fd != kStderr) || !system.IsOpen(fd)) return Errno::Badf;
  const Errno fault = BufferList::Check(memory, iovs, iovs_len, nwritten);
  if (fault != Errno::Success) return fault;
  const BufferList buffers{memory, iovs, iovs_len};
  std::size_t total = 0;
  bool failed = false;
  for (std::uint32_t i = 0; i < buffers.Count() && !failed; ++i) {
    const std::span<const std::uint8_t> buffer = buffers[i];
    if (buffer.empty()) continue;
    const std::size_t written = system.WriteOutput(fd, buffer);
    total += written;
    failed = written < buffer.size();
  }
  if (failed && total == 0) return Errno::Io;
  memory.WriteUint32Le(nwritten, static_cast<std::uint32_t>(total));
  return Errno::Success;
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
