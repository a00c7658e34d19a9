// SPDX-License-Identifier: Apache-2.0
/// @file
/// WASI functions of paths, the `path_` ones.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/descriptors.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

// As in descriptors.hpp. Paths are relative to the directory of a descriptor (ENOTDIR if it is
// none) and cannot leave it (ENOTCAPABLE). What would change a read-only mount is EROFS.

TENON_DECL Errno PathCreateDirectory(Module& caller, Memory& memory, std::uint32_t fd, Text path);
TENON_DECL Errno PathFilestatSetTimes(Module& caller, Memory& memory, std::uint32_t fd,
                                      std::uint32_t flags, Text path, std::uint64_t accessed,
                                      std::uint64_t modified, std::uint32_t fst_flags);
/// A symbolic link is not followed: EINVAL for the flag that asks for it.
TENON_DECL Errno PathLink(Module& caller, Memory& memory, std::uint32_t old_fd,
                          std::uint32_t old_flags, Text old_path, std::uint32_t new_fd,
                          Text new_path);
/// Opens for reading, or for writing with the right FD_WRITE. The new descriptor has those of the
/// rights that apply to what was opened.
TENON_DECL Errno PathOpen(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t dirflags,
                          Text path, std::uint32_t oflags, std::uint64_t base,
                          std::uint64_t inheriting, std::uint32_t fdflags,
                          Place<std::uint32_t> opened_fd);
TENON_DECL Errno PathReadlink(Module& caller, Memory& memory, std::uint32_t fd, Text path,
                              Buffer buffer, Place<std::uint32_t> used);
TENON_DECL Errno PathRemoveDirectory(Module& caller, Memory& memory, std::uint32_t fd, Text path);
TENON_DECL Errno PathRename(Module& caller, Memory& memory, std::uint32_t fd, Text old_path,
                            std::uint32_t new_fd, Text new_path);
/// An absolute target is EPERM.
TENON_DECL Errno PathSymlink(Module& caller, Memory& memory, Text old_path, std::uint32_t fd,
                             Text new_path);
TENON_DECL Errno PathUnlinkFile(Module& caller, Memory& memory, std::uint32_t fd, Text path);

TENON_DECL Expected<FileStat> StatOfPath(Module& caller, Memory& memory, std::uint32_t fd,
                                         std::uint32_t flags, Text path);

template <Version kVersion>
Errno PathFilestatGet(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t flags,
                      Text path, Place<Filestat<kVersion>> filestat) {
  if (!filestat.IsIn(memory)) return Errno::Fault;
  const Expected<FileStat> stat = StatOfPath(caller, memory, fd, flags, path);
  if (!stat) return stat.error();
  return filestat.Write(memory, FilestatOf<kVersion>(*stat));
}

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/paths.ipp>
#endif
