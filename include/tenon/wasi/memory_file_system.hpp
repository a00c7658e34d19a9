// SPDX-License-Identifier: Apache-2.0
/// @file
/// A file system that lives in the host's memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/file_system.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {
struct MemoryTree;
struct MemoryNode;
}  // namespace detail

/// Directories, files, hard and symbolic links in the host's memory, empty at first. Any thread;
/// the guests that have it see each other's changes. Paths are as guests write them: the root is
/// ".".
class MemoryFileSystem : public FileSystem {
 public:
  static constexpr std::uint64_t kDefaultLimit = std::uint64_t{256} << 20;

  /// `limit`: bytes that contents, names and directories may take, a few hundred for each entry
  /// included; what goes beyond is ENOSPC. Of the host's memory it can be three times that while a
  /// file grows. `clock` gives the times of files; by default the first
  /// is 2022-01-01 00:00 UTC, and each is a millisecond after the one before.
  TENON_DECL explicit MemoryFileSystem(std::uint64_t limit = kDefaultLimit, ClockSource clock = {});
  /// The directory `node` of a tree; for the library.
  TENON_DECL MemoryFileSystem(std::shared_ptr<detail::MemoryTree> tree,
                              std::shared_ptr<detail::MemoryNode> node);
  TENON_DECL ~MemoryFileSystem() override;

  /// Makes or replaces a file, and the directories on the way that are missing.
  TENON_DECL Errno WriteFile(std::string_view path, std::string_view contents);
  /// What a file holds.
  TENON_DECL Expected<std::string> ReadFile(std::string_view path);
  /// Bytes that count against the limit now.
  TENON_DECL std::uint64_t Used() const;

  TENON_DECL Expected<std::unique_ptr<File>> Open(std::string_view path,
                                                  const OpenOptions& options) override;
  TENON_DECL Expected<FileStat> Stat(std::string_view path, bool follow) override;
  TENON_DECL Errno SetTimes(std::string_view path, bool follow, const FileTime& accessed,
                            const FileTime& modified) override;
  TENON_DECL Errno MakeDirectory(std::string_view path) override;
  TENON_DECL Errno RemoveDirectory(std::string_view path) override;
  TENON_DECL Errno Unlink(std::string_view path) override;
  TENON_DECL Errno Rename(std::string_view path, FileSystem& to,
                          std::string_view new_path) override;
  TENON_DECL Errno Link(std::string_view path, FileSystem& to, std::string_view new_path) override;
  TENON_DECL Errno Symlink(std::string_view target, std::string_view path) override;
  TENON_DECL Expected<std::string> ReadLink(std::string_view path) override;
  bool ResolvesPaths() const override { return true; }
  const void* Family() const override { return tree_.get(); }

 private:
  std::shared_ptr<detail::MemoryTree> tree_;
  std::shared_ptr<detail::MemoryNode> root_;
};

}  // namespace tenon::inline TENON_ABI::wasi

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/memory_file_system.ipp>
#endif
