// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/standard_stream.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/standard_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Whether reading or writing would wait.
TENON_DECL bool WouldWait(int descriptor, short events) {
  ::pollfd wait{descriptor, events, 0};
  return Uninterrupted([&] { return ::poll(&wait, 1, 0); }) == 0;
}

TENON_DECL StandardStream::StandardStream(System& system, std::uint32_t number)
    : system_{system}, number_{number}, type_{FileType::Unknown} {
  if (PollDescriptor() >= 0) type_ = FileTypeOf(PollDescriptor());
}

TENON_DECL Expected<FileStat> StandardStream::Stat() {
  FileStat result;
  struct ::stat stat;
  if (PollDescriptor() >= 0 && ::fstat(PollDescriptor(), &stat) == 0) result = FileStatOf(stat);
  result.type = type_;
  return result;
}

TENON_DECL Expected<std::size_t> StandardStream::Read(std::span<std::uint8_t> buffer) {
  const int descriptor = PollDescriptor();
  if (flags_.nonblock && descriptor >= 0 && WouldWait(descriptor, POLLIN)) return Errno::Again;
  return system_.ReadStdin(buffer);
}

TENON_DECL Expected<std::size_t> StandardStream::Write(std::span<const std::uint8_t> bytes) {
  const int descriptor = PollDescriptor();
  if (flags_.nonblock && descriptor >= 0 && WouldWait(descriptor, POLLOUT)) return Errno::Again;
  const std::size_t written = system_.WriteOutput(number_, bytes);
  if (written == 0) return Errno::Io;
  return written;
}

TENON_DECL std::uint64_t StandardStream::ReadableBytes() {
  int count = 0;
  const int descriptor = PollDescriptor();
  if (descriptor < 0 || ::ioctl(descriptor, FIONREAD, &count) != 0 || count < 0) return 1;
  return static_cast<std::uint64_t>(count);
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
