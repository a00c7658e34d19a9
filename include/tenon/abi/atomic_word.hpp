// SPDX-License-Identifier: Apache-2.0
/// @file
/// A word that several threads read and write.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::abi {

/// What std::atomic<std::uint64_t> is, for the records that every binding includes: <atomic> would
/// be most of what they cost to compile. Sequentially consistent but where it says otherwise.
class AtomicWord {
 public:
  constexpr AtomicWord() noexcept = default;
  explicit constexpr AtomicWord(std::uint64_t word) noexcept : word_{word} {}
  AtomicWord(const AtomicWord&) = delete;
  AtomicWord& operator=(const AtomicWord&) = delete;

  std::uint64_t Load() const noexcept { return __atomic_load_n(&word_, __ATOMIC_SEQ_CST); }
  std::uint64_t LoadRelaxed() const noexcept { return __atomic_load_n(&word_, __ATOMIC_RELAXED); }
  void StoreRelease(std::uint64_t value) noexcept {
    __atomic_store_n(&word_, value, __ATOMIC_RELEASE);
  }
  void Store(std::uint64_t value) noexcept { __atomic_store_n(&word_, value, __ATOMIC_SEQ_CST); }
  /// Writes `desired` if the word is `expected`; else reads the word into `expected`.
  bool CompareExchange(std::uint64_t& expected, std::uint64_t desired) noexcept {
    return __atomic_compare_exchange_n(&word_, &expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
  }

 private:
  alignas(8) std::uint64_t word_ = 0;
};

static_assert(sizeof(AtomicWord) == 8 && alignof(AtomicWord) == 8);
static_assert(__atomic_always_lock_free(8, nullptr));

}  // namespace tenon::inline TENON_ABI::abi
