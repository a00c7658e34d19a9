// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions on integer lanes; conventions in simd.hpp.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/lanes.hpp>

namespace tenon::inline TENON_ABI::interp {

namespace detail {

inline constexpr auto kEqual = [](auto a, auto b) { return a == b; };
inline constexpr auto kNotEqual = [](auto a, auto b) { return a != b; };
inline constexpr auto kLess = [](auto a, auto b) { return a < b; };
inline constexpr auto kGreater = [](auto a, auto b) { return a > b; };
inline constexpr auto kLessEqual = [](auto a, auto b) { return a <= b; };
inline constexpr auto kGreaterEqual = [](auto a, auto b) { return a >= b; };

inline constexpr auto kMinimum = [](auto a, auto b) { return a < b ? a : b; };
inline constexpr auto kMaximum = [](auto a, auto b) { return a > b ? a : b; };

// These wrap around, so they are for unsigned lanes.
inline constexpr auto kAdd = [](auto a, auto b) { return a + b; };
inline constexpr auto kSubtract = [](auto a, auto b) { return a - b; };
inline constexpr auto kMultiply = [](auto a, auto b) { return a * b; };
inline constexpr auto kNegate = [](auto a) { return -a; };

inline constexpr auto kShiftLeft = [](auto a, auto count) { return a << count; };
inline constexpr auto kShiftRight = [](auto a, auto count) { return a >> count; };

/// The lanes' magnitudes, for T unsigned; the lowest signed value is its own.
template <class T>
inline V128 Magnitudes(V128 v) {
  return Apply<T>(v, [](auto a) {
    const auto sign = -(a >> (sizeof(T) * 8 - 1));
    return (a ^ sign) - sign;
  });
}

// For lanes of 8 and 16 bits.
inline constexpr auto kAddSaturating = []<class T>(T a, T b) { return Saturate<T>(a + b); };
inline constexpr auto kSubtractSaturating = []<class T>(T a, T b) { return Saturate<T>(a - b); };
inline constexpr auto kRoundedAverage = []<class T>(T a, T b) {
  return static_cast<T>((a + b + 1) >> 1);
};

}  // namespace detail

// i8x16 comparisons

inline V128 I8x16Eq(V128 a, V128 b) { return detail::Apply<std::uint8_t>(a, b, detail::kEqual); }
inline V128 I8x16Ne(V128 a, V128 b) { return detail::Apply<std::uint8_t>(a, b, detail::kNotEqual); }
inline V128 I8x16LtS(V128 a, V128 b) { return detail::Apply<std::int8_t>(a, b, detail::kLess); }
inline V128 I8x16LtU(V128 a, V128 b) { return detail::Apply<std::uint8_t>(a, b, detail::kLess); }
inline V128 I8x16GtS(V128 a, V128 b) { return detail::Apply<std::int8_t>(a, b, detail::kGreater); }
inline V128 I8x16GtU(V128 a, V128 b) { return detail::Apply<std::uint8_t>(a, b, detail::kGreater); }
inline V128 I8x16LeS(V128 a, V128 b) {
  return detail::Apply<std::int8_t>(a, b, detail::kLessEqual);
}
inline V128 I8x16LeU(V128 a, V128 b) {
  return detail::Apply<std::uint8_t>(a, b, detail::kLessEqual);
}
inline V128 I8x16GeS(V128 a, V128 b) {
  return detail::Apply<std::int8_t>(a, b, detail::kGreaterEqual);
}
inline V128 I8x16GeU(V128 a, V128 b) {
  return detail::Apply<std::uint8_t>(a, b, detail::kGreaterEqual);
}
inline std::uint32_t I8x16AllTrue(V128 v) { return detail::AllTrue<std::uint8_t>(v); }
inline std::uint32_t I8x16Bitmask(V128 v) { return detail::Bitmask<std::uint8_t>(v); }

// i8x16 arithmetic

inline V128 I8x16Abs(V128 v) { return detail::Magnitudes<std::uint8_t>(v); }
inline V128 I8x16Neg(V128 v) { return detail::Apply<std::uint8_t>(v, detail::kNegate); }
inline V128 I8x16Popcnt(V128 v) {
  return detail::Map<std::uint8_t>(
      v, [](std::uint8_t lane) { return static_cast<std::uint8_t>(std::popcount(lane)); });
}
inline V128 I8x16Add(V128 a, V128 b) { return detail::Apply<std::uint8_t>(a, b, detail::kAdd); }
inline V128 I8x16AddSatS(V128 a, V128 b) {
  return detail::Map<std::int8_t>(a, b, detail::kAddSaturating);
}
inline V128 I8x16AddSatU(V128 a, V128 b) {
  return detail::Map<std::uint8_t>(a, b, detail::kAddSaturating);
}
inline V128 I8x16Sub(V128 a, V128 b) {
  return detail::Apply<std::uint8_t>(a, b, detail::kSubtract);
}
inline V128 I8x16SubSatS(V128 a, V128 b) {
  return detail::Map<std::int8_t>(a, b, detail::kSubtractSaturating);
}
inline V128 I8x16SubSatU(V128 a, V128 b) {
  return detail::Map<std::uint8_t>(a, b, detail::kSubtractSaturating);
}
inline V128 I8x16MinS(V128 a, V128 b) { return detail::Apply<std::int8_t>(a, b, detail::kMinimum); }
inline V128 I8x16MinU(V128 a, V128 b) {
  return detail::Apply<std::uint8_t>(a, b, detail::kMinimum);
}
inline V128 I8x16MaxS(V128 a, V128 b) { return detail::Apply<std::int8_t>(a, b, detail::kMaximum); }
inline V128 I8x16MaxU(V128 a, V128 b) {
  return detail::Apply<std::uint8_t>(a, b, detail::kMaximum);
}
inline V128 I8x16AvgrU(V128 a, V128 b) {
  return detail::Map<std::uint8_t>(a, b, detail::kRoundedAverage);
}

// i8x16 shifts

inline V128 I8x16Shl(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint8_t>(v, count, detail::kShiftLeft);
}
inline V128 I8x16ShrS(V128 v, std::uint32_t count) {
  return detail::Shift<std::int8_t>(v, count, detail::kShiftRight);
}
inline V128 I8x16ShrU(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint8_t>(v, count, detail::kShiftRight);
}

// i16x8 comparisons

inline V128 I16x8Eq(V128 a, V128 b) { return detail::Apply<std::uint16_t>(a, b, detail::kEqual); }
inline V128 I16x8Ne(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kNotEqual);
}
inline V128 I16x8LtS(V128 a, V128 b) { return detail::Apply<std::int16_t>(a, b, detail::kLess); }
inline V128 I16x8LtU(V128 a, V128 b) { return detail::Apply<std::uint16_t>(a, b, detail::kLess); }
inline V128 I16x8GtS(V128 a, V128 b) { return detail::Apply<std::int16_t>(a, b, detail::kGreater); }
inline V128 I16x8GtU(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kGreater);
}
inline V128 I16x8LeS(V128 a, V128 b) {
  return detail::Apply<std::int16_t>(a, b, detail::kLessEqual);
}
inline V128 I16x8LeU(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kLessEqual);
}
inline V128 I16x8GeS(V128 a, V128 b) {
  return detail::Apply<std::int16_t>(a, b, detail::kGreaterEqual);
}
inline V128 I16x8GeU(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kGreaterEqual);
}
inline std::uint32_t I16x8AllTrue(V128 v) { return detail::AllTrue<std::uint16_t>(v); }
inline std::uint32_t I16x8Bitmask(V128 v) { return detail::Bitmask<std::uint16_t>(v); }

