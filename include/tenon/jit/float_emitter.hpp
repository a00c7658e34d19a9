// SPDX-License-Identifier: Apache-2.0
/// @file
/// Machine code of the scalar float instructions; conventions in vector_emitter.hpp.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/constant_pool.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/jit/xbyak.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A scalar instruction with a float among its operands or results that does not trap: arithmetic,
/// comparisons (result 0 or 1 in an integer register), conversions, saturating truncations. No
/// constants, loads, stores.
TENON_DECL void EmitFloat(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                          wasm::Opcode opcode, const VectorOperands& operands);

/// f32.const and f64.const: `bits` to a vector register, nothing else changes.
TENON_DECL void EmitF32Constant(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                                Register result, std::uint32_t bits);
TENON_DECL void EmitF64Constant(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                                Register result, std::uint64_t bits);

/// Where a trapping truncation goes when it traps. Each function is told, possibly several times,
/// the offset from out.getCode() of the rel32 field of a conditional jump, which is the last thing
/// of its instruction and zero.
struct TruncateTargets {
  void* context = nullptr;
  void (*invalid_conversion)(void* context, std::uint32_t field) = nullptr;
  void (*integer_overflow)(void* context, std::uint32_t field) = nullptr;
};

/// i32.trunc_f32_s and the seven others that trap.
TENON_DECL void EmitTruncate(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                             wasm::Opcode opcode, const VectorOperands& operands,
                             const TruncateTargets& targets);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/float_emitter.ipp>
#endif
