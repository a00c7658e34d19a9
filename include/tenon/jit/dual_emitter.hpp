// SPDX-License-Identifier: Apache-2.0
/// @file
/// Emits vector instructions in the encoding that the processor has.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/constant_pool.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/vector_constants.hpp>
#include <tenon/jit/xbyak.hpp>

// clang-format off

// X(method, mnemonic): result, operand, operand. The order does not matter to the result.
#define TENON_DETAIL_COMMUTATIVE(X) \
  X(Paddb, paddb) X(Paddw, paddw) X(Paddd, paddd) X(Paddq, paddq) \
  X(Paddsb, paddsb) X(Paddsw, paddsw) X(Paddusb, paddusb) X(Paddusw, paddusw) \
  X(Pminsb, pminsb) X(Pminsw, pminsw) X(Pminsd, pminsd) \
  X(Pminub, pminub) X(Pminuw, pminuw) X(Pminud, pminud) \
  X(Pmaxsb, pmaxsb) X(Pmaxsw, pmaxsw) X(Pmaxsd, pmaxsd) \
  X(Pmaxub, pmaxub) X(Pmaxuw, pmaxuw) X(Pmaxud, pmaxud) \
  X(Pavgb, pavgb) X(Pavgw, pavgw) \
  X(Pmullw, pmullw) X(Pmulhw, pmulhw) X(Pmulhuw, pmulhuw) X(Pmulhrsw, pmulhrsw) \
  X(Pmulld, pmulld) X(Pmuldq, pmuldq) X(Pmuludq, pmuludq) X(Pmaddwd, pmaddwd) \
  X(Pand, pand) X(Por, por) X(Pxor, pxor) X(Andps, andps) X(Orps, orps) X(Xorps, xorps) \
  X(Andpd, andpd) X(Orpd, orpd) X(Xorpd, xorpd) \
  X(Pcmpeqb, pcmpeqb) X(Pcmpeqw, pcmpeqw) X(Pcmpeqd, pcmpeqd) X(Pcmpeqq, pcmpeqq)

#define TENON_DETAIL_BINARY(X) \
  X(Psubb, psubb) X(Psubw, psubw) X(Psubd, psubd) X(Psubq, psubq) \
  X(Psubsb, psubsb) X(Psubsw, psubsw) X(Psubusb, psubusb) X(Psubusw, psubusw) \
  X(Pcmpgtb, pcmpgtb) X(Pcmpgtw, pcmpgtw) X(Pcmpgtd, pcmpgtd) X(Pcmpgtq, pcmpgtq) \
  X(Pandn, pandn) X(Andnps, andnps) X(Andnpd, andnpd) X(Pmaddubsw, pmaddubsw) \
  X(Pshufb, pshufb) X(Packsswb, packsswb) X(Packuswb, packuswb) \
  X(Packssdw, packssdw) X(Packusdw, packusdw) \
  X(Punpcklbw, punpcklbw) X(Punpcklwd, punpcklwd) X(Punpckldq, punpckldq) \
  X(Punpcklqdq, punpcklqdq) X(Punpckhbw, punpckhbw) X(Punpckhwd, punpckhwd) \
  X(Punpckhdq, punpckhdq) X(Punpckhqdq, punpckhqdq) X(Unpcklpd, unpcklpd) \
  X(Psllw, psllw) X(Pslld, pslld) X(Psllq, psllq) X(Psrlw, psrlw) X(Psrld, psrld) \
  X(Psrlq, psrlq) X(Psraw, psraw) X(Psrad, psrad) \
  X(Addps, addps) X(Subps, subps) X(Mulps, mulps) X(Divps, divps) X(Minps, minps) X(Maxps, maxps) \
  X(Addpd, addpd) X(Subpd, subpd) X(Mulpd, mulpd) X(Divpd, divpd) X(Minpd, minpd) X(Maxpd, maxpd) \
  X(Addss, addss) X(Subss, subss) X(Mulss, mulss) X(Divss, divss) X(Minss, minss) X(Maxss, maxss) \
  X(Addsd, addsd) X(Subsd, subsd) X(Mulsd, mulsd) X(Divsd, divsd) X(Minsd, minsd) X(Maxsd, maxsd)

