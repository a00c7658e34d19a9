// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of selection.hpp: calls of functions and of the runtime.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <tenon/jit/selection.ipp>

namespace tenon::inline TENON_ABI::jit {

/// Puts the arguments in their places and calls.
inline void Selector::FinishCall(ValueId value, std::uint32_t type,
                                 std::span<const ValueId> arguments,
                                 std::uint32_t integer_registers, MachineOpcode opcode,
                                 std::uint64_t immediate, VirtualId record) {
  const auto results = module_.Results(type);
  ParameterPlaces places{integer_registers};
  auto& in_registers = fixed_;
  in_registers.clear();
  for (const ValueId argument : arguments) {
    const Type argument_type = At(argument).type;
    const ParameterPlace place = places.Next(argument_type);
    const VirtualId held = Use(argument);
    if (place.reg != kNoRegister) {
      in_registers.emplace_back(held, place.reg);
      continue;
    }
    Address slot;
    slot.special_base = MachineAddress::kStackBase;
    slot.displacement = static_cast<std::int32_t>(place.stack_offset);
    // The upper half of an i32 is zero in the slot, too.
    Emit(MachineOpcode::StoreField,
         argument_type == Type::V128 ? std::uint8_t{16} : std::uint8_t{8})
        .Use(held)
        .At(slot);
  }
  if (results.size() > 1) {
    const ParameterPlace place = places.Next(Type::I64);
    const std::uint32_t area = places.StackBytes();
    Address address;
    address.special_base = MachineAddress::kStackBase;
    address.displacement = static_cast<std::int32_t>(area);
    const VirtualId pointer = NewVirtual(Type::I64);
    Emit(MachineOpcode::Lea, 8).Define(pointer).At(address);
    if (place.reg != kNoRegister) {
      in_registers.emplace_back(pointer, place.reg);
    } else {
      Address slot;
      slot.special_base = MachineAddress::kStackBase;
      slot.displacement = static_cast<std::int32_t>(place.stack_offset);
      Emit(MachineOpcode::StoreField, 8).Use(pointer).At(slot);
    }
    std::uint32_t area_bytes = 0;
    for (const ValueType result : results) area_bytes += 8 * result.SlotCount();
    out_->outgoing_bytes = std::max(out_->outgoing_bytes, area + area_bytes);
  } else {
    out_->outgoing_bytes = std::max(out_->outgoing_bytes, places.StackBytes());
  }
  Draft draft = Emit(opcode, 8);
  if (results.size() == 1) {
    const Type result = TypeOf(results[0]);
    const bool is_integer = result == Type::I32 || result == Type::I64;
    const VirtualId target = virtuals_[value] == kNone ? NewVirtual(result) : virtuals_[value];
    draft.DefineFixed(target, is_integer ? kRax : kXmm0);
  }
  for (const auto& [held, reg] : in_registers) draft.UseFixed(held, reg);
  if (record != kNone) draft.UseFixed(record, kRax);
  draft->immediate = immediate;
  draft->clobbers = kCallClobbers;
  draft->is_call = true;
  draft->wasm_offset = ir_->wasm_offsets[value];
}

inline void Selector::SelectCall(ValueId value) {
  const Instruction& instruction = At(value);
  const auto function = static_cast<std::uint32_t>(instruction.immediate);
  const std::uint32_t type = module_.functions[function];
  const std::span<const ValueId> arguments = ir_->List(instruction);
  if (function < module_.imported_functions) {
    return FinishCall(value, type, arguments, kThunkIntegerParameterCount,
                      MachineOpcode::CallImport, function, kNone);
  }
  if (!options_.listeners.empty() && options_.listeners[function]) {
    const VirtualId functions =
        LoadField(InstanceField(offsetof(abi::InstanceHeader, functions)), Type::I64);
    const VirtualId record =
        LoadField(FieldOf(functions, static_cast<std::int32_t>(function * 8)), Type::I64);
    return FinishCall(value, type, arguments, kThunkIntegerParameterCount,
                      MachineOpcode::CallRecord, 0, record);
  }
  FinishCall(value, type, arguments, kIntegerParameterCount, MachineOpcode::CallDirect,
             function - module_.imported_functions, kNone);
}

inline void Selector::SelectCallIndirect(ValueId value) {
  const Instruction& instruction = At(value);
  const auto type = static_cast<std::uint32_t>(instruction.immediate);
  const auto table_index = static_cast<std::uint32_t>(instruction.immediate >> 32);
  const std::span<const ValueId> list = ir_->List(instruction);
  const std::uint32_t wasm_offset = ir_->wasm_offsets[value];
  const VirtualId table = TableRecord(table_index);
  const VirtualId index = Use(list.back());
  Comparison check;
  check.condition = Condition::AboveOrEqual;
  check.size = 8;
  check.first = index;
  check.second.form = OperandForm::Memory;
  check.second.address = FieldOf(table, offsetof(abi::TableRecord, size));
  TrapIf(check, TrapCode::UndefinedElement, wasm_offset);
  Address element =
      FieldOf(LoadField(FieldOf(table, offsetof(abi::TableRecord, elements)), Type::I64), 0);
  element.index = index;
  element.scale = 8;
  const VirtualId record = LoadField(element, Type::I64);
  check = {};
  check.kind = CompareKind::Test;
  check.condition = Condition::Equal;
  check.size = 8;
  check.first = record;
  check.second.value = record;
  TrapIf(check, TrapCode::UninitializedElement, wasm_offset);
  const VirtualId types = LoadField(InstanceField(offsetof(abi::InstanceHeader, types)), Type::I64);
  const VirtualId expected =
      LoadField(FieldOf(types, static_cast<std::int32_t>(type * 4)), Type::I32);
  check = {};
  check.condition = Condition::NotEqual;
  check.size = 4;
  check.first = expected;
  check.second.form = OperandForm::Memory;
  check.second.address = FieldOf(record, offsetof(abi::FunctionRecord, type));
  TrapIf(check, TrapCode::IndirectCallTypeMismatch, wasm_offset);
  FinishCall(value, type, list.first(list.size() - 1), kThunkIntegerParameterCount,
             ConventionsAgree(type) ? MachineOpcode::CallTable : MachineOpcode::CallRecord, 0,
             record);
}

/// Whether the private convention passes everything as the thunk convention does, and no listener
/// may be left out.
inline bool Selector::ConventionsAgree(std::uint32_t type) const {
  if (!options_.listeners.empty()) return false;
  ParameterPlaces places{kThunkIntegerParameterCount};
  for (const ValueType parameter : module_.Parameters(type)) places.Next(TypeOf(parameter));
  if (module_.Results(type).size() > 1) places.Next(Type::I64);
  return places.StackBytes() == 0;
}

inline void Selector::SelectCallResult(ValueId value) {
  const Instruction& instruction = At(value);
  const Instruction& call = At(instruction.operands[0]);
  const bool is_indirect = call.opcode == IrOpcode::CallIndirect;
  const auto number = static_cast<std::uint32_t>(call.immediate);
  const std::uint32_t type = is_indirect ? number : module_.functions[number];
  const bool is_private = !is_indirect && number >= module_.imported_functions &&
                          (options_.listeners.empty() || !options_.listeners[number]);
  ParameterPlaces places{is_private ? kIntegerParameterCount : kThunkIntegerParameterCount};
  for (const ValueType parameter : module_.Parameters(type)) places.Next(TypeOf(parameter));
  places.Next(Type::I64);
  std::uint32_t offset = places.StackBytes();
  const auto results = module_.Results(type);
  for (std::uint64_t i = 0; i < instruction.immediate; ++i) offset += 8 * results[i].SlotCount();
  Address address;
  address.special_base = MachineAddress::kStackBase;
  address.displacement = static_cast<std::int32_t>(offset);
  LoadField(address, instruction.type, DefinitionOf(value));
}

/// A call of RuntimeCalls: the operands are its third to fifth parameters.
inline void Selector::SelectRuntimeCall(ValueId value, std::size_t offset) {
  const Instruction& instruction = At(value);
  auto& in_registers = fixed_;
  in_registers.clear();
  for (const ValueId operand : ir_->List(instruction)) {
    in_registers.emplace_back(Use(operand), kIntegerParameters[in_registers.size()]);
  }
  const VirtualId target = instruction.type == Type::None ? kNone
                           : virtuals_[value] == kNone    ? NewVirtual(instruction.type)
                                                          : virtuals_[value];
  Draft draft = Emit(MachineOpcode::CallRuntime, instruction.type == Type::I32 ? 4 : 8);
  if (target != kNone) draft.DefineFixed(target, kRax);
  for (const auto& [held, reg] : in_registers) draft.UseFixed(held, reg);
  draft->address.displacement = static_cast<std::int32_t>(offset);
  draft->immediate = instruction.immediate;
  draft->clobbers = kCallClobbers;
  draft->is_call = true;
  draft->wasm_offset = ir_->wasm_offsets[value];
}

}  // namespace tenon::inline TENON_ABI::jit
