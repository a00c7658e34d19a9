// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each scalar numeric instruction computes, one function per row of TENON_OPCODES.
///
/// Conventions:
/// - Integers are unsigned; the instruction decides whether they are read as signed. Comparisons
///   return 0 or 1.
/// - The interpreter carries floats as bits. Instructions that compute take and return float and
///   double. Those that only touch or move bits (abs, neg, copysign, reinterpret) take and return
///   the bits, so that a signalling NaN passes unchanged on every platform.
/// - Instructions that can trap assign their last parameter on failure, only then, and return 0.
/// - A NaN result is quiet, and canonical up to its sign if every NaN operand is. Which operand's
///   payload it has is not specified, as in the specification ("NaN Propagation").
/// - The floating-point environment is the default one: round to nearest, denormals kept.
/// - No input is undefined behaviour. No function keeps state, so any thread may call them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "tenon: floats must be computed in their own precision (on 32-bit x86: -mfpmath=sse)"
#endif

namespace tenon::inline TENON_ABI::interp {

namespace detail {

template <class T>
constexpr std::make_signed_t<T> AsSigned(T value) {
  return static_cast<std::make_signed_t<T>>(value);
}

template <class T>
constexpr T DivideSigned(T a, T b, TrapCode& trap) {
  if (b == 0) [[unlikely]] {
    trap = TrapCode::IntegerDivideByZero;
    return 0;
  }
  if (a == T{1} << (std::numeric_limits<T>::digits - 1) && b == ~T{0}) [[unlikely]] {
    trap = TrapCode::IntegerOverflow;
    return 0;
  }
  return static_cast<T>(AsSigned(a) / AsSigned(b));
}

template <class T>
constexpr T DivideUnsigned(T a, T b, TrapCode& trap) {
  if (b == 0) [[unlikely]] {
    trap = TrapCode::IntegerDivideByZero;
    return 0;
  }
  return a / b;
}

template <class T>
constexpr T RemainderSigned(T a, T b, TrapCode& trap) {
  if (b == 0) [[unlikely]] {
    trap = TrapCode::IntegerDivideByZero;
    return 0;
  }
  // The remainder by -1 is 0 also where the quotient overflows.
  return b == ~T{0} ? T{0} : static_cast<T>(AsSigned(a) % AsSigned(b));
}

template <class T>
constexpr T RemainderUnsigned(T a, T b, TrapCode& trap) {
  if (b == 0) [[unlikely]] {
    trap = TrapCode::IntegerDivideByZero;
    return 0;
  }
  return a % b;
}

/// The unsigned integer that holds the bits of a float.
template <class Float>
using FloatBits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;

template <class Float>
inline constexpr FloatBits<Float> kSignBit = FloatBits<Float>{1} << (sizeof(Float) * 8 - 1);

/// The bit that tells quiet from signalling NaNs.
template <class Float>
inline constexpr FloatBits<Float> kQuietBit =
    FloatBits<Float>{1} << (std::numeric_limits<Float>::digits - 2);

template <class Float>
inline Float Quiet(Float nan) {
  return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(nan) | kQuietBit<Float>);
}

template <class Float>
inline Float Minimum(Float a, Float b) {
  if (a != a) return Quiet(a);
  if (b != b) return Quiet(b);
  // Equal operands have equal bits, or are zeros: of those the negative one is the lesser.
  if (a == b) {
    return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) |
                                std::bit_cast<FloatBits<Float>>(b));
  }
  return a < b ? a : b;
}

template <class Float>
inline Float Maximum(Float a, Float b) {
  if (a != a) return Quiet(a);
  if (b != b) return Quiet(b);
  if (a == b) {
    return std::bit_cast<Float>(std::bit_cast<FloatBits<Float>>(a) &
                                std::bit_cast<FloatBits<Float>>(b));
  }
  return a > b ? a : b;
}

