// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/descriptors.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/buffer_list.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/descriptors.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_wait.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Positions are those of the host's files: signed.
inline constexpr std::uint64_t kLargestPosition = std::numeric_limits<std::int64_t>::max();

TENON_DECL Errno FdAdvise(Module& caller, std::uint32_t fd, std::uint64_t offset,
                          std::uint64_t length, std::uint32_t advice) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdAdvise);
  if (!found) return found.error();
  if (advice >= kAdviceCount || offset > kLargestPosition || length > kLargestPosition - offset) {
    return Errno::Inval;
  }
  // Advice may be ignored. Only files have it.
  switch ((*found)->file->Type()) {
    case FileType::Directory:
      return Errno::Badf;
    case FileType::RegularFile:
      return Errno::Success;
    default:
      return Errno::Spipe;
  }
}

TENON_DECL Errno FdAllocate(Module& caller, std::uint32_t fd, std::uint64_t offset,
                            std::uint64_t length) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdAllocate);
  if (!found) return found.error();
  if ((*found)->read_only) return Errno::Rofs;
  return (*found)->file->Allocate(offset, length);
}

TENON_DECL Errno FdClose(Module& caller, std::uint32_t fd) {
  return DescriptorsOf(caller).Close(fd);
}

TENON_DECL Errno FdDatasync(Module& caller, std::uint32_t fd) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdDatasync);
  if (!found) return found.error();
  return (*found)->file->Sync(true);
}

TENON_DECL Errno FdSync(Module& caller, std::uint32_t fd) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdSync);
  if (!found) return found.error();
  return (*found)->file->Sync(false);
}

TENON_DECL Errno FdFdstatGet(Module& caller, Memory& memory, std::uint32_t fd, Place<Fdstat> stat) {
  const Descriptor* const found = DescriptorsOf(caller).Find(fd);
  if (found == nullptr) return Errno::Badf;
  const FileFlags flags = found->file->Flags();
  std::uint32_t bits = 0;
  if (flags.append) bits |= kFdAppend;
  if (flags.nonblock) bits |= kFdNonblock;
  // All of them where it was not the guest who asked for it.
  if (flags.sync) bits |= found->sync_flags != 0 ? found->sync_flags : kFdSyncFlags;
  return stat.Write(memory, {found->file->Type(), static_cast<std::uint16_t>(bits), found->base,
                             found->inheriting});
}

TENON_DECL Errno FdFdstatSetFlags(Module& caller, std::uint32_t fd, std::uint32_t flags) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdFdstatSetFlags);
  if (!found) return found.error();
  if ((flags & ~kFdFlags) != 0) return Errno::Inval;
  FileFlags wanted;
  wanted.append = (flags & kFdAppend) != 0;
  wanted.nonblock = (flags & kFdNonblock) != 0;
  wanted.sync = (flags & kFdSyncFlags) != 0;
  const Errno error = (*found)->file->SetFlags(wanted);
  if (error == Errno::Success) (*found)->sync_flags = flags & kFdSyncFlags;
  return error;
}

TENON_DECL Errno FdFdstatSetRights(Module& caller, std::uint32_t fd, std::uint64_t base,
                                   std::uint64_t inheriting) {
  Descriptor* const found = DescriptorsOf(caller).Find(fd);
  if (found == nullptr) return Errno::Badf;
  if ((base & ~found->base) != 0 || (inheriting & ~found->inheriting) != 0) {
    return Errno::Notcapable;
  }
  found->base = base;
  found->inheriting = inheriting;
  return Errno::Success;
}

TENON_DECL Expected<FileStat> StatOf(Module& caller, std::uint32_t fd) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdFilestatGet);
  if (!found) return found.error();
  return (*found)->file->Stat();
}

TENON_DECL Errno FdFilestatSetSize(Module& caller, std::uint32_t fd, std::uint64_t size) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdFilestatSetSize);
  if (!found) return found.error();
  if ((*found)->read_only) return Errno::Rofs;
  return (*found)->file->SetSize(size);
}

TENON_DECL Expected<FileTimes> FileTimesOf(std::uint64_t accessed, std::uint64_t modified,
                                           std::uint32_t flags) {
  if ((flags & ~kSetTimesFlags) != 0) return Errno::Inval;
  const auto choose = [flags](std::uint32_t at, std::uint32_t now,
                              std::uint64_t nanoseconds) -> FileTime {
    if ((flags & now) != 0) return {FileTime::Kind::Now, 0};
    if ((flags & at) != 0) return {FileTime::Kind::At, nanoseconds};
    return {};
  };
  constexpr std::uint32_t kBothAccessed = kSetAccessed | kSetAccessedNow;
  constexpr std::uint32_t kBothModified = kSetModified | kSetModifiedNow;
  if ((flags & kBothAccessed) == kBothAccessed || (flags & kBothModified) == kBothModified) {
    return Errno::Inval;
  }
  return FileTimes{choose(kSetAccessed, kSetAccessedNow, accessed),
                   choose(kSetModified, kSetModifiedNow, modified)};
}

