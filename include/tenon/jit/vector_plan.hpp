// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the machine code of vector instructions needs of the register allocator.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/ir_opcode.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Registers of one instruction. Temporaries never share a register with anything else.
struct VectorPlan {
  std::uint8_t vector_temporaries = 0;
  std::uint8_t integer_temporaries = 0;
  /// The result must be in the register of operand 0 (SSE two-operand forms).
  bool reuse_first = false;
  /// The other operands (without reuse_first: all) must not share a register with the result.
  bool late_uses = false;

  /// Whether operand `index` must live through the instruction.
  constexpr bool IsLate(std::uint32_t index) const {
    return late_uses && !(reuse_first && index == 0);
  }
  friend constexpr bool operator==(VectorPlan, VectorPlan) = default;
};

/// Of an instruction with prefix 0xFD; operands are counted in wasm's order without the address.
constexpr VectorPlan PlanVector(wasm::Opcode opcode, CpuFeatures cpu) {
  using enum wasm::Opcode;
  const bool avx = cpu.Has(CpuFeature::Avx);
  switch (opcode) {
    // Free in both encodings: one source, loads, stores, integer results.
    case V128Load:
    case V128Load8x8S:
    case V128Load8x8U:
    case V128Load16x4S:
    case V128Load16x4U:
    case V128Load32x2S:
    case V128Load32x2U:
    case V128Load8Splat:
    case V128Load16Splat:
    case V128Load32Splat:
    case V128Load64Splat:
    case V128Load32Zero:
    case V128Load64Zero:
    case V128Store:
    case V128Store8Lane:
    case V128Store16Lane:
    case V128Store32Lane:
    case V128Store64Lane:
    case V128Const:
    case I8x16Splat:
    case I16x8Splat:
    case I32x4Splat:
    case I64x2Splat:
    case F32x4Splat:
    case F64x2Splat:
    case I8x16ExtractLaneS:
    case I8x16ExtractLaneU:
    case I16x8ExtractLaneS:
    case I16x8ExtractLaneU:
    case I32x4ExtractLane:
    case I64x2ExtractLane:
    case F32x4ExtractLane:
    case F64x2ExtractLane:
    case V128AnyTrue:
    case I8x16AllTrue:
    case I16x8AllTrue:
    case I32x4AllTrue:
    case I64x2AllTrue:
    case I8x16Bitmask:
    case I16x8Bitmask:
    case I32x4Bitmask:
    case I64x2Bitmask:
    case I8x16Abs:
    case I16x8Abs:
    case I32x4Abs:
    case F32x4Ceil:
    case F32x4Floor:
    case F32x4Trunc:
    case F32x4Nearest:
    case F32x4Sqrt:
    case F64x2Ceil:
    case F64x2Floor:
    case F64x2Trunc:
    case F64x2Nearest:
    case F64x2Sqrt:
    case F32x4ConvertI32x4S:
    case F64x2ConvertLowI32x4S:
    case F32x4DemoteF64x2Zero:
    case F64x2PromoteLowF32x4:
    case I16x8ExtendLowI8x16S:
    case I16x8ExtendHighI8x16S:
    case I16x8ExtendLowI8x16U:
    case I32x4ExtendLowI16x8S:
    case I32x4ExtendHighI16x8S:
    case I32x4ExtendLowI16x8U:
    case I64x2ExtendLowI32x4S:
    case I64x2ExtendHighI32x4S:
    case I64x2ExtendLowI32x4U:
    case I16x8ExtmulLowI8x16S:
    case I16x8ExtmulHighI8x16S:
    case I16x8ExtmulLowI8x16U:
    case I64x2ExtmulLowI32x4S:
    case I64x2ExtmulHighI32x4S:
    case I64x2ExtmulLowI32x4U:
    case I64x2ExtmulHighI32x4U:
      return {};

    // The result is begun with operand 1, or with a constant.
    case I8x16LtS:
    case I16x8LtS:
    case I32x4LtS:
    case V128Andnot:
    case F32x4Gt:
    case F32x4Ge:
    case F64x2Gt:
    case F64x2Ge:
    case F32x4Pmin:
    case F32x4Pmax:
    case F64x2Pmin:
    case F64x2Pmax:
    case I8x16Neg:
    case I16x8Neg:
    case I32x4Neg:
    case I64x2Neg:
    case I16x8ExtaddPairwiseI8x16S:
      return {.late_uses = !avx};

    // Without pcmpgtq the result is built in several steps.
    case I64x2LtS:
    case I64x2GtS:
    case I64x2LeS:
    case I64x2GeS:
      return {.late_uses = !avx};

    case I64x2Mul:
      return {.late_uses = true};

    case V128Bitselect:
      return {.reuse_first = !avx, .late_uses = !avx};

    case I8x16Shl:
    case I8x16ShrS:
    case I8x16ShrU:
    case I64x2ShrS:
    case I8x16Popcnt:
    case I32x4TruncSatF32x4U:
      return {.vector_temporaries = 1, .reuse_first = !avx};

    default:
      return {.reuse_first = !avx};
  }
}

/// Of CanonicalNan, CanonicalNan32x4 and CanonicalNan64x2.
constexpr VectorPlan PlanCanonicalNan(IrOpcode opcode, CpuFeatures cpu) {
  return {.reuse_first = opcode == IrOpcode::CanonicalNan || !cpu.Has(CpuFeature::Avx)};
}

}  // namespace tenon::inline TENON_ABI::jit
