// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of float_emitter.hpp.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>

#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/float_emitter.hpp>
#include <tenon/jit/vector_float_emitter.ipp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Sequences that differ little between both widths of floats.
class FloatEmitter {
 public:
  FloatEmitter(DualEmitter& emitter, bool is_32, const VectorOperands& operands)
      : e_{emitter},
        out_{emitter.out},
        is_32_{is_32},
        d_{VectorOf(operands.result)},
        a_{VectorOf(operands.operands[0])},
        b_{VectorOf(operands.operands[1])},
        word_{WordOf(operands.result)},
        double_word_{DoubleWordOf(operands.result)},
        byte_{ByteOf(operands.result)},
        t_{DoubleWordOf(operands.integer_temporaries[0])},
        s_{emitter.scratch} {}

  /// 1 where `predicate` of cmpss is true.
  void SetEqual(std::uint8_t predicate) {
    is_32_ ? e_.Cmpss(s_, a_, b_, predicate) : e_.Cmpsd(s_, a_, b_, predicate);
    e_.Movd(word_, s_);
    out_.and_(word_, 1);
  }
  /// 1 where a > b, with `swap` b > a. The flags for this are those that unordered operands do not
  /// set.
  void SetGreater(bool swap, bool or_equal) {
    out_.xor_(word_, word_);
    swap ? Compare(b_, a_) : Compare(a_, b_);
    or_equal ? out_.setae(byte_) : out_.seta(byte_);
  }

  /// minss gives its second operand for NaNs and for zeros of any sign; those are made apart.
  void Extreme(bool is_minimum) {
    Compare(a_, b_);
    ShortJump differ{out_, Jump::NotEqual};
    ShortJump unordered{out_, Jump::Parity};
    is_minimum ? e_.Orps(d_, a_, b_) : e_.Andps(d_, a_, b_);
    ShortJump equal_done{out_, Jump::Always};
    unordered.Land();
    Add(d_, a_, b_);
    ShortJump unordered_done{out_, Jump::Always};
    differ.Land();
    if (is_32_) {
      is_minimum ? e_.Minss(d_, a_, b_) : e_.Maxss(d_, a_, b_);
    } else {
      is_minimum ? e_.Minsd(d_, a_, b_) : e_.Maxsd(d_, a_, b_);
    }
    equal_done.Land();
    unordered_done.Land();
  }

  void Copysign() {
    e_.Andps(s_, b_, e_.At(is_32_ ? kSign32 : kSign64));
    e_.Andps(d_, a_, e_.At(is_32_ ? kMagnitude32 : kMagnitude64));
    e_.Orps(d_, d_, s_);
  }

  /// From a signed integer of 32 or 64 bits.
  void Convert(const Xbyak::Reg& from) {
    // The conversion writes the low lane only; it should not wait for what is in the others.
    e_.Xorps(d_, d_, d_);
    if (is_32_) {
      e_.avx ? out_.vcvtsi2ss(d_, d_, from) : out_.cvtsi2ss(d_, from);
    } else {
      e_.avx ? out_.vcvtsi2sd(d_, d_, from) : out_.cvtsi2sd(d_, from);
    }
  }

  void ConvertUnsigned64(const Xbyak::Reg64& from) {
    out_.test(from, from);
    ShortJump is_large{out_, Jump::Sign};
    Convert(from);
    ShortJump done{out_, Jump::Always};
    is_large.Land();
    if (is_32_) {
      // Half of it, odd if a bit was lost, is rounded the same way.
      out_.mov(t_, from);
      out_.shr(t_, 1);
      ShortJump nothing_lost{out_, Jump::AboveOrEqual};
      out_.or_(t_, 1);
      nothing_lost.Land();
      Convert(t_);
      Add(d_, d_, d_);
    } else {
      // 2^52 + lower half and 2^84 + 2^32 * upper half, both exact; only the sum is rounded.
      e_.Movq(d_, from);
      e_.Punpckldq(d_, d_, e_.At(Halves(0x4530000043300000, 0)));
      e_.Subpd(d_, d_, e_.At(Halves(0x4330000000000000, 0x4530000000000000)));
      e_.Pshufd(s_, d_, 0xEE);
      Add(d_, d_, s_);
    }
    done.Land();
  }

