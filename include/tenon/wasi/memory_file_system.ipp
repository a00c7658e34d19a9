// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/memory_file_system.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/file.hpp>
#include <tenon/wasi/memory_file_system.hpp>
#include <tenon/wasi/memory_tree.hpp>

namespace tenon::inline TENON_ABI::wasi {

namespace detail {

inline constexpr std::size_t kLongestName = 255;

TENON_DECL void SetNodeTimes(MemoryNode& node, const FileTime& accessed, const FileTime& modified) {
  const std::uint64_t now = node.tree.Now();
  const auto set = [now](std::uint64_t& time, const FileTime& to) {
    if (to.kind == FileTime::Kind::Now) time = now;
    if (to.kind == FileTime::Kind::At) time = to.nanoseconds;
  };
  set(node.accessed, accessed);
  set(node.modified, modified);
  node.changed = now;
}

/// An open file of a tree.
class MemoryFile : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryTree> tree, std::shared_ptr<MemoryNode> node,
             const OpenOptions& options)
      : tree_{std::move(tree)},
        node_{std::move(node)},
        reads_{options.read},
        writes_{options.write},
        flags_{options.flags} {
    if (node_->type == FileType::Directory) {
      directory_ = std::make_unique<MemoryFileSystem>(tree_, node_);
    }
  }
  FileType Type() const override { return node_->type; }
  Expected<FileStat> Stat() override {
    const std::lock_guard lock{tree_->mutex};
    return node_->Stat();
  }
  Expected<std::size_t> ReadAt(std::span<std::uint8_t> buffer, std::uint64_t offset) override {
    const std::lock_guard lock{tree_->mutex};
    if (!reads_) return Errno::Badf;
    const std::vector<std::uint8_t>& contents = node_->contents;
    if (offset >= contents.size()) return std::size_t{0};
    const auto begin = static_cast<std::size_t>(offset);
    const std::size_t count = std::min(buffer.size(), contents.size() - begin);
    std::memcpy(buffer.data(), contents.data() + begin, count);
    node_->accessed = tree_->Now();
    return count;
  }
  Expected<std::size_t> WriteAt(std::span<const std::uint8_t> bytes,
                                std::uint64_t offset) override {
    const std::lock_guard lock{tree_->mutex};
    return WriteLocked(bytes, offset);
  }
  Expected<std::size_t> Append(std::span<const std::uint8_t> bytes) override {
    const std::lock_guard lock{tree_->mutex};
    return WriteLocked(bytes, node_->contents.size());
  }
  FileFlags Flags() const override { return flags_; }
  Errno SetFlags(const FileFlags& flags) override {
    flags_ = flags;
    return Errno::Success;
  }
  Errno SetSize(std::uint64_t size) override {
    const std::lock_guard lock{tree_->mutex};
    if (!writes_) return Errno::Badf;
    if (!node_->Resize(size)) return Errno::Nospc;
    node_->modified = node_->changed = tree_->Now();
    return Errno::Success;
  }
  Errno Allocate(std::uint64_t offset, std::uint64_t length) override {
    const std::lock_guard lock{tree_->mutex};
    if (!writes_) return Errno::Badf;
    if (length == 0) return Errno::Inval;
    if (length > std::numeric_limits<std::uint64_t>::max() - offset) return Errno::Fbig;
    if (offset + length <= node_->contents.size()) return Errno::Success;
    if (!node_->Resize(offset + length)) return Errno::Nospc;
    node_->modified = node_->changed = tree_->Now();
    return Errno::Success;
  }
  Errno SetTimes(const FileTime& accessed, const FileTime& modified) override {
    const std::lock_guard lock{tree_->mutex};
    SetNodeTimes(*node_, accessed, modified);
    return Errno::Success;
  }
  Expected<std::vector<DirectoryEntry>> ReadDirectory() override {
    const std::lock_guard lock{tree_->mutex};
    if (node_->type != FileType::Directory) return Errno::Notdir;
    std::vector<DirectoryEntry> entries;
    entries.reserve(node_->entries.size());
    for (const auto& [name, node] : node_->entries) {
      entries.push_back({name, node->inode, node->type});
    }
    return entries;
  }
  FileSystem* Directory() override { return directory_.get(); }

