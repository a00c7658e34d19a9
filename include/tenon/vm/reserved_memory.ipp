// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of reserved_memory.hpp.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include <sys/mman.h>

#include <tenon/vm/reserved_memory.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

class ReservedMemory final : public LinearMemory {
 public:
  ReservedMemory(std::uint8_t* base, std::uint64_t reserved) noexcept
      : base_{base}, reserved_{reserved} {}
  ~ReservedMemory() override { munmap(base_, static_cast<std::size_t>(reserved_)); }
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;

  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    if (size > reserved_) return nullptr;
    if (size > committed_) {
      if (mprotect(base_ + committed_, static_cast<std::size_t>(size - committed_),
                   PROT_READ | PROT_WRITE) != 0) {
        return nullptr;
      }
      committed_ = size;
    }
    return base_;
  }

 private:
  std::uint8_t* base_;
  std::uint64_t reserved_;
  std::uint64_t committed_ = 0;
};

class MovingMemory final : public LinearMemory {
 public:
  MovingMemory() = default;
  ~MovingMemory() override { std::free(base_); }
  MovingMemory(const MovingMemory&) = delete;
  MovingMemory& operator=(const MovingMemory&) = delete;

  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    if (size > SIZE_MAX - 1) return nullptr;
    if (base_ == nullptr) {
      base_ = static_cast<std::uint8_t*>(std::calloc(static_cast<std::size_t>(size) + 1, 1));
      if (base_ != nullptr) size_ = size;
      return base_;
    }
    void* moved = std::realloc(base_, static_cast<std::size_t>(size) + 1);
    if (moved == nullptr) return nullptr;
    base_ = static_cast<std::uint8_t*>(moved);
    std::memset(base_ + size_, 0, static_cast<std::size_t>(size - size_) + 1);
    size_ = size;
    return base_;
  }

 private:
  std::uint8_t* base_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace detail

TENON_DECL std::unique_ptr<LinearMemory> NewReservedMemory(std::uint64_t reserved) {
  if (reserved > SIZE_MAX) return nullptr;
  void* base = mmap(nullptr, static_cast<std::size_t>(reserved), PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  return std::make_unique<detail::ReservedMemory>(static_cast<std::uint8_t*>(base), reserved);
}

TENON_DECL std::unique_ptr<LinearMemory> NewMovingMemory() {
  return std::make_unique<detail::MovingMemory>();
}

}  // namespace tenon::inline TENON_ABI::vm
