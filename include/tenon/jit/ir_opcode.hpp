// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instructions of the compiler's intermediate representation.
///
/// Most are WebAssembly's own, with the same codes and meaning; the table below has the rest.
#pragma once

#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/opcode.hpp>

// clang-format off

/// X(name, text, operands, meaning)
#define TENON_IR_OPCODES(X) \
  X(Parameter, "param", 0, "parameter `immediate` of the function; only in the entry block") \
  X(Phi, "phi", 0, "one argument in the pool for each predecessor, in the order of Block::predecessors") \
  X(Forward, "forward", 1, "was replaced by operand 0; only found by Function::Resolve") \
  X(CallResult, "result", 1, "result `immediate` of the call of several results in operand 0; directly behind it") \
  X(MemoryBase, "memory.base", 0, "i64: address of byte 0 of memory 0") \
  X(MemoryBytes, "memory.bytes", 0, "i64: present size of memory 0 in bytes; `immediate` 1: others may change it at any time") \
  X(BoundsCheck, "check.bounds", 1, "traps unless operand 0 (i32 or i64, unsigned) + `immediate`, as a sum of any size, is at most memory.bytes") \
  X(AlignmentCheck, "check.alignment", 1, "traps unless operand 0 (i32 or i64) is a multiple of `immediate`, a power of two") \
  X(GlobalAddress, "global.address", 0, "i64: address of the slots of global `immediate`") \
  X(LoadGlobal, "load.global", 1, "the value at the global address in operand 0") \
  X(StoreGlobal, "store.global", 2, "operand 1 to the global address in operand 0") \
  X(LoadLocal, "load.local", 0, "the value in cell `immediate` of the frame") \
  X(StoreLocal, "store.local", 1, "operand 0 to cell `immediate` of the frame") \
  X(CheckInterrupt, "check.interrupt", 0, "leaves the guest if its call was asked to stop") \
  X(CanonicalNan, "canonical", 1, "operand 0 (f32, f64) with its NaNs made canonical") \
  X(CanonicalNan32x4, "canonical.32x4", 1, "v128 with the NaNs of its f32 lanes made canonical") \
  X(CanonicalNan64x2, "canonical.64x2", 1, "v128 with the NaNs of its f64 lanes made canonical") \
  X(Trap, "trap", 0, "ends a block: traps with TrapCode `immediate`") \
  X(Jump, "jump", 0, "ends a block: goes to successor 0") \
  X(Branch, "branch", 1, "ends a block: to successor 0 if operand 0 (i32) is not 0, else to 1") \
  X(Switch, "switch", 1, "ends a block: to the successor that Function::switches gives for operand 0")

// clang-format on

namespace tenon::inline TENON_ABI::jit {

/// An instruction of the representation: a code of wasm::Opcode, or one of the table above.
enum class IrOpcode : std::uint16_t {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) name = code,
  TENON_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
      BeforeOwn = wasm::kOpcodeLimit - 1,
#define TENON_DETAIL_ROW(name, text, operands, meaning) name,
  TENON_IR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
      Limit
};

constexpr IrOpcode From(wasm::Opcode opcode) { return static_cast<IrOpcode>(opcode); }
constexpr bool IsWasm(IrOpcode opcode) {
  return static_cast<std::uint16_t>(opcode) < wasm::kOpcodeLimit;
}
/// Only where IsWasm.
constexpr wasm::Opcode ToWasm(IrOpcode opcode) { return static_cast<wasm::Opcode>(opcode); }

/// Name in printed IR.
constexpr std::string_view Text(IrOpcode opcode) {
  switch (opcode) {
#define TENON_DETAIL_ROW(name, text, operands, meaning) \
  case IrOpcode::name:                                  \
    return text;
    TENON_IR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      return wasm::Info(ToWasm(opcode)).text;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
