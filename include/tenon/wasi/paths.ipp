// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/paths.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/wasi/descriptor_table.hpp>
#include <tenon/wasi/descriptors.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/paths.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// Longest path that a guest can pass, and longest target of a symbolic link.
inline constexpr std::size_t kLongestGuestPath = 4096;

/// A copy, made before anything is asked about it: other threads can change a shared memory.
TENON_DECL Expected<std::string> TextOf(const Memory& memory, Text text) {
  if (!text.IsIn(memory)) return Errno::Fault;
  if (text.length > kLongestGuestPath) return Errno::Nametoolong;
  std::string copy = text.Copy(memory);
  if (copy.find('\0') != std::string::npos) return Errno::Inval;
  return copy;
}

/// Finds out where a guest's path leads.
TENON_DECL Expected<PathTarget> TargetOf(Module& caller, const Memory& memory, std::uint32_t fd,
                                         Rights rights, Text path, bool changes) {
  DescriptorTable& table = DescriptorsOf(caller);
  const Descriptor* const descriptor = table.Find(fd);
  if (descriptor == nullptr) return Errno::Badf;
  if (descriptor->file_system == nullptr) return Errno::Notdir;
  if ((descriptor->base & rights) != rights) return Errno::Notcapable;
  const auto text = TextOf(memory, path);
  if (!text) return text.error();
  if (text->empty()) return Errno::Noent;
  Expected<PathTarget> target = table.Resolve(*descriptor, *text);
  if (target && changes && target->read_only) return Errno::Rofs;
  return target;
}

/// Whether the path is the root of a file system that is given clean paths, to which no function
/// that makes or removes names applies.
TENON_DECL bool IsRoot(const PathTarget& target) {
  return target.path.empty() && !target.file_system->ResolvesPaths();
}

/// For a path with a slash at its end, which a file system did not see: whether there is a
/// directory.
TENON_DECL Errno CheckDirectory(const PathTarget& target) {
  if (!target.wants_directory) return Errno::Success;
  const Expected<FileStat> stat = target.file_system->Stat(target.path, true);
  if (!stat) return stat.error();
  return stat->type == FileType::Directory ? Errno::Success : Errno::Notdir;
}

TENON_DECL Errno PathCreateDirectory(Module& caller, Memory& memory, std::uint32_t fd, Text path) {
  const auto target = TargetOf(caller, memory, fd, right::kPathCreateDirectory, path, true);
  if (!target) return target.error();
  if (IsRoot(*target)) return Errno::Exist;
  return target->file_system->MakeDirectory(target->path);
}

TENON_DECL Expected<FileStat> StatOfPath(Module& caller, Memory& memory, std::uint32_t fd,
                                         std::uint32_t flags, Text path) {
  if ((flags & ~kLookupFlags) != 0) return Errno::Inval;
  const auto target = TargetOf(caller, memory, fd, right::kPathFilestatGet, path, false);
  if (!target) return target.error();
  const Errno fault = CheckDirectory(*target);
  if (fault != Errno::Success) return fault;
  return target->file_system->Stat(target->path, (flags & kLookupSymlinkFollow) != 0);
}

TENON_DECL Errno PathFilestatSetTimes(Module& caller, Memory& memory, std::uint32_t fd,
                                      std::uint32_t flags, Text path, std::uint64_t accessed,
                                      std::uint64_t modified, std::uint32_t fst_flags) {
  if ((flags & ~kLookupFlags) != 0) return Errno::Inval;
  const auto times = FileTimesOf(accessed, modified, fst_flags);
  if (!times) return times.error();
  const auto target = TargetOf(caller, memory, fd, right::kPathFilestatSetTimes, path, true);
  if (!target) return target.error();
  const Errno fault = CheckDirectory(*target);
  if (fault != Errno::Success) return fault;
  return target->file_system->SetTimes(target->path, (flags & kLookupSymlinkFollow) != 0,
                                       times->accessed, times->modified);
}

/// Whether files can be moved from one to the other.
TENON_DECL bool AreRelated(const PathTarget& one, const PathTarget& other) {
  return one.file_system->Family() == other.file_system->Family();
}