/// Rounds to an integer through an integer type: exact in every rounding mode, no library call.
/// `adjust(whole, x)` gives the result from x truncated and x, which is small enough to have a
/// fraction.
template <class Float, class Adjust>
inline Float RoundWith(Float x, Adjust adjust) {
  using Bits = FloatBits<Float>;
  using Whole = std::make_signed_t<Bits>;
  // From here on every float is an integer.
  constexpr Float kLimit = static_cast<Float>(Whole{1} << (std::numeric_limits<Float>::digits - 1));
  const bool has_fraction = x < kLimit && x > -kLimit;
  const Float bounded = has_fraction ? x : Float{0};
  const Float rounded = adjust(static_cast<Whole>(bounded), bounded);
  const Bits sign = std::bit_cast<Bits>(x) & kSignBit<Float>;
  const Bits bits = (std::bit_cast<Bits>(rounded) & ~kSignBit<Float>) | sign;
  if (has_fraction) return std::bit_cast<Float>(bits);
  return x != x ? Quiet(x) : x;
}

template <class Float>
inline Float RoundUp(Float x) {
  return RoundWith(x, [](auto whole, Float bounded) {
    const Float truncated = static_cast<Float>(whole);
    return truncated < bounded ? truncated + 1 : truncated;
  });
}

template <class Float>
inline Float RoundDown(Float x) {
  return RoundWith(x, [](auto whole, Float bounded) {
    const Float truncated = static_cast<Float>(whole);
    return truncated > bounded ? truncated - 1 : truncated;
  });
}

template <class Float>
inline Float RoundToZero(Float x) {
  return RoundWith(x, [](auto whole, Float) { return static_cast<Float>(whole); });
}

template <class Float>
inline Float RoundToEven(Float x) {
  return RoundWith(x, [](auto whole, Float bounded) {
    constexpr Float kHalf = static_cast<Float>(0.5);
    const Float truncated = static_cast<Float>(whole);
    const Float signed_fraction = bounded - truncated;
    const Float fraction = signed_fraction < 0 ? -signed_fraction : signed_fraction;
    const bool away = fraction > kHalf || (fraction == kHalf && (whole & 1) != 0);
    const Float step = bounded < 0 ? Float{-1} : Float{1};
    return away ? truncated + step : truncated;
  });
}

/// Whether x truncated is a value of Int; false for NaN.
template <class Int, class Float>
constexpr bool TruncationFits(Float x) {
  using IntLimits = std::numeric_limits<Int>;
  constexpr Float kLowest = static_cast<Float>(IntLimits::min());
  constexpr Float kPastHighest = static_cast<Float>(Int{1} << (IntLimits::digits - 1)) * 2;
  if constexpr (!IntLimits::is_signed || std::numeric_limits<Float>::digits > IntLimits::digits) {
    return x > kLowest - 1 && x < kPastHighest;
  } else {
    return x >= kLowest && x < kPastHighest;
  }
}

template <class Int, class Float>
constexpr std::make_unsigned_t<Int> Truncate(Float x, TrapCode& trap) {
  if (!TruncationFits<Int>(x)) [[unlikely]] {
    trap = x != x ? TrapCode::InvalidConversionToInteger : TrapCode::IntegerOverflow;
    return 0;
  }
  return static_cast<std::make_unsigned_t<Int>>(static_cast<Int>(x));
}

template <class Int, class Float>
constexpr std::make_unsigned_t<Int> TruncateSaturating(Float x) {
  const Float bounded = TruncationFits<Int>(x) ? x : Float{0};
  Int result = static_cast<Int>(bounded);
  // False for NaN, which gives 0.
  if (x >= static_cast<Float>(std::numeric_limits<Int>::max())) {
    result = std::numeric_limits<Int>::max();
  }
  if (x <= static_cast<Float>(std::numeric_limits<Int>::min())) {
    result = std::numeric_limits<Int>::min();
  }
  return static_cast<std::make_unsigned_t<Int>>(result);
}

}  // namespace detail

// i32 comparisons

