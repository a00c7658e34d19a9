// SPDX-License-Identifier: Apache-2.0
/// @file
/// Validation of one function body in one pass.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_plan.hpp>
#include <tenon/wasm/validator_sink.hpp>
#include <tenon/wasm/validator_state.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

template <ValidationSink Sink>
class FunctionValidator : public BodyState {
 public:
  FunctionValidator(const ValidationContext& context, std::uint32_t defined_function,
                    ValidationScratch& scratch, Sink& sink)
      : BodyState{context, defined_function, scratch}, sink_{sink} {}

  /// Validates the body; false after a fault.
  bool Run() {
    FunctionInfo info;
    if (!ReadLocals(info)) return false;
    const std::uint32_t body_size = module_.bodies[function_ - module_.imported_functions].size;
    sink_.BeginFunction(info);
    while (!frames_.empty()) {
      opcode_offset_ = reader_.Offset();
      if (reader_.AtEnd()) return Fail(ErrorCode::EndExpected);
      std::uint32_t code = 0;
      if (!reader_.ReadOpcode(code)) return false;
      const InstructionPlan& plan = FindPlan(code);
      if (!context_.features.IsEnabled(plan.feature)) [[unlikely]] {
        return Fail(ErrorCode::FeatureDisabled, plan.feature, static_cast<Opcode>(code));
      }
      if (plan.rule == kIllegalRule) [[unlikely]] {
        return Fail(ErrorCode::IllegalOpcode, OpcodeBytes(code));
      }
      if (!Check(code, plan)) return false;
    }
    if (!reader_.AtEnd()) {
      return reader_.Fail(ErrorCode::BodySizeMismatch, reader_.Offset(), std::uint64_t{body_size},
                          std::uint64_t{body_size} - reader_.Remaining());
    }
    FunctionSummary summary;
    summary.max_stack_slots = static_cast<std::uint32_t>(high_ - base_);
    summary.has_vector = has_vector_;
    sink_.EndFunction(summary);
    return true;
  }

