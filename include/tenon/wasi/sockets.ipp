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
#include <tenon/wasi/host_stream.hpp>
#include <tenon/wasi/host_wait.hpp>
#include <tenon/wasi/sockets.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

inline constexpr std::uint32_t kReceivePeek = 1;
inline constexpr std::uint32_t kReceiveWaitAll = 2;
inline constexpr std::uint16_t kReceivedTruncated = 1;
inline constexpr std::uint32_t kShutdownReceive = 1;
inline constexpr std::uint32_t kShutdownSend = 2;

/// A guest's socket.
TENON_DECL Expected<File*> SocketOf(Module& caller, std::uint32_t fd, Rights rights) {
  DescriptorTable& table = DescriptorsOf(caller);
  const Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const FileType type = descriptor->file->Type();
  if (type != FileType::SocketStream && type != FileType::SocketDatagram) return Errno::Notsock;
  const auto found = table.Find(fd, rights);
  if (!found) return found.error();
  return (*found)->file.get();
}

TENON_DECL Errno SockAccept(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t flags,
                            Place<std::uint32_t> accepted) {
  const Expected<File*> listener = SocketOf(caller, fd, right::kSockAccept);
  if (!listener) return listener.error();
  if ((flags & ~kFdNonblock) != 0) return Errno::Inval;
  if (!accepted.IsIn(memory)) return Errno::Fault;
  DescriptorTable& table = DescriptorsOf(caller);
  if (table.IsFull()) return Errno::Mfile;
  const int host = (*listener)->PollDescriptor();
  int connection = -1;
  const Expected<std::size_t> waited =
      WhenReady(caller, **listener, POLLIN, [&]() -> Expected<std::size_t> {
        connection = Uninterrupted([&] { return ::accept4(host, nullptr, nullptr, SOCK_CLOEXEC); });
        if (connection < 0) return ErrnoOf(errno);
        return std::size_t{0};
      });
  if (!waited) return waited.error();
  const HostDescriptor socket = HostDescriptor::Own(connection);
  FileFlags file_flags;
  file_flags.nonblock = (flags & kFdNonblock) != 0;
  Descriptor descriptor;
  descriptor.file = std::make_unique<HostFile>(socket, FileTypeOf(connection), file_flags, nullptr);
  descriptor.base = right::kSocket & table.Find(fd)->inheriting;
  const Expected<std::uint32_t> number = table.Insert(std::move(descriptor));
  if (!number) return number.error();
  return accepted.Write(memory, *number);
}

/// The buffers of a guest as a message for the host's system calls.
class HostMessage {
 public:
  explicit HostMessage(const BufferList& buffers) {
    buffers_.reserve(buffers.Count());
    for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
      const std::span<std::uint8_t> buffer = buffers[i];
      buffers_.push_back({buffer.data(), buffer.size()});
      size_ += buffer.size();
    }
    message_.msg_iov = buffers_.data();
    message_.msg_iovlen = buffers_.size();
  }
  HostMessage(const HostMessage&) = delete;
  HostMessage& operator=(const HostMessage&) = delete;

  ::msghdr& Get() { return message_; }
  std::size_t Size() const { return size_; }
  /// Takes what is done away from the start.
  void Skip(std::size_t count) {
    size_ -= count;
    while (message_.msg_iovlen != 0 && count >= message_.msg_iov->iov_len) {
      count -= message_.msg_iov->iov_len;
      ++message_.msg_iov;
      --message_.msg_iovlen;
    }
    if (count == 0) return;
    message_.msg_iov->iov_base = static_cast<std::uint8_t*>(message_.msg_iov->iov_base) + count;
    message_.msg_iov->iov_len -= count;
  }

 private:
  std::vector<::iovec> buffers_;
  ::msghdr message_{};
  std::size_t size_ = 0;
};