// i16x8 arithmetic

inline V128 I16x8Abs(V128 v) { return detail::Magnitudes<std::uint16_t>(v); }
inline V128 I16x8Neg(V128 v) { return detail::Apply<std::uint16_t>(v, detail::kNegate); }
inline V128 I16x8Add(V128 a, V128 b) { return detail::Apply<std::uint16_t>(a, b, detail::kAdd); }
inline V128 I16x8AddSatS(V128 a, V128 b) {
  return detail::Map<std::int16_t>(a, b, detail::kAddSaturating);
}
inline V128 I16x8AddSatU(V128 a, V128 b) {
  return detail::Map<std::uint16_t>(a, b, detail::kAddSaturating);
}
inline V128 I16x8Sub(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kSubtract);
}
inline V128 I16x8SubSatS(V128 a, V128 b) {
  return detail::Map<std::int16_t>(a, b, detail::kSubtractSaturating);
}
inline V128 I16x8SubSatU(V128 a, V128 b) {
  return detail::Map<std::uint16_t>(a, b, detail::kSubtractSaturating);
}
inline V128 I16x8Mul(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kMultiply);
}
inline V128 I16x8MinS(V128 a, V128 b) {
  return detail::Apply<std::int16_t>(a, b, detail::kMinimum);
}
inline V128 I16x8MinU(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kMinimum);
}
inline V128 I16x8MaxS(V128 a, V128 b) {
  return detail::Apply<std::int16_t>(a, b, detail::kMaximum);
}
inline V128 I16x8MaxU(V128 a, V128 b) {
  return detail::Apply<std::uint16_t>(a, b, detail::kMaximum);
}
inline V128 I16x8AvgrU(V128 a, V128 b) {
  return detail::Map<std::uint16_t>(a, b, detail::kRoundedAverage);
}
/// The product of two fractions of 2^15, rounded, saturated.
inline V128 I16x8Q15mulrSatS(V128 a, V128 b) {
  return detail::Map<std::int16_t>(a, b, [](std::int16_t x, std::int16_t y) {
    return detail::Saturate<std::int16_t>((x * y + 0x4000) >> 15);
  });
}