 private:
  /// Checks one instruction.
  bool Check(std::uint32_t code, const InstructionPlan& plan) {
    const Opcode opcode = static_cast<Opcode>(code);
    switch (plan.rule) {
      case kUnaryRule:
        if (top_ != floor_ && top_[-1] == plan.operands[0]) [[likely]] {
          top_[-1] = plan.result;
          return true;
        }
        return ApplySignature(plan);
      case kBinaryRule:
        if (top_ - floor_ >= 2 && top_[-1] == plan.operands[1] && top_[-2] == plan.operands[0])
            [[likely]] {
          --top_;
          top_[-1] = plan.result;
          return true;
        }
        return ApplySignature(plan);
      case kMemoryRule:
        if (!ReadMemoryArgument(plan) || !ReadImmediate(plan) || !ApplySignature(plan)) {
          return false;
        }
        if (is_live_) sink_.UseMemory(opcode, 0);
        return true;
      case kSignatureRule:
        return ReadImmediate(plan) && ApplySignature(plan);
      case Opcode::I32Const: {
        std::int32_t ignored = 0;
        return reader_.ReadS32(ignored) && Push(ValueType::I32);
      }
      case Opcode::Nop:
        return true;
      case Opcode::Unreachable:
        SetUnreachable();
        return true;
      case Opcode::Block:
        return Begin(BlockKind::Block);
      case Opcode::Loop:
        return Begin(BlockKind::Loop);
      case Opcode::If:
        return Begin(BlockKind::If);
      case Opcode::Else:
        if (!CheckElse()) return false;
        if (!frames_.back().is_dead) sink_.Else(opcode_offset_, is_live_);
        return EnterElse();
      case Opcode::End:
        if (!CheckEnd()) return false;
        if (!frames_.back().is_dead) sink_.EndBlock(opcode_offset_);
        return LeaveBlock();
      case Opcode::Br: {
        BranchInfo branch;
        std::uint32_t* rest = nullptr;
        if (!ReadBranch(branch, rest)) return false;
        if (is_live_) sink_.Branch(branch);
        SetUnreachable();
        return true;
      }
      case Opcode::BrIf: {
        BranchInfo branch;
        std::uint32_t* rest = nullptr;
        if (!Pop(ValueType::I32) || !ReadBranch(branch, rest)) return false;
        if (is_live_) sink_.Branch(branch);
        return FallThroughBranch(branch, rest);
      }
      case Opcode::BrTable:
        return BranchTable();
      case Opcode::Return:
        if (!PopTypes(Results(frames_.front()))) return false;
        if (is_live_) sink_.Return(opcode_offset_);
        SetUnreachable();
        return true;
      case Opcode::Call: {
        std::uint32_t function = 0;
        if (!Call(function)) return false;
        if (is_live_) sink_.Call(function);
        return true;
      }
      case Opcode::CallIndirect: {
        std::uint32_t type = 0;
        std::uint32_t table = 0;
        if (!CallIndirect(type, table)) return false;
        if (is_live_) sink_.CallIndirect(type, table);
        return true;
      }
      case Opcode::Drop: {
        std::uint32_t bits = kBottom;
        if (!PopAny("a value", bits)) return false;
        if (is_live_) sink_.Drop(ValueType::FromBits(bits));
        return true;
      }
      case Opcode::Select: {
        ValueType type;
        if (!Select(type)) return false;
        if (is_live_) sink_.Select(type);
        return true;
      }
      case Opcode::SelectT:
        return SelectTyped();
      case Opcode::LocalGet: {
        std::uint32_t local = 0;
        ValueType type;
        return ReadLocal(local, type) && Push(type);
      }
      case Opcode::LocalSet:
      case Opcode::LocalTee: {
        std::uint32_t local = 0;
        ValueType type;
        if (!ReadLocal(local, type) || !Pop(type)) return false;
        if (is_live_) sink_.SetLocal(local);
        return opcode == Opcode::LocalSet || Push(type);
      }
      case Opcode::GlobalGet: {
        std::uint32_t global = 0;
        return ReadGlobal(global) && Push(module_.globals[global].type);
      }
      case Opcode::GlobalSet: {
        std::uint32_t global = 0;
        if (!ReadGlobal(global)) return false;
        if (!module_.globals[global].is_mutable) return Fail(ErrorCode::ImmutableGlobal, global);
        return Pop(module_.globals[global].type);
      }
      case Opcode::RefNull:
      case Opcode::RefIsNull:
      case Opcode::RefFunc:
        return ReferenceInstruction(opcode);
      case Opcode::MemorySize:
      case Opcode::MemoryGrow:
      case Opcode::MemoryInit:
      case Opcode::MemoryCopy:
      case Opcode::MemoryFill:
        if (!MemoryInstruction(opcode)) return false;
        if (is_live_) sink_.UseMemory(opcode, 0);
        return true;
      case Opcode::DataDrop:
        return MemoryInstruction(opcode);
      default:
        return TableInstruction(opcode);
    }
  }

  bool Begin(BlockKind kind) {
    if (!BeginBlock(kind)) return false;
    if (is_live_) sink_.BeginBlock(Describe(frames_.back()));
    return true;
  }

  bool BranchTable() {
    std::uint32_t count = 0;
    if (!reader_.ReadCount(count) || !Pop(ValueType::I32)) return false;
    if (is_live_) sink_.BranchTable(opcode_offset_, count + 1);
    for (std::uint32_t i = 0; i <= count; ++i) {
      BranchInfo branch;
      if (!ReadTableTarget(branch, i == 0)) return false;
      if (is_live_) sink_.Branch(branch);
    }
    SetUnreachable();
    return true;
  }

  Sink& sink_;
};

}  // namespace detail

/// Validates the body of the `defined_function`-th function that is not imported (core
/// specification 2.0, section 3.3) and tells `sink` of it. `scratch` may serve any number of
/// functions, one at a time. Gives the first fault, with its function and byte offset (of the
/// instruction if it breaks a rule, of the offending byte if it is malformed), or none.
template <ValidationSink Sink>
Fault ValidateFunction(const ValidationContext& context, std::uint32_t defined_function,
                       ValidationScratch& scratch, Sink& sink) {
  detail::FunctionValidator<Sink> validator{context, defined_function, scratch, sink};
  if (validator.Run()) return {};
  Fault fault = validator.FirstFault();
  fault.function = context.module->imported_functions + defined_function;
  return fault;
}

}  // namespace tenon::inline TENON_ABI::wasm
