// SPDX-License-Identifier: Apache-2.0
/// @file
/// A hash table from a block and a local to a value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

class BlockLocalTable {
 public:
  void Begin(std::size_t expected) {
    entries_.assign(std::bit_ceil(expected < 16 ? std::size_t{32} : expected * 2), {});
    count_ = 0;
  }

  void ReleaseLarge() { jit::ReleaseLarge(entries_); }

  /// kNone if there is none.
  ValueId Find(BlockId block, std::uint32_t local) const {
    const std::uint64_t key = Key(block, local);
    const std::size_t mask = entries_.size() - 1;
    for (std::size_t at = Hash(key) & mask; entries_[at].value != kNone; at = (at + 1) & mask) {
      if (entries_[at].key == key) return entries_[at].value;
    }
    return kNone;
  }

  void Put(BlockId block, std::uint32_t local, ValueId value) {
    if ((count_ + 1) * 2 > entries_.size()) Grow();
    Entry& entry = Place(Key(block, local));
    if (entry.value == kNone) ++count_;
    entry.key = Key(block, local);
    entry.value = value;
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    ValueId value = kNone;
  };

  static std::uint64_t Key(BlockId block, std::uint32_t local) {
    return std::uint64_t{block} << 32 | local;
  }
  static std::size_t Hash(std::uint64_t key) {
    const std::uint64_t hash = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15 ^ key * 0xBF58476D1CE4E5B9;
    return static_cast<std::size_t>(hash ^ (hash >> 32));
  }

  Entry& Place(std::uint64_t key) {
    const std::size_t mask = entries_.size() - 1;
    std::size_t at = Hash(key) & mask;
    while (entries_[at].value != kNone && entries_[at].key != key) at = (at + 1) & mask;
    return entries_[at];
  }

  void Grow() {
    FlatArray<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.value != kNone) Place(entry.key) = entry;
    }
  }

  FlatArray<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
