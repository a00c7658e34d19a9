// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions on float lanes.
#pragma once

#include <bit>
#include <cstdint>

#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit::detail {

// Predicates of cmpps and its kin.
inline constexpr std::uint8_t kCompareEqual = 0, kCompareLess = 1, kCompareLessEqual = 2,
                              kCompareUnordered = 3, kCompareNotEqual = 4, kCompareNotLess = 5,
                              kCompareOrdered = 7;
// Rounding of roundps and its kin.
inline constexpr std::uint8_t kRoundNearest = 8, kRoundDown = 9, kRoundUp = 10, kRoundToZero = 11;

constexpr V128 Splat(float lane) { return Splat32(std::bit_cast<std::uint32_t>(lane)); }
constexpr V128 Splat(double lane) { return Splat64(std::bit_cast<std::uint64_t>(lane)); }

inline constexpr V128 kSign32 = Splat32(0x80000000), kMagnitude32 = Splat32(0x7FFFFFFF);
inline constexpr V128 kSign64 = Splat64(0x8000000000000000),
                      kMagnitude64 = Splat64(0x7FFFFFFFFFFFFFFF);

TENON_DECL bool EmitVectorFloat(DualEmitter& e, wasm::Opcode opcode,
                                const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);
  const Xbyak::Xmm& s = e.scratch;

// The instructions return the second operand where an operand is a NaN or both are zeros: with
// both orders NaNs and signs can be put together, then NaNs be made canonical.
#define TENON_DETAIL_EXTREME_BOTH(minimum) \
  if (e.avx) {                             \
    e.minimum(s, a, b);                    \
    e.minimum(d, b, a);                    \
  } else {                                 \
    e.minimum(s, b, a);                    \
    e.minimum(d, a, b);                    \
  }