// The same with an immediate of a byte behind the operands.
#define TENON_DETAIL_BINARY_IMMEDIATE(X) \
  X(Cmpps, cmpps) X(Cmppd, cmppd) X(Cmpss, cmpss) X(Cmpsd, cmpsd) X(Shufps, shufps) \
  X(Palignr, palignr) X(Pblendw, pblendw) X(Insertps, insertps) \
  X(Pinsrb, pinsrb) X(Pinsrw, pinsrw) X(Pinsrd, pinsrd) X(Pinsrq, pinsrq)

// Shifts by an immediate: result, operand, count.
#define TENON_DETAIL_SHIFT(X) \
  X(PsllwBy, psllw) X(PslldBy, pslld) X(PsllqBy, psllq) X(PsrlwBy, psrlw) X(PsrldBy, psrld) \
  X(PsrlqBy, psrlq) X(PsrawBy, psraw) X(PsradBy, psrad)

// Result, operand.
#define TENON_DETAIL_UNARY(X) \
  X(Pabsb, pabsb) X(Pabsw, pabsw) X(Pabsd, pabsd) X(Sqrtps, sqrtps) X(Sqrtpd, sqrtpd) \
  X(Pmovsxbw, pmovsxbw) X(Pmovsxwd, pmovsxwd) X(Pmovsxdq, pmovsxdq) \
  X(Pmovzxbw, pmovzxbw) X(Pmovzxwd, pmovzxwd) X(Pmovzxdq, pmovzxdq) \
  X(Cvtdq2ps, cvtdq2ps) X(Cvttps2dq, cvttps2dq) X(Cvtdq2pd, cvtdq2pd) X(Cvttpd2dq, cvttpd2dq) \
  X(Cvtps2pd, cvtps2pd) X(Cvtpd2ps, cvtpd2ps) X(Movddup, movddup) X(Movshdup, movshdup) \
  X(Movaps, movaps) X(Ptest, ptest) X(Ucomiss, ucomiss) X(Ucomisd, ucomisd)

// Result, operand, immediate of a byte.
#define TENON_DETAIL_UNARY_IMMEDIATE(X) \
  X(Pshufd, pshufd) X(Pshuflw, pshuflw) X(Pshufhw, pshufhw) X(Roundps, roundps) X(Roundpd, roundpd)

// Result, operand; the upper lanes of the result are those of the operand or of no interest.
#define TENON_DETAIL_SCALAR(X) \
  X(Sqrtss, sqrtss) X(Sqrtsd, sqrtsd) X(Cvtss2sd, cvtss2sd) X(Cvtsd2ss, cvtsd2ss)
#define TENON_DETAIL_SCALAR_IMMEDIATE(X) \
  X(Roundss, roundss) X(Roundsd, roundsd)

// clang-format on

namespace tenon::inline TENON_ABI::jit::detail {

inline Xbyak::Xmm VectorOf(Register reg) { return Xbyak::Xmm((reg - kXmm0) & 15); }
inline Xbyak::Reg32 WordOf(Register reg) { return Xbyak::Reg32(reg & 15); }
inline Xbyak::Reg64 DoubleWordOf(Register reg) { return Xbyak::Reg64(reg & 15); }
inline Xbyak::Reg8 ByteOf(Register reg) {
  return Xbyak::Reg8(reg & 15, (reg & 15) >= 4 && (reg & 15) < 8);
}

/// Opcodes of jumps with a displacement of a byte.
enum class Jump : std::uint8_t {
  NotOverflow = 0x71,
  Below = 0x72,
  AboveOrEqual = 0x73,
  Equal = 0x74,
  NotEqual = 0x75,
  BelowOrEqual = 0x76,
  Above = 0x77,
  Sign = 0x78,
  NotSign = 0x79,
  Parity = 0x7A,
  NotParity = 0x7B,
  Always = 0xEB,
};

/// A jump forward inside a sequence.
class ShortJump {
 public:
  ShortJump(Xbyak::CodeGenerator& out, Jump jump) : out_{out} {
    out.db(static_cast<int>(jump));
    out.db(0);
    behind_ = out.getSize();
  }
  /// It goes to what is emitted next.
  void Land() { out_.rewrite(behind_ - 1, out_.getSize() - behind_, 1); }

 private:
  Xbyak::CodeGenerator& out_;
  std::size_t behind_ = 0;
};

/// Instructions in three-operand form. With AVX each is one VEX-encoded instruction; without, a
/// copy comes first where result and first operand differ. Without AVX the result may be the second
/// operand only if the scratch register is neither operand nor in use.
class DualEmitter {
 public:
  using Xmm = Xbyak::Xmm;
  using Operand = Xbyak::Operand;
  using Byte = std::uint8_t;

