// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of memory_instance.hpp.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <tenon/vm/memory_instance.hpp>
#include <tenon/vm/reserved_memory.hpp>
#include <tenon/vm/wait_queue.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

inline std::uint8_t empty_memory_byte[1];

/// Of the widest atomic access.
inline constexpr std::uintptr_t kSharedAlignment = 8;

}  // namespace detail

TENON_DECL abi::MemoryRecord& EmptyMemory() noexcept {
  static abi::MemoryRecord record{
      detail::empty_memory_byte, abi::AtomicWord{}, 0, 0, abi::kMemoryImmovable, 0};
  return record;
}

struct MemoryInstance::Shared {
  std::mutex growth;
  WaitQueue waiters;
};

inline MemoryInstance::MemoryInstance(const wasm::MemoryType& type, const MemorySettings& settings)
    : type_{type}, settings_{settings} {
  record_.base = detail::empty_memory_byte;
  record_.maximum_pages = MostPages(type, settings);
  if (type.limits.is_64) record_.flags |= abi::kMemory64;
  if (type.limits.is_shared) {
    record_.flags |= abi::kMemoryShared;
    shared_ = std::make_unique<Shared>();
  }
}

TENON_DECL MemoryInstance::~MemoryInstance() { FreeStorage(); }

TENON_DECL WaitQueue* MemoryInstance::Waiters() noexcept {
  return shared_ == nullptr ? nullptr : &shared_->waiters;
}

TENON_DECL MemoryInstance* MemoryInstance::Create(const wasm::MemoryType& type,
                                                  const MemorySettings& settings) {
  std::unique_ptr<MemoryInstance> memory{new MemoryInstance{type, settings}};
  if (type.limits.minimum > memory->record_.maximum_pages || !memory->Allocate()) return nullptr;
  return memory.release();
}

inline bool MemoryInstance::AllocateShared() {
  const std::uint64_t maximum = record_.maximum_pages * wasm::kPageSize;
  if (settings_.allocator != nullptr) {
    // Asked for all of it at once, and never again: what is asked to grow may move.
    if (!Charge(maximum)) return false;
    storage_ = settings_.allocator->Allocate(maximum, maximum);
    std::uint8_t* const base = storage_ == nullptr ? nullptr : storage_->Reallocate(maximum);
    if (base == nullptr || reinterpret_cast<std::uintptr_t>(base) % detail::kSharedAlignment != 0) {
      return false;
    }
    record_.base = base;
    record_.flags |= abi::kMemoryImmovable;
    record_.size.StoreRelease(type_.limits.minimum * wasm::kPageSize);
    return true;
  }
  const std::uint64_t guarded = std::max(wasm::kMaxPages32 * wasm::kPageSize, maximum) + kGuardSize;
  for (const std::uint64_t reserved : {guarded, std::max(maximum, wasm::kPageSize)}) {
    storage_ = NewReservedMemory(reserved);
    if (storage_ == nullptr) continue;
    record_.flags |= abi::kMemoryImmovable;
    record_.reserved_size = reserved;
    return Commit();
  }
  return false;
}

inline bool MemoryInstance::Commit() {
  const std::uint64_t minimum = type_.limits.minimum * wasm::kPageSize;
  const std::uint64_t maximum = record_.maximum_pages * wasm::kPageSize;
  if (settings_.capacity_from_max && (record_.flags & abi::kMemoryImmovable) != 0 &&
      storage_->Reallocate(maximum) == nullptr) {
    return false;
  }
  return Resize(minimum);
}

inline bool MemoryInstance::Allocate() {
  const std::uint64_t minimum = type_.limits.minimum * wasm::kPageSize;
  const std::uint64_t maximum = record_.maximum_pages * wasm::kPageSize;
  if (settings_.capacity_from_max && !Charge(maximum)) return false;
  if (shared_ != nullptr) return AllocateShared();
  if (settings_.allocator != nullptr) {
    storage_ =
        settings_.allocator->Allocate(settings_.capacity_from_max ? maximum : minimum, maximum);
  } else {
    const std::uint64_t reserved =
        std::max(wasm::kMaxPages32 * wasm::kPageSize, maximum) + kGuardSize;
    storage_ = NewReservedMemory(reserved);
    if (storage_ != nullptr) {
      record_.flags |= abi::kMemoryImmovable;
      record_.reserved_size = reserved;
    } else {
      storage_ = NewMovingMemory();
    }
  }
  return storage_ != nullptr && Commit();
}

inline bool MemoryInstance::Charge(std::uint64_t bytes) noexcept {
  if (bytes <= charged_) return true;
  if (!settings_.budget->Take(bytes - charged_)) return false;
  charged_ = bytes;
  return true;
}

inline bool MemoryInstance::Resize(std::uint64_t bytes) noexcept {
  const std::uint64_t charged = charged_;
  if (!Charge(bytes)) return false;
  const bool is_whole = shared_ != nullptr && settings_.allocator != nullptr;
  std::uint8_t* base = is_whole ? record_.base : storage_->Reallocate(bytes);
  if (base == nullptr) {
    settings_.budget->Give(charged_ - charged);
    charged_ = charged;
    return false;
  }
  // Shared ones are read meanwhile, and do not move.
  if (record_.base != base) record_.base = base;
  record_.size.StoreRelease(bytes);
  return true;
}

TENON_DECL std::optional<std::uint64_t> MemoryInstance::Grow(std::uint64_t delta) noexcept {
  if (shared_ == nullptr) return GrowAlone(delta);
  const std::lock_guard lock{shared_->growth};
  return GrowAlone(delta);
}

inline std::optional<std::uint64_t> MemoryInstance::GrowAlone(std::uint64_t delta) noexcept {
  const std::uint64_t pages = Pages();
  if (storage_ == nullptr || pages > record_.maximum_pages ||
      delta > record_.maximum_pages - pages) {
    return std::nullopt;
  }
  if (delta != 0 && record_.pins != 0) return std::nullopt;
  if (delta != 0 && !Resize((pages + delta) * wasm::kPageSize)) return std::nullopt;
  return pages;
}

TENON_DECL void MemoryInstance::FreeStorage() noexcept {
  settings_.budget->Give(std::exchange(charged_, 0));
  if (storage_ == nullptr) return;
  record_.base = detail::empty_memory_byte;
  record_.size.StoreRelease(0);
  record_.reserved_size = 0;
  storage_.reset();
}

}  // namespace tenon::inline TENON_ABI::vm