  void SaturateSigned(bool is_64) {
    Truncate(is_64, a_);
    const Xbyak::Reg& result = Result(is_64);
    out_.cmp(result, 1);
    ShortJump done{out_, Jump::NotOverflow};
    // It is the lowest integer: right if the operand is negative.
    CompareWithZero();
    ShortJump is_ordered{out_, Jump::NotParity};
    out_.xor_(word_, word_);
    ShortJump nan_done{out_, Jump::Always};
    is_ordered.Land();
    ShortJump negative_done{out_, Jump::Below};
    out_.not_(result);
    done.Land();
    nan_done.Land();
    negative_done.Land();
  }

  /// Through a signed integer of 64 bits, which holds all results.
  void SaturateUnsigned32() {
    ShortJump done = TruncateTo32Unsigned();
    SaturateOutside(false);
    done.Land();
  }

  void SaturateUnsigned64() {
    Truncate(true, a_);
    out_.test(double_word_, double_word_);
    ShortJump done{out_, Jump::NotSign};
    TruncateExcess();
    ShortJump outside{out_, Jump::Sign};
    out_.btc(double_word_, 63);
    ShortJump large_done{out_, Jump::Always};
    outside.Land();
    SaturateOutside(true);
    large_done.Land();
    done.Land();
  }

  void TrapSigned(bool is_64, const TruncateTargets& targets) {
    Truncate(is_64, a_);
    out_.cmp(Result(is_64), 1);
    ShortJump done{out_, Jump::NotOverflow};
    // It is the lowest integer, which may be right.
    if (is_64 || is_32_) {
      Compare(a_, Constant(is_64 ? -9223372036854775808.0 : -2147483648.0));
      FarJump(Jump::Parity, targets.invalid_conversion, targets.context);
      FarJump(Jump::NotEqual, targets.integer_overflow, targets.context);
    } else {
      Compare(a_, Constant(-2147483649.0));
      FarJump(Jump::Parity, targets.invalid_conversion, targets.context);
      FarJump(Jump::BelowOrEqual, targets.integer_overflow, targets.context);
      CompareWithZero();
      FarJump(Jump::Above, targets.integer_overflow, targets.context);
    }
    done.Land();
  }

  void TrapUnsigned32(const TruncateTargets& targets) {
    ShortJump done = TruncateTo32Unsigned();
    Compare(a_, a_);
    FarJump(Jump::Parity, targets.invalid_conversion, targets.context);
    FarJump(Jump::NotParity, targets.integer_overflow, targets.context);
    done.Land();
  }

  void TrapUnsigned64(const TruncateTargets& targets) {
    Truncate(true, a_);
    out_.test(double_word_, double_word_);
    ShortJump done{out_, Jump::NotSign};
    Compare(a_, Constant(9223372036854775808.0));
    FarJump(Jump::Parity, targets.invalid_conversion, targets.context);
    FarJump(Jump::Below, targets.integer_overflow, targets.context);
    TruncateExcess();
    FarJump(Jump::Sign, targets.integer_overflow, targets.context);
    out_.btc(double_word_, 63);
    done.Land();
  }

 private:
  const Xbyak::Reg& Result(bool is_64) const {
    return is_64 ? static_cast<const Xbyak::Reg&>(double_word_) : word_;
  }
  /// Any value that both widths have.
  Xbyak::Address Constant(double value) {
    return is_32_ ? e_.At32(std::bit_cast<std::uint32_t>(static_cast<float>(value)))
                  : e_.At64(std::bit_cast<std::uint64_t>(value));
  }
  void Compare(const Xbyak::Xmm& x, const Xbyak::Operand& y) {
    is_32_ ? e_.Ucomiss(x, y) : e_.Ucomisd(x, y);
  }
  void CompareWithZero() {
    e_.Xorps(s_, s_, s_);
    Compare(a_, s_);
  }
  void Add(const Xbyak::Xmm& to, const Xbyak::Xmm& x, const Xbyak::Xmm& y) {
    is_32_ ? e_.Addss(to, x, y) : e_.Addsd(to, x, y);
  }
  /// The lowest integer where the value has none.
  void Truncate(bool is_64, const Xbyak::Xmm& from) {
    if (is_64) {
      if (is_32_) {
        e_.avx ? out_.vcvttss2si(double_word_, from) : out_.cvttss2si(double_word_, from);
      } else {
        e_.avx ? out_.vcvttsd2si(double_word_, from) : out_.cvttsd2si(double_word_, from);
      }
    } else if (is_32_) {
      e_.avx ? out_.vcvttss2si(word_, from) : out_.cvttss2si(word_, from);
    } else {
      e_.avx ? out_.vcvttsd2si(word_, from) : out_.cvttsd2si(word_, from);
    }
  }
  /// Jumps if the result is right.
  ShortJump TruncateTo32Unsigned() {
    Truncate(true, a_);
    out_.mov(t_.cvt32(), word_);
    out_.cmp(double_word_, t_);
    return ShortJump{out_, Jump::Equal};
  }
  /// The operand less 2^63, which has the sign flag if the operand is 2^64 or more, negative or a
  /// NaN.
  void TruncateExcess() {
    const Xbyak::Address limit = Constant(9223372036854775808.0);
    is_32_ ? e_.Subss(s_, a_, limit) : e_.Subsd(s_, a_, limit);
    Truncate(true, s_);
    out_.test(double_word_, double_word_);
  }
  /// The operand is too large, negative or a NaN.
  void SaturateOutside(bool is_64) {
    out_.xor_(word_, word_);
    CompareWithZero();
    ShortJump done{out_, Jump::BelowOrEqual};
    out_.dec(Result(is_64));
    done.Land();
  }
  void FarJump(Jump condition, void (*target)(void*, std::uint32_t), void* context) {
    out_.db(0x0F);
    out_.db(static_cast<int>(condition) + 0x10);
    const auto field = static_cast<std::uint32_t>(out_.getSize());
    out_.dd(0);
    target(context, field);
  }

