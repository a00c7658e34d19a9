// SPDX-License-Identifier: Apache-2.0
/// @file
/// Makes the vector constants of machine code.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>

namespace tenon::inline TENON_ABI::jit {

constexpr V128 Halves(std::uint64_t low, std::uint64_t high) {
  V128 value{};
  for (std::size_t i = 0; i < 8; ++i) {
    value.bytes[i] = static_cast<std::uint8_t>(low >> (8 * i));
    value.bytes[8 + i] = static_cast<std::uint8_t>(high >> (8 * i));
  }
  return value;
}

constexpr V128 Splat64(std::uint64_t lane) { return Halves(lane, lane); }
constexpr V128 Splat32(std::uint32_t lane) {
  return Splat64(std::uint64_t{lane} << 32 | std::uint64_t{lane});
}
constexpr V128 Splat16(std::uint16_t lane) { return Splat32(lane * 0x00010001u); }
constexpr V128 Splat8(std::uint8_t lane) { return Splat32(lane * 0x01010101u); }

inline constexpr V128 kZeros = Splat64(0);
inline constexpr V128 kOnes = Splat64(~std::uint64_t{0});

}  // namespace tenon::inline TENON_ABI::jit
