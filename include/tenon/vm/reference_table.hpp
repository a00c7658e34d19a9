// SPDX-License-Identifier: Apache-2.0
/// @file
/// The host objects that guests refer to: where their entries come from, and when they end.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/references.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::vm {

class Instance;
struct Group;

/// The chunks of a runtime. Any thread.
class ReferenceChunks {
 public:
  ReferenceChunks() = default;
  TENON_DECL ~ReferenceChunks();
  ReferenceChunks(const ReferenceChunks&) = delete;
  ReferenceChunks& operator=(const ReferenceChunks&) = delete;

  /// A chunk of free entries that belongs to `group` from here on; null if the machine refuses, or
  /// all indices are in use.
  TENON_DECL abi::ReferenceChunk* Take(Group& group) noexcept;
  /// Takes chunks of a group that goes back. Objects that host code still uses go when it ends
  /// that.
  TENON_DECL void GiveBack(const wasm::FlatArray<abi::ReferenceChunk*>& chunks) noexcept;

 private:
  /// Outlives the runtime if host code still uses objects then.
  struct Directory {
    std::atomic<std::uint64_t> holders{1};  ///< the runtime, and orphans
    std::mutex mutex;
    abi::ReferenceDirectory* table = nullptr;
    std::uint32_t count = 0;
    wasm::FlatArray<abi::ReferenceChunk*> free;
  };
  static Directory* NewDirectory() noexcept;
  static void Drop(Directory* directory) noexcept;
  /// An orphan of the chunk was released.
  static void ForgetOrphan(abi::ReferenceChunk& chunk) noexcept;
  friend class ReferenceTable;
  friend void ReleaseReference(abi::ReferenceEntry* entry) noexcept;

  std::mutex mutex_;  ///< of what follows
  Directory* directory_ = nullptr;
};

/// The entries of a linkage group. Belongs to the thread that executes in it.
class ReferenceTable {
 public:
  /// A free entry; null if there is none to be had.
  TENON_DECL abi::ReferenceEntry* Take(Group& group, ReferenceChunks& source) noexcept;
  TENON_DECL void Free(abi::ReferenceEntry* entry) noexcept;
  /// Another group's table becomes part of this one.
  TENON_DECL void Join(Group& group, ReferenceTable& other);
  TENON_DECL void GiveBack(ReferenceChunks& source) noexcept;

 private:
  struct Queue {
    abi::ReferenceEntry* first = nullptr;
    abi::ReferenceEntry* last = nullptr;
    std::uint32_t size = 0;
    void Push(abi::ReferenceEntry* entry) noexcept;
    abi::ReferenceEntry* Pop() noexcept;
  };
  /// Room for so many references that ended is made before tokens of 32 bits repeat. Each of them
  /// was given out a thousand times by then.
  static constexpr std::uint32_t kMostWorn = 64 * abi::kReferenceChunkSize;

  wasm::FlatArray<abi::ReferenceChunk*> chunks_;
  /// Used again oldest first.
  Queue free_;
  /// Entries whose next token would look like an earlier one in 32 bits: used, oldest first, when
  /// there are kMostWorn of them, or no others to be had.
  Queue worn_;
};

/// Gives an instance a reference: its token, or 0 if a limit refuses.
TENON_DECL std::uint64_t IssueReference(Instance& instance,
                                        const abi::ReferenceRequest& request) noexcept;
/// Ends one reference, and its object unless host code uses it.
TENON_DECL void EndReference(abi::ReferenceEntry* entry) noexcept;
/// The last pin of an ended reference is gone: ends its object.
TENON_DECL void ReleaseReference(abi::ReferenceEntry* entry) noexcept;
/// Ends all references that an instance was given, newest first.
TENON_DECL void EndReferences(Instance& instance) noexcept;

}  // namespace tenon::inline TENON_ABI::vm