  DualEmitter& e_;
  Xbyak::CodeGenerator& out_;
  bool is_32_;
  Xbyak::Xmm d_, a_, b_;
  Xbyak::Reg32 word_;
  Xbyak::Reg64 double_word_;
  Xbyak::Reg8 byte_;
  Xbyak::Reg64 t_;
  Xbyak::Xmm s_;
};

/// Those that are an instruction or two.
inline bool EmitFloatDirect(DualEmitter& e, wasm::Opcode opcode, const VectorOperands& operands) {
  using enum wasm::Opcode;
  const Xbyak::Xmm d = VectorOf(operands.result);
  const Register source = operands.operands[0];
  const Xbyak::Xmm a = VectorOf(source);
  const Xbyak::Xmm b = VectorOf(operands.operands[1]);

#define TENON_DETAIL_FLOATS(type, s, sign, magnitude) \
  case type##Abs:                                     \
    e.Andps(d, a, e.At(magnitude));                   \
    return true;                                      \
  case type##Neg:                                     \
    e.Xorps(d, a, e.At(sign));                        \
    return true;                                      \
  case type##Ceil:                                    \
    e.Round##s(d, a, kRoundUp);                       \
    return true;                                      \
  case type##Floor:                                   \
    e.Round##s(d, a, kRoundDown);                     \
    return true;                                      \
  case type##Trunc:                                   \
    e.Round##s(d, a, kRoundToZero);                   \
    return true;                                      \
  case type##Nearest:                                 \
    e.Round##s(d, a, kRoundNearest);                  \
    return true;                                      \
  case type##Sqrt:                                    \
    e.Sqrt##s(d, a);                                  \
    return true;                                      \
  case type##Add:                                     \
    e.Add##s(d, a, b);                                \
    return true;                                      \
  case type##Sub:                                     \
    e.Sub##s(d, a, b);                                \
    return true;                                      \
  case type##Mul:                                     \
    e.Mul##s(d, a, b);                                \
    return true;                                      \
  case type##Div:                                     \
    e.Div##s(d, a, b);                                \
    return true;

  switch (opcode) {
    TENON_DETAIL_FLOATS(F32, ss, kSign32, kMagnitude32)
    TENON_DETAIL_FLOATS(F64, sd, kSign64, kMagnitude64)
#undef TENON_DETAIL_FLOATS
    case F32DemoteF64:
      e.Cvtsd2ss(d, a);
      return true;
    case F64PromoteF32:
      e.Cvtss2sd(d, a);
      return true;
    case I32ReinterpretF32:
      e.Movd(WordOf(operands.result), a);
      return true;
    case I64ReinterpretF64:
      e.Movq(DoubleWordOf(operands.result), a);
      return true;
    case F32ReinterpretI32:
      e.Movd(d, WordOf(source));
      return true;
    case F64ReinterpretI64:
      e.Movq(d, DoubleWordOf(source));
      return true;
    default:
      return false;
  }
}

}  // namespace detail