constexpr std::uint32_t I32Eqz(std::uint32_t a) { return a == 0; }
constexpr std::uint32_t I32Eq(std::uint32_t a, std::uint32_t b) { return a == b; }
constexpr std::uint32_t I32Ne(std::uint32_t a, std::uint32_t b) { return a != b; }
constexpr std::uint32_t I32LtS(std::uint32_t a, std::uint32_t b) {
  return detail::AsSigned(a) < detail::AsSigned(b);
}
constexpr std::uint32_t I32LtU(std::uint32_t a, std::uint32_t b) { return a < b; }
constexpr std::uint32_t I32GtS(std::uint32_t a, std::uint32_t b) {
  return detail::AsSigned(a) > detail::AsSigned(b);
}
constexpr std::uint32_t I32GtU(std::uint32_t a, std::uint32_t b) { return a > b; }
constexpr std::uint32_t I32LeS(std::uint32_t a, std::uint32_t b) {
  return detail::AsSigned(a) <= detail::AsSigned(b);
}
constexpr std::uint32_t I32LeU(std::uint32_t a, std::uint32_t b) { return a <= b; }
constexpr std::uint32_t I32GeS(std::uint32_t a, std::uint32_t b) {
  return detail::AsSigned(a) >= detail::AsSigned(b);
}
constexpr std::uint32_t I32GeU(std::uint32_t a, std::uint32_t b) { return a >= b; }

// i64 comparisons

constexpr std::uint32_t I64Eqz(std::uint64_t a) { return a == 0; }
constexpr std::uint32_t I64Eq(std::uint64_t a, std::uint64_t b) { return a == b; }
constexpr std::uint32_t I64Ne(std::uint64_t a, std::uint64_t b) { return a != b; }
constexpr std::uint32_t I64LtS(std::uint64_t a, std::uint64_t b) {
  return detail::AsSigned(a) < detail::AsSigned(b);
}
constexpr std::uint32_t I64LtU(std::uint64_t a, std::uint64_t b) { return a < b; }
constexpr std::uint32_t I64GtS(std::uint64_t a, std::uint64_t b) {
  return detail::AsSigned(a) > detail::AsSigned(b);
}
constexpr std::uint32_t I64GtU(std::uint64_t a, std::uint64_t b) { return a > b; }
constexpr std::uint32_t I64LeS(std::uint64_t a, std::uint64_t b) {
  return detail::AsSigned(a) <= detail::AsSigned(b);
}
constexpr std::uint32_t I64LeU(std::uint64_t a, std::uint64_t b) { return a <= b; }
constexpr std::uint32_t I64GeS(std::uint64_t a, std::uint64_t b) {
  return detail::AsSigned(a) >= detail::AsSigned(b);
}
constexpr std::uint32_t I64GeU(std::uint64_t a, std::uint64_t b) { return a >= b; }

// i32 arithmetic

