// SPDX-License-Identifier: Apache-2.0
/// @file
/// What guests' paths lead to. Derive from FileSystem for one of your own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>

namespace tenon::inline TENON_ABI::wasi {

/// How a file is opened.
struct OpenOptions {
  bool read = true;
  bool write = false;
  /// A symbolic link at the end of the path is followed; else ELOOP.
  bool follow = true;
  bool create = false;
  /// With `create`: EEXIST if there is something.
  bool exclusive = false;
  bool truncate = false;
  /// ENOTDIR if it is something else.
  bool directory = false;
  FileFlags flags;
};

/// A tree of directories and files. What a class does not override answers ENOSYS to guests.
///
/// Paths are relative to the root, and, unless ResolvesPaths says otherwise, clean: names separated
/// by single slashes, none of them "." or "..", no slash at either end; the root is "". Where a
/// file system resolves paths by itself, as those of the library do, it is ".", and "" is ENOENT.
/// Functions may be called by several threads if several guests have the file system, and may
/// throw, which ends the guest's call.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  /// Opens a file or directory. Never null.
  virtual Expected<std::unique_ptr<File>> Open(std::string_view path,
                                               const OpenOptions& options) = 0;
  /// `follow`: of what a symbolic link at the end of the path leads to. Default: opens it.
  virtual Expected<FileStat> Stat(std::string_view path, bool follow) {
    OpenOptions options;
    options.follow = follow;
    Expected<std::unique_ptr<File>> file = Open(path, options);
    if (!file) return file.error();
    return (*file)->Stat();
  }
  virtual Errno SetTimes(std::string_view /*path*/, bool /*follow*/, const FileTime& /*accessed*/,
                         const FileTime& /*modified*/) {
    return Errno::Nosys;
  }
  virtual Errno MakeDirectory(std::string_view /*path*/) { return Errno::Nosys; }
  virtual Errno RemoveDirectory(std::string_view /*path*/) { return Errno::Nosys; }
  /// Removes anything but a directory.
  virtual Errno Unlink(std::string_view /*path*/) { return Errno::Nosys; }
  /// `to` is of the same Family.
  virtual Errno Rename(std::string_view /*path*/, FileSystem& /*to*/,
                       std::string_view /*new_path*/) {
    return Errno::Nosys;
  }
  /// Another name for a file; not for what a symbolic link leads to. `to` is of the same Family.
  virtual Errno Link(std::string_view /*path*/, FileSystem& /*to*/, std::string_view /*new_path*/) {
    return Errno::Nosys;
  }
  /// `target` is any text that is not empty and no absolute path.
  virtual Errno Symlink(std::string_view /*target*/, std::string_view /*path*/) {
    return Errno::Nosys;
  }
  /// EINVAL for what is no symbolic link.
  virtual Expected<std::string> ReadLink(std::string_view /*path*/) { return Errno::Nosys; }

  /// Whether the file system takes paths as guests write them, "." and ".." and slashes at the end
  /// included, and keeps them below its root by itself: needed where there are symbolic links.
  virtual bool ResolvesPaths() const { return false; }
  /// Files can be renamed and linked between file systems that give the same here. Default: only
  /// within one.
  virtual const void* Family() const { return this; }
};

}  // namespace tenon::inline TENON_ABI::wasi
