// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions on integer lanes.
#pragma once

#include <cstdint>

#include <tenon/jit/direct_opcode.hpp>
#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit::detail {

/// a < b of 64-bit lanes for a result that is neither, without pcmpgtq: the upper halves decide,
/// or if they are equal the borrow of a - b.
inline void LessThan64(DualEmitter& e, const Xbyak::Xmm& d, const Xbyak::Xmm& a,
                       const Xbyak::Xmm& b) {
  e.Psubq(d, a, b);
  e.Pcmpeqd(e.scratch, a, b);
  e.Pand(d, d, e.scratch);
  e.Pcmpgtd(e.scratch, b, a);
  e.Por(d, d, e.scratch);
  e.Pshufd(d, d, 0xF5);
}

TENON_DECL bool EmitVectorComparison(DualEmitter& e, wasm::Opcode opcode,
                                     const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);
  const Xbyak::Xmm& s = e.scratch;

// a <= b where the lesser of both is a, a > b where it is not.
#define TENON_DETAIL_AT_MOST(extreme, equal) \
  if (e.avx) {                               \
    e.extreme(s, a, b);                      \
    e.equal(d, s, a);                        \
  } else {                                   \
    e.Move(s, a);                            \
    e.extreme(d, a, b);                      \
    e.equal(d, d, s);                        \
  }
