// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of vector_emitter.hpp.
#pragma once

#include <cassert>
#include <cstdint>

#include <tenon/jit/direct_opcode.hpp>
#include <tenon/jit/dual_emitter.hpp>
#include <tenon/jit/vector_emitter.hpp>
#include <tenon/jit/vector_float_emitter.ipp>
#include <tenon/jit/vector_integer_emitter.ipp>
#include <tenon/jit/vector_lane_emitter.ipp>
#include <tenon/jit/vector_memory_emitter.ipp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void EmitVector(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                           wasm::Opcode opcode, const VectorOperands& operands) {
  detail::DualEmitter e{out, constants, cpu};
  const Xbyak::Xmm second = detail::VectorOf(operands.operands[1]);
  const bool is_emitted = detail::EmitVectorDirect(e, opcode, operands, second) ||
                          detail::EmitVectorLane(e, opcode, operands) ||
                          detail::EmitVectorSplat(e, opcode, operands) ||
                          detail::EmitVectorComparison(e, opcode, operands) ||
                          detail::EmitVectorShift(e, opcode, operands) ||
                          detail::EmitVectorReduction(e, opcode, operands) ||
                          detail::EmitVectorInteger(e, opcode, operands) ||
                          detail::EmitVectorFloat(e, opcode, operands) ||
                          detail::EmitVectorConversion(e, opcode, operands);
  assert(is_emitted && "not a vector instruction without memory");
  static_cast<void>(is_emitted);
}

TENON_DECL void EmitWithMemory(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                               wasm::Opcode opcode, const Xbyak::Address& address,
                               const VectorOperands& operands) {
  using enum wasm::Opcode;
  detail::DualEmitter e{out, constants, cpu};
  assert(e.avx);
  const Xbyak::Xmm d = detail::VectorOf(operands.result);
  const Xbyak::Xmm a = detail::VectorOf(operands.operands[0]);
  switch (opcode) {
#define TENON_DETAIL_ROW(name, method) \
  case name:                           \
    return e.method(d, a, address);
    TENON_DETAIL_DIRECT_FLOATS(TENON_DETAIL_ROW)
    TENON_DETAIL_DIRECT_BINARY(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      assert(false && "not an instruction that reads memory");
  }
}

TENON_DECL void EmitCanonicalNan(Xbyak::CodeGenerator& out, ConstantPool& constants,
                                 CpuFeatures cpu, IrOpcode opcode, Type type,
                                 const VectorOperands& operands) {
  detail::DualEmitter e{out, constants, cpu};
  const Xbyak::Xmm d = detail::VectorOf(operands.result);
  const Xbyak::Xmm a = detail::VectorOf(operands.operands[0]);
  const Xbyak::Xmm& s = e.scratch;
  constexpr std::uint32_t kNan32 = 0x7FC00000;
  constexpr std::uint64_t kNan64 = 0x7FF8000000000000;
  if (opcode == IrOpcode::CanonicalNan) {
    // NaNs are rare: a branch that is not taken costs less than a chain of instructions.
    e.Move(d, a);
    if (type == Type::F32) {
      e.Ucomiss(d, d);
    } else {
      e.Ucomisd(d, d);
    }
    detail::ShortJump ordered{out, detail::Jump::NotParity};
    if (type == Type::F32) {
      const Xbyak::Address nan = e.At32(kNan32);
      e.avx ? out.vmovss(d, nan) : out.movss(d, nan);
    } else {
      const Xbyak::Address nan = e.At64(kNan64);
      e.avx ? out.vmovsd(d, nan) : out.movsd(d, nan);
    }
    constants.Used(out);
    ordered.Land();
    return;
  }
  const bool is_32 = opcode == IrOpcode::CanonicalNan32x4;
  const V128 nan = is_32 ? Splat32(kNan32) : Splat64(kNan64);
  if (e.avx) {
    if (is_32) {
      e.Cmpps(s, a, a, detail::kCompareUnordered);
      e.Vblendvps(d, a, e.At(nan), s);
    } else {
      e.Cmppd(s, a, a, detail::kCompareUnordered);
      e.Vblendvpd(d, a, e.At(nan), s);
    }
    return;
  }
  if (is_32) {
    e.Cmpps(s, a, a, detail::kCompareOrdered);
  } else {
    e.Cmppd(s, a, a, detail::kCompareOrdered);
  }
  e.Andps(d, a, s);
  e.Andnps(s, s, e.At(nan));
  e.Orps(d, d, s);
}

}  // namespace tenon::inline TENON_ABI::jit
