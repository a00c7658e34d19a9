// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the machine code of scalar float instructions needs of the register allocator.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/vector_plan.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Of the scalar instructions of EmitFloat, and of EmitTruncate.
constexpr VectorPlan PlanFloat(wasm::Opcode opcode, CpuFeatures cpu) {
  using enum wasm::Opcode;
  switch (opcode) {
    case F32Abs:
    case F32Neg:
    case F32Add:
    case F32Sub:
    case F32Mul:
    case F32Div:
    case F32Min:
    case F32Max:
    case F32Copysign:
    case F64Abs:
    case F64Neg:
    case F64Add:
    case F64Sub:
    case F64Mul:
    case F64Div:
    case F64Min:
    case F64Max:
    case F64Copysign:
      return {.reuse_first = !cpu.Has(CpuFeature::Avx)};

    case F32ConvertI64U:
    case I32TruncF32U:
    case I32TruncF64U:
    case I32TruncSatF32U:
    case I32TruncSatF64U:
      return {.integer_temporaries = 1};

    default:
      return {};
  }
}

}  // namespace tenon::inline TENON_ABI::jit