// i16x8 shifts

inline V128 I16x8Shl(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint16_t>(v, count, detail::kShiftLeft);
}
inline V128 I16x8ShrS(V128 v, std::uint32_t count) {
  return detail::Shift<std::int16_t>(v, count, detail::kShiftRight);
}
inline V128 I16x8ShrU(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint16_t>(v, count, detail::kShiftRight);
}

// i16x8 from i8x16

inline V128 I16x8ExtendLowI8x16S(V128 v) { return detail::Extend<std::int16_t, std::int8_t>(v, 0); }
inline V128 I16x8ExtendHighI8x16S(V128 v) {
  return detail::Extend<std::int16_t, std::int8_t>(v, 8);
}
inline V128 I16x8ExtendLowI8x16U(V128 v) {
  return detail::Extend<std::uint16_t, std::uint8_t>(v, 0);
}
inline V128 I16x8ExtendHighI8x16U(V128 v) {
  return detail::Extend<std::uint16_t, std::uint8_t>(v, 8);
}
inline V128 I16x8ExtmulLowI8x16S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int16_t, std::int8_t>(a, b, 0);
}
inline V128 I16x8ExtmulHighI8x16S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int16_t, std::int8_t>(a, b, 8);
}
inline V128 I16x8ExtmulLowI8x16U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint16_t, std::uint8_t>(a, b, 0);
}
inline V128 I16x8ExtmulHighI8x16U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint16_t, std::uint8_t>(a, b, 8);
}
inline V128 I16x8ExtaddPairwiseI8x16S(V128 v) {
  return detail::ExtendAddPairs<std::int16_t, std::int8_t>(v);
}
inline V128 I16x8ExtaddPairwiseI8x16U(V128 v) {
  return detail::ExtendAddPairs<std::uint16_t, std::uint8_t>(v);
}

// i32x4 comparisons

inline V128 I32x4Eq(V128 a, V128 b) { return detail::Apply<std::uint32_t>(a, b, detail::kEqual); }
inline V128 I32x4Ne(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kNotEqual);
}
inline V128 I32x4LtS(V128 a, V128 b) { return detail::Apply<std::int32_t>(a, b, detail::kLess); }
inline V128 I32x4LtU(V128 a, V128 b) { return detail::Apply<std::uint32_t>(a, b, detail::kLess); }
inline V128 I32x4GtS(V128 a, V128 b) { return detail::Apply<std::int32_t>(a, b, detail::kGreater); }
inline V128 I32x4GtU(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kGreater);
}
inline V128 I32x4LeS(V128 a, V128 b) {
  return detail::Apply<std::int32_t>(a, b, detail::kLessEqual);
}
inline V128 I32x4LeU(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kLessEqual);
}
inline V128 I32x4GeS(V128 a, V128 b) {
  return detail::Apply<std::int32_t>(a, b, detail::kGreaterEqual);
}
inline V128 I32x4GeU(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kGreaterEqual);
}
inline std::uint32_t I32x4AllTrue(V128 v) { return detail::AllTrue<std::uint32_t>(v); }
inline std::uint32_t I32x4Bitmask(V128 v) { return detail::Bitmask<std::uint32_t>(v); }

