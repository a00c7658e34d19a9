// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/sockets.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/buffer_list.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/descriptors.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/host_wait.hpp>
#include <tenon/wasi/sockets.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

inline constexpr std::uint32_t kReceivePeek = 1;
inline constexpr std::uint32_t kReceiveWaitAll = 2;
inline constexpr std::uint16_t kReceivedTruncated = 1;
inline constexpr std::uint32_t kShutdownReceive = 1;
inline constexpr std::uint32_t kShutdownSend = 2;

/// The host's descriptor of a guest's socket.
TENON_DECL Expected<int> SocketOf(Module& caller, std::uint32_t fd, Rights rights) {
  DescriptorTable& table = DescriptorsOf(caller);
  const Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const FileType type = descriptor->file->Type();
  if (type != FileType::SocketStream && type != FileType::SocketDatagram) return Errno::Notsock;
  if ((descriptor->base & rights) != rights) return Errno::Notcapable;
  return descriptor->file->PollDescriptor();
}

TENON_DECL Errno SockAccept(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t flags,
                            Place<std::uint32_t> accepted) {
  const Expected<int> listener = SocketOf(caller, fd, right::kSockAccept);
  if (!listener) return listener.error();
  if ((flags & ~kFdNonblock) != 0) return Errno::Inval;
  if (!accepted.IsIn(memory)) return Errno::Fault;
  DescriptorTable& table = DescriptorsOf(caller);
  if (table.IsFull()) return Errno::Mfile;
  if ((::fcntl(*listener, F_GETFL) & O_NONBLOCK) == 0) {
    ::pollfd wait{*listener, POLLIN, 0};
    const Errno error = WaitFor(caller, {&wait, 1}, std::nullopt);
    if (error != Errno::Success) return error;
  }
  const int type = SOCK_CLOEXEC | ((flags & kFdNonblock) != 0 ? SOCK_NONBLOCK : 0);
  const int connection =
      Uninterrupted([&] { return ::accept4(*listener, nullptr, nullptr, type); });
  if (connection < 0) return ErrnoOf(errno);
  Descriptor descriptor;
  descriptor.file = std::make_unique<HostFile>(HostDescriptor::Own(connection));
  descriptor.base = right::kSocket & table.Find(fd)->inheriting;
  const Expected<std::uint32_t> number = table.Insert(std::move(descriptor));
  if (!number) return number.error();
  return accepted.Write(memory, *number);
}

/// The buffers of a guest for the host's system calls.
TENON_DECL std::vector<::iovec> HostBuffersOf(const BufferList& buffers) {
  std::vector<::iovec> result;
  result.reserve(buffers.Count());
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
    const std::span<std::uint8_t> buffer = buffers[i];
    result.push_back({buffer.data(), buffer.size()});
  }
  return result;
}

TENON_DECL Errno SockRecv(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size,
                          Place<std::uint16_t> out_flags) {
  const Expected<int> socket = SocketOf(caller, fd, right::kFdRead);
  if (!socket) return socket.error();
  if ((flags & ~(kReceivePeek | kReceiveWaitAll)) != 0) return Errno::Notsup;
  const BufferList buffers{memory, data};
  if (!size.IsIn(memory) || !out_flags.IsIn(memory)) return Errno::Fault;
  const Errno fault = buffers.Check();
  if (fault != Errno::Success) return fault;
  std::vector<::iovec> host_buffers = HostBuffersOf(buffers);
  ::msghdr message{};
  message.msg_iov = host_buffers.data();
  message.msg_iovlen = host_buffers.size();
  const Errno waited = WaitToRead(caller, *DescriptorsOf(caller).Find(fd)->file);
  if (waited != Errno::Success) return waited;
  const int host_flags = ((flags & kReceivePeek) != 0 ? MSG_PEEK : 0) |
                         ((flags & kReceiveWaitAll) != 0 ? MSG_WAITALL : 0);
  const ::ssize_t count = Uninterrupted([&] { return ::recvmsg(*socket, &message, host_flags); });
  if (count < 0) return ErrnoOf(errno);
  size.Write(memory, static_cast<std::uint32_t>(count));
  const bool is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
  return out_flags.Write(memory, is_truncated ? kReceivedTruncated : std::uint16_t{0});
}

TENON_DECL Errno SockSend(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size) {
  const Expected<int> socket = SocketOf(caller, fd, right::kFdWrite);
  if (!socket) return socket.error();
  if (flags != 0) return Errno::Inval;
  const BufferList buffers{memory, data};
  const Errno fault = size.IsIn(memory) ? buffers.Check() : Errno::Fault;
  if (fault != Errno::Success) return fault;
  std::vector<::iovec> host_buffers = HostBuffersOf(buffers);
  ::msghdr message{};
  message.msg_iov = host_buffers.data();
  message.msg_iovlen = host_buffers.size();
  const ::ssize_t count = Uninterrupted([&] { return ::sendmsg(*socket, &message, MSG_NOSIGNAL); });
  if (count < 0) return ErrnoOf(errno);
  return size.Write(memory, static_cast<std::uint32_t>(count));
}

TENON_DECL Errno SockShutdown(Module& caller, std::uint32_t fd, std::uint32_t how) {
  const Expected<int> socket = SocketOf(caller, fd, right::kSockShutdown);
  if (!socket) return socket.error();
  if (how == 0 || (how & ~(kShutdownReceive | kShutdownSend)) != 0) return Errno::Inval;
  const int host_how = how == kShutdownReceive ? SHUT_RD
                       : how == kShutdownSend  ? SHUT_WR
                                               : SHUT_RDWR;
  return ErrnoOfCall(::shutdown(*socket, host_how));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
