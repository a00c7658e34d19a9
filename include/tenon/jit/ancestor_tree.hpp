// SPDX-License-Identifier: Apache-2.0
/// @file
/// A tree that grows at its leaves and answers questions about ancestors in logarithmic time.
#pragma once

#include <cstdint>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Nodes are numbered in the order in which they are added; 0 is the root and its own parent. Every
/// node has a position, whose meaning is the user's. The tree of dominators is one; so is that of
/// loops.
///
/// Beside its parent each node knows one ancestor further up, chosen so that any ancestor is found
/// in a number of steps that is logarithmic in the depth (skew-binary jump pointers).
class AncestorTree {
 public:
  void Clear() { nodes_.clear(); }
  void ReleaseLarge() { jit::ReleaseLarge(nodes_); }

  /// The first node's parent counts for nothing.
  std::uint32_t Add(std::uint32_t parent, std::uint32_t position) {
    const auto node = static_cast<std::uint32_t>(nodes_.size());
    if (node == 0) {
      nodes_.push_back({0, 0, 0, position});
      return node;
    }
    const Node above = nodes_[parent];
    const Node jump = nodes_[above.jump];
    const bool is_far = above.depth - jump.depth == jump.depth - nodes_[jump.jump].depth;
    nodes_.push_back({parent, is_far ? jump.jump : parent, above.depth + 1, position});
    return node;
  }

  std::uint32_t Parent(std::uint32_t node) const { return nodes_[node].parent; }
  std::uint32_t Position(std::uint32_t node) const { return nodes_[node].position; }

  bool IsAncestorOrSelf(std::uint32_t ancestor, std::uint32_t node) const {
    const std::uint32_t depth = nodes_[ancestor].depth;
    while (nodes_[node].depth > depth) {
      const std::uint32_t jump = nodes_[node].jump;
      node = nodes_[jump].depth >= depth ? jump : nodes_[node].parent;
    }
    return node == ancestor;
  }

  std::uint32_t NearestCommonAncestor(std::uint32_t first, std::uint32_t second) const {
    if (nodes_[first].depth < nodes_[second].depth) std::swap(first, second);
    const std::uint32_t depth = nodes_[second].depth;
    while (nodes_[first].depth > depth) {
      const std::uint32_t jump = nodes_[first].jump;
      first = nodes_[jump].depth >= depth ? jump : nodes_[first].parent;
    }
    while (first != second) {
      const bool can_jump = nodes_[first].jump != nodes_[second].jump;
      first = can_jump ? nodes_[first].jump : nodes_[first].parent;
      second = can_jump ? nodes_[second].jump : nodes_[second].parent;
    }
    return first;
  }

  /// The highest of `node` and its ancestors for whose position `holds` is true; it must be true
  /// for `node`, and false for all above the first for which it is false.
  template <class Predicate>
  std::uint32_t Highest(std::uint32_t node, Predicate holds) const {
    while (node != 0) {
      const Node& at = nodes_[node];
      if (holds(nodes_[at.jump].position)) {
        node = at.jump;
      } else if (holds(nodes_[at.parent].position)) {
        node = at.parent;
      } else {
        break;
      }
    }
    return node;
  }

 private:
  struct Node {
    std::uint32_t parent;
    std::uint32_t jump;
    std::uint32_t depth;
    std::uint32_t position;
  };
  FlatArray<Node> nodes_;
};

}  // namespace tenon::inline TENON_ABI::jit
