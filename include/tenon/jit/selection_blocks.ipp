// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of selection.hpp: blocks, edges, entries and exits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <tenon/jit/selection.ipp>

namespace tenon::inline TENON_ABI::jit {

inline void Selector::SelectArguments(BlockId from, std::uint32_t successor) {
  const BlockId target = ir_->blocks[from].successors[successor];
  const std::uint32_t position = EdgePosition(from, successor);
  for (ValueId phi = ir_->blocks[target].first; phi != kNone && At(phi).opcode == IrOpcode::Phi;
       phi = ir_->next[phi]) {
    if (uses_[phi] == 0) continue;
    fixed_.emplace_back(Use(ir_->List(At(phi))[position]), Register{0});
  }
}

/// Sums that only this edge takes to where it leads, of values that are needed on the other way as
/// well: made on the edge they can take the register of the value, which they could not before.
inline void Selector::FindSinkable(BlockId from, std::uint32_t successor) {
  sinkable_.clear();
  const Block& source = ir_->blocks[from];
  if (source.successors.size() != 2) return;
  const BlockId target = source.successors[successor];
  const BlockId other = source.successors[1 - successor];
  const std::uint32_t position = EdgePosition(from, successor);
  for (ValueId phi = ir_->blocks[target].first; phi != kNone && At(phi).opcode == IrOpcode::Phi;
       phi = ir_->next[phi]) {
    const ValueId value = ir_->List(At(phi))[position];
    const Instruction& instruction = At(value);
    if (uses_[phi] == 0 || !CanAbsorb(value)) continue;
    if (instruction.opcode != IrOpcode::I32Add && instruction.opcode != IrOpcode::I64Add) continue;
    if (!IsIntegerConstant(Root(instruction.operands[1]))) continue;
    const ValueId operand = Root(instruction.operands[0]);
    if (positions_[other] > positions_[from] && last_uses_[operand] >= positions_[other]) {
      sinkable_.push_back(value);
    }
  }
}

/// The return to which the early exit leads.
inline void Selector::SelectEarlyExit() {
  const BlockId target = ir_->blocks[early_exit_.from].successors[early_exit_.successor];
  const std::uint32_t position = EdgePosition(early_exit_.from, early_exit_.successor);
  FlatArray<ValueId> results;
  for (const ValueId result : ir_->List(At(ir_->blocks[target].last))) {
    const bool meets = At(result).opcode == IrOpcode::Phi && ir_->block_of[result] == target;
    results.push_back(meets ? ir_->List(At(result))[position] : result);
  }
  SelectReturn(results);
}

/// What the entry would make that only the way onward needs.
inline void Selector::SelectSunk() {
  for (ValueId value = ir_->blocks[0].first; value != kNone; value = ir_->next[value]) {
    if (At(value).opcode != IrOpcode::MemoryBase || virtuals_[value] == kNone) continue;
    SelectGlobal(value);
    FlushGroup();
    virtuals_[value] = detail::kAbsorbed;
  }
}

inline void Selector::SelectPlace(std::size_t number) {
  const Place& place = places_[number];
  const Block& block = ir_->blocks[place.block];
  MachineBlock& made = out_->blocks[number];
  block_ = place.block;
  if (place.successor != kNone) {
    color_ = kNone;
    fixed_.clear();
    if (ExitsEarly(place.block, place.successor)) {
      SelectEarlyExit();
      return FlushGroup();
    }
    FindSinkable(place.block, place.successor);
    SelectArguments(place.block, place.successor);
    for (const auto& [value, reg] : fixed_) out_->blocks[number].arguments.push_back(value);
    Emit(MachineOpcode::Jump, 8);
    FlushGroup();
    for (const ValueId value : sinkable_) {
      context_ = ir_->contexts[value];
      SelectInstruction(value);
      FlushGroup();
      virtuals_[value] = detail::kAbsorbed;
    }
    return;
  }
  for (ValueId value = block.last; value != kNone; value = ir_->previous[value]) {
    const Instruction& instruction = At(value);
    color_ = colors_[value];
    context_ = ir_->contexts[value];
    if (instruction.opcode == IrOpcode::Phi) {
      if (uses_[value] != 0) made.parameters.push_back(DefinitionOf(value));
      continue;
    }
    if (IsTerminator(instruction.opcode)) {
      SelectTerminator(place.block, value);
      if (instruction.opcode == IrOpcode::Jump && !ExitsEarly(place.block, 0)) {
        for (const auto& [argument, reg] : fixed_) {
          out_->blocks[number].arguments.push_back(argument);
        }
      }
      FlushGroup();
      continue;
    }
    const VirtualId known = virtuals_[value];
    if (known == detail::kAbsorbed || (known == kNone && !IsNeeded(instruction))) continue;
    if (instruction.opcode == IrOpcode::Parameter) continue;
    SelectInstruction(value);
    FlushGroup();
  }
  std::reverse(made.parameters.begin(), made.parameters.end());
  if (place.block == early_exit_.onward) SelectSunk();
  if (number == 0) {
    SelectParameters();
    FlushGroup();
  }
}

inline void Selector::SelectTerminator(BlockId block, ValueId value) {
  const Instruction& instruction = At(value);
  switch (instruction.opcode) {
    case IrOpcode::Jump:
      if (ExitsEarly(block, 0)) return SelectEarlyExit();
      fixed_.clear();
      SelectArguments(block, 0);
      Emit(MachineOpcode::Jump, 8);
      return;
    case IrOpcode::Branch: {
      const Comparison comparison = Compare(instruction.operands[0]);
      Emit(MachineOpcode::CompareBranch, comparison.size).Comparing(comparison);
      return;
    }
    case IrOpcode::Switch: {
      const VirtualId index = Use(instruction.operands[0]);
      const VirtualId first = NewVirtual(Type::I64);
      const VirtualId second = NewVirtual(Type::I64);
      Emit(MachineOpcode::Switch, 4).LateUse(index).Temporary(first).Temporary(second)->immediate =
          instruction.immediate;
      return;
    }
    case IrOpcode::Trap: {
      Draft draft = Emit(MachineOpcode::Trap, 4);
      draft->immediate = instruction.immediate;
      draft->wasm_offset = ir_->wasm_offsets[value];
      return;
    }
    default:
      SelectReturn(ir_->List(instruction));
      return;
  }
}

/// Register parameters, and constants that loops need.
inline void Selector::SelectParameters() {
  const auto parameters = module_.Parameters(ir_->type);
  const auto results = module_.Results(ir_->type);
  FlatArray<ValueId> values(parameters.size(), kNone);
  for (ValueId value = ir_->blocks[0].first; value != kNone; value = ir_->next[value]) {
    if (At(value).opcode == IrOpcode::Parameter && virtuals_[value] != kNone) {
      values[At(value).immediate] = value;
    }
  }
  struct StackParameter {
    VirtualId value;
    Type type;
    std::uint32_t offset;
  };
  FlatArray<StackParameter> on_stack;
  ParameterPlaces places{kIntegerParameterCount};
  fixed_.clear();
  const auto take = [&](VirtualId value, Type type) {
    const ParameterPlace place = places.Next(type);
    if (value == kNone) return;
    if (place.reg != kNoRegister) {
      fixed_.emplace_back(value, place.reg);
    } else {
      on_stack.push_back({value, type, place.stack_offset});
    }
  };
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    take(values[i] == kNone ? kNone : virtuals_[values[i]], TypeOf(parameters[i]));
  }
  if (results.size() > 1) take(result_area_, Type::I64);
  Draft draft = Emit(MachineOpcode::Parameters, 8);
  for (const auto& [value, reg] : fixed_) draft.DefineFixed(value, reg);
  for (const StackParameter& parameter : on_stack) {
    Address address;
    address.special_base = MachineAddress::kFrameBase;
    // Behind the saved rbp and the return address.
    address.displacement = static_cast<std::int32_t>(16 + parameter.offset);
    LoadField(address, parameter.type, parameter.value);
    MarkRematerializable(parameter.value);
  }
  for (const ValueId value : hoisted_values_) EmitConstant(value, hoisted_[value]);
}

inline void Selector::SelectReturn(std::span<const ValueId> results) {
  if (results.size() == 1) {
    const VirtualId result = Use(results[0]);
    const bool is_integer = out_->registers[result].register_class == RegisterClass::Integer;
    Emit(MachineOpcode::Return, 8).UseFixed(result, is_integer ? kRax : kXmm0);
    return;
  }
  if (results.size() > 1) {
    if (result_area_ == kNone) result_area_ = NewVirtual(Type::I64);
    std::int32_t offset = 0;
    for (const ValueId result : results) {
      const Type type = At(result).type;
      const VirtualId source = Use(result);
      Emit(MachineOpcode::StoreField, detail::SizeOf(type))
          .Use(source)
          .At(FieldOf(result_area_, offset));
      offset += type == Type::V128 ? 16 : 8;
    }
  }
  Emit(MachineOpcode::Return, 8);
}

}  // namespace tenon::inline TENON_ABI::jit