constexpr std::uint32_t I32Clz(std::uint32_t a) {
  return static_cast<std::uint32_t>(std::countl_zero(a));
}
constexpr std::uint32_t I32Ctz(std::uint32_t a) {
  return static_cast<std::uint32_t>(std::countr_zero(a));
}
constexpr std::uint32_t I32Popcnt(std::uint32_t a) {
  return static_cast<std::uint32_t>(std::popcount(a));
}
constexpr std::uint32_t I32Add(std::uint32_t a, std::uint32_t b) { return a + b; }
constexpr std::uint32_t I32Sub(std::uint32_t a, std::uint32_t b) { return a - b; }
constexpr std::uint32_t I32Mul(std::uint32_t a, std::uint32_t b) { return a * b; }
constexpr std::uint32_t I32DivS(std::uint32_t a, std::uint32_t b, TrapCode& trap) {
  return detail::DivideSigned(a, b, trap);
}
constexpr std::uint32_t I32DivU(std::uint32_t a, std::uint32_t b, TrapCode& trap) {
  return detail::DivideUnsigned(a, b, trap);
}
constexpr std::uint32_t I32RemS(std::uint32_t a, std::uint32_t b, TrapCode& trap) {
  return detail::RemainderSigned(a, b, trap);
}
constexpr std::uint32_t I32RemU(std::uint32_t a, std::uint32_t b, TrapCode& trap) {
  return detail::RemainderUnsigned(a, b, trap);
}
constexpr std::uint32_t I32And(std::uint32_t a, std::uint32_t b) { return a & b; }
constexpr std::uint32_t I32Or(std::uint32_t a, std::uint32_t b) { return a | b; }
constexpr std::uint32_t I32Xor(std::uint32_t a, std::uint32_t b) { return a ^ b; }
constexpr std::uint32_t I32Shl(std::uint32_t a, std::uint32_t b) { return a << (b & 31); }
constexpr std::uint32_t I32ShrS(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>(detail::AsSigned(a) >> (b & 31));
}
constexpr std::uint32_t I32ShrU(std::uint32_t a, std::uint32_t b) { return a >> (b & 31); }
constexpr std::uint32_t I32Rotl(std::uint32_t a, std::uint32_t b) {
  return std::rotl(a, static_cast<int>(b & 31));
}
constexpr std::uint32_t I32Rotr(std::uint32_t a, std::uint32_t b) {
  return std::rotr(a, static_cast<int>(b & 31));
}
constexpr std::uint32_t I32Extend8S(std::uint32_t a) {
  return static_cast<std::uint32_t>(static_cast<std::int8_t>(a));
}
constexpr std::uint32_t I32Extend16S(std::uint32_t a) {
  return static_cast<std::uint32_t>(static_cast<std::int16_t>(a));
}

// i64 arithmetic

constexpr std::uint64_t I64Clz(std::uint64_t a) {
  return static_cast<std::uint64_t>(std::countl_zero(a));
}
constexpr std::uint64_t I64Ctz(std::uint64_t a) {
  return static_cast<std::uint64_t>(std::countr_zero(a));
}
constexpr std::uint64_t I64Popcnt(std::uint64_t a) {
  return static_cast<std::uint64_t>(std::popcount(a));
}
constexpr std::uint64_t I64Add(std::uint64_t a, std::uint64_t b) { return a + b; }
constexpr std::uint64_t I64Sub(std::uint64_t a, std::uint64_t b) { return a - b; }
constexpr std::uint64_t I64Mul(std::uint64_t a, std::uint64_t b) { return a * b; }
constexpr std::uint64_t I64DivS(std::uint64_t a, std::uint64_t b, TrapCode& trap) {
  return detail::DivideSigned(a, b, trap);
}
constexpr std::uint64_t I64DivU(std::uint64_t a, std::uint64_t b, TrapCode& trap) {
  return detail::DivideUnsigned(a, b, trap);
}
constexpr std::uint64_t I64RemS(std::uint64_t a, std::uint64_t b, TrapCode& trap) {
  return detail::RemainderSigned(a, b, trap);
}
constexpr std::uint64_t I64RemU(std::uint64_t a, std::uint64_t b, TrapCode& trap) {
  return detail::RemainderUnsigned(a, b, trap);
}
constexpr std::uint64_t I64And(std::uint64_t a, std::uint64_t b) { return a & b; }
constexpr std::uint64_t I64Or(std::uint64_t a, std::uint64_t b) { return a | b; }
constexpr std::uint64_t I64Xor(std::uint64_t a, std::uint64_t b) { return a ^ b; }
constexpr std::uint64_t I64Shl(std::uint64_t a, std::uint64_t b) { return a << (b & 63); }
constexpr std::uint64_t I64ShrS(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(detail::AsSigned(a) >> (b & 63));
}
constexpr std::uint64_t I64ShrU(std::uint64_t a, std::uint64_t b) { return a >> (b & 63); }
constexpr std::uint64_t I64Rotl(std::uint64_t a, std::uint64_t b) {
  return std::rotl(a, static_cast<int>(b & 63));
}
constexpr std::uint64_t I64Rotr(std::uint64_t a, std::uint64_t b) {
  return std::rotr(a, static_cast<int>(b & 63));
}
constexpr std::uint64_t I64Extend8S(std::uint64_t a) {
  return static_cast<std::uint64_t>(static_cast<std::int8_t>(a));
}
constexpr std::uint64_t I64Extend16S(std::uint64_t a) {
  return static_cast<std::uint64_t>(static_cast<std::int16_t>(a));
}
constexpr std::uint64_t I64Extend32S(std::uint64_t a) {
  return static_cast<std::uint64_t>(static_cast<std::int32_t>(a));
}

