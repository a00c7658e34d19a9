// SPDX-License-Identifier: Apache-2.0
/// @file
/// Division of 32-bit integers by constants, without a division (Granlund and Montgomery, "Division
/// by invariant integers using multiplication", 1994). Products of 64 bits are at hand, which keeps
/// the sequences short.
#pragma once

#include <bit>
#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::jit {

/// x / d is `(x * multiplier) >> shift` for all x of 32 bits; with `adds`, where the multiplier has
/// 33 bits of which the highest is left out, `t = (x * multiplier) >> 32; (((x - t) >> 1) + t) >>
/// shift`.
struct UnsignedDivision {
  std::uint64_t multiplier = 0;
  std::uint32_t shift = 0;
  bool adds = false;
};

/// `divisor` is at least 3 and no power of two.
constexpr UnsignedDivision DivisionBy(std::uint32_t divisor) {
  const auto bits = static_cast<std::uint32_t>(std::bit_width(divisor));
  for (std::uint32_t s = 0; s < bits; ++s) {
    const std::uint64_t power = std::uint64_t{1} << (32 + s);
    const std::uint64_t multiplier = power / divisor + 1;
    if (multiplier >> 32 != 0) break;
    if (multiplier * divisor - power <= (std::uint64_t{1} << s)) return {multiplier, 32 + s, false};
  }
  // 2^32 * 2^bits / divisor, rounded up, less 2^32.
  const std::uint64_t excess = (std::uint64_t{1} << bits) - divisor;
  return {(excess << 32) / divisor + 1, bits - 1, true};
}

/// x / d is `((x * multiplier) >> shift) + (x >>> 31)` for all signed x of 32 bits and positive d;
/// the shift is arithmetic, on 64 bits.
struct SignedDivision {
  std::int64_t multiplier = 0;
  std::uint32_t shift = 0;
};

/// `divisor` is at least 3, at most 2^31 - 1, and no power of two.
constexpr SignedDivision SignedDivisionBy(std::uint32_t divisor) {
  for (std::uint32_t s = 0;; ++s) {
    const std::uint64_t power = std::uint64_t{1} << (32 + s);
    const std::uint64_t multiplier = power / divisor + 1;
    if (multiplier * divisor - power <= (std::uint64_t{1} << (s + 1))) {
      return {static_cast<std::int64_t>(multiplier), 32 + s};
    }
  }
}

}  // namespace tenon::inline TENON_ABI::jit
