// SPDX-License-Identifier: Apache-2.0
/// @file
/// A linear memory: its storage, its record, and who uses it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/memory_allocator.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::vm {

struct ModuleCode;
class WaitQueue;

/// Bytes of all memories of a runtime, against their common limit. Any thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_{limit} {}

  bool Take(std::uint64_t bytes) noexcept {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ || used > limit_ - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void Give(std::uint64_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t Limit() const noexcept { return limit_; }

 private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// How memories of a runtime are made.
struct MemorySettings {
  std::uint64_t limit_pages = wasm::kMaxPages32;
  bool capacity_from_max = false;
  std::shared_ptr<MemoryAllocator> allocator;
  std::shared_ptr<MemoryBudget> budget;
};

/// A linear memory. Counted by handles and instances; its storage goes when the last open instance
/// that uses it is closed, its record when the last reference goes.
class MemoryInstance {
 public:
  /// Null if the machine, the allocator or the budget refuses.
  TENON_DECL static MemoryInstance* Create(const wasm::MemoryType& type,
                                           const MemorySettings& settings);
  /// Bytes that a memory takes when it is made; its minimum must be within MostPages.
  static std::uint64_t FirstCapacity(const wasm::MemoryType& type,
                                     const MemorySettings& settings) noexcept {
    const bool takes_all =
        settings.capacity_from_max || (type.limits.is_shared && settings.allocator != nullptr);
    return (takes_all ? MostPages(type, settings) : type.limits.minimum) * wasm::kPageSize;
  }
  /// Pages that a memory can have in the end.
  static std::uint64_t MostPages(const wasm::MemoryType& type,
                                 const MemorySettings& settings) noexcept {
    const std::uint64_t limit = type.limits.is_64
                                    ? settings.limit_pages
                                    : std::min(settings.limit_pages, wasm::kMaxPages32);
    return type.limits.has_maximum ? std::min(type.limits.maximum, limit) : limit;
  }
  TENON_DECL ~MemoryInstance();
  MemoryInstance(const MemoryInstance&) = delete;
  MemoryInstance& operator=(const MemoryInstance&) = delete;

  abi::MemoryRecord& Record() noexcept { return record_; }
  const abi::MemoryRecord& Record() const noexcept { return record_; }
  const wasm::MemoryType& Type() const noexcept { return type_; }
  std::uint64_t Pages() const noexcept { return record_.size.LoadRelaxed() / wasm::kPageSize; }

  /// Those who wait at its addresses; null if it is not shared.
  TENON_DECL WaitQueue* Waiters() noexcept;

  /// The former number of pages; nullopt if a limit or the machine refuses, or a host function runs
  /// that views a memory which would move. Any thread if the memory is shared.
  TENON_DECL std::optional<std::uint64_t> Grow(std::uint64_t delta) noexcept;

  void Retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /// Remembers which module declares it.
  void Describe(std::shared_ptr<const ModuleCode> code, const std::string& module_name,
                std::uint32_t index) {
    code_ = std::move(code);
    module_name_ = module_name;
    index_ = index;
  }
  const std::shared_ptr<const ModuleCode>& Code() const noexcept { return code_; }
  const std::string& ModuleName() const noexcept { return module_name_; }
  std::uint32_t Index() const noexcept { return index_; }

  /// An instance that uses the memory goes without having been closed.
  void ForgetUser() noexcept { users_.fetch_sub(1, std::memory_order_acq_rel); }
  /// An open instance begins, or ends, to use the memory; with the last one its storage goes.
  void AddUser() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveUser() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) FreeStorage();
  }

 private:
  MemoryInstance(const wasm::MemoryType& type, const MemorySettings& settings);

  /// What only shared memories need.
  struct Shared;

  bool Allocate();
  /// Storage that never moves, as large as the memory can become.
  bool AllocateShared();
  /// The first bytes of storage that was just made.
  bool Commit();
  std::optional<std::uint64_t> GrowAlone(std::uint64_t delta) noexcept;
  bool Resize(std::uint64_t bytes) noexcept;
  /// Takes from the budget what is missing to `bytes`.
  bool Charge(std::uint64_t bytes) noexcept;
  TENON_DECL void FreeStorage() noexcept;

  abi::MemoryRecord record_{};
  wasm::MemoryType type_;
  MemorySettings settings_;
  std::unique_ptr<LinearMemory> storage_;
  std::unique_ptr<Shared> shared_;
  std::uint64_t charged_ = 0;  ///< bytes taken from the budget
  std::shared_ptr<const ModuleCode> code_;
  std::string module_name_;
  std::uint32_t index_ = 0;
  std::atomic<std::uint64_t> references_{1};
  std::atomic<std::uint64_t> users_{0};
};

/// The record that stands in where a module has no memory: size 0.
TENON_DECL abi::MemoryRecord& EmptyMemory() noexcept;

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/memory_instance.ipp>
#endif
