// SPDX-License-Identifier: Apache-2.0
/// @file
/// What instructions of the representation do besides making a value.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Whether other instructions may not be moved over it: it stores, calls or traps.
inline bool HasEffect(const Instruction& instruction) {
  const IrOpcode opcode = instruction.opcode;
  if (IsCall(opcode)) return true;
  if (!IsWasm(opcode)) {
    switch (opcode) {
      case IrOpcode::BoundsCheck:
      case IrOpcode::AlignmentCheck:
      case IrOpcode::StoreGlobal:
      case IrOpcode::StoreLocal:
      case IrOpcode::CheckInterrupt:
      case IrOpcode::CallResult:
        return true;
      default:
        return IsTerminator(opcode);
    }
  }
  switch (ToWasm(opcode)) {
    case wasm::Opcode::Return:
    case wasm::Opcode::TableGet:
    case wasm::Opcode::TableSet:
    case wasm::Opcode::I32DivS:
    case wasm::Opcode::I32DivU:
    case wasm::Opcode::I32RemS:
    case wasm::Opcode::I32RemU:
    case wasm::Opcode::I64DivS:
    case wasm::Opcode::I64DivU:
    case wasm::Opcode::I64RemS:
    case wasm::Opcode::I64RemU:
    case wasm::Opcode::I32TruncF32S:
    case wasm::Opcode::I32TruncF32U:
    case wasm::Opcode::I32TruncF64S:
    case wasm::Opcode::I32TruncF64U:
    case wasm::Opcode::I64TruncF32S:
    case wasm::Opcode::I64TruncF32U:
    case wasm::Opcode::I64TruncF64S:
    case wasm::Opcode::I64TruncF64U:
      return true;
    default: {
      const wasm::OpcodeInfo& info = wasm::Info(ToWasm(opcode));
      // Nothing is moved over these, whatever they do.
      if (info.immediate == wasm::Immediate::Atomic || info.immediate == wasm::Immediate::Fence) {
        return true;
      }
      const bool accesses = info.immediate == wasm::Immediate::Memory ||
                            info.immediate == wasm::Immediate::MemoryLane;
      return accesses && info.signature.back() == ':';
    }
  }
}

/// Loads and stores of wasm memory.
inline bool IsAccess(IrOpcode opcode) {
  if (!IsWasm(opcode)) return false;
  const wasm::Immediate immediate = wasm::Info(ToWasm(opcode)).immediate;
  return immediate == wasm::Immediate::Memory || immediate == wasm::Immediate::MemoryLane;
}
inline bool IsLoad(const Instruction& instruction) {
  return IsAccess(instruction.opcode) && instruction.type != Type::None;
}

/// Whether it must be made even if nobody uses its value.
inline bool IsNeeded(const Instruction& instruction) {
  return instruction.opcode != IrOpcode::CallResult &&
         (HasEffect(instruction) || IsLoad(instruction));
}

template <class Visit>
void VisitOperands(const Function& ir, const Instruction& instruction, Visit visit) {
  if (HasList(instruction.opcode)) {
    for (const ValueId operand : ir.List(instruction)) visit(operand);
    return;
  }
  for (const ValueId operand : instruction.operands) {
    if (operand != kNone) visit(operand);
  }
}

/// Whether the value depends on its operands and immediate alone and making it cannot be noticed,
/// so that it may be made anywhere, any number of times.
inline bool IsPure(const Instruction& instruction) {
  if (instruction.type == Type::None || HasEffect(instruction) || IsLoad(instruction)) return false;
  switch (instruction.opcode) {
    case IrOpcode::Parameter:
    case IrOpcode::Phi:
    case IrOpcode::CallResult:
    case IrOpcode::MemoryBase:
    case IrOpcode::MemoryBytes:
    case IrOpcode::LoadGlobal:
    case IrOpcode::LoadLocal:
    case IrOpcode::TableSize:
      return false;
    default:
      return !IsConstant(instruction.opcode);
  }
}

}  // namespace tenon::inline TENON_ABI::jit