 private:
  Expected<std::size_t> WriteLocked(std::span<const std::uint8_t> bytes, std::uint64_t offset) {
    if (!writes_) return Errno::Badf;
    if (bytes.size() > std::numeric_limits<std::uint64_t>::max() - offset) return Errno::Fbig;
    const std::uint64_t end = offset + bytes.size();
    if (end > node_->contents.size() && !node_->Resize(end)) return Errno::Nospc;
    std::memcpy(node_->contents.data() + offset, bytes.data(), bytes.size());
    node_->modified = node_->changed = tree_->Now();
    return bytes.size();
  }

  std::shared_ptr<MemoryTree> tree_;
  std::shared_ptr<MemoryNode> node_;
  std::unique_ptr<MemoryFileSystem> directory_;
  bool reads_;
  bool writes_;
  FileFlags flags_;
};

/// Takes a name away.
TENON_DECL void Detach(const MemoryPlace& place) {
  MemoryTree& tree = place.node->tree;
  place.directory->entries.erase(place.name);
  place.directory->modified = place.directory->changed = tree.Now();
  tree.used -= MemoryTree::kOverhead + place.name.size();
  --place.node->links;
  place.node->changed = tree.Now();
}

/// Gives a node a name, instead of the one that it has at `former`, unless that is null.
TENON_DECL Errno Attach(MemoryPlace& place, const std::shared_ptr<MemoryNode>& node,
                        const MemoryPlace* former = nullptr) {
  MemoryTree& tree = node->tree;
  if (place.directory->is_removed) return Errno::Noent;
  if (place.name.size() > kLongestName) return Errno::Nametoolong;
  const std::uint64_t size = MemoryTree::kOverhead + place.name.size();
  const std::uint64_t freed = former == nullptr ? 0 : MemoryTree::kOverhead + former->name.size();
  if (size > freed && !tree.HasRoom(size - freed)) return Errno::Nospc;
  place.directory->entries.emplace(place.name, node);
  tree.used += size;
  if (former != nullptr) Detach(*former);
  place.directory->modified = place.directory->changed = tree.Now();
  ++node->links;
  if (node->type == FileType::Directory) node->parent = place.directory;
  return Errno::Success;
}

/// A node that has no name yet; null if the limit does not allow one.
TENON_DECL std::shared_ptr<MemoryNode> MakeNode(MemoryTree& tree, FileType type) {
  if (!tree.Take(MemoryTree::kOverhead)) return nullptr;
  return std::make_shared<MemoryNode>(tree, type);
}

/// Makes a node at a place where there is none.
TENON_DECL Errno Create(MemoryTree& tree, MemoryPlace& place, FileType type) {
  std::shared_ptr<MemoryNode> node = MakeNode(tree, type);
  if (node == nullptr) return Errno::Nospc;
  const Errno error = Attach(place, node);
  if (error == Errno::Success) place.node = std::move(node);
  return error;
}

/// A directory may take the place of an empty one, anything else that of no directory.
TENON_DECL Errno CheckReplacement(const MemoryNode& moved, const MemoryNode& replaced) {
  const bool moves_directory = moved.type == FileType::Directory;
  if (replaced.type == FileType::Directory) {
    if (!moves_directory) return Errno::Isdir;
    return replaced.entries.empty() ? Errno::Success : Errno::Notempty;
  }
  return moves_directory ? Errno::Notdir : Errno::Success;
}

TENON_DECL bool IsBelow(std::shared_ptr<MemoryNode> node, const MemoryNode& directory) {
  while (node != nullptr) {
    if (node.get() == &directory) return true;
    node = node->parent.lock();
  }
  return false;
}

}  // namespace detail

