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
  VectorRow rows[256] = {};
  std::uint8_t immediate_bytes[256] = {};

  constexpr VectorOperations() {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  TENON_DETAIL_ROW_##immediate(name, text, (code) & 0xFF)
#define TENON_DETAIL_ROW_None(name, text, code) \
  rows[code] = VectorRowOf<&interp::name, ComputedFloatBits(text)>(&interp::name);
#define TENON_DETAIL_ROW_Lane(name, text, code)         \
  rows[code] = LaneRowOf<&interp::name>(&interp::name); \
  immediate_bytes[code] = 1;
#define TENON_DETAIL_ROW_Memory(name, text, code)
#define TENON_DETAIL_ROW_MemoryLane(name, text, code)
#define TENON_DETAIL_ROW_V128(name, text, code)
#define TENON_DETAIL_ROW_Shuffle(name, text, code)
    TENON_VECTOR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW_Shuffle
#undef TENON_DETAIL_ROW_V128
#undef TENON_DETAIL_ROW_MemoryLane
#undef TENON_DETAIL_ROW_Memory
#undef TENON_DETAIL_ROW_Lane
#undef TENON_DETAIL_ROW_None
#undef TENON_DETAIL_ROW
  }
};

inline constexpr VectorOperations kVectorOperations{};

}  // namespace tenon::inline TENON_ABI::interp::detail
