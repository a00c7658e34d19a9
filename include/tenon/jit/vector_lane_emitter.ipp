// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions that move lanes, shift them, or reduce them to an integer.
#pragma once

#include <cstdint>

#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/jit/vector_shuffle_emitter.ipp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit::detail {

TENON_DECL bool EmitVectorSplat(DualEmitter& e, wasm::Opcode opcode,
                                const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Register source = operands.operands[0];
  const Xbyak::Xmm a = VectorOf(source);
  const Xbyak::Xmm& s = e.scratch;
  switch (opcode) {
    case V128Const:
      if (*operands.bytes == kZeros) {
        e.Clear(d);
      } else if (*operands.bytes == kOnes) {
        e.Fill(d);
      } else {
        e.Movaps(d, e.At(*operands.bytes));
      }
      return true;
    case I8x16Splat:
      e.Movd(d, WordOf(source));
      if (e.avx2) {
        e.out.vpbroadcastb(d, d);
      } else {
        e.Clear(s);
        e.Pshufb(d, d, s);
      }
      return true;
    case I16x8Splat:
      e.Movd(d, WordOf(source));
      if (e.avx2) {
        e.out.vpbroadcastw(d, d);
      } else {
        e.Pshuflw(d, d, 0);
        e.Pshufd(d, d, 0);
      }
      return true;
    case I32x4Splat:
      e.Movd(d, WordOf(source));
      e.Pshufd(d, d, 0);
      return true;
    case I64x2Splat:
      e.Movq(d, DoubleWordOf(source));
      e.Punpcklqdq(d, d, d);
      return true;
    case F32x4Splat:
      if (e.avx2) {
        e.out.vbroadcastss(d, a);
      } else {
        e.Shufps(d, a, a, 0);
      }
      return true;
    case F64x2Splat:
      e.Movddup(d, a);
      return true;
    default:
      return false;
  }
}

TENON_DECL bool EmitVectorLane(DualEmitter& e, wasm::Opcode opcode,
                               const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);
  const Xbyak::Reg32 word = WordOf(operands.result);
  const Xbyak::Reg64 double_word = DoubleWordOf(operands.result);
  const auto lane = static_cast<std::uint8_t>(operands.lane);
  switch (opcode) {
    case I8x16ExtractLaneS:
      e.Pextrb(word, a, lane);
      e.out.movsx(word, ByteOf(operands.result));
      return true;
    case I8x16ExtractLaneU:
      e.Pextrb(word, a, lane);
      return true;
    case I16x8ExtractLaneS:
      e.Pextrw(word, a, lane);
      e.out.movsx(word, Xbyak::Reg16(operands.result));
      return true;
    case I16x8ExtractLaneU:
      e.Pextrw(word, a, lane);
      return true;
    case I32x4ExtractLane:
      if (lane == 0) {
        e.Movd(word, a);
      } else {
        e.Pextrd(word, a, lane);
      }
      return true;
    case I64x2ExtractLane:
      if (lane == 0) {
        e.Movq(double_word, a);
      } else {
        e.Pextrq(double_word, a, lane);
      }
      return true;
    case F32x4ExtractLane:
      if (lane == 0) {
        e.Move(d, a);
      } else if (lane == 1) {
        e.Movshdup(d, a);
      } else {
        e.Pshufd(d, a, lane);
      }
      return true;
    case F64x2ExtractLane:
      if (lane == 0) {
        e.Move(d, a);
      } else {
        e.Pshufd(d, a, 0xEE);
      }
      return true;

    case I8x16ReplaceLane:
      e.Pinsrb(d, a, WordOf(operands.operands[1]), lane);
      return true;
    case I16x8ReplaceLane:
      e.Pinsrw(d, a, WordOf(operands.operands[1]), lane);
      return true;
    case I32x4ReplaceLane:
      e.Pinsrd(d, a, WordOf(operands.operands[1]), lane);
      return true;
    case I64x2ReplaceLane:
      e.Pinsrq(d, a, DoubleWordOf(operands.operands[1]), lane);
      return true;
    case F32x4ReplaceLane:
      e.Insertps(d, a, b, static_cast<std::uint8_t>(lane << 4));
      return true;
    case F64x2ReplaceLane:
      if (lane == 1) {
        e.Unpcklpd(d, a, b);
      } else {
        e.Pblendw(d, a, b, 0x0F);
      }
      return true;

    case I8x16Shuffle:
      EmitShuffle(e, operands);
      return true;
    case I8x16Swizzle:
      // Lane numbers above 15 get their highest bit, the others do not.
      e.Paddusb(e.scratch, b, e.At(Splat8(0x70)));
      e.Pshufb(d, a, e.scratch);
      return true;
    default:
      return false;
  }
}