TENON_DECL Errno FdFilestatSetTimes(Module& caller, std::uint32_t fd, std::uint64_t accessed,
                                    std::uint64_t modified, std::uint32_t flags) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdFilestatSetTimes);
  if (!found) return found.error();
  const auto times = FileTimesOf(accessed, modified, flags);
  if (!times) return times.error();
  if ((*found)->read_only) return Errno::Rofs;
  return (*found)->file->SetTimes(times->accessed, times->modified);
}

/// Transfers buffers until one is not done whole; `transfer` is given a buffer and how much was
/// done before. What fails counts only if nothing was done.
template <class Transfer>
Errno TransferBuffers(Memory& memory, BufferListOperands list, Place<std::uint32_t> result,
                      Transfer transfer) {
  const BufferList buffers{memory, list};
  const Errno fault = result.IsIn(memory) ? buffers.Check() : Errno::Fault;
  if (fault != Errno::Success) return fault;
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
    const std::span<std::uint8_t> buffer = buffers[i];
    if (buffer.empty()) continue;
    const Expected<std::size_t> done = transfer(buffer, total);
    if (!done) {
      if (total == 0) return done.error();
      break;
    }
    total += std::min(*done, buffer.size());
    if (*done < buffer.size()) break;
  }
  return result.Write(memory, static_cast<std::uint32_t>(total));
}

/// Of what has no positions, the reason why it has none.
TENON_DECL Errno CheckSeekable(const Descriptor& descriptor) {
  if (descriptor.file_system != nullptr) return Errno::Isdir;
  return descriptor.file->IsSeekable() ? Errno::Success : Errno::Spipe;
}

TENON_DECL Errno FdPread(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                         std::uint64_t offset, Place<std::uint32_t> nread) {
  DescriptorTable& table = DescriptorsOf(caller);
  Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const Errno fault = CheckSeekable(*descriptor);
  if (fault != Errno::Success) return fault;
  const auto found = table.Find(fd, right::kFdRead | right::kFdSeek);
  if (!found) return found.error();
  if (offset > kLargestPosition) return Errno::Inval;
  return TransferBuffers(memory, iovs, nread,
                         [&](std::span<std::uint8_t> buffer, std::size_t before) {
                           return descriptor->file->ReadAt(buffer, offset + before);
                         });
}

TENON_DECL Errno FdPwrite(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                          std::uint64_t offset, Place<std::uint32_t> nwritten) {
  DescriptorTable& table = DescriptorsOf(caller);
  Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const Errno fault = CheckSeekable(*descriptor);
  if (fault != Errno::Success) return fault;
  const auto found = table.Find(fd, right::kFdWrite | right::kFdSeek);
  if (!found) return found.error();
  if (offset > kLargestPosition) return Errno::Inval;
  File& file = *descriptor->file;
  const bool appends = file.Flags().append;
  return TransferBuffers(
      memory, iovs, nwritten, [&](std::span<const std::uint8_t> buffer, std::size_t before) {
        return appends ? file.Append(buffer) : file.WriteAt(buffer, offset + before);
      });
}

TENON_DECL Errno FdPrestatGet(Module& caller, Memory& memory, std::uint32_t fd,
                              Place<Prestat> prestat) {
  const Descriptor* const found = DescriptorsOf(caller).Find(fd);
  if (found == nullptr || found->preopen_name.empty()) return Errno::Badf;
  return prestat.Write(memory, {0, static_cast<std::uint32_t>(found->preopen_name.size())});
}

TENON_DECL Errno FdPrestatDirName(Module& caller, Memory& memory, std::uint32_t fd, Buffer path) {
  const Descriptor* const found = DescriptorsOf(caller).Find(fd);
  if (found == nullptr || found->preopen_name.empty()) return Errno::Badf;
  const auto bytes = path.In(memory);
  if (!bytes) return Errno::Fault;
  if (bytes->size() < found->preopen_name.size()) return Errno::Nametoolong;
  memory.WriteString(path.offset, found->preopen_name);
  return Errno::Success;
}