/// Whether nothing more will come from the other side.
TENON_DECL bool IsOver(int socket) {
  ::pollfd wait{socket, POLLRDHUP, 0};
  return ::poll(&wait, 1, 0) > 0;
}

TENON_DECL Errno SockRecv(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size,
                          Place<std::uint16_t> out_flags) {
  const Expected<File*> socket = SocketOf(caller, fd, right::kFdRead);
  if (!socket) return socket.error();
  if ((flags & ~(kReceivePeek | kReceiveWaitAll)) != 0) return Errno::Notsup;
  const BufferList buffers{memory, data};
  if (!size.IsIn(memory) || !out_flags.IsIn(memory)) return Errno::Fault;
  const Errno fault = buffers.Check();
  if (fault != Errno::Success) return fault;
  HostMessage message{buffers};
  File& file = **socket;
  const int host = file.PollDescriptor();
  const bool peeks = (flags & kReceivePeek) != 0;
  const bool waits_for_all = (flags & kReceiveWaitAll) != 0 && !file.Flags().nonblock &&
                             file.Type() == FileType::SocketStream;
  std::size_t total = 0;
  while (true) {
    const Expected<std::size_t> count = WhenReady(caller, file, POLLIN, [&] {
      return CountOf(Uninterrupted(
          [&] { return ::recvmsg(host, &message.Get(), MSG_DONTWAIT | (peeks ? MSG_PEEK : 0)); }));
    });
    if (!count && total == 0) return count.error();
    if (!count || *count == 0) break;
    const bool is_all = *count >= message.Size();
    if (peeks) {
      total = *count;
      if (!waits_for_all || is_all || IsOver(host)) break;
      // What was looked at is still there, so that the socket is always ready.
      constexpr std::uint64_t kPause = 10'000'000;
      const Errno waited = WaitFor(caller, {}, kPause);
      if (waited != Errno::Success) return waited;
    } else {
      total += *count;
      if (!waits_for_all || is_all) break;
      message.Skip(*count);
    }
  }
  size.Write(memory, static_cast<std::uint32_t>(total));
  const bool is_truncated = (message.Get().msg_flags & MSG_TRUNC) != 0;
  return out_flags.Write(memory, is_truncated ? kReceivedTruncated : std::uint16_t{0});
}

TENON_DECL Errno SockSend(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands data,
                          std::uint32_t flags, Place<std::uint32_t> size) {
  const Expected<File*> socket = SocketOf(caller, fd, right::kFdWrite);
  if (!socket) return socket.error();
  if (flags != 0) return Errno::Inval;
  const BufferList buffers{memory, data};
  const Errno fault = size.IsIn(memory) ? buffers.Check() : Errno::Fault;
  if (fault != Errno::Success) return fault;
  HostMessage message{buffers};
  File& file = **socket;
  std::size_t total = 0;
  do {
    const Expected<std::size_t> count = WhenReady(caller, file, POLLOUT, [&] {
      return CountOf(Uninterrupted([&] {
        return ::sendmsg(file.PollDescriptor(), &message.Get(), MSG_DONTWAIT | MSG_NOSIGNAL);
      }));
    });
    if (!count && total == 0) return count.error();
    if (!count) break;
    total += *count;
    message.Skip(*count);
  } while (message.Size() != 0 && file.Type() == FileType::SocketStream);
  return size.Write(memory, static_cast<std::uint32_t>(total));
}

TENON_DECL Errno SockShutdown(Module& caller, std::uint32_t fd, std::uint32_t how) {
  const Expected<File*> socket = SocketOf(caller, fd, right::kSockShutdown);
  if (!socket) return socket.error();
  if (how == 0 || (how & ~(kShutdownReceive | kShutdownSend)) != 0) return Errno::Inval;
  const int host_how = how == kShutdownReceive ? SHUT_RD
                       : how == kShutdownSend  ? SHUT_WR
                                               : SHUT_RDWR;
  return ErrnoOfCall(::shutdown((*socket)->PollDescriptor(), host_how));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
