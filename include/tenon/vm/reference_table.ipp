// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of reference_table.hpp.
#pragma once

#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

#include <tenon/vm/group.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/reference_table.hpp>
#include <tenon/vm/store.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

inline constexpr std::uint64_t kNextReference = std::uint64_t{1} << abi::kReferenceIndexBits;
inline constexpr std::uint32_t kHandleGenerations = 1u << (32 - abi::kReferenceIndexBits);

inline Group* OwnerOfChunk(const abi::ReferenceChunk& chunk) noexcept {
  return static_cast<Group*>(__atomic_load_n(&chunk.group, __ATOMIC_RELAXED));
}

}  // namespace detail

TENON_DECL ReferenceChunks::~ReferenceChunks() {
  if (directory_ != nullptr) Drop(directory_);
}

TENON_DECL void ReferenceChunks::Drop(Directory* directory) noexcept {
  if (directory->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (std::uint32_t i = 0; i < directory->count; ++i) delete directory->chunks[i];
  directory->~Directory();
  std::free(directory);
}

TENON_DECL abi::ReferenceChunk* ReferenceChunks::Take(Group& group) noexcept {
  const std::lock_guard lock{mutex_};
  abi::ReferenceChunk* chunk = nullptr;
  if (directory_ == nullptr) {
    // Half a megabyte of zeros of which few pages are ever touched.
    void* const memory = std::calloc(1, sizeof(Directory));
    if (memory == nullptr) return nullptr;
    directory_ = ::new (memory) Directory;
  }
  if (!free_.empty()) {
    chunk = free_.back();
    free_.pop_back();
  } else {
    if (directory_->count == abi::kReferenceChunks) return nullptr;
    try {
      free_.reserve(directory_->count + std::size_t{1});
    } catch (const std::exception&) {
      return nullptr;
    }
    chunk = new (std::nothrow) abi::ReferenceChunk{};
    if (chunk == nullptr) return nullptr;
    const std::uint32_t first = directory_->count << abi::kReferenceChunkBits;
    for (std::uint32_t i = 0; i < abi::kReferenceChunkSize; ++i) {
      chunk->entries[i].token = detail::kNextReference + first + i;
    }
    chunk->end = EndReference;
    chunk->release = ReleaseReference;
    chunk->directory = directory_;
    __atomic_store_n(&directory_->chunks[directory_->count], chunk, __ATOMIC_RELEASE);
    ++directory_->count;
  }
  __atomic_store_n(&chunk->group, static_cast<abi::ExecContext*>(&group), __ATOMIC_RELAXED);
  group.references = directory_;
  return chunk;
}

TENON_DECL void ReferenceChunks::GiveBack(
    const std::vector<abi::ReferenceChunk*>& chunks) noexcept {
  const std::lock_guard lock{mutex_};
  for (abi::ReferenceChunk* chunk : chunks) {
    bool is_used = false;
    for (abi::ReferenceEntry& entry : chunk->entries) {
      if (entry.pins == 0) continue;
      is_used = true;
      entry.flags |= abi::kReferenceOrphaned;
      directory_->holders.fetch_add(1, std::memory_order_relaxed);
    }
    __atomic_store_n(&chunk->group, static_cast<abi::ExecContext*>(nullptr), __ATOMIC_RELAXED);
    // Room was made when the chunk was.
    if (!is_used) free_.push_back(chunk);
  }
}

inline void ReferenceTable::Queue::Push(abi::ReferenceEntry* entry) noexcept {
  entry->next = nullptr;
  (first == nullptr ? first : last->next) = entry;
  last = entry;
}

inline abi::ReferenceEntry* ReferenceTable::Queue::Pop() noexcept {
  abi::ReferenceEntry* const entry = first;
  if (entry != nullptr) first = entry->next;
  return entry;
}

TENON_DECL void ReferenceTable::Free(abi::ReferenceEntry* entry) noexcept {
  const std::uint64_t generation = entry->token >> abi::kReferenceIndexBits;
  const bool is_worn = (entry->flags & abi::kReferenceWasHandle) != 0 &&
                       generation % detail::kHandleGenerations == 0;
  (is_worn ? worn_ : free_).Push(entry);
}

TENON_DECL abi::ReferenceEntry* ReferenceTable::Take(Group& group,
                                                     ReferenceChunks& source) noexcept {
  if (abi::ReferenceEntry* const entry = free_.Pop(); entry != nullptr) return entry;
  try {
    chunks_.reserve(chunks_.size() + 1);
  } catch (const std::exception&) {
    return nullptr;
  }
  abi::ReferenceChunk* const chunk = source.Take(group);
  if (chunk == nullptr) return worn_.Pop();
  chunks_.push_back(chunk);
  for (abi::ReferenceEntry& entry : chunk->entries) {
    // Index 0 is none: as a handle it could be the null handle.
    if ((entry.token & abi::kReferenceIndexMask) != 0) Free(&entry);
  }
  return free_.first != nullptr ? free_.Pop() : worn_.Pop();
}

TENON_DECL void ReferenceTable::Join(Group& group, ReferenceTable& other) {
  chunks_.reserve(chunks_.size() + other.chunks_.size());
  for (abi::ReferenceChunk* chunk : other.chunks_) {
    __atomic_store_n(&chunk->group, static_cast<abi::ExecContext*>(&group), __ATOMIC_RELAXED);
    group.references = static_cast<const abi::ReferenceDirectory*>(chunk->directory);
    chunks_.push_back(chunk);
  }
  other.chunks_.clear();
  while (abi::ReferenceEntry* const entry = other.free_.Pop()) free_.Push(entry);
  while (abi::ReferenceEntry* const entry = other.worn_.Pop()) worn_.Push(entry);
}

TENON_DECL void ReferenceTable::GiveBack(ReferenceChunks& source) noexcept {
  if (!chunks_.empty()) source.GiveBack(chunks_);
  chunks_.clear();
}

TENON_DECL std::uint64_t IssueReference(Instance& instance,
                                        const abi::ReferenceRequest& request) noexcept {
  Store& store = *instance.store;
  Group& group = *instance.group;
  if (instance.live_references >= store.settings.reference_limit) return 0;
  abi::ReferenceEntry* const entry = group.reference_table.Take(group, store.reference_chunks);
  if (entry == nullptr) return 0;
  entry->type = request.type;
  entry->object = request.object;
  entry->owner_type = request.owner_type;
  if (request.owner_type != nullptr) request.owner_type->move(entry->owner, request.owner);
  entry->instance = instance.header;
  entry->flags = (entry->flags & abi::kReferenceWasHandle) |
                 (request.as_handle ? std::uint32_t{abi::kReferenceWasHandle} : 0u);
  entry->previous = nullptr;
  entry->next = instance.newest_reference;
  if (entry->next != nullptr) entry->next->previous = entry;
  instance.newest_reference = entry;
  ++instance.live_references;
  return entry->token;
}

TENON_DECL void EndReference(abi::ReferenceEntry* entry) noexcept {
  Instance& instance = InstanceOf(*entry->instance);
  (entry->previous == nullptr ? instance.newest_reference : entry->previous->next) = entry->next;
  if (entry->next != nullptr) entry->next->previous = entry->previous;
  --instance.live_references;
  entry->type = nullptr;
  entry->token += detail::kNextReference;
  if (entry->pins != 0) {
    entry->flags |= abi::kReferenceEnded;
  } else {
    ReleaseReference(entry);
  }
}

TENON_DECL void ReleaseReference(abi::ReferenceEntry* entry) noexcept {
  const abi::ReferenceOwner* const owner_type = std::exchange(entry->owner_type, nullptr);
  entry->object = nullptr;
  if (owner_type != nullptr) owner_type->destroy(entry->owner);
  const bool is_orphaned = (entry->flags & abi::kReferenceOrphaned) != 0;
  entry->flags &= abi::kReferenceWasHandle;
  abi::ReferenceChunk& chunk = *abi::ChunkOf(entry);
  if (is_orphaned) {
    ReferenceChunks::Drop(static_cast<ReferenceChunks::Directory*>(
        static_cast<abi::ReferenceDirectory*>(chunk.directory)));
  } else if (Group* const group = detail::OwnerOfChunk(chunk); group != nullptr) {
    group->reference_table.Free(entry);
  }
}

TENON_DECL void EndReferences(Instance& instance) noexcept {
  while (instance.newest_reference != nullptr) EndReference(instance.newest_reference);
}

}  // namespace tenon::inline TENON_ABI::vm
