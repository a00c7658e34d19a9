// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of ir_builder.hpp: vector instructions, of which the processor has fewer than wasm.
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_builder.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// A comparison of integer lanes whose result is that of `nearest` with each lane of the constant
/// on its right one greater, or one less.
struct LaneComparison {
  IrOpcode nearest = IrOpcode::Forward;   ///< Forward: there is none
  IrOpcode mirrored = IrOpcode::Forward;  ///< with the operands exchanged
  std::uint8_t bytes = 0;                 ///< of a lane
  bool is_greater = false;
  bool is_signed = false;
};

/// The processor compares signed lanes with "greater" and finds equal ones; "at most" is that the
/// lesser is equal, and unsigned "less" is one instruction more.
constexpr LaneComparison LaneComparisonOf(IrOpcode opcode) {
  switch (opcode) {
#define TENON_DETAIL_LANES(shape, bytes)                                      \
  case IrOpcode::shape##LtU:                                                  \
    return {IrOpcode::shape##LeU, IrOpcode::shape##GtU, bytes, false, false}; \
  case IrOpcode::shape##GtU:                                                  \
    return {IrOpcode::shape##GeU, IrOpcode::shape##LtU, bytes, true, false};  \
  case IrOpcode::shape##LeS:                                                  \
    return {IrOpcode::shape##LtS, IrOpcode::shape##GeS, bytes, true, true};   \
  case IrOpcode::shape##GeS:                                                  \
    return {IrOpcode::shape##GtS, IrOpcode::shape##LeS, bytes, false, true};
    TENON_DETAIL_LANES(I8x16, 1)
    TENON_DETAIL_LANES(I16x8, 2)
    TENON_DETAIL_LANES(I32x4, 4)
#undef TENON_DETAIL_LANES
    default:
      return {};
  }
}

/// Adds 1 to each lane, or subtracts it; false if a lane would wrap.
inline bool MoveLanes(const LaneComparison& comparison, V128& lanes) {
  const std::uint32_t bits = 8u * comparison.bytes;
  const std::uint64_t all = (std::uint64_t{1} << bits) - 1;
  const std::uint64_t least = comparison.is_signed ? std::uint64_t{1} << (bits - 1) : 0;
  const std::uint64_t most = comparison.is_signed ? least - 1 : all;
  for (std::size_t at = 0; at < sizeof(lanes.bytes); at += comparison.bytes) {
    std::uint64_t lane = 0;
    for (std::size_t i = 0; i < comparison.bytes; ++i) {
      lane |= std::uint64_t{lanes.bytes[at + i]} << (8 * i);
    }
    if (lane == (comparison.is_greater ? most : least)) return false;
    lane += comparison.is_greater ? 1 : all;
    for (std::size_t i = 0; i < comparison.bytes; ++i) {
      lanes.bytes[at + i] = static_cast<std::uint8_t>(lane >> (8 * i));
    }
  }
  return true;
}

}  // namespace detail

TENON_DECL ValueId IrBuilder::Vector(IrOpcode opcode, Type type, ValueId first, ValueId second,
                                     ValueId third) {
  const auto is_zero = [&](ValueId value) {
    const Instruction& instruction = (*function_)[value];
    return instruction.opcode == IrOpcode::V128Const &&
           function_->vectors[instruction.immediate] == V128{};
  };
  if (opcode == IrOpcode::V128Bitselect) {
    if (first == second) return first;
    if (is_zero(second)) return Number(IrOpcode::V128And, type, 0, first, third);
    if (is_zero(first)) return Number(IrOpcode::V128Andnot, type, 0, second, third);
  }
  detail::LaneComparison comparison = detail::LaneComparisonOf(opcode);
  if (comparison.nearest != IrOpcode::Forward) {
    if (IsConstant(first) && !IsConstant(second)) {
      opcode = comparison.mirrored;
      comparison = detail::LaneComparisonOf(opcode);
      std::swap(first, second);
    }
    if (IsConstant(second)) {
      V128 lanes = function_->vectors[Bits(second)];
      if (detail::MoveLanes(comparison, lanes)) {
        return Number(comparison.nearest, type, 0, first, VectorConstant(lanes));
      }
    }
  }
  return Number(opcode, type, 0, first, second, third);
}

}  // namespace tenon::inline TENON_ABI::jit