TENON_DECL bool EmitVectorReduction(DualEmitter& e, wasm::Opcode opcode,
                                    const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Reg32 word = WordOf(operands.result);
  const Xbyak::Xmm& s = e.scratch;
  switch (opcode) {
    case V128AnyTrue:
      e.out.xor_(word, word);
      e.Ptest(a, a);
      e.out.setne(ByteOf(operands.result));
      return true;
    case I8x16AllTrue:
    case I16x8AllTrue:
    case I32x4AllTrue:
    case I64x2AllTrue:
      e.Clear(s);
      if (opcode == I8x16AllTrue) {
        e.Pcmpeqb(s, s, a);
      } else if (opcode == I16x8AllTrue) {
        e.Pcmpeqw(s, s, a);
      } else if (opcode == I32x4AllTrue) {
        e.Pcmpeqd(s, s, a);
      } else {
        e.Pcmpeqq(s, s, a);
      }
      e.out.xor_(word, word);
      e.Ptest(s, s);
      e.out.sete(ByteOf(operands.result));
      return true;
    case I8x16Bitmask:
      e.Pmovmskb(word, a);
      return true;
    case I16x8Bitmask:
      e.Packsswb(s, a, a);
      e.Pmovmskb(word, s);
      e.out.movzx(word, ByteOf(operands.result));
      return true;
    case I32x4Bitmask:
      e.Movmskps(word, a);
      return true;
    case I64x2Bitmask:
      e.Movmskpd(word, a);
      return true;
    default:
      return false;
  }
}

/// Shifts by a constant.
inline bool EmitVectorShiftBy(DualEmitter& e, wasm::Opcode opcode, const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm t = VectorOf(operands.vector_temporaries[0]);
  const Xbyak::Xmm& s = e.scratch;
  const auto count8 = static_cast<std::uint8_t>(operands.lane & 7);
  const auto count16 = static_cast<std::uint8_t>(operands.lane & 15);
  const auto count32 = static_cast<std::uint8_t>(operands.lane & 31);
  const auto count64 = static_cast<std::uint8_t>(operands.lane & 63);
  switch (opcode) {
    case I8x16Shl:
      if (count8 == 1) {
        e.Paddb(d, a, a);
      } else {
        e.PsllwBy(d, a, count8);
        e.Pand(d, d, e.At(Splat8(static_cast<std::uint8_t>(0xFF << count8))));
      }
      return true;
    case I8x16ShrU:
      e.PsrlwBy(d, a, count8);
      e.Pand(d, d, e.At(Splat8(static_cast<std::uint8_t>(0xFF >> count8))));
      return true;
    case I8x16ShrS:
      if (count8 == 7) {
        e.Clear(s);
        if (e.avx) {
          e.Pcmpgtb(d, s, a);
        } else {
          e.Pcmpgtb(s, s, a);
          e.Move(d, s);
        }
      } else {
        e.Punpckhbw(t, a, a);
        e.Punpcklbw(d, a, a);
        e.PsrawBy(t, t, static_cast<std::uint8_t>(8 + count8));
        e.PsrawBy(d, d, static_cast<std::uint8_t>(8 + count8));
        e.Packsswb(d, d, t);
      }
      return true;
    case I16x8Shl:
      e.PsllwBy(d, a, count16);
      return true;
    case I16x8ShrU:
      e.PsrlwBy(d, a, count16);
      return true;
    case I16x8ShrS:
      e.PsrawBy(d, a, count16);
      return true;
    case I32x4Shl:
      e.PslldBy(d, a, count32);
      return true;
    case I32x4ShrU:
      e.PsrldBy(d, a, count32);
      return true;
    case I32x4ShrS:
      e.PsradBy(d, a, count32);
      return true;
    case I64x2Shl:
      e.PsllqBy(d, a, count64);
      return true;
    case I64x2ShrU:
      e.PsrlqBy(d, a, count64);
      return true;
    case I64x2ShrS:
      if (count64 <= 32) {
        // The upper halves are shifted right by themselves.
        e.PsradBy(s, a, count64);
        e.PsrlqBy(d, a, count64);
        e.Pblendw(d, d, s, 0xCC);
      } else {
        const V128 sign = Splat64((std::uint64_t{1} << 63) >> count64);
        e.PsrlqBy(d, a, count64);
        e.Pxor(d, d, e.At(sign));
        e.Psubq(d, d, e.At(sign));
      }
      return true;
    default:
      return false;
  }
}

