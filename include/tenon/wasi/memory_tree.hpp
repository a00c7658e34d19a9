// SPDX-License-Identifier: Apache-2.0
/// @file
/// The nodes of a file system in memory, and how paths lead to them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/system.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

struct MemoryTree;

/// A file, directory or symbolic link.
struct MemoryNode {
  TENON_DECL MemoryNode(MemoryTree& owner, FileType node_type);
  TENON_DECL ~MemoryNode();
  MemoryNode(const MemoryNode&) = delete;
  MemoryNode& operator=(const MemoryNode&) = delete;

  TENON_DECL FileStat Stat() const;
  /// False if the limit does not allow it.
  TENON_DECL bool Resize(std::uint64_t size);

  /// Handles keep the tree alive; nodes are never without one.
  MemoryTree& tree;
  FileType type;
  std::uint64_t inode;
  std::uint64_t links = 0;
  std::uint64_t accessed = 0;
  std::uint64_t modified = 0;
  std::uint64_t changed = 0;
  /// Of a file; the target of a symbolic link.
  std::vector<std::uint8_t> contents;
  std::map<std::string, std::shared_ptr<MemoryNode>, std::less<>> entries;
  /// Of a directory that is not removed; null for the root.
  std::weak_ptr<MemoryNode> parent;
  bool is_removed = false;
};

/// What the nodes of one file system share.
struct MemoryTree {
  /// What a node or an entry costs besides its bytes.
  static constexpr std::uint64_t kOverhead = 256;

  explicit MemoryTree(std::uint64_t bytes, ClockSource source)
      : limit{bytes}, clock{std::move(source)} {}

  std::uint64_t Now() {
    if (clock) return clock();
    return std::exchange(fixed_time, fixed_time + 1'000'000);
  }
  bool HasRoom(std::uint64_t bytes) const { return bytes <= limit - used; }
  bool Take(std::uint64_t bytes) {
    if (!HasRoom(bytes)) return false;
    used += bytes;
    return true;
  }

  /// Guards all that nodes have, and what follows.
  std::mutex mutex;
  const std::uint64_t limit;
  /// Grows under the mutex; shrinks also where a node ends, which may be anywhere.
  std::atomic<std::uint64_t> used = 0;
  std::uint64_t last_inode = 0;
  ClockSource clock;
  std::uint64_t fixed_time = 1640995200ull * 1'000'000'000;
};

/// Where a path leads.
struct MemoryPlace {
  std::shared_ptr<MemoryNode> directory;
  /// "" if the path ends in "." or "..", or is the root.
  std::string name;
  /// Null if there is nothing of that name.
  std::shared_ptr<MemoryNode> node;
  bool wants_directory = false;
};

/// Resolves a path below a directory; with `follow`, a symbolic link at its end as well, as a slash
/// behind it does. ENOTCAPABLE where it leads above `root`. The tree's mutex is held.
TENON_DECL Expected<MemoryPlace> FindPlace(const std::shared_ptr<MemoryNode>& root,
                                           std::string_view path, bool follow);

}  // namespace tenon::inline TENON_ABI::wasi::detail

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasi/memory_tree.ipp>
#endif