// conversions between integers

constexpr std::uint32_t I32WrapI64(std::uint64_t a) { return static_cast<std::uint32_t>(a); }
constexpr std::uint64_t I64ExtendI32S(std::uint32_t a) {
  return static_cast<std::uint64_t>(detail::AsSigned(a));
}
constexpr std::uint64_t I64ExtendI32U(std::uint32_t a) { return a; }

// f32 comparisons

inline std::uint32_t F32Eq(float a, float b) { return a == b; }
inline std::uint32_t F32Ne(float a, float b) { return a != b; }
inline std::uint32_t F32Lt(float a, float b) { return a < b; }
inline std::uint32_t F32Gt(float a, float b) { return a > b; }
inline std::uint32_t F32Le(float a, float b) { return a <= b; }
inline std::uint32_t F32Ge(float a, float b) { return a >= b; }

// f64 comparisons

inline std::uint32_t F64Eq(double a, double b) { return a == b; }
inline std::uint32_t F64Ne(double a, double b) { return a != b; }
inline std::uint32_t F64Lt(double a, double b) { return a < b; }
inline std::uint32_t F64Gt(double a, double b) { return a > b; }
inline std::uint32_t F64Le(double a, double b) { return a <= b; }
inline std::uint32_t F64Ge(double a, double b) { return a >= b; }

// f32 instructions on the bits

constexpr std::uint32_t F32Abs(std::uint32_t bits) { return bits & ~detail::kSignBit<float>; }
constexpr std::uint32_t F32Neg(std::uint32_t bits) { return bits ^ detail::kSignBit<float>; }
/// The magnitude of a with the sign of b.
constexpr std::uint32_t F32Copysign(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t kSign = detail::kSignBit<float>;
  return (a & ~kSign) | (b & kSign);
}

// f32 arithmetic

inline float F32Ceil(float a) { return detail::RoundUp(a); }
inline float F32Floor(float a) { return detail::RoundDown(a); }
inline float F32Trunc(float a) { return detail::RoundToZero(a); }
inline float F32Nearest(float a) { return detail::RoundToEven(a); }
inline float F32Sqrt(float a) { return std::sqrt(a); }
inline float F32Add(float a, float b) { return a + b; }
inline float F32Sub(float a, float b) { return a - b; }
inline float F32Mul(float a, float b) { return a * b; }
inline float F32Div(float a, float b) { return a / b; }
inline float F32Min(float a, float b) { return detail::Minimum(a, b); }
inline float F32Max(float a, float b) { return detail::Maximum(a, b); }

// f64 instructions on the bits

constexpr std::uint64_t F64Abs(std::uint64_t bits) { return bits & ~detail::kSignBit<double>; }
constexpr std::uint64_t F64Neg(std::uint64_t bits) { return bits ^ detail::kSignBit<double>; }
/// The magnitude of a with the sign of b.
constexpr std::uint64_t F64Copysign(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kSign = detail::kSignBit<double>;
  return (a & ~kSign) | (b & kSign);
}

// f64 arithmetic

inline double F64Ceil(double a) { return detail::RoundUp(a); }
inline double F64Floor(double a) { return detail::RoundDown(a); }
inline double F64Trunc(double a) { return detail::RoundToZero(a); }
inline double F64Nearest(double a) { return detail::RoundToEven(a); }
inline double F64Sqrt(double a) { return std::sqrt(a); }
inline double F64Add(double a, double b) { return a + b; }
inline double F64Sub(double a, double b) { return a - b; }
inline double F64Mul(double a, double b) { return a * b; }
inline double F64Div(double a, double b) { return a / b; }
inline double F64Min(double a, double b) { return detail::Minimum(a, b); }
inline double F64Max(double a, double b) { return detail::Maximum(a, b); }