TENON_DECL void EmitFloat(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                          wasm::Opcode opcode, const VectorOperands& operands) {
  using enum wasm::Opcode;
  detail::DualEmitter e{out, constants, cpu};
  if (detail::EmitFloatDirect(e, opcode, operands)) return;
  detail::FloatEmitter f32{e, true, operands};
  detail::FloatEmitter f64{e, false, operands};
  const Register source = operands.operands[0];
  switch (opcode) {
    case F32Min:
      return f32.Extreme(true);
    case F32Max:
      return f32.Extreme(false);
    case F64Min:
      return f64.Extreme(true);
    case F64Max:
      return f64.Extreme(false);
    case F32Copysign:
      return f32.Copysign();
    case F64Copysign:
      return f64.Copysign();

    case F32Eq:
      return f32.SetEqual(detail::kCompareEqual);
    case F32Ne:
      return f32.SetEqual(detail::kCompareNotEqual);
    case F32Lt:
      return f32.SetGreater(true, false);
    case F32Gt:
      return f32.SetGreater(false, false);
    case F32Le:
      return f32.SetGreater(true, true);
    case F32Ge:
      return f32.SetGreater(false, true);
    case F64Eq:
      return f64.SetEqual(detail::kCompareEqual);
    case F64Ne:
      return f64.SetEqual(detail::kCompareNotEqual);
    case F64Lt:
      return f64.SetGreater(true, false);
    case F64Gt:
      return f64.SetGreater(false, false);
    case F64Le:
      return f64.SetGreater(true, true);
    case F64Ge:
      return f64.SetGreater(false, true);

    // An i32 is zero-extended in its register, so that it is also a positive i64.
    case F32ConvertI32S:
      return f32.Convert(detail::WordOf(source));
    case F32ConvertI32U:
    case F32ConvertI64S:
      return f32.Convert(detail::DoubleWordOf(source));
    case F32ConvertI64U:
      return f32.ConvertUnsigned64(detail::DoubleWordOf(source));
    case F64ConvertI32S:
      return f64.Convert(detail::WordOf(source));
    case F64ConvertI32U:
    case F64ConvertI64S:
      return f64.Convert(detail::DoubleWordOf(source));
    case F64ConvertI64U:
      return f64.ConvertUnsigned64(detail::DoubleWordOf(source));

    case I32TruncSatF32S:
      return f32.SaturateSigned(false);
    case I32TruncSatF32U:
      return f32.SaturateUnsigned32();
    case I32TruncSatF64S:
      return f64.SaturateSigned(false);
    case I32TruncSatF64U:
      return f64.SaturateUnsigned32();
    case I64TruncSatF32S:
      return f32.SaturateSigned(true);
    case I64TruncSatF32U:
      return f32.SaturateUnsigned64();
    case I64TruncSatF64S:
      return f64.SaturateSigned(true);
    case I64TruncSatF64U:
      return f64.SaturateUnsigned64();
    default:
      assert(false && "not a float instruction without traps");
  }
}

TENON_DECL void EmitF32Constant(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                                Register result, std::uint32_t bits) {
  detail::DualEmitter e{out, constants, cpu};
  const Xbyak::Xmm d = detail::VectorOf(result);
  if (bits == 0) {
    e.Xorps(d, d, d);
    return;
  }
  const Xbyak::Address value = e.At32(bits);
  e.avx ? out.vmovss(d, value) : out.movss(d, value);
  constants.Used(out);
}

TENON_DECL void EmitF64Constant(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                                Register result, std::uint64_t bits) {
  detail::DualEmitter e{out, constants, cpu};
  const Xbyak::Xmm d = detail::VectorOf(result);
  if (bits == 0) {
    e.Xorps(d, d, d);
    return;
  }
  const Xbyak::Address value = e.At64(bits);
  e.avx ? out.vmovsd(d, value) : out.movsd(d, value);
  constants.Used(out);
}

TENON_DECL void EmitTruncate(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                             wasm::Opcode opcode, const VectorOperands& operands,
                             const TruncateTargets& targets) {
  using enum wasm::Opcode;
  detail::DualEmitter e{out, constants, cpu};
  detail::FloatEmitter f32{e, true, operands};
  detail::FloatEmitter f64{e, false, operands};
  switch (opcode) {
    case I32TruncF32S:
      return f32.TrapSigned(false, targets);
    case I32TruncF32U:
      return f32.TrapUnsigned32(targets);
    case I32TruncF64S:
      return f64.TrapSigned(false, targets);
    case I32TruncF64U:
      return f64.TrapUnsigned32(targets);
    case I64TruncF32S:
      return f32.TrapSigned(true, targets);
    case I64TruncF32U:
      return f32.TrapUnsigned64(targets);
    case I64TruncF64S:
      return f64.TrapSigned(true, targets);
    case I64TruncF64U:
      return f64.TrapUnsigned64(targets);
    default:
      assert(false && "not a truncation that traps");
  }
}

}  // namespace tenon::inline TENON_ABI::jit
