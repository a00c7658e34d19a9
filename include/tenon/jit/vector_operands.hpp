// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the emitters of vector and float instructions are told.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/jit/convention.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Registers of one instruction; those of the wrong class or not planned for stay kNoRegister.
struct VectorOperands {
  Register result = kNoRegister;
  /// In wasm's order, without addresses.
  Register operands[3] = {kNoRegister, kNoRegister, kNoRegister};
  Register vector_temporaries[2] = {kNoRegister, kNoRegister};
  Register integer_temporaries[2] = {kNoRegister, kNoRegister};
  /// Lane number; or the count of a shift whose operands[1] is kNoRegister (taken modulo the
  /// lanes' width).
  std::uint32_t lane = 0;
  /// v128.const: the value; i8x16.shuffle: the lane numbers, each below 32.
  const V128* bytes = nullptr;
};

/// No sequence of EmitVector, EmitVectorMemory or of float_emitter.hpp is longer, in bytes.
inline constexpr std::size_t kMaxSequenceBytes = 80;

}  // namespace tenon::inline TENON_ABI::jit