// i32x4 arithmetic

inline V128 I32x4Abs(V128 v) { return detail::Magnitudes<std::uint32_t>(v); }
inline V128 I32x4Neg(V128 v) { return detail::Apply<std::uint32_t>(v, detail::kNegate); }
inline V128 I32x4Add(V128 a, V128 b) { return detail::Apply<std::uint32_t>(a, b, detail::kAdd); }
inline V128 I32x4Sub(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kSubtract);
}
inline V128 I32x4Mul(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kMultiply);
}
inline V128 I32x4MinS(V128 a, V128 b) {
  return detail::Apply<std::int32_t>(a, b, detail::kMinimum);
}
inline V128 I32x4MinU(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kMinimum);
}
inline V128 I32x4MaxS(V128 a, V128 b) {
  return detail::Apply<std::int32_t>(a, b, detail::kMaximum);
}
inline V128 I32x4MaxU(V128 a, V128 b) {
  return detail::Apply<std::uint32_t>(a, b, detail::kMaximum);
}
/// The sums of adjacent products. Only -2^15 * -2^15 + -2^15 * -2^15 wraps around.
inline V128 I32x4DotI16x8S(V128 a, V128 b) {
  const detail::Lanes<std::int16_t> x = detail::Split<std::int16_t>(a);
  const detail::Lanes<std::int16_t> y = detail::Split<std::int16_t>(b);
  detail::Lanes<std::uint32_t> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int32_t even = x[2 * i] * y[2 * i];
    const std::int32_t odd = x[2 * i + 1] * y[2 * i + 1];
    result[i] = static_cast<std::uint32_t>(even) + static_cast<std::uint32_t>(odd);
  }
  return detail::Join<std::uint32_t>(result);
}

// i32x4 shifts

inline V128 I32x4Shl(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint32_t>(v, count, detail::kShiftLeft);
}
inline V128 I32x4ShrS(V128 v, std::uint32_t count) {
  return detail::Shift<std::int32_t>(v, count, detail::kShiftRight);
}
inline V128 I32x4ShrU(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint32_t>(v, count, detail::kShiftRight);
}

// i32x4 from i16x8

inline V128 I32x4ExtendLowI16x8S(V128 v) {
  return detail::Extend<std::int32_t, std::int16_t>(v, 0);
}
inline V128 I32x4ExtendHighI16x8S(V128 v) {
  return detail::Extend<std::int32_t, std::int16_t>(v, 4);
}
inline V128 I32x4ExtendLowI16x8U(V128 v) {
  return detail::Extend<std::uint32_t, std::uint16_t>(v, 0);
}
inline V128 I32x4ExtendHighI16x8U(V128 v) {
  return detail::Extend<std::uint32_t, std::uint16_t>(v, 4);
}
inline V128 I32x4ExtmulLowI16x8S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int32_t, std::int16_t>(a, b, 0);
}
inline V128 I32x4ExtmulHighI16x8S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int32_t, std::int16_t>(a, b, 4);
}
inline V128 I32x4ExtmulLowI16x8U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint32_t, std::uint16_t>(a, b, 0);
}
inline V128 I32x4ExtmulHighI16x8U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint32_t, std::uint16_t>(a, b, 4);
}
inline V128 I32x4ExtaddPairwiseI16x8S(V128 v) {
  return detail::ExtendAddPairs<std::int32_t, std::int16_t>(v);
}
inline V128 I32x4ExtaddPairwiseI16x8U(V128 v) {
  return detail::ExtendAddPairs<std::uint32_t, std::uint16_t>(v);
}

