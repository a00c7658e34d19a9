// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of flat_array.hpp.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include <tenon/jit/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit::detail {

inline bool IsMapped(std::size_t bytes) noexcept {
  // The thread sanitizer does not see mremap, and takes pages that another thread gets for those
  // that moved away.
  return TENON_DETAIL_THREAD_SANITIZER == 0 && bytes >= kMappedBytes;
}

TENON_DECL void* ResizeBlock(void* block, std::size_t old_bytes, std::size_t bytes) {
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

TENON_DECL void FreeBlock(void* block, std::size_t bytes) noexcept {
  if (IsMapped(bytes)) {
    munmap(block, bytes);
  } else {
    std::free(block);
  }
}

}  // namespace tenon::inline TENON_ABI::jit::detail