// floats to integers: IntegerOverflow out of range, InvalidConversionToInteger for NaN

inline std::uint32_t I32TruncF32S(float a, TrapCode& trap) {
  return detail::Truncate<std::int32_t>(a, trap);
}
inline std::uint32_t I32TruncF32U(float a, TrapCode& trap) {
  return detail::Truncate<std::uint32_t>(a, trap);
}
inline std::uint32_t I32TruncF64S(double a, TrapCode& trap) {
  return detail::Truncate<std::int32_t>(a, trap);
}
inline std::uint32_t I32TruncF64U(double a, TrapCode& trap) {
  return detail::Truncate<std::uint32_t>(a, trap);
}
inline std::uint64_t I64TruncF32S(float a, TrapCode& trap) {
  return detail::Truncate<std::int64_t>(a, trap);
}
inline std::uint64_t I64TruncF32U(float a, TrapCode& trap) {
  return detail::Truncate<std::uint64_t>(a, trap);
}
inline std::uint64_t I64TruncF64S(double a, TrapCode& trap) {
  return detail::Truncate<std::int64_t>(a, trap);
}
inline std::uint64_t I64TruncF64U(double a, TrapCode& trap) {
  return detail::Truncate<std::uint64_t>(a, trap);
}

// floats to integers: the nearest value out of range, 0 for NaN

inline std::uint32_t I32TruncSatF32S(float a) {
  return detail::TruncateSaturating<std::int32_t>(a);
}
inline std::uint32_t I32TruncSatF32U(float a) {
  return detail::TruncateSaturating<std::uint32_t>(a);
}
inline std::uint32_t I32TruncSatF64S(double a) {
  return detail::TruncateSaturating<std::int32_t>(a);
}
inline std::uint32_t I32TruncSatF64U(double a) {
  return detail::TruncateSaturating<std::uint32_t>(a);
}
inline std::uint64_t I64TruncSatF32S(float a) {
  return detail::TruncateSaturating<std::int64_t>(a);
}
inline std::uint64_t I64TruncSatF32U(float a) {
  return detail::TruncateSaturating<std::uint64_t>(a);
}
inline std::uint64_t I64TruncSatF64S(double a) {
  return detail::TruncateSaturating<std::int64_t>(a);
}
inline std::uint64_t I64TruncSatF64U(double a) {
  return detail::TruncateSaturating<std::uint64_t>(a);
}

// integers to floats, rounded to nearest, ties to even

inline float F32ConvertI32S(std::uint32_t a) { return static_cast<float>(detail::AsSigned(a)); }
inline float F32ConvertI32U(std::uint32_t a) { return static_cast<float>(a); }
inline float F32ConvertI64S(std::uint64_t a) { return static_cast<float>(detail::AsSigned(a)); }
inline float F32ConvertI64U(std::uint64_t a) { return static_cast<float>(a); }
inline double F64ConvertI32S(std::uint32_t a) { return static_cast<double>(detail::AsSigned(a)); }
inline double F64ConvertI32U(std::uint32_t a) { return static_cast<double>(a); }
inline double F64ConvertI64S(std::uint64_t a) { return static_cast<double>(detail::AsSigned(a)); }
inline double F64ConvertI64U(std::uint64_t a) { return static_cast<double>(a); }

// between floats

inline float F32DemoteF64(double a) { return static_cast<float>(a); }
inline double F64PromoteF32(float a) { return static_cast<double>(a); }

// reinterpretations: the bits stay as they are

constexpr std::uint32_t I32ReinterpretF32(std::uint32_t bits) { return bits; }
constexpr std::uint64_t I64ReinterpretF64(std::uint64_t bits) { return bits; }
constexpr std::uint32_t F32ReinterpretI32(std::uint32_t bits) { return bits; }
constexpr std::uint64_t F64ReinterpretI64(std::uint64_t bits) { return bits; }

}  // namespace tenon::inline TENON_ABI::interp
