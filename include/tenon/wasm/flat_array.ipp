// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of flat_array.hpp.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

inline bool IsMapped(std::size_t bytes) noexcept {
  // The thread sanitizer does not see mremap, and takes pages that another thread gets for those
  // that moved away.
  return TENON_DETAIL_THREAD_SANITIZER == 0 && bytes >= kMappedBytes;
}

inline void FreeBlock(void* block, std::size_t bytes) noexcept {
  if (IsMapped(bytes)) {
    munmap(block, bytes);
  } else {
    std::free(block);
  }
}

/// Makes a block of `bytes`, which is not 0, of one of `old_bytes`, which may be; keeps its
/// contents as far as they fit. Throws std::bad_alloc.
inline void* ResizeBlock(void* block, std::size_t old_bytes, std::size_t bytes) {
  void* place = nullptr;
  const bool is_mapped = IsMapped(bytes);
  const bool was_mapped = IsMapped(old_bytes);
  if (is_mapped && was_mapped) {
    place = mremap(block, old_bytes, bytes, MREMAP_MAYMOVE);
    if (place == MAP_FAILED) throw std::bad_alloc{};
    return place;
  }
  if (is_mapped) {
    place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::bad_alloc{};
  } else {
    place = std::malloc(bytes);
    if (place == nullptr) throw std::bad_alloc{};
  }
  if (block != nullptr) {
    std::memcpy(place, block, std::min(old_bytes, bytes));
    FreeBlock(block, old_bytes);
  }
  return place;
}

TENON_DECL FlatStorage& FlatStorage::operator=(const FlatStorage& other) {
  if (this == &other) return *this;
  const auto used = static_cast<std::size_t>(other.end_ - other.begin_);
  if (used > static_cast<std::size_t>(limit_ - begin_)) SetRoom(used, 1);
  if (used != 0) std::memcpy(begin_, other.begin_, used);
  end_ = begin_ + used;
  return *this;
}

TENON_DECL void FlatStorage::Swap(FlatStorage& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(limit_, other.limit_);
}

TENON_DECL void FlatStorage::Free() noexcept {
  FreeBlock(begin_, static_cast<std::size_t>(limit_ - begin_));
  begin_ = end_ = limit_ = nullptr;
}

TENON_DECL void FlatStorage::Grow(std::size_t count, std::size_t element_bytes) {
  constexpr std::size_t kLeastBytes = 64;
  const std::size_t used = static_cast<std::size_t>(end_ - begin_) / element_bytes;
  const std::size_t room = static_cast<std::size_t>(limit_ - begin_) / element_bytes;
  SetRoom(std::max({used + count, room * 2, kLeastBytes / element_bytes}), element_bytes);
}

TENON_DECL void FlatStorage::Erase(const void* first, const void* last) noexcept {
  if (first == last) return;
  std::byte* const place = begin_ + (static_cast<const std::byte*>(first) - begin_);
  const auto bytes = static_cast<std::size_t>(end_ - static_cast<const std::byte*>(last));
  std::memmove(place, last, bytes);
  end_ = place + bytes;
}

TENON_DECL void FlatStorage::SetRoom(std::size_t count, std::size_t element_bytes) {
  if (count == 0) return Free();
  if (count > static_cast<std::size_t>(-1) / 2 / element_bytes) throw std::bad_alloc{};
  const auto used = static_cast<std::size_t>(end_ - begin_);
  const auto room = static_cast<std::size_t>(limit_ - begin_);
  begin_ = static_cast<std::byte*>(ResizeBlock(begin_, room, count * element_bytes));
  end_ = begin_ + used;
  limit_ = begin_ + count * element_bytes;
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
