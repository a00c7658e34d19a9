// SPDX-License-Identifier: Apache-2.0
/// @file
/// operator new that counts.
#include "count_allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t allocations = 0;
}  // namespace

namespace tenon_test {
std::uint64_t Allocations() noexcept { return allocations; }
}  // namespace tenon_test

// The sanitizers bring operators of their own, which cannot be replaced in part.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define TENON_TEST_CANNOT_COUNT
#endif
#endif

#if !defined(TENON_TEST_CANNOT_COUNT)
void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
