// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest's open files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/memory.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>
#include <tenon/wasi/types.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

/// A directory that the guest was given.
struct Mount {
  /// Without slashes at either end, "." and "..".
  std::string path;
  std::shared_ptr<FileSystem> file_system;
  bool read_only = false;
};

/// One open file of a guest.
struct Descriptor {
  std::shared_ptr<File> file;
  Rights base = 0;
  Rights inheriting = 0;
  /// For files with positions.
  std::uint64_t position = 0;
  /// Those of kFdSyncFlags that the guest asked for.
  std::uint32_t sync_flags = 0;

  // For directories.
  /// Where paths go; null for what is no directory. Keeps the directory whose it is, which the
  /// guest may close before those that it opened there.
  std::shared_ptr<FileSystem> file_system;
  /// What comes before them there.
  std::string prefix;
  bool read_only = false;
  /// Where it is for the guest, written like Mount::path, which tells what mounts are below; none
  /// if that is not certain.
  std::optional<std::string> guest_path;
  /// The guest's name of a directory that it was given.
  std::string preopen_name;
  /// What fd_readdir goes through, as of its last start.
  std::vector<DirectoryEntry> listing;

  // For sockets.
  bool is_listener = false;
};

/// A path, and where to ask for it.
struct PathTarget {
  std::shared_ptr<FileSystem> file_system;
  std::string path;
  bool read_only = false;
  /// That of the descriptor which is opened there, if it is a directory.
  std::optional<std::string> guest_path;
  /// The path ended in a slash, which the file system was not told.
  bool wants_directory = false;
};

/// The descriptors of one instance.
class DescriptorTable : public SystemState {
 public:
  /// With the standard streams, mounts and sockets of the configuration.
  TENON_DECL explicit DescriptorTable(System& system);

  /// Null if it is not open.
  Descriptor* Find(std::uint32_t number) noexcept {
    return number < open_.size() ? open_[number].get() : nullptr;
  }
  /// EBADF if it is not open, or is to be read or written and cannot be, as in POSIX; ENOTCAPABLE
  /// if it lacks another right.
  Expected<Descriptor*> Find(std::uint32_t number, Rights rights) noexcept {
    Descriptor* const found = Find(number);
    if (found == nullptr) return Errno::Badf;
    const Rights missing = rights & ~found->base;
    if (missing == 0) return found;
    return (missing & (right::kFdRead | right::kFdWrite)) != 0 ? Errno::Badf : Errno::Notcapable;
  }
  /// Whether one more can be opened.
  bool IsFull() const noexcept { return count_ >= limit_; }
  /// Gives the lowest free number; EMFILE at the limit.
  TENON_DECL Expected<std::uint32_t> Insert(Descriptor descriptor);
  TENON_DECL Errno Close(std::uint32_t number);
  /// Moves `from` to the open number `to`, whose file is closed.
  TENON_DECL Errno Renumber(std::uint32_t from, std::uint32_t to);

  /// Lists a directory anew, "." and ".." first, and the mounts that lie in it. Where there is too
  /// much in memory, what other directories listed is forgotten, to be listed again when it is
  /// asked for; EOVERFLOW if it is too much by itself.
  TENON_DECL Errno List(Descriptor& descriptor);

  /// Where a path from the directory `descriptor` leads; not looked at yet.
  TENON_DECL Expected<PathTarget> Resolve(const Descriptor& descriptor,
                                          std::string_view path) const;

 private:
  /// Whatever the limit is.
  void Give(std::unique_ptr<File> file, Rights base, Rights inheriting = 0);
  void GiveMount(const FSMount& mount);
  void GiveSocket(const HostDescriptor& socket);
  /// Puts the mounts that lie in a directory among its entries, for what they cover.
  void AddMounts(const Descriptor& descriptor, std::vector<DirectoryEntry>& entries) const;
  /// The innermost mount below the directory `from` that has `path`, both written like
  /// Mount::path; null if there is none.
  const Mount* FindMount(std::string_view from, std::string_view path) const;
  /// Whether a path that a guest gave goes into a mount and comes back from there.
  bool PassesMount(std::string_view from, std::string_view path) const;

  std::vector<std::unique_ptr<Mount>> mounts_;
  std::vector<std::unique_ptr<Descriptor>> open_;
  std::size_t count_ = 0;
  std::size_t limit_;
  /// No lower number is free.
  std::size_t first_free_ = 0;
};

/// Those of the calling instance.
TENON_DECL DescriptorTable& DescriptorsOf(Module& caller);

/// `path` without "." and empty components, ".." taken as the way back; ENOTCAPABLE if it is
/// absolute or goes above its start.
TENON_DECL Expected<std::string> CleanPath(std::string_view path);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/descriptor_table.ipp>
#endif
