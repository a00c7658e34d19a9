// SPDX-License-Identifier: Apache-2.0
/// @file
/// The vector instructions as functions in a table.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/operate.hpp>
#include <tenon/interp/simd.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

/// The vector instructions that are functions of their operands and a lane number.
struct VectorOperations {
  using Row = abi::Slot* (*)(abi::Slot* sp, const std::uint8_t* pc, bool canonical_nan);

  Row rows[256] = {};
  std::uint8_t immediate_bytes[256] = {};

  constexpr VectorOperations() {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature)                \
  if constexpr (IsVector(wasm::Info(wasm::Opcode::name)) ||                                     \
                IsLane(wasm::Info(wasm::Opcode::name))) {                                       \
    rows[(code) & 0xFF] = [](abi::Slot* sp, const std::uint8_t* pc, bool canonical_nan) {       \
      return ApplyVector<wasm::Opcode::name>(                                                   \
          sp, pc, canonical_nan,                                                                \
          [](auto&&... operands) -> decltype(name(operands...)) { return name(operands...); }); \
    };                                                                                          \
    immediate_bytes[(code) & 0xFF] = IsLane(wasm::Info(wasm::Opcode::name)) ? 1 : 0;            \
  }
    TENON_VECTOR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  }
};

inline constexpr VectorOperations kVectorOperations{};

}  // namespace tenon::inline TENON_ABI::interp::detail
