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

inline ReferenceChunks::Directory* ReferenceChunks::NewDirectory() noexcept {
  // Half a megabyte of zeros of which few pages are ever touched.
  void* const table = std::calloc(1, sizeof(abi::ReferenceDirectory));
  if (table == nullptr) return nullptr;
  auto* const directory = new (std::nothrow) Directory;
  if (directory == nullptr) {
    std::free(table);
  } else {
    directory->table = static_cast<abi::ReferenceDirectory*>(table);
  }
  return directory;
}

TENON_DECL ReferenceChunks::~ReferenceChunks() {
  if (directory_ != nullptr) Drop(directory_);
}

inline void ReferenceChunks::Drop(Directory* directory) noexcept {
  if (directory->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (std::uint32_t i = 0; i < directory->count; ++i) delete directory->table->chunks[i];
  std::free(directory->table);
  delete directory;
}

inline void ReferenceChunks::ForgetOrphan(abi::ReferenceChunk& chunk) noexcept {
  auto* const directory = static_cast<Directory*>(chunk.directory);
  {
    const std::lock_guard lock{directory->mutex};
    // Room was made when the chunk was.
    if (--chunk.orphans == 0) directory->free.push_back(&chunk);
  }
  Drop(directory);
}

TENON_DECL abi::ReferenceChunk* ReferenceChunks::Take(Group& group) noexcept {
  {
    const std::lock_guard lock{mutex_};
    if (directory_ == nullptr) directory_ = NewDirectory();
    if (directory_ == nullptr) return nullptr;
  }
  const std::lock_guard lock{directory_->mutex};
  wasm::FlatArray<abi::ReferenceChunk*>& free = directory_->free;
  abi::ReferenceChunk* chunk = nullptr;
  if (!free.empty()) {
    chunk = free.back();
    free.pop_back();
  } else {
    if (directory_->count == abi::kReferenceChunks) return nullptr;
    try {
      free.reserve(directory_->count + std::size_t{1});
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
    __atomic_store_n(&directory_->table->chunks[directory_->count], chunk, __ATOMIC_RELEASE);
    ++directory_->count;
  }
  __atomic_store_n(&chunk->group, static_cast<abi::ExecContext*>(&group), __ATOMIC_RELAXED);
  group.references = directory_->table;
  return chunk;
}

TENON_DECL void ReferenceChunks::GiveBack(
    const wasm::FlatArray<abi::ReferenceChunk*>& chunks) noexcept {
  const std::lock_guard lock{directory_->mutex};
  for (abi::ReferenceChunk* chunk : chunks) {
    for (abi::ReferenceEntry& entry : chunk->entries) {
      if (entry.pins == 0) continue;
      entry.flags |= abi::kReferenceOrphaned;
      ++chunk->orphans;
      directory_->holders.fetch_add(1, std::memory_order_relaxed);
    }
    __atomic_store_n(&chunk->group, static_cast<abi::ExecContext*>(nullptr), __ATOMIC_RELAXED);
    if (chunk->orphans == 0) directory_->free.push_back(chunk);
  }
}

inline void ReferenceTable::Queue::Push(abi::ReferenceEntry* entry) noexcept {
  entry->next = nullptr;
  (first == nullptr ? first : last->next) = entry;
  last = entry;
  ++size;
}

inline abi::ReferenceEntry* ReferenceTable::Queue::Pop() noexcept {
  abi::ReferenceEntry* const entry = first;
  if (entry != nullptr) {
    first = entry->next;
    --size;
  }
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
  if (worn_.size >= kMostWorn) return worn_.Pop();
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
    group.references = static_cast<ReferenceChunks::Directory*>(chunk->directory)->table;
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
                 (request.as_handle ? std::uint32_t{abi::kReferenceHandle} : 0u);
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
  if (owner_type != nullptr) {
    // The object may take its group with it as it goes, even the runtime: not the entry.
    ++entry->pins;
    owner_type->destroy(entry->owner);
    --entry->pins;
  }
  const bool is_orphaned = (entry->flags & abi::kReferenceOrphaned) != 0;
  entry->flags &= abi::kReferenceWasHandle;
  abi::ReferenceChunk& chunk = *abi::ChunkOf(entry);
  if (is_orphaned) {
    ReferenceChunks::ForgetOrphan(chunk);
  } else if (Group* const group = detail::OwnerOfChunk(chunk); group != nullptr) {
    group->reference_table.Free(entry);
  }
}

TENON_DECL void EndReferences(Instance& instance) noexcept {
  while (instance.newest_reference != nullptr) EndReference(instance.newest_reference);
}

}  // namespace tenon::inline TENON_ABI::vm
