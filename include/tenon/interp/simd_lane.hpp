// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions that move lanes, or do not care for them; conventions in simd.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/lanes.hpp>

namespace tenon::inline TENON_ABI::interp {

// bits

inline V128 V128Not(V128 v) {
  return detail::Apply<std::uint64_t>(v, [](auto x) { return ~x; });
}
inline V128 V128And(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, [](auto x, auto y) { return x & y; });
}
inline V128 V128Andnot(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, [](auto x, auto y) { return x & ~y; });
}
inline V128 V128Or(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, [](auto x, auto y) { return x | y; });
}
inline V128 V128Xor(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, [](auto x, auto y) { return x ^ y; });
}
/// The bits of a where c has a 1, those of b where it has a 0.
inline V128 V128Bitselect(V128 a, V128 b, V128 c) { return detail::Choose(c, a, b); }
inline std::uint32_t V128AnyTrue(V128 v) {
  const detail::Lanes<std::uint64_t> lanes = detail::Split<std::uint64_t>(v);
  return (lanes[0] | lanes[1]) != 0;
}

// splat, extract, replace

inline V128 I8x16Splat(std::uint32_t value) {
  return detail::Splat<std::uint8_t>(static_cast<std::uint8_t>(value));
}
inline V128 I16x8Splat(std::uint32_t value) {
  return detail::Splat<std::uint16_t>(static_cast<std::uint16_t>(value));
}
inline V128 I32x4Splat(std::uint32_t value) { return detail::Splat<std::uint32_t>(value); }
inline V128 I64x2Splat(std::uint64_t value) { return detail::Splat<std::uint64_t>(value); }
inline V128 F32x4Splat(std::uint32_t value) { return detail::Splat<std::uint32_t>(value); }
inline V128 F64x2Splat(std::uint64_t value) { return detail::Splat<std::uint64_t>(value); }
inline std::uint32_t I8x16ExtractLaneS(V128 v, std::uint32_t lane) {
  return static_cast<std::uint32_t>(detail::ExtractLane<std::int8_t>(v, lane));
}
inline std::uint32_t I8x16ExtractLaneU(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint8_t>(v, lane);
}
inline std::uint32_t I16x8ExtractLaneS(V128 v, std::uint32_t lane) {
  return static_cast<std::uint32_t>(detail::ExtractLane<std::int16_t>(v, lane));
}
inline std::uint32_t I16x8ExtractLaneU(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint16_t>(v, lane);
}
inline std::uint32_t I32x4ExtractLane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint32_t>(v, lane);
}
inline std::uint64_t I64x2ExtractLane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint64_t>(v, lane);
}
inline std::uint32_t F32x4ExtractLane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint32_t>(v, lane);
}
inline std::uint64_t F64x2ExtractLane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint64_t>(v, lane);
}
inline V128 I8x16ReplaceLane(V128 v, std::uint32_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint8_t>(v, static_cast<std::uint8_t>(value), lane);
}
inline V128 I16x8ReplaceLane(V128 v, std::uint32_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint16_t>(v, static_cast<std::uint16_t>(value), lane);
}
inline V128 I32x4ReplaceLane(V128 v, std::uint32_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint32_t>(v, value, lane);
}
inline V128 I64x2ReplaceLane(V128 v, std::uint64_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint64_t>(v, value, lane);
}
inline V128 F32x4ReplaceLane(V128 v, std::uint32_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint32_t>(v, value, lane);
}
inline V128 F64x2ReplaceLane(V128 v, std::uint64_t value, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint64_t>(v, value, lane);
}

// shuffle, swizzle

/// Lane i is the lane of a followed by b whose number is lanes[i], of 16 numbers.
inline V128 I8x16Shuffle(V128 a, V128 b, const std::uint8_t* lanes) {
  std::array<std::uint8_t, 32> both;
  for (std::size_t i = 0; i < 16; ++i) {
    both[i] = a.bytes[i];
    both[16 + i] = b.bytes[i];
  }
  V128 result;
  for (std::size_t i = 0; i < 16; ++i) result.bytes[i] = both[lanes[i] % 32];
  return result;
}

/// Lane i is the lane of v whose number is lane i of `lanes`, 0 if there is no such lane.
inline V128 I8x16Swizzle(V128 v, V128 lanes) {
  V128 result;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::uint8_t lane = lanes.bytes[i];
    result.bytes[i] = lane < 16 ? v.bytes[lane] : std::uint8_t{0};
  }
  return result;
}

// loads, from the loaded bits

inline V128 V128Load8x8S(std::uint64_t bits) {
  return detail::Extend<std::int16_t, std::int8_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load8x8U(std::uint64_t bits) {
  return detail::Extend<std::uint16_t, std::uint8_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load16x4S(std::uint64_t bits) {
  return detail::Extend<std::int32_t, std::int16_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load16x4U(std::uint64_t bits) {
  return detail::Extend<std::uint32_t, std::uint16_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load32x2S(std::uint64_t bits) {
  return detail::Extend<std::int64_t, std::int32_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load32x2U(std::uint64_t bits) {
  return detail::Extend<std::uint64_t, std::uint32_t>(detail::Splat<std::uint64_t>(bits), 0);
}
inline V128 V128Load8Splat(std::uint8_t bits) { return detail::Splat<std::uint8_t>(bits); }
inline V128 V128Load16Splat(std::uint16_t bits) { return detail::Splat<std::uint16_t>(bits); }
inline V128 V128Load32Splat(std::uint32_t bits) { return detail::Splat<std::uint32_t>(bits); }
inline V128 V128Load64Splat(std::uint64_t bits) { return detail::Splat<std::uint64_t>(bits); }
inline V128 V128Load32Zero(std::uint32_t bits) {
  return detail::ReplaceLane<std::uint32_t>(V128{}, bits, 0);
}
inline V128 V128Load64Zero(std::uint64_t bits) {
  return detail::ReplaceLane<std::uint64_t>(V128{}, bits, 0);
}
inline V128 V128Load8Lane(V128 v, std::uint8_t bits, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint8_t>(v, bits, lane);
}
inline V128 V128Load16Lane(V128 v, std::uint16_t bits, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint16_t>(v, bits, lane);
}
inline V128 V128Load32Lane(V128 v, std::uint32_t bits, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint32_t>(v, bits, lane);
}
inline V128 V128Load64Lane(V128 v, std::uint64_t bits, std::uint32_t lane) {
  return detail::ReplaceLane<std::uint64_t>(v, bits, lane);
}

// lane stores, to the bits to store

inline std::uint8_t V128Store8Lane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint8_t>(v, lane);
}
inline std::uint16_t V128Store16Lane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint16_t>(v, lane);
}
inline std::uint32_t V128Store32Lane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint32_t>(v, lane);
}
inline std::uint64_t V128Store64Lane(V128 v, std::uint32_t lane) {
  return detail::ExtractLane<std::uint64_t>(v, lane);
}

}  // namespace tenon::inline TENON_ABI::interp
