// SPDX-License-Identifier: Apache-2.0
/// @file
/// Machine code of the vector instructions.
///
/// Where the processor has AVX every instruction is VEX-encoded, otherwise none is. Besides result
/// and temporaries only kScratchVector and the flags change. vector_plan.hpp says which registers
/// an instruction needs and which may be the same.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/jit/constant_pool.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_opcode.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/jit/xbyak.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// An instruction with prefix 0xFD that accesses no memory.
TENON_DECL void EmitVector(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                           wasm::Opcode opcode, const VectorOperands& operands);

/// A vector load or store. One instruction of the sequence accesses `address`, of exactly the
/// width of the wasm instruction; returns its offset from out.getCode().
TENON_DECL std::uint32_t EmitVectorMemory(Xbyak::CodeGenerator& out, ConstantPool& constants,
                                          CpuFeatures cpu, wasm::Opcode opcode,
                                          const Xbyak::Address& address,
                                          const VectorOperands& operands);

/// An instruction that LoadOfSecond knows, whose second operand is at `address`; the processor has
/// AVX. One machine instruction.
TENON_DECL void EmitWithMemory(Xbyak::CodeGenerator& out, ConstantPool& constants, CpuFeatures cpu,
                               wasm::Opcode opcode, const Xbyak::Address& address,
                               const VectorOperands& operands);

/// CanonicalNan (`type` F32 or F64), CanonicalNan32x4, CanonicalNan64x2.
TENON_DECL void EmitCanonicalNan(Xbyak::CodeGenerator& out, ConstantPool& constants,
                                 CpuFeatures cpu, IrOpcode opcode, Type type,
                                 const VectorOperands& operands);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/vector_emitter.ipp>
#endif
