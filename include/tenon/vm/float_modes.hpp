// SPDX-License-Identifier: Apache-2.0
/// @file
/// The floating-point modes that guests compute in: rounding to nearest, denormals kept, no
/// exceptions raised.
#pragma once

#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Sets the modes while it lives, if the thread has others (some set them to be faster with tiny
/// numbers), and then restores those. To look costs about a nanosecond. Host functions that guests
/// call see the guests' modes; as any C function, they leave them as they find them.
class FloatModes {
 public:
  [[gnu::always_inline]] FloatModes() noexcept : former_{Read()} {
    if ((former_ & kMask) != kGuest) [[unlikely]]
      Write(kGuest);
  }
  [[gnu::always_inline]] ~FloatModes() {
    if ((former_ & kMask) != kGuest) [[unlikely]]
      Write(former_);
  }
  FloatModes(const FloatModes&) = delete;
  FloatModes& operator=(const FloatModes&) = delete;

  /// Whether the thread has them already.
  [[gnu::always_inline]] static bool AreSet() noexcept { return Has(Read()); }

 private:
#if defined(__SSE__)
  using Word = std::uint32_t;
  /// Of MXCSR: all but the flags that say what happened.
  static constexpr Word kMask = 0xFFC0;
  static constexpr Word kGuest = 0x1F80;
  /// Masked equality, in one instruction less.
  static bool Has(Word word) noexcept {
    static_assert(kMask == 0xFFC0 && (kGuest & ~kMask) == 0);
    return static_cast<std::uint16_t>(word - kGuest) <= 0x3F;
  }
  static Word Read() noexcept { return _mm_getcsr(); }
  static void Write(Word word) noexcept { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr Word kMask = ~Word{0};
  static constexpr Word kGuest = 0;
  static bool Has(Word word) noexcept { return word == kGuest; }
  static Word Read() noexcept {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void Write(Word word) noexcept { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = std::uint32_t;
  static constexpr Word kMask = 0;
  static constexpr Word kGuest = 0;
  static bool Has(Word) noexcept { return true; }
  static Word Read() noexcept { return 0; }
  static void Write(Word) noexcept {}
#endif

  Word former_;
};

}  // namespace tenon::inline TENON_ABI::vm