  DualEmitter(Xbyak::CodeGenerator& generator, ConstantPool& pool, CpuFeatures cpu)
      : out{generator},
        constants{pool},
        avx{cpu.Has(CpuFeature::Avx)},
        avx2{avx && cpu.Has(CpuFeature::Avx2)},
        has_pcmpgtq{avx || cpu.Has(CpuFeature::Sse42)} {}

  Xbyak::CodeGenerator& out;
  ConstantPool& constants;
  const bool avx;
  const bool avx2;
  const bool has_pcmpgtq;
  const Xmm scratch{kScratchVector - kXmm0};

  Xbyak::Address At(const V128& value) { return constants.At(value); }
  Xbyak::Address At64(std::uint64_t bits) { return constants.At64(bits); }
  Xbyak::Address At32(std::uint32_t bits) { return constants.At32(bits); }

  static bool Same(const Operand& a, const Operand& b) {
    return a.isXMM() && b.isXMM() && a.getIdx() == b.getIdx();
  }

  void Move(const Xmm& to, const Xmm& from) {
    if (!Same(to, from)) Movaps(to, from);
  }
  void Clear(const Xmm& to) { Pxor(to, to, to); }
  void Fill(const Xmm& to) { Pcmpeqd(to, to, to); }

#define TENON_DETAIL_METHOD(Name, name)                     \
  void Name(const Xmm& d, const Xmm& a, const Operand& b) { \
    if (avx) {                                              \
      out.v##name(d, a, b);                                 \
    } else {                                                \
      out.name(d, BeginEither(d, a, b));                    \
    }                                                       \
    Note(b, 0);                                             \
  }
  TENON_DETAIL_COMMUTATIVE(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)                     \
  void Name(const Xmm& d, const Xmm& a, const Operand& b) { \
    if (avx) {                                              \
      out.v##name(d, a, b);                                 \
      Note(b, 0);                                           \
    } else {                                                \
      const Xmm target = Begin(d, a, b);                    \
      out.name(target, b);                                  \
      Note(b, 0);                                           \
      Move(d, target);                                      \
    }                                                       \
  }
  TENON_DETAIL_BINARY(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)                                     \
  void Name(const Xmm& d, const Xmm& a, const Operand& b, Byte immediate) { \
    if (avx) {                                                              \
      out.v##name(d, a, b, immediate);                                      \
      Note(b, 1);                                                           \
    } else {                                                                \
      const Xmm target = Begin(d, a, b);                                    \
      out.name(target, b, immediate);                                       \
      Note(b, 1);                                                           \
      Move(d, target);                                                      \
    }                                                                       \
  }
  TENON_DETAIL_BINARY_IMMEDIATE(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)               \
  void Name(const Xmm& d, const Xmm& a, Byte count) { \
    if (avx) {                                        \
      out.v##name(d, a, count);                       \
    } else {                                          \
      Move(d, a);                                     \
      out.name(d, count);                             \
    }                                                 \
  }
  TENON_DETAIL_SHIFT(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)       \
  void Name(const Xmm& d, const Operand& a) { \
    if (avx) {                                \
      out.v##name(d, a);                      \
    } else {                                  \
      out.name(d, a);                         \
    }                                         \
    Note(a, 0);                               \
  }
  TENON_DETAIL_UNARY(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)                       \
  void Name(const Xmm& d, const Operand& a, Byte immediate) { \
    if (avx) {                                                \
      out.v##name(d, a, immediate);                           \
    } else {                                                  \
      out.name(d, a, immediate);                              \
    }                                                         \
    Note(a, 1);                                               \
  }
  TENON_DETAIL_UNARY_IMMEDIATE(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

  // Without AVX the copy keeps the result from depending on what its register held before.
#define TENON_DETAIL_METHOD(Name, name)   \
  void Name(const Xmm& d, const Xmm& a) { \
    if (avx) {                            \
      out.v##name(d, a, a);               \
    } else {                              \
      Move(d, a);                         \
      out.name(d, d);                     \
    }                                     \
  }
  TENON_DETAIL_SCALAR(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

#define TENON_DETAIL_METHOD(Name, name)                   \
  void Name(const Xmm& d, const Xmm& a, Byte immediate) { \
    if (avx) {                                            \
      out.v##name(d, a, a, immediate);                    \
    } else {                                              \
      Move(d, a);                                         \
      out.name(d, d, immediate);                          \
    }                                                     \
  }
  TENON_DETAIL_SCALAR_IMMEDIATE(TENON_DETAIL_METHOD)
#undef TENON_DETAIL_METHOD

  /// Integer register to the low lane, the others become zero.
  void Movd(const Xmm& d, const Xbyak::Reg32& a) { avx ? out.vmovd(d, a) : out.movd(d, a); }
  void Movq(const Xmm& d, const Xbyak::Reg64& a) { avx ? out.vmovq(d, a) : out.movq(d, a); }
  void Movd(const Xbyak::Reg32& d, const Xmm& a) { avx ? out.vmovd(d, a) : out.movd(d, a); }
  void Movq(const Xbyak::Reg64& d, const Xmm& a) { avx ? out.vmovq(d, a) : out.movq(d, a); }

  void Pmovmskb(const Xbyak::Reg32& d, const Xmm& a) {
    avx ? out.vpmovmskb(d, a) : out.pmovmskb(d, a);
  }
  void Movmskps(const Xbyak::Reg32& d, const Xmm& a) {
    avx ? out.vmovmskps(d, a) : out.movmskps(d, a);
  }
  void Movmskpd(const Xbyak::Reg32& d, const Xmm& a) {
    avx ? out.vmovmskpd(d, a) : out.movmskpd(d, a);
  }
  void Pextrb(const Operand& d, const Xmm& a, Byte lane) {
    avx ? out.vpextrb(d, a, lane) : out.pextrb(d, a, lane);
  }
  void Pextrw(const Operand& d, const Xmm& a, Byte lane) {
    avx ? out.vpextrw(d, a, lane) : out.pextrw(d, a, lane);
  }
  void Pextrd(const Operand& d, const Xmm& a, Byte lane) {
    avx ? out.vpextrd(d, a, lane) : out.pextrd(d, a, lane);
  }
  void Pextrq(const Operand& d, const Xmm& a, Byte lane) {
    avx ? out.vpextrq(d, a, lane) : out.pextrq(d, a, lane);
  }

  /// AVX only: lanes of b where the highest bits of mask's are 1, those of a where they are 0.
  void Vblendvps(const Xmm& d, const Xmm& a, const Operand& b, const Xmm& mask) {
    out.vblendvps(d, a, b, mask);
    Note(b, 1);
  }
  void Vblendvpd(const Xmm& d, const Xmm& a, const Operand& b, const Xmm& mask) {
    out.vblendvpd(d, a, b, mask);
    Note(b, 1);
  }

  /// Directly behind an instruction with operand b and an immediate of so many bytes.
  [[gnu::noinline]] void Note(const Operand& b, std::uint32_t immediate_bytes) {
    if (ConstantPool::IsConstant(b)) constants.Used(out, immediate_bytes);
  }

 private:
  // Cold, as nearly all processors have AVX.

  /// Copies `a` to `d` unless `b` is there; returns the other operand.
  [[gnu::cold]] const Operand& BeginEither(const Xmm& d, const Xmm& a, const Operand& b) {
    if (Same(d, b)) return a;  // NOLINT(bugprone-return-const-ref-from-parameter)
    Move(d, a);
    return b;  // NOLINT(bugprone-return-const-ref-from-parameter)
  }
  /// Copies `a` to where an instruction with source `b` may work on it.
  [[gnu::cold]] Xmm Begin(const Xmm& d, const Xmm& a, const Operand& b) {
    if (Same(d, a)) return d;
    const bool is_source = Same(d, b);
    assert(!is_source || !(Same(a, scratch) || Same(d, scratch)));
    const Xmm target = is_source ? scratch : d;
    Movaps(target, a);
    return target;
  }
};

}  // namespace tenon::inline TENON_ABI::jit::detail

#undef TENON_DETAIL_COMMUTATIVE
#undef TENON_DETAIL_BINARY
#undef TENON_DETAIL_BINARY_IMMEDIATE
#undef TENON_DETAIL_SHIFT
#undef TENON_DETAIL_UNARY
#undef TENON_DETAIL_UNARY_IMMEDIATE
#undef TENON_DETAIL_SCALAR
#undef TENON_DETAIL_SCALAR_IMMEDIATE
