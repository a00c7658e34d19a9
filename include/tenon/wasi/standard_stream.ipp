// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/standard_stream.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/host_stream.hpp>
#include <tenon/wasi/standard_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

TENON_DECL StandardStream::StandardStream(System& system, std::uint32_t number)
    : system_{system}, number_{number}, type_{FileType::Unknown} {
  if (PollDescriptor() < 0) return;
  type_ = FileTypeOf(PollDescriptor());
  host_ = HostStream{PollDescriptor(), type_};
}

TENON_DECL Expected<FileStat> StandardStream::Stat() {
  FileStat result;
  struct ::stat stat;
  if (PollDescriptor() >= 0 && ::fstat(PollDescriptor(), &stat) == 0) result = FileStatOf(stat);
  result.type = type_;
  return result;
}

TENON_DECL Expected<std::size_t> StandardStream::Read(std::span<std::uint8_t> buffer) {
  if (PollDescriptor() >= 0) return host_.Read(buffer);
  return system_.ReadStdin(buffer);
}

TENON_DECL Expected<std::size_t> StandardStream::Write(std::span<const std::uint8_t> bytes) {
  if (PollDescriptor() >= 0) {
    const SystemConfig& config = system_.Config();
    const bool has_function = static_cast<bool>(number_ == 2 ? config.Stderr() : config.Stdout());
    if (!has_function) return host_.Write(bytes);
    // The function writes to the descriptor, and would wait for it.
    const std::size_t room = host_.Room();
    if (room == 0) return Errno::Again;
    bytes = bytes.first(std::min(bytes.size(), room));
  }
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