TENON_DECL Errno PathLink(Module& caller, Memory& memory, std::uint32_t old_fd,
                          std::uint32_t old_flags, Text old_path, std::uint32_t new_fd,
                          Text new_path) {
  if (old_flags != 0) return Errno::Inval;
  const auto from = TargetOf(caller, memory, old_fd, right::kPathLinkSource, old_path, true);
  if (!from) return from.error();
  const auto to = TargetOf(caller, memory, new_fd, right::kPathLinkTarget, new_path, true);
  if (!to) return to.error();
  if (!AreRelated(*from, *to)) return Errno::Xdev;
  if (IsRoot(*from)) return Errno::Perm;
  if (IsRoot(*to)) return Errno::Exist;
  const Errno fault = CheckDirectory(*from);
  if (fault != Errno::Success) return fault;
  if (to->wants_directory) return Errno::Noent;
  return from->file_system->Link(from->path, *to->file_system, to->path);
}

/// What is opened, with the rights that were asked for.
TENON_DECL Expected<std::unique_ptr<File>> OpenTarget(const PathTarget& target,
                                                      OpenOptions options) {
  if (target.read_only && (options.write || options.truncate)) return Errno::Rofs;
  const bool is_refused = target.read_only || target.wants_directory;
  if (target.wants_directory) options.directory = true;
  if (!options.create || !is_refused) return target.file_system->Open(target.path, options);
  // What there is may be opened, but nothing created: no file where there is to be a directory.
  const Errno refusal = target.read_only ? Errno::Rofs : Errno::Isdir;
  const bool exclusive = options.exclusive;
  options.create = options.exclusive = false;
  Expected<std::unique_ptr<File>> opened = target.file_system->Open(target.path, options);
  if (!opened && opened.error() == Errno::Noent) return refusal;
  if (opened && exclusive) return Errno::Exist;
  if (opened && (*opened)->Type() == FileType::Directory) return Errno::Isdir;
  return opened;
}

TENON_DECL Errno PathOpen(Module& caller, Memory& memory, std::uint32_t fd, std::uint32_t dirflags,
                          Text path, std::uint32_t oflags, std::uint64_t base,
                          std::uint64_t inheriting, std::uint32_t fdflags,
                          Place<std::uint32_t> opened_fd) {
  if ((dirflags & ~kLookupFlags) != 0 || (oflags & ~kOpenFlags) != 0 ||
      (fdflags & ~kFdFlags) != 0) {
    return Errno::Inval;
  }
  Rights rights = right::kPathOpen;
  if ((oflags & kOpenCreate) != 0) rights |= right::kPathCreateFile;
  if ((oflags & kOpenTruncate) != 0) rights |= right::kPathFilestatSetSize;
  const auto target = TargetOf(caller, memory, fd, rights, path, false);
  if (!target) return target.error();
  DescriptorTable& table = DescriptorsOf(caller);
  base &= right::kAll;
  inheriting &= right::kAll;
  // A file whose writes wait for the storage medium does what these rights allow, asked for or not.
  const Rights possessed = table.Find(fd)->inheriting;
  Rights inherited = base | inheriting;
  if ((fdflags & (kFdRsync | kFdSync)) != 0) inherited |= right::kFdSync;
  // Which the right to more includes.
  if ((fdflags & kFdDsync) != 0 && (possessed & right::kFdSync) == 0) {
    inherited |= right::kFdDatasync;
  }
  if ((inherited & ~possessed) != 0) return Errno::Notcapable;
  if (!opened_fd.IsIn(memory)) return Errno::Fault;
  if (table.IsFull()) return Errno::Mfile;

  OpenOptions options;
  options.write = (base & right::kFdWrite) != 0;
  options.read = !options.write || (base & (right::kFdRead | right::kFdReaddir)) != 0;
  options.follow = (dirflags & kLookupSymlinkFollow) != 0;
  options.create = (oflags & kOpenCreate) != 0;
  options.exclusive = (oflags & kOpenExclusive) != 0;
  options.truncate = (oflags & kOpenTruncate) != 0;
  options.directory = (oflags & kOpenDirectory) != 0;
  options.flags.append = (fdflags & kFdAppend) != 0;
  options.flags.nonblock = (fdflags & kFdNonblock) != 0;
  options.flags.sync = (fdflags & kFdSyncFlags) != 0;
  if (options.create && options.directory) return Errno::Inval;
  Expected<std::unique_ptr<File>> opened = OpenTarget(*target, options);
  if (!opened) return opened.error();

  Descriptor descriptor;
  descriptor.file = std::move(*opened);
  const bool is_directory = descriptor.file->Type() == FileType::Directory;
  if ((options.directory || target->wants_directory) && !is_directory) return Errno::Notdir;
  Rights possible = is_directory ? right::kDirectory : right::kFile;
  // As those of standard streams: C libraries take what can seek for no terminal.
  if (!is_directory && !descriptor.file->IsSeekable()) {
    possible &= ~(right::kFdSeek | right::kFdTell);
  }
  descriptor.base = base & possible;
  descriptor.inheriting = inheriting;
  descriptor.sync_flags = fdflags & kFdSyncFlags;
  descriptor.read_only = target->read_only;
  if (is_directory) {
    descriptor.file_system =
        std::shared_ptr<FileSystem>{descriptor.file, descriptor.file->Directory()};
    if (descriptor.file_system == nullptr) {
      descriptor.file_system = target->file_system;
      descriptor.prefix = target->path;
    }
    descriptor.guest_path = target->guest_path;
  }
  const Expected<std::uint32_t> number = table.Insert(std::move(descriptor));
  if (!number) return number.error();
  return opened_fd.Write(memory, *number);
}