#define TENON_DETAIL_COMPARISONS(shape, width)        \
  case shape##Eq:                                     \
    e.Pcmpeq##width(d, a, b);                         \
    return true;                                      \
  case shape##Ne:                                     \
    e.Pcmpeq##width(d, a, b);                         \
    e.Pxor(d, d, e.At(kOnes));                        \
    return true;                                      \
  case shape##LtS:                                    \
    e.Pcmpgt##width(d, b, a);                         \
    return true;                                      \
  case shape##GtS:                                    \
    e.Pcmpgt##width(d, a, b);                         \
    return true;                                      \
  case shape##LeS:                                    \
    TENON_DETAIL_AT_MOST(Pmins##width, Pcmpeq##width) \
    return true;                                      \
  case shape##GeS:                                    \
    TENON_DETAIL_AT_MOST(Pmaxs##width, Pcmpeq##width) \
    return true;                                      \
  case shape##LeU:                                    \
    TENON_DETAIL_AT_MOST(Pminu##width, Pcmpeq##width) \
    return true;                                      \
  case shape##GeU:                                    \
    TENON_DETAIL_AT_MOST(Pmaxu##width, Pcmpeq##width) \
    return true;                                      \
  case shape##LtU:                                    \
    TENON_DETAIL_AT_MOST(Pmaxu##width, Pcmpeq##width) \
    e.Pxor(d, d, e.At(kOnes));                        \
    return true;                                      \
  case shape##GtU:                                    \
    TENON_DETAIL_AT_MOST(Pminu##width, Pcmpeq##width) \
    e.Pxor(d, d, e.At(kOnes));                        \
    return true;

  switch (opcode) {
    TENON_DETAIL_COMPARISONS(I8x16, b)
    TENON_DETAIL_COMPARISONS(I16x8, w)
    TENON_DETAIL_COMPARISONS(I32x4, d)
#undef TENON_DETAIL_COMPARISONS
#undef TENON_DETAIL_AT_MOST

    case I64x2Eq:
      e.Pcmpeqq(d, a, b);
      return true;
    case I64x2Ne:
      e.Pcmpeqq(d, a, b);
      e.Pxor(d, d, e.At(kOnes));
      return true;
    case I64x2LtS:
    case I64x2GeS: {
      if (e.has_pcmpgtq) {
        e.Pcmpgtq(d, b, a);
      } else {
        LessThan64(e, d, a, b);
      }
      if (opcode == I64x2GeS) e.Pxor(d, d, e.At(kOnes));
      return true;
    }
    case I64x2GtS:
    case I64x2LeS: {
      if (e.has_pcmpgtq) {
        e.Pcmpgtq(d, a, b);
      } else {
        LessThan64(e, d, b, a);
      }
      if (opcode == I64x2LeS) e.Pxor(d, d, e.At(kOnes));
      return true;
    }
    default:
      return false;
  }
}

/// Those that are one instruction; `b` is operand 1, wherever it is.
TENON_DECL bool EmitVectorDirect(DualEmitter& e, wasm::Opcode opcode,
                                 const VectorOperands& operands, const Xbyak::Operand& b) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);

#define TENON_DETAIL_BINARY(name, method) \
  case name:                              \
    e.method(d, a, b);                    \
    return true;
#define TENON_DETAIL_UNARY(name, method) \
  case name:                             \
    e.method(d, a);                      \
    return true;

  switch (opcode) {
    TENON_DETAIL_DIRECT_BINARY(TENON_DETAIL_BINARY)
    TENON_DETAIL_UNARY(I8x16Abs, Pabsb)
    TENON_DETAIL_UNARY(I16x8Abs, Pabsw)
    TENON_DETAIL_UNARY(I32x4Abs, Pabsd)
    TENON_DETAIL_UNARY(I16x8ExtendLowI8x16S, Pmovsxbw)
    TENON_DETAIL_UNARY(I16x8ExtendLowI8x16U, Pmovzxbw)
    TENON_DETAIL_UNARY(I32x4ExtendLowI16x8S, Pmovsxwd)
    TENON_DETAIL_UNARY(I32x4ExtendLowI16x8U, Pmovzxwd)
    TENON_DETAIL_UNARY(I64x2ExtendLowI32x4S, Pmovsxdq)
    TENON_DETAIL_UNARY(I64x2ExtendLowI32x4U, Pmovzxdq)
    TENON_DETAIL_UNARY(F32x4Sqrt, Sqrtps)
    TENON_DETAIL_UNARY(F64x2Sqrt, Sqrtpd)
    TENON_DETAIL_UNARY(F32x4ConvertI32x4S, Cvtdq2ps)
    TENON_DETAIL_UNARY(F64x2ConvertLowI32x4S, Cvtdq2pd)
    TENON_DETAIL_UNARY(F32x4DemoteF64x2Zero, Cvtpd2ps)
    TENON_DETAIL_UNARY(F64x2PromoteLowF32x4, Cvtps2pd)
#undef TENON_DETAIL_BINARY
#undef TENON_DETAIL_UNARY
    default:
      return false;
  }
}

TENON_DECL bool EmitVectorInteger(DualEmitter& e, wasm::Opcode opcode,
                                  const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);
  const Xbyak::Xmm c = VectorOf(operands.operands[2]);
  const Xbyak::Xmm t = VectorOf(operands.vector_temporaries[0]);
  const Xbyak::Xmm& s = e.scratch;

#define TENON_DETAIL_NEGATION(name, subtract) \
  case name:                                  \
    if (e.avx) {                              \
      e.Clear(s);                             \
      e.subtract(d, s, a);                    \
    } else {                                  \
      e.Clear(d);                             \
      e.subtract(d, d, a);                    \
    }                                         \
    return true;

  switch (opcode) {
    case V128Not:
      e.Pxor(d, a, e.At(kOnes));
      return true;
    case V128Andnot:
      e.Pandn(d, b, a);
      return true;
    case V128Bitselect:
      if (e.avx) {
        e.Pand(s, a, c);
        e.Pandn(d, c, b);
        e.Por(d, d, s);
      } else {
        e.Pxor(d, a, b);
        e.Pand(d, d, c);
        e.Pxor(d, d, b);
      }
      return true;

      TENON_DETAIL_NEGATION(I8x16Neg, Psubb)
      TENON_DETAIL_NEGATION(I16x8Neg, Psubw)
      TENON_DETAIL_NEGATION(I32x4Neg, Psubd)
      TENON_DETAIL_NEGATION(I64x2Neg, Psubq)
#undef TENON_DETAIL_NEGATION

    case I64x2Abs:
      if (e.avx) {
        e.Clear(s);
        e.Psubq(s, s, a);
        e.Vblendvpd(d, a, s, a);
      } else {
        e.Pshufd(s, a, 0xF5);
        e.PsradBy(s, s, 31);
        e.Pxor(d, a, s);
        e.Psubq(d, d, s);
      }
      return true;

    case I8x16Popcnt: {
      constexpr V128 kCounts = Halves(0x0302020102010100, 0x0403030203020201);
      constexpr V128 kNibbles = Splat8(0x0F);
      e.Pand(s, a, e.At(kNibbles));
      if (e.avx) {
        e.PsrlwBy(t, a, 4);
        e.Pand(t, t, e.At(kNibbles));
        e.Movaps(d, e.At(kCounts));
        e.Pshufb(s, d, s);
        e.Pshufb(d, d, t);
        e.Paddb(d, d, s);
      } else {
        e.Movaps(t, e.At(kCounts));
        e.Pshufb(t, t, s);
        e.PsrlwBy(d, a, 4);
        e.Pand(d, d, e.At(kNibbles));
        e.Movaps(s, e.At(kCounts));
        e.Pshufb(s, s, d);
        e.Paddb(t, t, s);
        e.Move(d, t);
      }
      return true;
    }

    case I16x8Q15mulrSatS:
      // Only -1 * -1 overflows, to 0x8000.
      e.Pmulhrsw(d, a, b);
      e.Pcmpeqw(s, d, e.At(Splat16(0x8000)));
      e.Pxor(d, d, s);
      return true;

    case I64x2Mul:
      e.PsrlqBy(s, a, 32);
      e.Pmuludq(s, s, b);
      e.PsrlqBy(d, b, 32);
      e.Pmuludq(d, d, a);
      e.Paddq(s, s, d);
      e.PsllqBy(s, s, 32);
      e.Pmuludq(d, a, b);
      e.Paddq(d, d, s);
      return true;

    case I16x8ExtendHighI8x16S:
      e.Pshufd(d, a, 0xEE);
      e.Pmovsxbw(d, d);
      return true;
    case I32x4ExtendHighI16x8S:
      e.Pshufd(d, a, 0xEE);
      e.Pmovsxwd(d, d);
      return true;
    case I64x2ExtendHighI32x4S:
      e.Pshufd(d, a, 0xEE);
      e.Pmovsxdq(d, d);
      return true;
    case I16x8ExtendHighI8x16U:
      e.Punpckhbw(d, a, e.At(kZeros));
      return true;
    case I32x4ExtendHighI16x8U:
      e.Punpckhwd(d, a, e.At(kZeros));
      return true;
    case I64x2ExtendHighI32x4U:
      e.Punpckhdq(d, a, e.At(kZeros));
      return true;

    case I16x8ExtmulLowI8x16S:
      e.Pmovsxbw(s, a);
      e.Pmovsxbw(d, b);
      e.Pmullw(d, d, s);
      return true;
    case I16x8ExtmulLowI8x16U:
      e.Pmovzxbw(s, a);
      e.Pmovzxbw(d, b);
      e.Pmullw(d, d, s);
      return true;
    case I16x8ExtmulHighI8x16S:
      e.Pshufd(s, a, 0xEE);
      e.Pmovsxbw(s, s);
      e.Pshufd(d, b, 0xEE);
      e.Pmovsxbw(d, d);
      e.Pmullw(d, d, s);
      return true;
    case I16x8ExtmulHighI8x16U:
      e.Punpckhbw(s, b, e.At(kZeros));
      e.Punpckhbw(d, a, e.At(kZeros));
      e.Pmullw(d, d, s);
      return true;
    case I32x4ExtmulLowI16x8S:
    case I32x4ExtmulHighI16x8S:
    case I32x4ExtmulLowI16x8U:
    case I32x4ExtmulHighI16x8U: {
      const bool is_signed = opcode == I32x4ExtmulLowI16x8S || opcode == I32x4ExtmulHighI16x8S;
      e.Pmullw(s, a, b);
      if (is_signed) {
        e.Pmulhw(d, a, b);
      } else {
        e.Pmulhuw(d, a, b);
      }
      const bool is_low = opcode == I32x4ExtmulLowI16x8S || opcode == I32x4ExtmulLowI16x8U;
      const Xbyak::Xmm& target = e.avx ? d : s;
      if (is_low) {
        e.Punpcklwd(target, s, d);
      } else {
        e.Punpckhwd(target, s, d);
      }
      e.Move(d, target);
      return true;
    }
    case I64x2ExtmulLowI32x4S:
    case I64x2ExtmulLowI32x4U:
    case I64x2ExtmulHighI32x4S:
    case I64x2ExtmulHighI32x4U: {
      const bool is_low = opcode == I64x2ExtmulLowI32x4S || opcode == I64x2ExtmulLowI32x4U;
      const std::uint8_t lanes = is_low ? 0x50 : 0xFA;
      e.Pshufd(s, a, lanes);
      e.Pshufd(d, b, lanes);
      if (opcode == I64x2ExtmulLowI32x4S || opcode == I64x2ExtmulHighI32x4S) {
        e.Pmuldq(d, d, s);
      } else {
        e.Pmuludq(d, d, s);
      }
      return true;
    }

    case I16x8ExtaddPairwiseI8x16S: {
      const Xbyak::Xmm& ones = e.avx ? s : d;
      e.Movaps(ones, e.At(Splat8(1)));
      e.Pmaddubsw(d, ones, a);
      return true;
    }
    case I16x8ExtaddPairwiseI8x16U:
      e.Pmaddubsw(d, a, e.At(Splat8(1)));
      return true;
    case I32x4ExtaddPairwiseI16x8S:
      e.Pmaddwd(d, a, e.At(Splat16(1)));
      return true;
    case I32x4ExtaddPairwiseI16x8U:
      e.PsrldBy(s, a, 16);
      e.Pand(d, a, e.At(Splat32(0xFFFF)));
      e.Paddd(d, d, s);
      return true;

    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit::detail