/// Most bytes of a datagram that fd_read and fd_write pass on; more than sockets take by default.
inline constexpr std::size_t kLongestDatagram = std::size_t{1} << 20;

/// Receives one datagram into all the buffers; of what has no room in them the rest is lost.
TENON_DECL Errno ReadDatagram(const Module& caller, Memory& memory, File& file,
                              BufferListOperands list, Place<std::uint32_t> result) {
  const BufferList buffers{memory, list};
  const Errno fault = result.IsIn(memory) ? buffers.Check() : Errno::Fault;
  if (fault != Errno::Success) return fault;
  std::size_t room = 0;
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) room += buffers[i].size();
  if (room == 0) return result.Write(memory, 0);
  std::vector<std::uint8_t> message(std::min(room, kLongestDatagram));
  const Expected<std::size_t> count =
      WhenReady(caller, file, POLLIN, [&] { return file.Read(message); });
  if (!count) return count.error();
  std::span<const std::uint8_t> rest{message.data(), std::min(*count, message.size())};
  const auto size = static_cast<std::uint32_t>(rest.size());
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
    const std::span<std::uint8_t> buffer = buffers[i];
    const std::size_t part = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), part, buffer.begin());
    rest = rest.subspan(part);
  }
  return result.Write(memory, size);
}

/// Sends all the buffers as one datagram.
TENON_DECL Errno WriteDatagram(const Module& caller, Memory& memory, File& file,
                               BufferListOperands list, Place<std::uint32_t> result) {
  const BufferList buffers{memory, list};
  const Errno fault = result.IsIn(memory) ? buffers.Check() : Errno::Fault;
  if (fault != Errno::Success) return fault;
  std::vector<std::uint8_t> message;
  for (std::uint32_t i = 0; i < buffers.Count(); ++i) {
    const std::span<const std::uint8_t> buffer = buffers[i];
    if (buffer.size() > kLongestDatagram - message.size()) return Errno::Msgsize;
    message.insert(message.end(), buffer.begin(), buffer.end());
  }
  if (message.empty()) return result.Write(memory, 0);
  const Expected<std::size_t> count =
      WhenReady(caller, file, POLLOUT, [&] { return file.Write(message); });
  if (!count) return count.error();
  return result.Write(memory, static_cast<std::uint32_t>(std::min(*count, message.size())));
}

TENON_DECL Errno FdRead(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                        Place<std::uint32_t> nread) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdRead);
  if (!found) return found.error();
  Descriptor& descriptor = **found;
  if (descriptor.file->Type() == FileType::SocketDatagram) {
    return ReadDatagram(caller, memory, *descriptor.file, iovs, nread);
  }
  if (descriptor.file->IsSeekable()) {
    std::size_t total = 0;
    const Errno error = TransferBuffers(
        memory, iovs, nread, [&](std::span<std::uint8_t> buffer, std::size_t before) {
          Expected<std::size_t> count =
              descriptor.file->ReadAt(buffer, descriptor.position + before);
          if (count) total += std::min(*count, buffer.size());
          return count;
        });
    descriptor.position = std::min(descriptor.position + total, kLargestPosition);
    return error;
  }
  return TransferBuffers(
      memory, iovs, nread,
      [&](std::span<std::uint8_t> buffer, std::size_t before) -> Expected<std::size_t> {
        // One read a call: asking again could wait although there is something.
        if (before != 0) return std::size_t{0};
        return WhenReady(caller, *descriptor.file, POLLIN,
                         [&] { return descriptor.file->Read(buffer); });
      });
}

/// Writes to what has no positions, until it took all or failed.
TENON_DECL Expected<std::size_t> WriteAll(const Module& caller, File& file,
                                          std::span<const std::uint8_t> bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const std::span<const std::uint8_t> rest = bytes.subspan(total);
    const Expected<std::size_t> done =
        WhenReady(caller, file, POLLOUT, [&] { return file.Write(rest); });
    if (!done && total == 0) return done;
    if (!done || *done == 0) break;
    total += std::min(*done, rest.size());
  }
  return total;
}

