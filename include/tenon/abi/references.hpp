// SPDX-License-Identifier: Apache-2.0
/// @file
/// Records of host objects that guests refer to, and of the table they are in.
///
/// A guest holds a number, its token, as an externref (64 bits) or as a handle (its low 32 bits).
/// The low bits are an index among all references of the runtime, which finds a chunk and an entry
/// in it; the rest counts how often the entry was used, so that what was ended is not taken for
/// what came after it. A chunk belongs to one linkage group: entries of others are never looked at.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::abi {

struct ExecContext;
struct InstanceHeader;

/// How an owner that lies in a ReferenceEntry is moved and given up. Static storage; its address
/// says of which type the owner is.
struct ReferenceOwner {
  void (*move)(void* to, void* from) noexcept;  ///< and destroys the one it moved from
  void (*destroy)(void* owner) noexcept;
};

inline constexpr std::size_t kReferenceOwnerSize = 2 * sizeof(void*);

/// Facts about an entry.
enum ReferenceFlags : std::uint32_t {
  kReferenceEnded = 1u << 0,      ///< no guest may refer to it, but host code still uses the object
  kReferenceOrphaned = 1u << 1,   ///< and its linkage group is gone
  kReferenceWasHandle = 1u << 2,  ///< a token of it was given out in 32 bits
  kReferenceIsHandle = 1u << 3,   ///< the one that it has now was
  kReferenceHandle = kReferenceWasHandle | kReferenceIsHandle,
};

/// A host object that guests refer to, or room for one. One thread at a time, as all of its group.
struct ReferenceEntry {
  std::uint64_t token;  ///< its number; of the next one while it is free
  const void* type;  ///< address that stands for the object's type; null: no guest may refer to it
  void* object;
  const ReferenceOwner* owner_type;  ///< null: the object is only borrowed
  alignas(void*) unsigned char owner[kReferenceOwnerSize];
  InstanceHeader* instance;  ///< the one that it was given to
  ReferenceEntry* next;      ///< in the list of its instance, or of free entries
  ReferenceEntry* previous;
  std::uint32_t pins;  ///< host code that uses the object
  std::uint32_t flags;
};

inline constexpr std::uint32_t kReferenceIndexBits = 22;
inline constexpr std::uint32_t kReferenceChunkBits = 6;
inline constexpr std::uint32_t kReferenceChunkSize = 1u << kReferenceChunkBits;
inline constexpr std::uint32_t kReferenceChunks = 1u << (kReferenceIndexBits - kReferenceChunkBits);
inline constexpr std::uint32_t kReferenceIndexMask = (1u << kReferenceIndexBits) - 1;

/// Entries with consecutive indices.
struct ReferenceChunk {
  ReferenceEntry entries[kReferenceChunkSize];
  ExecContext* group;  ///< written and read atomically; null: free
  /// Ends a reference: no guest may refer to it from here on.
  void (*end)(ReferenceEntry* entry) noexcept;
  /// The last pin of an ended reference is gone.
  void (*release)(ReferenceEntry* entry) noexcept;
  void* directory;
  /// Ended references that host code still uses, their linkage group being gone. The chunk is free
  /// when there are none. Guarded by the directory.
  std::uint32_t orphans;
};

/// All chunks of a runtime; elements are written once and read atomically.
struct ReferenceDirectory {
  ReferenceChunk* chunks[kReferenceChunks];
};

inline ReferenceChunk* ChunkOf(ReferenceEntry* entry) noexcept {
  return reinterpret_cast<ReferenceChunk*>(entry - (entry->token & (kReferenceChunkSize - 1)));
}

/// A reference that is to be given to a guest.
struct ReferenceRequest {
  const void* type;
  void* object;
  const ReferenceOwner* owner_type;  ///< null: borrowed
  void* owner;                       ///< moved from on success
  bool as_handle;
};

}  // namespace tenon::inline TENON_ABI::abi
