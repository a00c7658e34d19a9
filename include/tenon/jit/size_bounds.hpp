// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long the machine code of an instruction can become, so that jumps can be short before it is
/// known how far they go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/direct_opcode.hpp>
#include <tenon/jit/effects.hpp>
#include <tenon/jit/machine_function.hpp>
#include <tenon/jit/machine_opcode.hpp>
#include <tenon/jit/vector_operands.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Bounds of an allocated function's instructions and moves, in bytes. Close for what is frequent,
/// generous for the rest; the emitter asserts them.
class SizeBounds {
 public:
  explicit SizeBounds(const MachineFunction& function) : function_{function} {}

  std::uint32_t Of(const MachineMove& move) const {
    if (move.kind == MoveKind::Swap) return 3;
    if (move.kind == MoveKind::Rematerialize) {
      return OfOwn(function_.instructions[move.instruction]);
    }
    const bool is_vector = move.register_class == RegisterClass::Vector;
    if (move.from.IsRegister() && move.to.IsRegister()) return is_vector ? 5 : 3;
    if (move.from.IsSlot() && move.to.IsSlot()) return 2 * (kSlot + 4);
    return kSlot + (is_vector ? 4 : 2);
  }

  std::uint32_t Of(const MachineInstruction& instruction) const {
    if (static_cast<MachineOpcode>(instruction.opcode) > MachineOpcode::BeforeOwn) {
      return OfOwn(instruction);
    }
    const IrOpcode opcode = ToIr(static_cast<MachineOpcode>(instruction.opcode));
    switch (opcode) {
      case IrOpcode::I32WrapI64:
      case IrOpcode::I32Extend8S:
      case IrOpcode::I32Extend16S:
      case IrOpcode::I64Extend8S:
      case IrOpcode::I64Extend16S:
      case IrOpcode::I64ExtendI32S:
      case IrOpcode::I64Extend32S:
        return 4;
      case IrOpcode::F32ConvertI32S:
      case IrOpcode::F32ConvertI32U:
      case IrOpcode::F64ConvertI32S:
      case IrOpcode::F64ConvertI32U:
      case IrOpcode::F64PromoteF32:
      case IrOpcode::F32DemoteF64:
        return 2 * kMove;
      default:
        break;
    }
    if (LoadOfSecond(opcode) != IrOpcode::Limit) {
      return Form(instruction) == OperandForm::Memory ? 4 + OfAddress(instruction.address) : 14;
    }
    const bool is_scalar = static_cast<std::uint32_t>(opcode) < 0x200;
    if (is_scalar && IsAccess(opcode)) {
      return 4 + OfAddress(instruction.address) +
             (Form(instruction) == OperandForm::Immediate ? 4 : 0);
    }
    return kMostOfOne;
  }

 private:
  static constexpr std::uint32_t kSlot = 5;  ///< the address of a slot
  static constexpr std::uint32_t kMove = 5;  ///< a copy of a vector register
  static constexpr std::uint32_t kJump = 6;
  static constexpr std::uint32_t kMostOfOne = 128;
  static_assert(kMostOfOne >= kMaxSequenceBytes);

  static OperandForm Form(const MachineInstruction& instruction) {
    return static_cast<OperandForm>(instruction.form);
  }
  static constexpr bool IsByte(std::int64_t value) { return value >= -128 && value <= 127; }
  /// Of an immediate that is sign-extended from a byte where it fits.
  static std::uint32_t OfImmediate(const MachineInstruction& instruction) {
    return IsByte(static_cast<std::int32_t>(instruction.immediate)) ? 1 : 4;
  }
  /// Behind the opcode.
  static std::uint32_t OfAddress(const MachineAddress& address) {
    if (address.base == MachineAddress::kAbsent) return 6;
    return IsByte(address.displacement) ? 3 : 6;
  }

  bool HasSlot(const MachineInstruction& instruction) const {
    const auto locations = std::span{function_.locations}.subspan(instruction.first_operand,
                                                                  instruction.operand_count);
    return std::ranges::any_of(locations, [](Location location) { return location.IsSlot(); });
  }

  std::uint32_t OfComparison(const MachineInstruction& instruction) const {
    switch (Form(instruction)) {
      case OperandForm::Immediate:
        return 3 + 4;
      case OperandForm::Memory:
        return 4 + OfAddress(instruction.address) + 4;
      case OperandForm::Operand:
        break;
    }
    return HasSlot(instruction) ? 4 + kSlot : 5;
  }

  std::uint32_t OfArithmetic(const MachineInstruction& instruction) const {
    const std::uint32_t immediate =
        Form(instruction) == OperandForm::Immediate ? OfImmediate(instruction) : 0;
    if (Form(instruction) == OperandForm::Memory) return 3 + OfAddress(instruction.address);
    return 5 + immediate + (HasSlot(instruction) ? 3 + kSlot : 0);
  }

  std::uint32_t OfOwn(const MachineInstruction& instruction) const {
    switch (static_cast<MachineOpcode>(instruction.opcode)) {
      case MachineOpcode::Parameters:
        return 0;
      case MachineOpcode::Immediate:
        return instruction.immediate == 0 ? 3 : instruction.immediate <= 0xFFFFFFFF ? 6 : 10;
      case MachineOpcode::FloatImmediate:
        return 9;
      case MachineOpcode::Lea:
        return 2 + OfAddress(instruction.address);
      case MachineOpcode::Add:
      case MachineOpcode::Sub:
      case MachineOpcode::And:
      case MachineOpcode::AndNot:
      case MachineOpcode::Or:
      case MachineOpcode::Xor:
      case MachineOpcode::Multiply:
      case MachineOpcode::ShiftLeft:
      case MachineOpcode::ShiftRightSigned:
      case MachineOpcode::ShiftRightUnsigned:
      case MachineOpcode::RotateLeft:
      case MachineOpcode::RotateRight:
        return OfArithmetic(instruction);
      case MachineOpcode::Negate:
      case MachineOpcode::Not:
        return 3;
      case MachineOpcode::ZeroExtend8:
      case MachineOpcode::ZeroExtend16:
        return 4;
      case MachineOpcode::SetCompare:
        return OfComparison(instruction) + 14;
      case MachineOpcode::CompareSelect:
        return OfComparison(instruction) + 10;
      case MachineOpcode::CompareBranch:
        return OfComparison(instruction) + 3 * kJump;
      case MachineOpcode::CompareTrap:
        return OfComparison(instruction) + kJump;
      case MachineOpcode::LoadField:
      case MachineOpcode::StoreField:
        return 4 + OfAddress(instruction.address);
      case MachineOpcode::CallDirect:
      case MachineOpcode::Jump:
      case MachineOpcode::Trap:
        return 5;
      case MachineOpcode::CallTable:
        return 16;
      case MachineOpcode::Return:
        return 32;
      default:
        return kMostOfOne;
    }
  }

  const MachineFunction& function_;
};

}  // namespace tenon::inline TENON_ABI::jit
