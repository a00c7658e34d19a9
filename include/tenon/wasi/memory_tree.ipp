// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of wasi/memory_tree.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/wasi/errno.hpp>
#include <tenon/wasi/memory_tree.hpp>

namespace tenon::inline TENON_ABI::wasi::detail {

TENON_DECL MemoryNode::MemoryNode(MemoryTree& owner, FileType node_type)
    : tree{owner}, type{node_type}, inode{++owner.last_inode} {
  accessed = modified = changed = owner.Now();
}

TENON_DECL MemoryNode::~MemoryNode() {
  tree.used -= contents.size() + MemoryTree::kOverhead;
  // One after the other: directories can be nested deeper than a stack is.
  std::vector<std::shared_ptr<MemoryNode>> pending;
  const auto take = [&pending](MemoryNode& node) {
    for (auto& [name, child] : node.entries) pending.push_back(std::move(child));
    node.entries.clear();
  };
  take(*this);
  while (!pending.empty()) {
    const std::shared_ptr<MemoryNode> node = std::move(pending.back());
    pending.pop_back();
    if (node.use_count() == 1) take(*node);
  }
}

TENON_DECL FileStat MemoryNode::Stat() const {
  FileStat stat;
  stat.inode = inode;
  stat.type = type;
  stat.links = links;
  stat.size = contents.size();
  stat.accessed = accessed;
  stat.modified = modified;
  stat.changed = changed;
  return stat;
}

TENON_DECL bool MemoryNode::Resize(std::uint64_t size) {
  const std::uint64_t before = contents.size();
  if (size > before) {
    if (!tree.HasRoom(size - before)) return false;
    contents.resize(static_cast<std::size_t>(size));
    tree.used += size - before;
  } else {
    contents.resize(static_cast<std::size_t>(size));
    contents.shrink_to_fit();
    tree.used -= before - size;
  }
  return true;
}

TENON_DECL Expected<MemoryPlace> FindPlace(const std::shared_ptr<MemoryNode>& root,
                                           std::string_view path, bool follow) {
  constexpr std::size_t kLongestMemoryPath = 4096;
  constexpr int kMostMemoryLinks = 40;
  if (path.empty()) return Errno::Noent;
  if (path.size() >= kLongestMemoryPath) return Errno::Nametoolong;
  if (path.find('\0') != std::string_view::npos) return Errno::Inval;
  if (path.front() == '/') return Errno::Notcapable;

  MemoryPlace place;
  std::vector<std::string> components;  // in reverse order
  const auto push = [&](std::string_view text) {
    if (components.empty()) place.wants_directory |= text.ends_with('/');
    std::size_t end = text.size();
    while (end > 0) {
      const std::size_t slash = text.find_last_of('/', end - 1);
      const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
      if (begin < end) components.emplace_back(text.substr(begin, end - begin));
      end = slash == std::string_view::npos ? 0 : slash;
    }
  };
  push(path);
  std::vector<std::shared_ptr<MemoryNode>> way = {root};
  int links = 0;
  while (!components.empty()) {
    std::string name = std::move(components.back());
    components.pop_back();
    if (name == ".") continue;
    if (name == "..") {
      if (way.size() == 1) return Errno::Notcapable;
      way.pop_back();
      continue;
    }
    const bool is_last = components.empty();
    const auto found = way.back()->entries.find(name);
    const std::shared_ptr<MemoryNode> node =
        found == way.back()->entries.end() ? nullptr : found->second;
    const bool goes_on = !is_last || place.wants_directory || follow;
    if (node != nullptr && node->type == FileType::SymbolicLink && goes_on) {
      if (++links > kMostMemoryLinks) return Errno::Loop;
      const std::string target(node->contents.begin(), node->contents.end());
      if (target.front() == '/') return Errno::Notcapable;
      push(target);
      continue;
    }
    if (is_last) {
      place.directory = way.back();
      place.name = std::move(name);
      place.node = node;
      return place;
    }
    if (node == nullptr) return Errno::Noent;
    if (node->type != FileType::Directory) return Errno::Notdir;
    way.push_back(node);
  }
  place.directory = way.back();
  place.node = way.back();
  place.wants_directory = true;
  return place;
}

}  // namespace tenon::inline TENON_ABI::wasi::detail
