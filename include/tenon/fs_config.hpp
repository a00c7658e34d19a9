// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which directories a guest has.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/host_descriptor.hpp>

namespace tenon::inline TENON_ABI {

namespace wasi {
class FileSystem;
}

/// A directory that a guest finds open when it starts.
struct FSMount {
  /// The name by which the guest knows it.
  std::string guest_path;
  /// A directory of the host's, unless there is a file system.
  HostDescriptor directory;
  std::shared_ptr<wasi::FileSystem> file_system;
  bool read_only = false;
};

/// The directories of a guest. A guest reaches what is below them and nothing else: not by "..",
/// absolute paths or symbolic links, nor while somebody renames what a path goes through. Of
/// several mounts, the one with the longest guest path that a path begins with counts, also for
/// directories that the guest opened above it. That goes by the path as it is written: what a mount
/// covers, a symbolic link or renaming in the mount around it may uncover. So do not mount to read
/// and write what contains a directory that the guest is only to read.
///
/// A value: every With... returns a changed copy and leaves the original alone. Any thread. What is
/// mounted is shared by the copies, and by all instances made with them.
class FSConfig {
 public:
  FSConfig() = default;

  /// A directory of the host's, to read and write. It is opened now, and stays the same directory
  /// whatever becomes of its path. Throws ConfigError if it cannot be opened, or if `guest_path`
  /// contains a NUL. A mount of the same guest path is replaced; "" is "/".
  [[nodiscard]] FSConfig WithDirMount(const std::string& directory, std::string guest_path) const {
    return With({std::move(guest_path), Open(directory), nullptr, false});
  }
  /// The same, of which the guest can change nothing.
  [[nodiscard]] FSConfig WithReadOnlyDirMount(const std::string& directory,
                                              std::string guest_path) const {
    return With({std::move(guest_path), Open(directory), nullptr, true});
  }
  /// A file system of yours, or a wasi::MemoryFileSystem. It must allow use by all threads that run
  /// guests which have it.
  [[nodiscard]] FSConfig WithFSMount(std::shared_ptr<wasi::FileSystem> file_system,
                                     std::string guest_path) const {
    return With({std::move(guest_path), {}, std::move(file_system), false});
  }
  [[nodiscard]] FSConfig WithReadOnlyFSMount(std::shared_ptr<wasi::FileSystem> file_system,
                                             std::string guest_path) const {
    return With({std::move(guest_path), {}, std::move(file_system), true});
  }

  /// In order of first setting, which is that of the guest's descriptors.
  const std::vector<FSMount>& Mounts() const { return mounts_; }

 private:
  [[nodiscard]] TENON_DECL FSConfig With(FSMount mount) const;
  TENON_DECL static HostDescriptor Open(const std::string& directory);

  std::vector<FSMount> mounts_;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/fs_config.ipp>
#endif
