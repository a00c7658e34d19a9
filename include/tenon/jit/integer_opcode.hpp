// SPDX-License-Identifier: Apache-2.0
/// @file
/// How comparisons and arithmetic of i32 and i64 relate to each other.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_opcode.hpp>

namespace tenon::inline TENON_ABI::jit::integer {

// Comparisons of i32 and i64 stand in the same order at different codes; so does arithmetic.

constexpr std::uint16_t Code(IrOpcode opcode) { return static_cast<std::uint16_t>(opcode); }
constexpr IrOpcode FromCode(int code) { return static_cast<IrOpcode>(code); }
constexpr bool IsWithin(IrOpcode opcode, IrOpcode first, IrOpcode last) {
  return Code(opcode) >= Code(first) && Code(opcode) <= Code(last);
}

constexpr int kWideCompare = Code(IrOpcode::I64Eq) - Code(IrOpcode::I32Eq);
constexpr int kWideArithmetic = Code(IrOpcode::I64Add) - Code(IrOpcode::I32Add);

constexpr bool IsCompare32(IrOpcode opcode) {
  return IsWithin(opcode, IrOpcode::I32Eq, IrOpcode::I32GeU);
}
constexpr bool IsCompare64(IrOpcode opcode) {
  return IsWithin(opcode, IrOpcode::I64Eq, IrOpcode::I64GeU);
}
constexpr bool IsIntegerCompare(IrOpcode opcode) {
  return IsCompare32(opcode) || IsCompare64(opcode);
}
constexpr bool IsFloatCompare(IrOpcode opcode) {
  return IsWithin(opcode, IrOpcode::F32Eq, IrOpcode::F64Ge);
}
constexpr bool IsArithmetic32(IrOpcode opcode) {
  return IsWithin(opcode, IrOpcode::I32Add, IrOpcode::I32Rotr);
}
constexpr bool IsArithmetic64(IrOpcode opcode) {
  return IsWithin(opcode, IrOpcode::I64Add, IrOpcode::I64Rotr);
}
/// Whether the result is 0 or 1.
constexpr bool IsBoolean(IrOpcode opcode) {
  return IsIntegerCompare(opcode) || IsFloatCompare(opcode) || opcode == IrOpcode::I32Eqz ||
         opcode == IrOpcode::I64Eqz;
}

/// The i32 instruction of an i64 one.
constexpr IrOpcode Narrow(IrOpcode opcode) {
  if (IsCompare64(opcode)) return FromCode(Code(opcode) - kWideCompare);
  if (IsArithmetic64(opcode)) return FromCode(Code(opcode) - kWideArithmetic);
  return opcode;
}
/// The instruction for integers of `type` that `opcode` is for i32.
constexpr IrOpcode For(Type type, IrOpcode opcode) {
  if (type == Type::I32) return opcode;
  if (opcode == IrOpcode::I32Eqz) return IrOpcode::I64Eqz;
  return FromCode(Code(opcode) + (IsCompare32(opcode) ? kWideCompare : kWideArithmetic));
}

constexpr bool IsCommutative(IrOpcode narrow) {
  return narrow == IrOpcode::I32Add || narrow == IrOpcode::I32Mul || narrow == IrOpcode::I32And ||
         narrow == IrOpcode::I32Or || narrow == IrOpcode::I32Xor;
}

/// The i32 comparison with operands exchanged.
constexpr IrOpcode Mirrored(IrOpcode narrow) {
  switch (narrow) {
    case IrOpcode::I32LtS:
      return IrOpcode::I32GtS;
    case IrOpcode::I32LtU:
      return IrOpcode::I32GtU;
    case IrOpcode::I32GtS:
      return IrOpcode::I32LtS;
    case IrOpcode::I32GtU:
      return IrOpcode::I32LtU;
    case IrOpcode::I32LeS:
      return IrOpcode::I32GeS;
    case IrOpcode::I32LeU:
      return IrOpcode::I32GeU;
    case IrOpcode::I32GeS:
      return IrOpcode::I32LeS;
    case IrOpcode::I32GeU:
      return IrOpcode::I32LeU;
    default:
      return narrow;
  }
}

/// The i32 comparison that is true when this one is not.
constexpr IrOpcode Inverted(IrOpcode narrow) {
  switch (narrow) {
    case IrOpcode::I32Eq:
      return IrOpcode::I32Ne;
    case IrOpcode::I32Ne:
      return IrOpcode::I32Eq;
    case IrOpcode::I32LtS:
      return IrOpcode::I32GeS;
    case IrOpcode::I32LtU:
      return IrOpcode::I32GeU;
    case IrOpcode::I32GtS:
      return IrOpcode::I32LeS;
    case IrOpcode::I32GtU:
      return IrOpcode::I32LeU;
    case IrOpcode::I32LeS:
      return IrOpcode::I32GtS;
    case IrOpcode::I32LeU:
      return IrOpcode::I32GtU;
    case IrOpcode::I32GeS:
      return IrOpcode::I32LtS;
    default:
      return IrOpcode::I32LtU;
  }
}

}  // namespace tenon::inline TENON_ABI::jit::integer