// i64x2 comparisons

inline V128 I64x2Eq(V128 a, V128 b) { return detail::Apply<std::uint64_t>(a, b, detail::kEqual); }
inline V128 I64x2Ne(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, detail::kNotEqual);
}
inline V128 I64x2LtS(V128 a, V128 b) { return detail::Apply<std::int64_t>(a, b, detail::kLess); }
inline V128 I64x2GtS(V128 a, V128 b) { return detail::Apply<std::int64_t>(a, b, detail::kGreater); }
inline V128 I64x2LeS(V128 a, V128 b) {
  return detail::Apply<std::int64_t>(a, b, detail::kLessEqual);
}
inline V128 I64x2GeS(V128 a, V128 b) {
  return detail::Apply<std::int64_t>(a, b, detail::kGreaterEqual);
}
inline std::uint32_t I64x2AllTrue(V128 v) { return detail::AllTrue<std::uint64_t>(v); }
inline std::uint32_t I64x2Bitmask(V128 v) { return detail::Bitmask<std::uint64_t>(v); }

// i64x2 arithmetic

inline V128 I64x2Abs(V128 v) { return detail::Magnitudes<std::uint64_t>(v); }
inline V128 I64x2Neg(V128 v) { return detail::Apply<std::uint64_t>(v, detail::kNegate); }
inline V128 I64x2Add(V128 a, V128 b) { return detail::Apply<std::uint64_t>(a, b, detail::kAdd); }
inline V128 I64x2Sub(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, detail::kSubtract);
}
inline V128 I64x2Mul(V128 a, V128 b) {
  return detail::Apply<std::uint64_t>(a, b, detail::kMultiply);
}

// i64x2 shifts

inline V128 I64x2Shl(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint64_t>(v, count, detail::kShiftLeft);
}
inline V128 I64x2ShrS(V128 v, std::uint32_t count) {
  return detail::Shift<std::int64_t>(v, count, detail::kShiftRight);
}
inline V128 I64x2ShrU(V128 v, std::uint32_t count) {
  return detail::Shift<std::uint64_t>(v, count, detail::kShiftRight);
}

// i64x2 from i32x4

inline V128 I64x2ExtendLowI32x4S(V128 v) {
  return detail::Extend<std::int64_t, std::int32_t>(v, 0);
}
inline V128 I64x2ExtendHighI32x4S(V128 v) {
  return detail::Extend<std::int64_t, std::int32_t>(v, 2);
}
inline V128 I64x2ExtendLowI32x4U(V128 v) {
  return detail::Extend<std::uint64_t, std::uint32_t>(v, 0);
}
inline V128 I64x2ExtendHighI32x4U(V128 v) {
  return detail::Extend<std::uint64_t, std::uint32_t>(v, 2);
}
inline V128 I64x2ExtmulLowI32x4S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int64_t, std::int32_t>(a, b, 0);
}
inline V128 I64x2ExtmulHighI32x4S(V128 a, V128 b) {
  return detail::ExtendMultiply<std::int64_t, std::int32_t>(a, b, 2);
}
inline V128 I64x2ExtmulLowI32x4U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint64_t, std::uint32_t>(a, b, 0);
}
inline V128 I64x2ExtmulHighI32x4U(V128 a, V128 b) {
  return detail::ExtendMultiply<std::uint64_t, std::uint32_t>(a, b, 2);
}

// narrowing

inline V128 I8x16NarrowI16x8S(V128 a, V128 b) {
  return detail::Narrow<std::int8_t, std::int16_t>(a, b);
}
inline V128 I8x16NarrowI16x8U(V128 a, V128 b) {
  return detail::Narrow<std::uint8_t, std::int16_t>(a, b);
}
inline V128 I16x8NarrowI32x4S(V128 a, V128 b) {
  return detail::Narrow<std::int16_t, std::int32_t>(a, b);
}
inline V128 I16x8NarrowI32x4U(V128 a, V128 b) {
  return detail::Narrow<std::uint16_t, std::int32_t>(a, b);
}

}  // namespace tenon::inline TENON_ABI::interp
