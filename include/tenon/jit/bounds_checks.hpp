// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bounds checks that have been made while a function is built.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Bounds checks that have been made, the last of each address value. Memories never shrink, so a
/// check holds wherever its block dominates, whatever happens in between.
class BoundsChecks {
 public:
  void Begin() {
    entries_.assign(32, Entry{});
    count_ = 0;
  }

  void ReleaseLarge() { jit::ReleaseLarge(entries_); }

  /// Whether `address` + `end` is known to be in bounds in `block`; from now on it is.
  bool TestAndSet(ValueId address, std::uint64_t end, BlockId block,
                  const AncestorTree& dominators) {
    if ((count_ + 1) * 2 > entries_.size()) Grow();
    Entry& entry = Place(address);
    if (entry.address == kNone) {
      ++count_;
    } else if (entry.end >= end && dominators.IsAncestorOrSelf(entry.block, block)) {
      return true;
    }
    entry = {address, block, end};
    return false;
  }

 private:
  struct Entry {
    ValueId address = kNone;
    BlockId block = kNone;
    std::uint64_t end = 0;
  };

  Entry& Place(ValueId address) {
    const std::size_t mask = entries_.size() - 1;
    std::size_t at = address * std::size_t{0x9E3779B1} & mask;
    while (entries_[at].address != kNone && entries_[at].address != address) at = (at + 1) & mask;
    return entries_[at];
  }

  void Grow() {
    FlatArray<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.address != kNone) Place(entry.address) = entry;
    }
  }

  FlatArray<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