TENON_DECL MemoryFileSystem::MemoryFileSystem(std::uint64_t limit, ClockSource clock)
    : tree_{std::make_shared<detail::MemoryTree>(
          std::max<std::uint64_t>(limit, detail::MemoryTree::kOverhead), std::move(clock))},
      root_{detail::MakeNode(*tree_, FileType::Directory)} {
  root_->links = 1;
}

TENON_DECL MemoryFileSystem::MemoryFileSystem(std::shared_ptr<detail::MemoryTree> tree,
                                              std::shared_ptr<detail::MemoryNode> node)
    : tree_{std::move(tree)}, root_{std::move(node)} {}

TENON_DECL MemoryFileSystem::~MemoryFileSystem() = default;

TENON_DECL Errno MemoryFileSystem::WriteFile(std::string_view path, std::string_view contents) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const Errno error = MakeDirectory(path.substr(0, slash));
    if (error != Errno::Success && error != Errno::Exist) return error;
  }
  OpenOptions options;
  options.write = options.create = options.truncate = true;
  const auto file = Open(path, options);
  if (!file) return file.error();
  if (contents.empty()) return Errno::Success;
  const auto written = (*file)->WriteAt(
      {reinterpret_cast<const std::uint8_t*>(contents.data()), contents.size()}, 0);
  return written ? Errno::Success : written.error();
}

TENON_DECL Expected<std::string> MemoryFileSystem::ReadFile(std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  const auto place = detail::FindPlace(root_, path, true);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  if (place->node->type != FileType::RegularFile) return Errno::Isdir;
  return std::string(place->node->contents.begin(), place->node->contents.end());
}

TENON_DECL std::uint64_t MemoryFileSystem::Used() const {
  const std::lock_guard lock{tree_->mutex};
  return tree_->used;
}

TENON_DECL Expected<std::unique_ptr<File>> MemoryFileSystem::Open(std::string_view path,
                                                                  const OpenOptions& options) {
  const std::lock_guard lock{tree_->mutex};
  auto place =
      detail::FindPlace(root_, path, options.follow && !(options.create && options.exclusive));
  if (!place) return place.error();
  if (place->node == nullptr) {
    if (!options.create) return Errno::Noent;
    if (place->wants_directory) return Errno::Isdir;
    const Errno error = detail::Create(*tree_, *place, FileType::RegularFile);
    if (error != Errno::Success) return error;
  } else if (options.create && options.exclusive) {
    return Errno::Exist;
  }
  detail::MemoryNode& node = *place->node;
  if (node.type == FileType::SymbolicLink) return Errno::Loop;
  const bool is_directory = node.type == FileType::Directory;
  if (is_directory && (options.write || options.create || options.truncate)) return Errno::Isdir;
  if (!is_directory && (options.directory || place->wants_directory)) return Errno::Notdir;
  if (options.truncate) {
    node.Resize(0);
    node.modified = node.changed = tree_->Now();
  }
  return std::unique_ptr<File>{std::make_unique<detail::MemoryFile>(tree_, place->node, options)};
}

TENON_DECL Expected<FileStat> MemoryFileSystem::Stat(std::string_view path, bool follow) {
  const std::lock_guard lock{tree_->mutex};
  const auto place = detail::FindPlace(root_, path, follow);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  if (place->wants_directory && place->node->type != FileType::Directory) return Errno::Notdir;
  return place->node->Stat();
}

TENON_DECL Errno MemoryFileSystem::SetTimes(std::string_view path, bool follow,
                                            const FileTime& accessed, const FileTime& modified) {
  const std::lock_guard lock{tree_->mutex};
  const auto place = detail::FindPlace(root_, path, follow);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  detail::SetNodeTimes(*place->node, accessed, modified);
  return Errno::Success;
}

TENON_DECL Errno MemoryFileSystem::MakeDirectory(std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  auto place = detail::FindPlace(root_, path, false);
  if (!place) return place.error();
  if (place->node != nullptr) return Errno::Exist;
  return detail::Create(*tree_, *place, FileType::Directory);
}

