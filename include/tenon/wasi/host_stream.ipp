// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/host_stream.hpp.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_stream.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// A terminal that poll(2) calls writable takes at least as much.
inline constexpr std::size_t kTerminalRoom = 256;

TENON_DECL Expected<std::size_t> CountOf(std::ptrdiff_t result) {
  if (result < 0) return ErrnoOf(errno);
  return static_cast<std::size_t>(result);
}

/// Whether this process may write files up to a certain size only.
TENON_DECL bool HasFileSizeLimit() {
  ::rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

TENON_DECL HostStream::HostStream(int descriptor, FileType type) : descriptor_{descriptor} {
  switch (type) {
    case FileType::RegularFile:
    case FileType::Directory:
    case FileType::BlockDevice:
    case FileType::SymbolicLink:
      kind_ = Kind::NeverWaits;
      is_limited_ = type == FileType::RegularFile && HasFileSizeLimit();
      break;
    case FileType::SocketStream:
    case FileType::SocketDatagram:
      kind_ = Kind::Socket;
      break;
    case FileType::CharacterDevice:
      kind_ = ::isatty(descriptor) == 1 ? Kind::Terminal : Kind::Device;
      break;
    case FileType::Unknown:
      kind_ = Kind::Pipe;
      break;
  }
}

TENON_DECL bool HostStream::IsReady(short events) const {
  ::pollfd wait{descriptor_, events, 0};
  return Uninterrupted([&] { return ::poll(&wait, 1, 0); }) != 0;
}

TENON_DECL Expected<std::size_t> HostStream::Read(std::span<std::uint8_t> buffer) {
  if (kind_ == Kind::Socket) {
    return CountOf(Uninterrupted(
        [&] { return ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT); }));
  }
  if (kind_ != Kind::NeverWaits) {
#if defined(RWF_NOWAIT)
    if (has_nowait_) {
      const ::iovec whole{buffer.data(), buffer.size()};
      const ::ssize_t count =
          Uninterrupted([&] { return ::preadv2(descriptor_, &whole, 1, -1, RWF_NOWAIT); });
      if (count >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return CountOf(count);
      has_nowait_ = false;
    }
#endif
    if (!IsReady(POLLIN)) return Errno::Again;
  }
  return CountOf(Uninterrupted([&] { return ::read(descriptor_, buffer.data(), buffer.size()); }));
}

TENON_DECL std::size_t HostStream::Room() const {
  if (kind_ == Kind::NeverWaits) return std::numeric_limits<std::size_t>::max();
  if (!IsReady(POLLOUT)) return 0;
  if (kind_ == Kind::Terminal) return kTerminalRoom;
  return kind_ == Kind::Device ? std::numeric_limits<std::size_t>::max() : PIPE_BUF;
}

TENON_DECL Expected<std::size_t> HostStream::Write(std::span<const std::uint8_t> bytes) {
  if (kind_ == Kind::Socket) {
    return CountOf(Uninterrupted([&] {
      return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }));
  }
  const auto write = [&](std::span<const std::uint8_t> part, int flags) {
    return Uninterrupted([&]() -> ::ssize_t {
      if (kind_ == Kind::Pipe) return tenon::detail::WriteWithoutSignal(descriptor_, part, flags);
      if (flags == 0) return ::write(descriptor_, part.data(), part.size());
      const ::iovec whole{const_cast<std::uint8_t*>(part.data()), part.size()};
      return ::pwritev2(descriptor_, &whole, 1, -1, flags);
    });
  };
  if (kind_ == Kind::NeverWaits) {
    return CountOf(WithinFileSize([&] { return write(bytes, 0); }));
  }
#if defined(RWF_NOWAIT)
  if (has_nowait_) {
    const ::ssize_t count = write(bytes, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return CountOf(count);
    has_nowait_ = false;
  }
#endif
  const std::size_t room = Room();
  if (room == 0) return Errno::Again;
  return CountOf(write(bytes.first(std::min(bytes.size(), room)), 0));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