TENON_DECL Errno FdWrite(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                         Place<std::uint32_t> nwritten) {
  const auto found = DescriptorsOf(caller).Find(fd, right::kFdWrite);
  if (!found) return found.error();
  Descriptor& descriptor = **found;
  File& file = *descriptor.file;
  if (file.Type() == FileType::SocketDatagram) {
    return WriteDatagram(caller, memory, file, iovs, nwritten);
  }
  if (!file.IsSeekable()) {
    return TransferBuffers(memory, iovs, nwritten,
                           [&](std::span<const std::uint8_t> bytes, std::size_t) {
                             return WriteAll(caller, file, bytes);
                           });
  }
  const bool appends = file.Flags().append;
  std::size_t total = 0;
  const Errno error = TransferBuffers(
      memory, iovs, nwritten, [&](std::span<const std::uint8_t> bytes, std::size_t before) {
        Expected<std::size_t> count =
            appends ? file.Append(bytes) : file.WriteAt(bytes, descriptor.position + before);
        if (count) total += std::min(*count, bytes.size());
        return count;
      });
  if (appends && total != 0) {
    const Expected<FileStat> stat = file.Stat();
    if (stat) descriptor.position = std::min(stat->size, kLargestPosition);
  } else {
    descriptor.position = std::min(descriptor.position + total, kLargestPosition);
  }
  return error;
}

TENON_DECL Errno FdReaddir(Module& caller, Memory& memory, std::uint32_t fd, Buffer buffer,
                           std::uint64_t cookie, Place<std::uint32_t> used) {
  DescriptorTable& table = DescriptorsOf(caller);
  Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  if (descriptor->file_system == nullptr) return Errno::Notdir;
  const auto found = table.Find(fd, right::kFdReaddir);
  if (!found) return found.error();
  const auto bytes = buffer.In(memory);
  if (!bytes || !used.IsIn(memory)) return Errno::Fault;
  if (cookie == 0 || descriptor->listing.empty()) {
    const Errno error = table.List(*descriptor);
    if (error != Errno::Success) return error;
  }
  const std::vector<DirectoryEntry>& listing = descriptor->listing;
  if (cookie > listing.size()) return Errno::Inval;
  using Layout = bind::GuestLayout<DirectoryEntryHead>;
  std::size_t end = 0;
  for (std::size_t i = static_cast<std::size_t>(cookie); i < listing.size() && end < bytes->size();
       ++i) {
    const DirectoryEntry& entry = listing[i];
    std::uint8_t head[Layout::kSize] = {};
    Layout::Store(head,
                  {i + 1, entry.inode, static_cast<std::uint32_t>(entry.name.size()), entry.type});
    // The last entry is cut where the buffer ends, which tells the guest to ask again.
    const auto append = [&](const std::uint8_t* from, std::size_t size) {
      const std::size_t count = std::min(size, bytes->size() - end);
      std::copy_n(from, count, bytes->begin() + static_cast<std::ptrdiff_t>(end));
      end += count;
    };
    append(head, sizeof head);
    append(reinterpret_cast<const std::uint8_t*>(entry.name.data()), entry.name.size());
  }
  return used.Write(memory, static_cast<std::uint32_t>(end));
}

TENON_DECL Errno FdRenumber(Module& caller, std::uint32_t fd, std::uint32_t to) {
  return DescriptorsOf(caller).Renumber(fd, to);
}

TENON_DECL Errno SeekTo(Module& caller, Memory& memory, std::uint32_t fd, std::int64_t offset,
                        SeekFrom whence, Place<std::uint64_t> new_offset) {
  DescriptorTable& table = DescriptorsOf(caller);
  Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const Errno fault = CheckSeekable(*descriptor);
  if (fault != Errno::Success) return fault;
  const bool only_tells = whence == SeekFrom::Current && offset == 0;
  const Rights rights = descriptor->base & (right::kFdSeek | (only_tells ? right::kFdTell : 0));
  if (rights == 0) return Errno::Notcapable;
  if (!new_offset.IsIn(memory)) return Errno::Fault;
  std::uint64_t start = 0;
  if (whence == SeekFrom::Current) start = descriptor->position;
  if (whence == SeekFrom::End) {
    const Expected<FileStat> stat = descriptor->file->Stat();
    if (!stat) return stat.error();
    start = std::min(stat->size, kLargestPosition);
  }
  const std::uint64_t position = start + static_cast<std::uint64_t>(offset);
  // Below 0, or beyond the largest: both have the highest bit.
  if (position > kLargestPosition) return Errno::Inval;
  descriptor->position = position;
  return new_offset.Write(memory, position);
}

TENON_DECL Errno FdTell(Module& caller, Memory& memory, std::uint32_t fd,
                        Place<std::uint64_t> offset) {
  Descriptor* const descriptor = DescriptorsOf(caller).Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  const Errno fault = CheckSeekable(*descriptor);
  if (fault != Errno::Success) return fault;
  // The right to seek implies this one.
  if ((descriptor->base & (right::kFdTell | right::kFdSeek)) == 0) return Errno::Notcapable;
  return offset.Write(memory, descriptor->position);
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