TENON_DECL Errno MemoryFileSystem::RemoveDirectory(std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto place = detail::FindPlace(root_, path, false);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  if (place->name.empty()) return Errno::Inval;
  if (place->node->type != FileType::Directory) return Errno::Notdir;
  if (!place->node->entries.empty()) return Errno::Notempty;
  place->node->is_removed = true;
  detail::Detach(*place);
  return Errno::Success;
}

TENON_DECL Errno MemoryFileSystem::Unlink(std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  const bool wants_directory = path.ends_with('/');
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto place = detail::FindPlace(root_, path, false);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  if (place->node->type == FileType::Directory) return Errno::Isdir;
  if (wants_directory) return Errno::Notdir;
  detail::Detach(*place);
  return Errno::Success;
}

TENON_DECL Errno MemoryFileSystem::Rename(std::string_view path, FileSystem& to,
                                          std::string_view new_path) {
  const std::lock_guard lock{tree_->mutex};
  const bool wants_directory = path.ends_with('/') || new_path.ends_with('/');
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  while (new_path.size() > 1 && new_path.ends_with('/')) new_path.remove_suffix(1);
  const auto from = detail::FindPlace(root_, path, false);
  if (!from) return from.error();
  auto target = detail::FindPlace(static_cast<MemoryFileSystem&>(to).root_, new_path, false);
  if (!target) return target.error();
  if (from->node == nullptr) return Errno::Noent;
  if (from->name.empty() || target->name.empty()) return Errno::Busy;
  const bool is_directory = from->node->type == FileType::Directory;
  if (wants_directory && !is_directory) return Errno::Notdir;
  if (is_directory && detail::IsBelow(target->directory, *from->node)) return Errno::Inval;
  if (target->node == from->node) return Errno::Success;
  if (target->node != nullptr) {
    const Errno error = detail::CheckReplacement(*from->node, *target->node);
    if (error != Errno::Success) return error;
    if (target->node->type == FileType::Directory) target->node->is_removed = true;
    detail::Detach(*target);
  }
  return detail::Attach(*target, from->node, &*from);
}

TENON_DECL Errno MemoryFileSystem::Link(std::string_view path, FileSystem& to,
                                        std::string_view new_path) {
  const std::lock_guard lock{tree_->mutex};
  const auto from = detail::FindPlace(root_, path, false);
  if (!from) return from.error();
  auto target = detail::FindPlace(static_cast<MemoryFileSystem&>(to).root_, new_path, false);
  if (!target) return target.error();
  if (from->node == nullptr) return Errno::Noent;
  if (from->node->type == FileType::Directory) return Errno::Perm;
  if (from->wants_directory) return Errno::Notdir;
  if (target->node != nullptr) return Errno::Exist;
  if (target->wants_directory) return Errno::Noent;
  return detail::Attach(*target, from->node);
}

TENON_DECL Errno MemoryFileSystem::Symlink(std::string_view target, std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  if (target.empty()) return Errno::Noent;
  const bool wants_directory = path.ends_with('/');
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  auto place = detail::FindPlace(root_, path, false);
  if (!place) return place.error();
  if (place->node != nullptr) return Errno::Exist;
  if (wants_directory) return Errno::Noent;
  const Errno error = detail::Create(*tree_, *place, FileType::SymbolicLink);
  if (error != Errno::Success) return error;
  if (!place->node->Resize(target.size())) {
    detail::Detach(*place);
    return Errno::Nospc;
  }
  std::memcpy(place->node->contents.data(), target.data(), target.size());
  return Errno::Success;
}

TENON_DECL Expected<std::string> MemoryFileSystem::ReadLink(std::string_view path) {
  const std::lock_guard lock{tree_->mutex};
  const auto place = detail::FindPlace(root_, path, false);
  if (!place) return place.error();
  if (place->node == nullptr) return Errno::Noent;
  if (place->node->type != FileType::SymbolicLink) return Errno::Inval;
  return std::string(place->node->contents.begin(), place->node->contents.end());
}

}  // namespace tenon::inline TENON_ABI::wasi