TENON_DECL bool EmitVectorShift(DualEmitter& e, wasm::Opcode opcode,
                                const VectorOperands& operands) {
  using enum wasm::Opcode;
  std::uint32_t width = 0;
  switch (opcode) {
    case I8x16Shl:
    case I8x16ShrS:
    case I8x16ShrU:
      width = 8;
      break;
    case I16x8Shl:
    case I16x8ShrS:
    case I16x8ShrU:
      width = 16;
      break;
    case I32x4Shl:
    case I32x4ShrS:
    case I32x4ShrU:
      width = 32;
      break;
    case I64x2Shl:
    case I64x2ShrS:
    case I64x2ShrU:
      width = 64;
      break;
    default:
      return false;
  }
  if (operands.operands[1] == kNoRegister) return EmitVectorShiftBy(e, opcode, operands);

  const Xbyak::Xmm d = VectorOf(operands.result);
  const Xbyak::Xmm a = VectorOf(operands.operands[0]);
  const Xbyak::Xmm t = VectorOf(operands.vector_temporaries[0]);
  const Xbyak::Xmm& count = e.scratch;
  e.Movd(count, WordOf(operands.operands[1]));
  e.Pand(count, count, e.At(Halves(width - 1, 0)));
  switch (opcode) {
    case I8x16Shl:
      // There are no shifts of bytes: shift words, then clear what came from the neighbours.
      e.Fill(t);
      e.Psllw(t, t, count);
      e.Psllw(d, a, count);
      if (e.avx2) {
        e.out.vpbroadcastb(t, t);
      } else {
        e.Pshufb(t, t, e.At(kZeros));
      }
      e.Pand(d, d, t);
      return true;
    case I8x16ShrU:
      e.Fill(t);
      e.Psrlw(t, t, count);
      e.Psrlw(d, a, count);
      e.Pshufb(t, t, e.At(Splat8(1)));
      e.Pand(d, d, t);
      return true;
    case I8x16ShrS:
      // Each byte in the upper half of a word of its own.
      e.Por(count, count, e.At(Halves(8, 0)));
      e.Punpckhbw(t, a, a);
      e.Punpcklbw(d, a, a);
      e.Psraw(t, t, count);
      e.Psraw(d, d, count);
      e.Packsswb(d, d, t);
      return true;
    case I16x8Shl:
      e.Psllw(d, a, count);
      return true;
    case I16x8ShrU:
      e.Psrlw(d, a, count);
      return true;
    case I16x8ShrS:
      e.Psraw(d, a, count);
      return true;
    case I32x4Shl:
      e.Pslld(d, a, count);
      return true;
    case I32x4ShrU:
      e.Psrld(d, a, count);
      return true;
    case I32x4ShrS:
      e.Psrad(d, a, count);
      return true;
    case I64x2Shl:
      e.Psllq(d, a, count);
      return true;
    case I64x2ShrU:
      e.Psrlq(d, a, count);
      return true;
    case I64x2ShrS:
      // Logical, then what the sign bit has become is extended.
      e.Movaps(t, e.At(Splat64(std::uint64_t{1} << 63)));
      e.Psrlq(d, a, count);
      e.Psrlq(t, t, count);
      e.Pxor(d, d, t);
      e.Psubq(d, d, t);
      return true;
    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit::detail