TENON_DECL Errno PathReadlink(Module& caller, Memory& memory, std::uint32_t fd, Text path,
                              Buffer buffer, Place<std::uint32_t> used) {
  const auto target = TargetOf(caller, memory, fd, right::kPathReadlink, path, false);
  if (!target) return target.error();
  const auto bytes = buffer.In(memory);
  if (!bytes || !used.IsIn(memory)) return Errno::Fault;
  const Errno fault = CheckDirectory(*target);
  if (fault != Errno::Success) return fault;
  const Expected<std::string> link = target->file_system->ReadLink(target->path);
  if (!link) return link.error();
  const std::size_t count = std::min(link->size(), bytes->size());
  std::copy_n(link->begin(), count, bytes->begin());
  return used.Write(memory, static_cast<std::uint32_t>(count));
}

TENON_DECL Errno PathRemoveDirectory(Module& caller, Memory& memory, std::uint32_t fd, Text path) {
  const auto target = TargetOf(caller, memory, fd, right::kPathRemoveDirectory, path, true);
  if (!target) return target.error();
  if (IsRoot(*target)) return Errno::Inval;
  return target->file_system->RemoveDirectory(target->path);
}

TENON_DECL Errno PathRename(Module& caller, Memory& memory, std::uint32_t fd, Text old_path,
                            std::uint32_t new_fd, Text new_path) {
  const auto from = TargetOf(caller, memory, fd, right::kPathRenameSource, old_path, true);
  if (!from) return from.error();
  const auto to = TargetOf(caller, memory, new_fd, right::kPathRenameTarget, new_path, true);
  if (!to) return to.error();
  if (!AreRelated(*from, *to)) return Errno::Xdev;
  if (IsRoot(*from) || IsRoot(*to)) return Errno::Busy;
  if (from->wants_directory || to->wants_directory) {
    const Expected<FileStat> stat = from->file_system->Stat(from->path, false);
    if (!stat) return stat.error();
    if (stat->type != FileType::Directory) return Errno::Notdir;
  }
  return from->file_system->Rename(from->path, *to->file_system, to->path);
}

TENON_DECL Errno PathSymlink(Module& caller, Memory& memory, Text old_path, std::uint32_t fd,
                             Text new_path) {
  const auto link = TextOf(memory, old_path);
  if (!link) return link.error();
  if (link->empty()) return Errno::Noent;
  const auto target = TargetOf(caller, memory, fd, right::kPathSymlink, new_path, true);
  if (!target) return target.error();
  if (link->starts_with('/')) return Errno::Perm;
  if (IsRoot(*target)) return Errno::Exist;
  if (target->wants_directory) return Errno::Noent;
  return target->file_system->Symlink(*link, target->path);
}

TENON_DECL Errno PathUnlinkFile(Module& caller, Memory& memory, std::uint32_t fd, Text path) {
  const auto target = TargetOf(caller, memory, fd, right::kPathUnlinkFile, path, true);
  if (!target) return target.error();
  if (IsRoot(*target)) return Errno::Isdir;
  const Errno fault = CheckDirectory(*target);
  if (fault != Errno::Success) return fault;
  return target->file_system->Unlink(target->path);
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
