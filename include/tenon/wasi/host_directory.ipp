// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/host_directory.hpp.
#pragma once

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/host_directory.hpp>
#include <tenon/wasi/host_error.hpp>
#include <tenon/wasi/host_file.hpp>
#include <tenon/wasi/host_path.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

inline constexpr unsigned kNewFileMode = 0666;
inline constexpr unsigned kNewDirectoryMode = 0777;

TENON_DECL int HostFlagsOf(const OpenOptions& options) {
  // Nobody waits for the other end of a pipe, or gets a terminal of its own.
  int flags = O_NOCTTY | O_NONBLOCK;
  // To cut a file is to write it, whatever may be done with it afterwards.
  flags |= options.write || options.truncate ? (options.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (!options.follow) flags |= O_NOFOLLOW;
  if (options.create) flags |= O_CREAT;
  if (options.create && options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  if (options.directory) flags |= O_DIRECTORY;
  if (options.flags.append) flags |= O_APPEND;
  if (options.flags.sync) flags |= O_DSYNC;
  return flags;
}

/// Whether a name is a directory, or a link to one; ENOTDIR if it is something else.
TENON_DECL Errno RequireDirectory(const ParentAndName& place) {
  struct ::stat stat;
  if (::fstatat(place.parent.Get(), place.name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoOf(errno);
  }
  return S_ISDIR(stat.st_mode) ? Errno::Success : Errno::Notdir;
}

}  // namespace detail

TENON_DECL Expected<std::unique_ptr<File>> HostDirectory::Open(std::string_view path,
                                                               const OpenOptions& options) {
  using namespace detail;
  auto opened =
      OpenBeneath(directory_.Get(), path, HostFlagsOf(options), kNewFileMode, resolution_);
  if (!opened) return opened.error();
  const HostDescriptor descriptor = HostDescriptor::Own(opened->Release());
  const FileType type = FileTypeOf(descriptor.Get());
  std::unique_ptr<FileSystem> directory;
  if (type == FileType::Directory) {
    directory = std::make_unique<HostDirectory>(descriptor, resolution_);
  }
  return std::unique_ptr<File>{
      std::make_unique<HostFile>(descriptor, type, options.flags, std::move(directory))};
}

TENON_DECL Expected<FileStat> HostDirectory::Stat(std::string_view path, bool follow) {
  using namespace detail;
  const auto opened =
      OpenBeneath(directory_.Get(), path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, resolution_);
  if (!opened) return opened.error();
  struct ::stat stat;
  if (::fstat(opened->Get(), &stat) != 0) return ErrnoOf(errno);
  return FileStatOf(stat);
}

TENON_DECL Errno HostDirectory::SetTimes(std::string_view path, bool follow,
                                         const FileTime& accessed, const FileTime& modified) {
  using namespace detail;
  const auto opened =
      OpenBeneath(directory_.Get(), path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, resolution_);
  if (!opened) return opened.error();
  const auto [access_time, modification_time] = TimesOf(accessed, modified);
  const ::timespec times[2] = {access_time, modification_time};
  if (::utimensat(opened->Get(), "", times, AT_EMPTY_PATH) == 0) return Errno::Success;
  if (errno != EINVAL && errno != ENOENT) return ErrnoOf(errno);
  // Before Linux 5.8. The magic link is the host's own; what it leads to was resolved above.
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", opened->Get());
  struct ::stat stat;
  if (::fstat(opened->Get(), &stat) == 0 && S_ISLNK(stat.st_mode)) return Errno::Notsup;
  return ErrnoOfCall(::utimensat(AT_FDCWD, link, times, 0));
}

TENON_DECL Errno HostDirectory::MakeDirectory(std::string_view path) {
  const auto place = Parent(path, Errno::Exist);
  if (!place) return place.error();
  return detail::ErrnoOfCall(
      ::mkdirat(place->parent.Get(), place->name.c_str(), detail::kNewDirectoryMode));
}

TENON_DECL Errno HostDirectory::RemoveDirectory(std::string_view path) {
  const auto place = Parent(path, Errno::Inval);
  if (!place) return place.error();
  return detail::ErrnoOfCall(::unlinkat(place->parent.Get(), place->name.c_str(), AT_REMOVEDIR));
}

TENON_DECL Errno HostDirectory::Unlink(std::string_view path) {
  using namespace detail;
  const auto place = Parent(path, Errno::Isdir);
  if (!place) return place.error();
  if (place->wants_directory) {
    const Errno error = RequireDirectory(*place);
    return error == Errno::Success ? Errno::Isdir : error;
  }
  return ErrnoOfCall(::unlinkat(place->parent.Get(), place->name.c_str(), 0));
}

TENON_DECL Errno HostDirectory::Rename(std::string_view path, FileSystem& to,
                                       std::string_view new_path) {
  using namespace detail;
  const auto from = Parent(path, Errno::Busy);
  if (!from) return from.error();
  const auto target = static_cast<HostDirectory&>(to).Parent(new_path, Errno::Busy);
  if (!target) return target.error();
  if (from->wants_directory || target->wants_directory) {
    const Errno error = RequireDirectory(*from);
    if (error != Errno::Success) return error;
  }
  return ErrnoOfCall(::renameat(from->parent.Get(), from->name.c_str(), target->parent.Get(),
                                target->name.c_str()));
}

TENON_DECL Errno HostDirectory::Link(std::string_view path, FileSystem& to,
                                     std::string_view new_path) {
  using namespace detail;
  const auto from = Parent(path, Errno::Perm);
  if (!from) return from.error();
  const auto target = static_cast<HostDirectory&>(to).Parent(new_path, Errno::Exist);
  if (!target) return target.error();
  if (from->wants_directory) {
    const Errno error = RequireDirectory(*from);
    return error == Errno::Success ? Errno::Perm : error;
  }
  if (target->wants_directory) return Errno::Noent;
  return ErrnoOfCall(::linkat(from->parent.Get(), from->name.c_str(), target->parent.Get(),
                              target->name.c_str(), 0));
}

TENON_DECL Errno HostDirectory::Symlink(std::string_view target, std::string_view path) {
  using namespace detail;
  const auto place = Parent(path, Errno::Exist);
  if (!place) return place.error();
  if (place->wants_directory) {
    struct ::stat stat;
    const int found =
        ::fstatat(place->parent.Get(), place->name.c_str(), &stat, AT_SYMLINK_NOFOLLOW);
    return found == 0 ? Errno::Exist : Errno::Noent;
  }
  const std::string terminated{target};
  return ErrnoOfCall(::symlinkat(terminated.c_str(), place->parent.Get(), place->name.c_str()));
}

TENON_DECL Expected<std::string> HostDirectory::ReadLink(std::string_view path) {
  using namespace detail;
  const auto place = Parent(path, Errno::Inval);
  if (!place) return place.error();
  if (place->wants_directory) {
    const Errno error = RequireDirectory(*place);
    return error == Errno::Success ? Errno::Inval : error;
  }
  char target[kLongestPath];
  const ::ssize_t length =
      ::readlinkat(place->parent.Get(), place->name.c_str(), target, sizeof target);
  if (length < 0) return ErrnoOf(errno);
  return std::string{target, static_cast<std::size_t>(length)};
}

}  // namespace tenon::inline TENON_ABI::wasi