#define TENON_DETAIL_FLOATS(shape, p, shift, payload_bits) \
  case shape##Eq:                                          \
    e.Cmp##p(d, a, b, kCompareEqual);                      \
    return true;                                           \
  case shape##Ne:                                          \
    e.Cmp##p(d, a, b, kCompareNotEqual);                   \
    return true;                                           \
  case shape##Lt:                                          \
    e.Cmp##p(d, a, b, kCompareLess);                       \
    return true;                                           \
  case shape##Gt:                                          \
    e.Cmp##p(d, b, a, kCompareLess);                       \
    return true;                                           \
  case shape##Le:                                          \
    e.Cmp##p(d, a, b, kCompareLessEqual);                  \
    return true;                                           \
  case shape##Ge:                                          \
    e.Cmp##p(d, b, a, kCompareLessEqual);                  \
    return true;                                           \
  case shape##Ceil:                                        \
    e.Round##p(d, a, kRoundUp);                            \
    return true;                                           \
  case shape##Floor:                                       \
    e.Round##p(d, a, kRoundDown);                          \
    return true;                                           \
  case shape##Trunc:                                       \
    e.Round##p(d, a, kRoundToZero);                        \
    return true;                                           \
  case shape##Nearest:                                     \
    e.Round##p(d, a, kRoundNearest);                       \
    return true;                                           \
  case shape##Pmin:                                        \
    e.Min##p(d, b, a);                                     \
    return true;                                           \
  case shape##Pmax:                                        \
    e.Max##p(d, b, a);                                     \
    return true;                                           \
  case shape##Min:                                         \
    TENON_DETAIL_EXTREME_BOTH(Min##p)                      \
    e.Or##p(s, s, d);                                      \
    e.Cmp##p(d, d, s, kCompareUnordered);                  \
    e.Or##p(s, s, d);                                      \
    e.shift(d, d, payload_bits);                           \
    e.Andn##p(d, d, s);                                    \
    return true;                                           \
  case shape##Max:                                         \
    TENON_DETAIL_EXTREME_BOTH(Max##p)                      \
    e.Xor##p(d, d, s);                                     \
    e.Or##p(s, s, d);                                      \
    e.Sub##p(s, s, d);                                     \
    e.Cmp##p(d, d, s, kCompareUnordered);                  \
    e.shift(d, d, payload_bits);                           \
    e.Andn##p(d, d, s);                                    \
    return true;

  switch (opcode) {
    TENON_DETAIL_FLOATS(F32x4, ps, PsrldBy, 10)
    TENON_DETAIL_FLOATS(F64x2, pd, PsrlqBy, 13)
#undef TENON_DETAIL_FLOATS
#undef TENON_DETAIL_EXTREME_BOTH

    case F32x4Abs:
      e.Andps(d, a, e.At(kMagnitude32));
      return true;
    case F32x4Neg:
      e.Xorps(d, a, e.At(kSign32));
      return true;
    case F64x2Abs:
      e.Andpd(d, a, e.At(kMagnitude64));
      return true;
    case F64x2Neg:
      e.Xorpd(d, a, e.At(kSign64));
      return true;
    default:
      return false;
  }
}

TENON_DECL bool EmitVectorConversion(DualEmitter& e, wasm::Opcode opcode,
                                     const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm t = VectorOf(operands.vector_temporaries[0]);
  const Xbyak::Xmm& s = e.scratch;
  switch (opcode) {
    case F32x4ConvertI32x4U:
      // Halves as 2^23 + low and 2^39 + high * 2^16, both exact; only the sum is rounded.
      e.Pblendw(s, a, e.At(Splat32(0x4B000000)), 0xAA);
      e.PsrldBy(d, a, 16);
      e.Pblendw(d, d, e.At(Splat32(0x53000000)), 0xAA);
      e.Subps(d, d, e.At(Splat(549764202496.0f)));
      e.Addps(d, d, s);
      return true;
    case F64x2ConvertLowI32x4U:
      // 2^52 + lane, exact.
      e.Punpckldq(d, a, e.At(Splat32(0x43300000)));
      e.Subpd(d, d, e.At(Splat(4503599627370496.0)));
      return true;

    case I32x4TruncSatF32x4S:
      // Too large gives 0x80000000, inverted where the lane is not negative; NaN becomes 0 first.
      e.Cmpps(s, a, a, kCompareEqual);
      e.Andps(d, a, s);
      e.Cmpps(s, d, e.At(Splat(2147483648.0f)), kCompareNotLess);
      e.Cvttps2dq(d, d);
      e.Pxor(d, d, s);
      return true;
    case I32x4TruncSatF32x4U:
      // NaN and negative become 0. The excess over 2^31 is converted apart: 0 or less where there
      // is none, 2^31 - 1 where it is too large.
      e.Maxps(d, a, e.At(kZeros));
      e.Subps(s, d, e.At(Splat(2147483648.0f)));
      e.Cmpps(t, s, e.At(Splat(2147483648.0f)), kCompareNotLess);
      e.Cvttps2dq(s, s);
      e.Pxor(s, s, t);
      e.Pmaxsd(s, s, e.At(kZeros));
      e.Cvttps2dq(d, d);
      e.Paddd(d, d, s);
      return true;
    case I32x4TruncSatF64x2SZero:
      // The upper limit is 0 where the lane is a NaN, and minpd then gives the limit.
      e.Cmppd(s, a, a, kCompareEqual);
      e.Andpd(s, s, e.At(Splat(2147483647.0)));
      e.Minpd(d, a, s);
      e.Cvttpd2dq(d, d);
      return true;
    case I32x4TruncSatF64x2UZero:
      // Added to 2^52 the integer is the low half of the sum.
      e.Maxpd(d, a, e.At(kZeros));
      e.Minpd(d, d, e.At(Splat(4294967295.0)));
      e.Roundpd(d, d, kRoundToZero);
      e.Addpd(d, d, e.At(Splat(4503599627370496.0)));
      e.Shufps(d, d, e.At(kZeros), 0x88);
      return true;
    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit::detail
