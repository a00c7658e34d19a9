// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instructions of MachineFunction.
///
/// Those that one wasm instruction stands for (loads, stores, divisions, vectors, floats) have its
/// code; the others are in the table below.
#pragma once

#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir_opcode.hpp>

// clang-format off

/// X(name, text): operands are listed as definitions, then sources, then those of the address.
#define TENON_MACHINE_OPCODES(X) \
  X(Parameters, "parameters")           /* the register parameters, each a fixed definition */ \
  X(Immediate, "immediate")             /* integer `immediate` */ \
  X(FloatImmediate, "float.immediate")  /* bits of a float in `immediate` */ \
  X(VectorImmediate, "vector.immediate")/* index in Function::vectors */ \
  X(Lea, "lea") \
  X(Add, "add") \
  X(Sub, "sub") \
  X(And, "and") \
  X(AndNot, "and.not")                  /* the second source without the bits of the first */ \
  X(Or, "or") \
  X(Xor, "xor") \
  X(Multiply, "multiply") \
  X(ShiftLeft, "shift.left") \
  X(ShiftRightSigned, "shift.right.signed") \
  X(ShiftRightUnsigned, "shift.right.unsigned") \
  X(RotateLeft, "rotate.left") \
  X(RotateRight, "rotate.right") \
  X(Negate, "negate") \
  X(Not, "not") \
  X(ZeroExtend8, "zero.extend8") \
  X(ZeroExtend16, "zero.extend16") \
  X(SetCompare, "compare.set") \
  X(CompareSelect, "compare.select")    /* definition, value if not, value if so, comparison */ \
  X(CompareBranch, "compare.branch")    /* ends a block: successor 0 if so */ \
  X(CompareTrap, "compare.trap")        /* traps if so */ \
  X(LoadField, "field.load")            /* from memory of the runtime: no fault */ \
  X(StoreField, "field.store") \
  X(CheckBounds, "check.bounds")        /* address; two temporaries; `immediate` as in the IR */ \
  X(CheckBounds64, "check.bounds64")    /* the same for an address of 64 bits */ \
  X(CheckInterrupt, "check.interrupt") \
  /* Of `size` bytes at the address, with all that others see in one order. The definition of a */ \
  /* result is in the place of its first source. */ \
  X(AtomicAdd, "atomic.add")            /* `immediate` of these: whether the result is needed */ \
  X(AtomicSub, "atomic.sub") \
  X(AtomicExchange, "atomic.exchange") \
  X(AtomicUpdate, "atomic.update")      /* and, or, xor by `immediate`: definition, source, temporary */ \
  X(AtomicApply, "atomic.apply")        /* the same without definition: source */ \
  X(AtomicCompareExchange, "atomic.compare.exchange") \
  X(Fence, "fence") \
  X(CallDirect, "call.direct")          /* defined function `immediate` */ \
  X(CallImport, "call.import")          /* imported function `immediate` */ \
  X(CallRecord, "call.record")          /* the FunctionRecord in rax, in the thunk convention */ \
  X(CallTable, "call.table")            /* the same where both conventions agree */ \
  X(CallRuntime, "call.runtime")        /* `immediate`: offset in RuntimeCalls */ \
  X(Jump, "jump") \
  X(Switch, "switch")                   /* index, two temporaries; `immediate`: of the switch */ \
  X(Return, "return") \
  X(Trap, "trap")                       /* ends a block: TrapCode `immediate` */

// clang-format on

namespace tenon::inline TENON_ABI::jit {

enum class MachineOpcode : std::uint16_t {
  BeforeOwn = static_cast<std::uint16_t>(IrOpcode::Limit),
#define TENON_DETAIL_ROW(name, text) name,
  TENON_MACHINE_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// Codes of wasm::Opcode and IrOpcode are MachineOpcodes too.
constexpr MachineOpcode ToMachine(IrOpcode opcode) { return static_cast<MachineOpcode>(opcode); }
/// Only below MachineOpcode::BeforeOwn.
constexpr IrOpcode ToIr(MachineOpcode opcode) { return static_cast<IrOpcode>(opcode); }

constexpr std::string_view Text(MachineOpcode opcode) {
  switch (opcode) {
#define TENON_DETAIL_ROW(name, text) \
  case MachineOpcode::name:          \
    return text;
    TENON_MACHINE_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      return Text(ToIr(opcode));
  }
}

/// What stands in the place of an instruction's last source.
enum class OperandForm : std::uint8_t {
  Operand,    ///< a register, or a slot where the policy is Any
  Immediate,  ///< MachineInstruction::immediate, sign-extended from 32 bits
  Memory,     ///< MachineInstruction::address, a wasm memory access that may fault
};

enum class CompareKind : std::uint8_t {
  Integer,  ///< cmp
  Test,     ///< and, result against zero
  Float,    ///< ucomis
};

/// Conditions in the processor's encoding; the last bit inverts. The two behind them are what
/// equality of floats needs, where unordered is not equal.
enum class Condition : std::uint8_t {
  Overflow = 0,
  Below = 2,
  AboveOrEqual = 3,
  Equal = 4,
  NotEqual = 5,
  BelowOrEqual = 6,
  Above = 7,
  Sign = 8,
  NotSign = 9,
  Parity = 10,
  Less = 12,
  GreaterOrEqual = 13,
  LessOrEqual = 14,
  Greater = 15,
  FloatEqual = 16,
  FloatNotEqual = 17,
};

constexpr Condition Invert(Condition condition) {
  return static_cast<Condition>(static_cast<std::uint8_t>(condition) ^ 1);
}

}  // namespace tenon::inline TENON_ABI::jit
