// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI functions of open files, the `fd_` ones.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

// Parameters have the order of the specification. Pointers come from the guest and may be
// anything; where one is out of bounds the answer is EFAULT and nothing was read or written. A
// descriptor that is not open is EBADF, one that lacks the right ENOTCAPABLE.

TENON_DECL Errno FdAdvise(Module& caller, std::uint32_t fd, std::uint64_t offset,
                          std::uint64_t length, std::uint32_t advice);
TENON_DECL Errno FdAllocate(Module& caller, std::uint32_t fd, std::uint64_t offset,
                            std::uint64_t length);
TENON_DECL Errno FdClose(Module& caller, std::uint32_t fd);
TENON_DECL Errno FdDatasync(Module& caller, std::uint32_t fd);
TENON_DECL Errno FdFdstatGet(Module& caller, Memory& memory, std::uint32_t fd, Place<Fdstat> stat);
TENON_DECL Errno FdFdstatSetFlags(Module& caller, std::uint32_t fd, std::uint32_t flags);
/// Rights can be given up only.
TENON_DECL Errno FdFdstatSetRights(Module& caller, std::uint32_t fd, std::uint64_t base,
                                   std::uint64_t inheriting);
TENON_DECL Errno FdFilestatSetSize(Module& caller, std::uint32_t fd, std::uint64_t size);
TENON_DECL Errno FdFilestatSetTimes(Module& caller, std::uint32_t fd, std::uint64_t accessed,
                                    std::uint64_t modified, std::uint32_t flags);
TENON_DECL Errno FdPread(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                         std::uint64_t offset, Place<std::uint32_t> nread);
TENON_DECL Errno FdPrestatGet(Module& caller, Memory& memory, std::uint32_t fd,
                              Place<Prestat> prestat);
TENON_DECL Errno FdPrestatDirName(Module& caller, Memory& memory, std::uint32_t fd, Buffer path);
/// Of a file that is appended to, at its end, as on Linux.
TENON_DECL Errno FdPwrite(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                          std::uint64_t offset, Place<std::uint32_t> nwritten);
/// Of what has no positions, reads once, into the first buffer that is not empty; a datagram goes
/// into all of them.
TENON_DECL Errno FdRead(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                        Place<std::uint32_t> nread);
/// A cookie is the number of entries to pass over. Entries are those that there were when cookie 0
/// was last asked for; a cookie beyond them is EINVAL.
TENON_DECL Errno FdReaddir(Module& caller, Memory& memory, std::uint32_t fd, Buffer buffer,
                           std::uint64_t cookie, Place<std::uint32_t> used);
TENON_DECL Errno FdRenumber(Module& caller, std::uint32_t fd, std::uint32_t to);
TENON_DECL Errno FdSync(Module& caller, std::uint32_t fd);
TENON_DECL Errno FdTell(Module& caller, Memory& memory, std::uint32_t fd,
                        Place<std::uint64_t> offset);
/// A file that fails gives its error, or success with fewer bytes if it took some. All buffers are
/// one datagram.
TENON_DECL Errno FdWrite(Module& caller, Memory& memory, std::uint32_t fd, BufferListOperands iovs,
                         Place<std::uint32_t> nwritten);

/// From where fd_seek counts.
enum class SeekFrom : std::uint8_t { Start, Current, End };
TENON_DECL Errno SeekTo(Module& caller, Memory& memory, std::uint32_t fd, std::int64_t offset,
                        SeekFrom whence, Place<std::uint64_t> new_offset);
TENON_DECL Expected<FileStat> StatOf(Module& caller, std::uint32_t fd);
/// The two times of a call, EINVAL if the flags contradict each other.
struct FileTimes {
  FileTime accessed;
  FileTime modified;
};
TENON_DECL Expected<FileTimes> FileTimesOf(std::uint64_t accessed, std::uint64_t modified,
                                           std::uint32_t flags);

template <Version kVersion>
Filestat<kVersion> FilestatOf(const FileStat& stat) {
  Filestat<kVersion> result{};
  result.device = stat.device;
  result.inode = stat.inode;
  result.type = stat.type;
  result.links = static_cast<decltype(result.links)>(stat.links);
  result.size = stat.size;
  result.accessed = stat.accessed;
  result.modified = stat.modified;
  result.changed = stat.changed;
  return result;
}

template <Version kVersion>
Errno FdSeek(Module& caller, Memory& memory, std::uint32_t fd, std::int64_t offset,
             std::uint32_t whence, Place<std::uint64_t> new_offset) {
  constexpr SeekFrom kOrder[2][3] = {{SeekFrom::Start, SeekFrom::Current, SeekFrom::End},
                                     {SeekFrom::Current, SeekFrom::End, SeekFrom::Start}};
  if (whence >= 3) return Errno::Inval;
  const SeekFrom from = kOrder[kVersion == Version::Preview1 ? 0 : 1][whence];
  return SeekTo(caller, memory, fd, offset, from, new_offset);
}

template <Version kVersion>
Errno FdFilestatGet(Module& caller, Memory& memory, std::uint32_t fd,
                    Place<Filestat<kVersion>> filestat) {
  const Expected<FileStat> stat = StatOf(caller, fd);
  if (!stat) return stat.error();
  return filestat.Write(memory, FilestatOf<kVersion>(*stat));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/descriptors.ipp>
#endif
