// SPDX-License-Identifier: Apache-2.0
/// @file
/// The rules of selection.hpp, instruction by instruction.
#pragma once

#include <bit>

#include <tenon/jit/selection.ipp>

namespace tenon::inline TENON_ABI::jit {

// --- Integers ------------------------------------------------------------------------------------

inline void Selector::SelectUnary(ValueId value, MachineOpcode opcode, std::uint8_t size) {
  const VirtualId source = Use(At(value).operands[0]);
  Emit(opcode, size).Define(DefinitionOf(value)).Use(source);
}

inline void Selector::SelectReuse(ValueId value, MachineOpcode opcode, std::uint8_t size,
                                  bool commutes) {
  ValueId first = At(value).operands[0];
  ValueId second = At(value).operands[1];
  const IrOpcode load = size == 4 ? IrOpcode::I32Load : IrOpcode::I64Load;
  if (commutes && !IsIntegerConstant(Root(second))) {
    // The result takes the register of a value that is not needed any more, if there is one.
    const bool first_is_load = At(first).opcode == load && CanAbsorbLoad(first);
    const bool second_is_load = At(second).opcode == load && CanAbsorbLoad(second);
    if (first_is_load != second_is_load ? first_is_load
                                        : uses_[Root(first)] > 1 && uses_[Root(second)] == 1) {
      std::swap(first, second);
    }
  }
  const Source source = MakeSource(second, size, load);
  const VirtualId reused = Use(first);
  Emit(opcode, size).DefineReuse(DefinitionOf(value), 1).Use(reused).From(source);
}

inline void Selector::SelectAdd(ValueId value, std::uint8_t size) {
  const IrOpcode add = size == 4 ? IrOpcode::I32Add : IrOpcode::I64Add;
  const IrOpcode shift = size == 4 ? IrOpcode::I32Shl : IrOpcode::I64Shl;
  const IrOpcode load = size == 4 ? IrOpcode::I32Load : IrOpcode::I64Load;
  ValueId first = At(value).operands[0];
  ValueId second = At(value).operands[1];
  std::uint64_t constant = 0;
  std::int32_t displacement = 0;
  bool has_constant = false;
  if (FitsImmediate(second, size, constant)) {
    displacement = static_cast<std::int32_t>(static_cast<std::uint32_t>(constant));
    has_constant = true;
    if (At(first).opcode != add || !CanAbsorb(first)) {
      const ValueId scaled = first;
      std::uint64_t count = 0;
      if (At(scaled).opcode != shift || !CanAbsorb(scaled) ||
          !FitsImmediate(At(scaled).operands[1], size, count) || (count & (size * 8 - 1u)) > 3) {
        const VirtualId source = Use(first);
        Draft draft = Emit(MachineOpcode::Add, size);
        draft.Define(DefinitionOf(value)).Use(source);
        draft->form = static_cast<std::uint8_t>(OperandForm::Immediate);
        draft->immediate = constant;
        return;
      }
      virtuals_[scaled] = detail::kAbsorbed;
      Address address;
      address.index = Use(At(scaled).operands[0]);
      address.scale = static_cast<std::uint8_t>(1u << (count & 3));
      address.displacement = displacement;
      Emit(MachineOpcode::Lea, size).Define(DefinitionOf(value)).At(address);
      return;
    }
    // (a + b) + constant
    const ValueId sum = first;
    first = At(sum).operands[0];
    second = At(sum).operands[1];
    virtuals_[sum] = detail::kAbsorbed;
    std::uint64_t inner = 0;
    if (FitsImmediate(second, size, inner)) {
      const VirtualId source = Use(first);
      const VirtualId middle = NewVirtual(At(value).type);
      Draft draft = Emit(MachineOpcode::Add, size);
      draft.Define(middle).Use(source);
      draft->form = static_cast<std::uint8_t>(OperandForm::Immediate);
      draft->immediate = inner;
      Draft outer = Emit(MachineOpcode::Add, size);
      outer.Define(DefinitionOf(value)).Use(middle);
      outer->form = static_cast<std::uint8_t>(OperandForm::Immediate);
      outer->immediate = constant;
      return;
    }
  }
  const auto scale_of = [&](ValueId scaled) -> std::uint8_t {
    std::uint64_t count = 0;
    if (At(scaled).opcode != shift || !CanAbsorb(scaled) ||
        !FitsImmediate(At(scaled).operands[1], size, count)) {
      return 0;
    }
    count &= size * 8 - 1u;
    return count > 3 ? std::uint8_t{0} : static_cast<std::uint8_t>(1u << count);
  };
  if (scale_of(second) == 0 && scale_of(first) != 0) std::swap(first, second);
  const std::uint8_t scale = scale_of(second);
  if (has_constant || scale != 0) {
    Address address;
    address.base = Use(first);
    if (scale != 0) {
      virtuals_[second] = detail::kAbsorbed;
      address.index = Use(At(second).operands[0]);
      address.scale = scale;
    } else {
      address.index = Use(second);
    }
    address.displacement = displacement;
    Emit(MachineOpcode::Lea, size).Define(DefinitionOf(value)).At(address);
    return;
  }
  const bool first_is_load = At(first).opcode == load && CanAbsorbLoad(first);
  const bool second_is_load = At(second).opcode == load && CanAbsorbLoad(second);
  if (first_is_load || second_is_load) {
    SelectReuse(value, MachineOpcode::Add, size, true);
    return;
  }
  const VirtualId left = Use(first);
  const VirtualId right = Use(second);
  Emit(MachineOpcode::Add, size).Define(DefinitionOf(value)).Use(left).UseAny(right);
}

inline void Selector::SelectAnd(ValueId value, std::uint8_t size) {
  const ValueId second = Root(At(value).operands[1]);
  if (IsIntegerConstant(second)) {
    const std::uint64_t mask = At(second).immediate;
    if (mask == 0xFF) return SelectUnary(value, MachineOpcode::ZeroExtend8, 4);
    if (mask == 0xFFFF) return SelectUnary(value, MachineOpcode::ZeroExtend16, 4);
    if (size == 8 && mask == 0xFFFFFFFF) {
      return SelectUnary(value, ToMachine(IrOpcode::I32WrapI64), 4);
    }
    // The upper half is zero either way.
    if (size == 8 && mask <= INT32_MAX) size = 4;
  }
  if (options_.cpu.Has(CpuFeature::Bmi1)) {
    for (const std::uint32_t side : {0u, 1u}) {
      const ValueId inverted = At(value).operands[side];
      if (!IsInversion(inverted) || !CanAbsorb(inverted)) continue;
      const VirtualId kept = Use(At(value).operands[1 - side]);
      const VirtualId cleared = Use(At(inverted).operands[0]);
      virtuals_[inverted] = detail::kAbsorbed;
      Emit(MachineOpcode::AndNot, size).Define(DefinitionOf(value)).Use(cleared).Use(kept);
      return;
    }
  }
  SelectReuse(value, MachineOpcode::And, size, true);
}

/// Whether the value is another one with all bits changed.
inline bool Selector::IsInversion(ValueId value) const {
  const Instruction& instruction = At(value);
  const bool is_wide = instruction.opcode == IrOpcode::I64Xor;
  if (!is_wide && instruction.opcode != IrOpcode::I32Xor) return false;
  const ValueId mask = Root(instruction.operands[1]);
  return IsIntegerConstant(mask) &&
         At(mask).immediate == (is_wide ? ~std::uint64_t{0} : 0xFFFFFFFF);
}

inline void Selector::SelectMultiply(ValueId value, std::uint8_t size) {
  std::uint64_t constant = 0;
  const ValueId first = At(value).operands[0];
  const ValueId second = At(value).operands[1];
  if (!FitsImmediate(second, size, constant)) {
    return SelectReuse(value, MachineOpcode::Multiply, size, true);
  }
  if (constant == 3 || constant == 5 || constant == 9) {
    Address address;
    address.base = Use(first);
    address.index = address.base;
    address.scale = static_cast<std::uint8_t>(constant - 1);
    Emit(MachineOpcode::Lea, size).Define(DefinitionOf(value)).At(address);
    return;
  }
  const VirtualId source = Use(first);
  Draft draft = Emit(MachineOpcode::Multiply, size);
  draft.Define(DefinitionOf(value)).UseAny(source);
  draft->form = static_cast<std::uint8_t>(OperandForm::Immediate);
  draft->immediate = constant;
}

inline void Selector::SelectShift(ValueId value, MachineOpcode opcode, std::uint8_t size) {
  std::uint64_t count = 0;
  const ValueId second = At(value).operands[1];
  const VirtualId source = Use(At(value).operands[0]);
  const bool rotates = opcode == MachineOpcode::RotateLeft || opcode == MachineOpcode::RotateRight;
  if (FitsImmediate(second, 4, count)) {
    count &= size * 8 - 1u;
    if (opcode == MachineOpcode::ShiftLeft && count > 0 && count <= 3) {
      Address address;
      if (count == 1) {
        address.base = source;
        address.index = source;
      } else {
        address.index = source;
        address.scale = static_cast<std::uint8_t>(1u << count);
      }
      // The emitter shifts in place where it can.
      Draft draft = Emit(MachineOpcode::Lea, size);
      draft.Define(DefinitionOf(value)).At(address);
      return;
    }
    Draft draft = Emit(opcode, size);
    if (rotates && options_.cpu.Has(CpuFeature::Bmi2)) {
      draft.Define(DefinitionOf(value)).Use(source);
    } else {
      draft.DefineReuse(DefinitionOf(value), 1).Use(source);
    }
    draft->form = static_cast<std::uint8_t>(OperandForm::Immediate);
    draft->immediate = count;
    return;
  }
  const VirtualId amount = Use(second);
  if (options_.cpu.Has(CpuFeature::Bmi2) && !rotates) {
    Emit(opcode, size).Define(DefinitionOf(value)).Use(source).Use(amount);
    return;
  }
  Emit(opcode, size).DefineReuse(DefinitionOf(value), 1).Use(source).UseFixed(amount, kRcx);
}

inline void Selector::SelectDivision(ValueId value, std::uint8_t size) {
  const Instruction& instruction = At(value);
  const IrOpcode opcode = instruction.opcode;
  const bool is_remainder = opcode == IrOpcode::I32RemS || opcode == IrOpcode::I32RemU ||
                            opcode == IrOpcode::I64RemS || opcode == IrOpcode::I64RemU;
  const VirtualId dividend = Use(instruction.operands[0]);
  const VirtualId divisor = Use(instruction.operands[1]);
  Draft draft = Emit(ToMachine(opcode), size);
  draft
      .DefineFixed(virtuals_[value] == kNone ? NewVirtual(instruction.type) : virtuals_[value],
                   is_remainder ? kRdx : kRax)
      .UseFixed(dividend, kRax)
      .LateUse(divisor);
  draft->clobbers = Bit(is_remainder ? kRax : kRdx);
  draft->wasm_offset = ir_->wasm_offsets[value];
  const ValueId known = Root(instruction.operands[1]);
  if (IsIntegerConstant(known)) {
    const std::uint64_t bits = At(known).immediate;
    const std::uint64_t minus_one = size == 4 ? 0xFFFFFFFF : ~std::uint64_t{0};
    draft->immediate = (bits != 0 ? 1u : 0u) | (bits != minus_one ? 2u : 0u);
  }
}

/// clz, ctz and popcnt.
inline void Selector::SelectBitCount(ValueId value, std::uint8_t size) {
  const IrOpcode opcode = At(value).opcode;
  const bool is_clz = opcode == IrOpcode::I32Clz || opcode == IrOpcode::I64Clz;
  const bool is_ctz = opcode == IrOpcode::I32Ctz || opcode == IrOpcode::I64Ctz;
  const CpuFeature feature = is_clz   ? CpuFeature::Lzcnt
                             : is_ctz ? CpuFeature::Bmi1
                                      : CpuFeature::Popcnt;
  const VirtualId source = Use(At(value).operands[0]);
  if (options_.cpu.Has(feature)) {
    Emit(ToMachine(opcode), size).Define(DefinitionOf(value)).Use(source);
    return;
  }
  const VirtualId first = NewVirtual(Type::I64);
  const VirtualId second = NewVirtual(Type::I64);
  Emit(ToMachine(opcode), size)
      .Define(DefinitionOf(value))
      .LateUse(source)
      .Temporary(first)
      .Temporary(second);
}

inline void Selector::SelectSelect(ValueId value) {
  const Instruction& instruction = At(value);
  const Comparison comparison = Compare(instruction.operands[2]);
  const VirtualId if_not = Use(instruction.operands[1]);
  const VirtualId if_so = Use(instruction.operands[0]);
  Emit(MachineOpcode::CompareSelect, comparison.size)
      .DefineReuse(DefinitionOf(value), 1)
      .Use(if_not)
      .LateUse(if_so)
      .Comparing(comparison);
}

// --- Memory --------------------------------------------------------------------------------------

inline void Selector::SelectLoad(ValueId value) {
  const Instruction& instruction = At(value);
  if (IsWasm(instruction.opcode) && static_cast<std::uint16_t>(instruction.opcode) >= 0x200) {
    return SelectPlanned(value);
  }
  const Address address = MemoryAddress(value);
  const VirtualId target =
      virtuals_[value] == kNone ? NewVirtual(instruction.type) : virtuals_[value];
  Emit(ToMachine(instruction.opcode), detail::SizeOf(instruction.type)).Define(target).At(address);
}

inline void Selector::SelectStore(ValueId value) {
  const Instruction& instruction = At(value);
  if (static_cast<std::uint16_t>(instruction.opcode) >= 0x200) return SelectPlanned(value);
  ValueId stored = instruction.operands[1];
  const wasm::OpcodeInfo& info = wasm::Info(ToWasm(instruction.opcode));
  const bool is_integer = info.signature[1] == 'i' || info.signature[1] == 'l';
  const auto size = static_cast<std::uint8_t>(1u << info.width);
  // Only the low bytes go.
  while (is_integer && At(stored).opcode == IrOpcode::I32WrapI64 && CanAbsorb(stored)) {
    virtuals_[stored] = detail::kAbsorbed;
    stored = At(stored).operands[0];
  }
  const Address address = MemoryAddress(value);
  Source source;
  if (is_integer &&
      FitsImmediate(stored, size == 8 ? std::uint8_t{8} : std::uint8_t{4}, source.immediate)) {
    Draft draft = Emit(ToMachine(instruction.opcode), size);
    draft.At(address);
    draft->form = static_cast<std::uint8_t>(OperandForm::Immediate);
    draft->immediate = source.immediate;
    return;
  }
  const VirtualId held = Use(stored);
  Emit(ToMachine(instruction.opcode), size).Use(held).At(address);
}

/// Accesses behind prefix 0xFE. Plain loads are atomic on this processor; so are stores, but what
/// follows them could be seen first.
inline void Selector::SelectAtomic(ValueId value) {
  const Instruction& instruction = At(value);
  const wasm::Opcode opcode = ToWasm(instruction.opcode);
  const auto size = static_cast<std::uint8_t>(1u << wasm::Info(opcode).width);
  const wasm::AtomicKind kind = wasm::AtomicKindOf(opcode);
  Address address =
      FieldOf(Use(instruction.operands[0]), static_cast<std::int32_t>(instruction.immediate));
  address.wasm_offset = ir_->wasm_offsets[value];
  address.context = ir_->contexts[value];
  if (kind == wasm::AtomicKind::Load) {
    constexpr IrOpcode kLoads[] = {IrOpcode::I32Load8U, IrOpcode::I32Load16U, IrOpcode::I32Load,
                                   IrOpcode::I64Load};
    const VirtualId target =
        virtuals_[value] == kNone ? NewVirtual(instruction.type) : virtuals_[value];
    Emit(ToMachine(kLoads[wasm::Info(opcode).width]), detail::SizeOf(instruction.type))
        .Define(target)
        .At(address);
    return;
  }
  const bool is_used = instruction.type != Type::None && uses_[value] != 0;
  const bool is_bitwise = kind == wasm::AtomicKind::And || kind == wasm::AtomicKind::Or ||
                          kind == wasm::AtomicKind::Xor;
  const VirtualId source = Use(instruction.operands[1]);
  if (is_bitwise && !is_used) {
    Draft draft = Emit(MachineOpcode::AtomicApply, size);
    draft.Use(source).At(address);
    draft->immediate = static_cast<std::uint64_t>(kind);
    return;
  }
  const VirtualId target = instruction.type == Type::None ? NewVirtual(Type::I64)
                           : virtuals_[value] == kNone    ? NewVirtual(instruction.type)
                                                          : virtuals_[value];
  switch (kind) {
    case wasm::AtomicKind::CompareExchange: {
      const VirtualId replacement = Use(instruction.operands[2]);
      Emit(MachineOpcode::AtomicCompareExchange, size)
          .DefineFixed(target, kRax)
          .UseFixed(source, kRax)
          .LateUse(replacement)
          .AtLate(address);
      return;
    }
    case wasm::AtomicKind::And:
    case wasm::AtomicKind::Or:
    case wasm::AtomicKind::Xor: {
      Draft draft = Emit(MachineOpcode::AtomicUpdate, size);
      draft.DefineFixed(target, kRax)
          .LateUse(source)
          .Temporary(NewVirtual(Type::I64))
          .AtLate(address);
      draft->immediate = static_cast<std::uint64_t>(kind);
      return;
    }
    default: {
      const MachineOpcode machine = kind == wasm::AtomicKind::Add   ? MachineOpcode::AtomicAdd
                                    : kind == wasm::AtomicKind::Sub ? MachineOpcode::AtomicSub
                                                                    : MachineOpcode::AtomicExchange;
      Draft draft = Emit(machine, size);
      draft.DefineReuse(target, 1).Use(source).At(address);
      draft->immediate = is_used ? 1 : 0;
      return;
    }
  }
}

inline void Selector::SelectLocal(ValueId value) {
  const Instruction& instruction = At(value);
  Address cell;
  cell.special_base = MachineAddress::kLocalBase;
  cell.displacement = static_cast<std::int32_t>(instruction.immediate * ir_->local_cell_bytes);
  if (instruction.opcode == IrOpcode::LoadLocal) {
    LoadField(cell, instruction.type, DefinitionOf(value));
    return;
  }
  const VirtualId stored = Use(instruction.operands[0]);
  Emit(MachineOpcode::StoreField, detail::SizeOf(At(instruction.operands[0]).type))
      .Use(stored)
      .At(cell);
}

inline void Selector::SelectGlobal(ValueId value) {
  const Instruction& instruction = At(value);
  switch (instruction.opcode) {
    case IrOpcode::GlobalAddress: {
      const VirtualId globals =
          LoadField(InstanceField(offsetof(abi::InstanceHeader, globals)), Type::I64);
      LoadField(FieldOf(globals, static_cast<std::int32_t>(instruction.immediate * 8)), Type::I64,
                DefinitionOf(value));
      return;
    }
    case IrOpcode::LoadGlobal: {
      const VirtualId address = Use(instruction.operands[0]);
      LoadField(FieldOf(address, 0), instruction.type, DefinitionOf(value));
      return;
    }
    case IrOpcode::StoreGlobal: {
      const VirtualId address = Use(instruction.operands[0]);
      const VirtualId stored = Use(instruction.operands[1]);
      Emit(MachineOpcode::StoreField, detail::SizeOf(At(instruction.operands[1]).type))
          .Use(stored)
          .At(FieldOf(address, 0));
      return;
    }
    case IrOpcode::MemoryBase: {
      if (options_.memory == MemoryStyle::Guarded) {
        LoadField(InstanceField(offsetof(abi::InstanceHeader, memory_base)), Type::I64,
                  DefinitionOf(value));
        MarkRematerializable(virtuals_[value]);
        return;
      }
      const VirtualId record =
          LoadField(InstanceField(offsetof(abi::InstanceHeader, memory)), Type::I64);
      LoadField(FieldOf(record, offsetof(abi::MemoryRecord, base)), Type::I64, DefinitionOf(value));
      return;
    }
    default: {
      const VirtualId record =
          LoadField(InstanceField(offsetof(abi::InstanceHeader, memory)), Type::I64);
      LoadField(FieldOf(record, offsetof(abi::MemoryRecord, size)), Type::I64, DefinitionOf(value));
      return;
    }
  }
}

inline VirtualId Selector::TableRecord(std::uint32_t table) {
  const VirtualId tables =
      LoadField(InstanceField(offsetof(abi::InstanceHeader, tables)), Type::I64);
  return LoadField(FieldOf(tables, static_cast<std::int32_t>(table * 8)), Type::I64);
}

inline void Selector::SelectTable(ValueId value) {
  const Instruction& instruction = At(value);
  const VirtualId record = TableRecord(static_cast<std::uint32_t>(instruction.immediate));
  if (instruction.opcode == IrOpcode::TableSize) {
    LoadField(FieldOf(record, offsetof(abi::TableRecord, size)), Type::I32, DefinitionOf(value));
    return;
  }
  const VirtualId index = Use(instruction.operands[0]);
  const VirtualId stored =
      instruction.opcode == IrOpcode::TableSet ? Use(instruction.operands[1]) : kNone;
  Comparison bounds;
  bounds.condition = Condition::AboveOrEqual;
  bounds.size = 8;
  bounds.first = index;
  bounds.second.form = OperandForm::Memory;
  bounds.second.address = FieldOf(record, offsetof(abi::TableRecord, size));
  TrapIf(bounds, TrapCode::OutOfBoundsTableAccess, ir_->wasm_offsets[value]);
  Address element =
      FieldOf(LoadField(FieldOf(record, offsetof(abi::TableRecord, elements)), Type::I64), 0);
  element.index = index;
  element.scale = 8;
  if (stored != kNone) {
    Emit(MachineOpcode::StoreField, 8).Use(stored).At(element);
  } else {
    LoadField(element, Type::I64,
              virtuals_[value] == kNone ? NewVirtual(Type::I64) : virtuals_[value]);
  }
}

// --- Floats and vectors --------------------------------------------------------------------------

/// Instructions whose machine code has a plan.
inline void Selector::SelectPlanned(ValueId value) {
  const Instruction& instruction = At(value);
  const bool is_wasm = IsWasm(instruction.opcode);
  const bool is_vector = is_wasm && static_cast<std::uint16_t>(instruction.opcode) >= 0x200;
  const bool is_access = IsAccess(instruction.opcode);
  const VectorPlan plan = !is_wasm    ? PlanCanonicalNan(instruction.opcode, options_.cpu)
                          : is_vector ? PlanVector(ToWasm(instruction.opcode), options_.cpu)
                                      : PlanFloat(ToWasm(instruction.opcode), options_.cpu);
  std::uint64_t immediate = is_access ? instruction.immediate >> 32 : instruction.immediate;
  Address address;
  if (is_access) address = MemoryAddress(value);
  ValueId sources[3] = {instruction.operands[0], instruction.operands[1], instruction.operands[2]};
  const bool loads = FindSecondLoad(instruction.opcode, sources);
  if (loads) {
    address = MemoryAddress(sources[1]);
    virtuals_[sources[1]] = detail::kAbsorbed;
    sources[1] = kNone;
  }
  VirtualId operands[3] = {kNone, kNone, kNone};
  std::uint32_t count = 0;
  for (std::uint32_t i = is_access ? 1 : 0; i < (is_access ? 2u : 3u); ++i) {
    const ValueId operand = sources[i];
    if (operand == kNone) break;
    // The count of a shift.
    if (is_vector && i == 1 && At(operand).type == Type::I32 &&
        wasm::Info(ToWasm(instruction.opcode)).signature == "vi:v" &&
        wasm::Info(ToWasm(instruction.opcode)).immediate == wasm::Immediate::None &&
        FitsImmediate(operand, 4, immediate)) {
      break;
    }
    operands[count++] = Use(operand);
  }
  VirtualId target = kNone;
  if (instruction.type != Type::None) {
    target = virtuals_[value] == kNone ? NewVirtual(instruction.type) : virtuals_[value];
  }
  VirtualId temporaries[4];
  std::uint32_t temporary_count = 0;
  for (std::uint32_t i = 0; i < plan.vector_temporaries; ++i) {
    temporaries[temporary_count++] = NewVirtual(Type::V128);
  }
  for (std::uint32_t i = 0; i < plan.integer_temporaries; ++i) {
    temporaries[temporary_count++] = NewVirtual(Type::I64);
  }
  Draft draft = Emit(ToMachine(instruction.opcode), detail::SizeOf(instruction.type));
  draft->immediate = immediate;
  if (is_access || HasEffect(instruction)) draft->wasm_offset = ir_->wasm_offsets[value];
  if (target != kNone) {
    if (plan.reuse_first && count != 0) {
      draft.DefineReuse(target, 1);
    } else {
      draft.Define(target);
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (plan.IsLate(i)) {
      draft.LateUse(operands[i]);
    } else {
      draft.Use(operands[i]);
    }
  }
  for (std::uint32_t i = 0; i < temporary_count; ++i) draft.Temporary(temporaries[i]);
  if (is_access || loads) draft.At(address);
  if (loads) draft->form = static_cast<std::uint8_t>(OperandForm::Memory);
}

/// Whether the instruction can load its second operand itself; exchanges operands if that helps.
inline bool Selector::FindSecondLoad(IrOpcode opcode, ValueId (&sources)[3]) const {
  const IrOpcode load = LoadOfSecond(opcode);
  if (load == IrOpcode::Limit || !options_.cpu.Has(CpuFeature::Avx)) return false;
  const auto is_load = [&](ValueId value) {
    return At(value).opcode == load && CanAbsorbLoad(value);
  };
  if (is_load(sources[1])) return true;
  if (!CommutesLanes(opcode) || !is_load(sources[0])) return false;
  std::swap(sources[0], sources[1]);
  return true;
}

// --- Instructions --------------------------------------------------------------------------------

inline void Selector::SelectInstruction(ValueId value) {
  const Instruction& instruction = At(value);
  switch (instruction.opcode) {
    case IrOpcode::I32Add:
      return SelectAdd(value, 4);
    case IrOpcode::I64Add:
      return SelectAdd(value, 8);
    case IrOpcode::I32Sub:
    case IrOpcode::I64Sub: {
      const std::uint8_t size = instruction.opcode == IrOpcode::I32Sub ? 4 : 8;
      const ValueId first = Root(instruction.operands[0]);
      if (IsIntegerConstant(first) && At(first).immediate == 0) {
        const VirtualId source = Use(instruction.operands[1]);
        Emit(MachineOpcode::Negate, size).DefineReuse(DefinitionOf(value), 1).Use(source);
        return;
      }
      return SelectReuse(value, MachineOpcode::Sub, size, false);
    }
    case IrOpcode::I32Mul:
      return SelectMultiply(value, 4);
    case IrOpcode::I64Mul:
      return SelectMultiply(value, 8);
    case IrOpcode::I32And:
      return SelectAnd(value, 4);
    case IrOpcode::I64And:
      return SelectAnd(value, 8);
    case IrOpcode::I32Or:
      return SelectReuse(value, MachineOpcode::Or, 4, true);
    case IrOpcode::I64Or:
      return SelectReuse(value, MachineOpcode::Or, 8, true);
    case IrOpcode::I32Xor:
    case IrOpcode::I64Xor: {
      const std::uint8_t size = instruction.opcode == IrOpcode::I32Xor ? 4 : 8;
      if (IsInversion(value)) {
        const VirtualId source = Use(instruction.operands[0]);
        Emit(MachineOpcode::Not, size).DefineReuse(DefinitionOf(value), 1).Use(source);
        return;
      }
      return SelectReuse(value, MachineOpcode::Xor, size, true);
    }
    case IrOpcode::I32Shl:
      return SelectShift(value, MachineOpcode::ShiftLeft, 4);
    case IrOpcode::I64Shl:
      return SelectShift(value, MachineOpcode::ShiftLeft, 8);
    case IrOpcode::I32ShrS:
      return SelectShift(value, MachineOpcode::ShiftRightSigned, 4);
    case IrOpcode::I64ShrS:
      return SelectShift(value, MachineOpcode::ShiftRightSigned, 8);
    case IrOpcode::I32ShrU:
      return SelectShift(value, MachineOpcode::ShiftRightUnsigned, 4);
    case IrOpcode::I64ShrU:
      return SelectShift(value, MachineOpcode::ShiftRightUnsigned, 8);
    case IrOpcode::I32Rotl:
      return SelectShift(value, MachineOpcode::RotateLeft, 4);
    case IrOpcode::I64Rotl:
      return SelectShift(value, MachineOpcode::RotateLeft, 8);
    case IrOpcode::I32Rotr:
      return SelectShift(value, MachineOpcode::RotateRight, 4);
    case IrOpcode::I64Rotr:
      return SelectShift(value, MachineOpcode::RotateRight, 8);
    case IrOpcode::I32DivS:
    case IrOpcode::I32DivU:
    case IrOpcode::I32RemS:
    case IrOpcode::I32RemU:
      return SelectDivision(value, 4);
    case IrOpcode::I64DivS:
    case IrOpcode::I64DivU:
    case IrOpcode::I64RemS:
    case IrOpcode::I64RemU:
      return SelectDivision(value, 8);
    case IrOpcode::I32Clz:
    case IrOpcode::I32Ctz:
    case IrOpcode::I32Popcnt:
      return SelectBitCount(value, 4);
    case IrOpcode::I64Clz:
    case IrOpcode::I64Ctz:
    case IrOpcode::I64Popcnt:
      return SelectBitCount(value, 8);
    case IrOpcode::I32WrapI64:
    case IrOpcode::I32Extend8S:
    case IrOpcode::I32Extend16S:
      return SelectUnary(value, ToMachine(instruction.opcode), 4);
    case IrOpcode::I64ExtendI32S:
    case IrOpcode::I64Extend8S:
    case IrOpcode::I64Extend16S:
    case IrOpcode::I64Extend32S:
      return SelectUnary(value, ToMachine(instruction.opcode), 8);
    case IrOpcode::Select:
      return SelectSelect(value);
    case IrOpcode::RefFunc: {
      const VirtualId functions =
          LoadField(InstanceField(offsetof(abi::InstanceHeader, functions)), Type::I64);
      LoadField(FieldOf(functions, static_cast<std::int32_t>(instruction.immediate * 8)), Type::I64,
                DefinitionOf(value));
      return;
    }
    case IrOpcode::GlobalAddress:
    case IrOpcode::LoadGlobal:
    case IrOpcode::StoreGlobal:
    case IrOpcode::MemoryBase:
    case IrOpcode::MemoryBytes:
      return SelectGlobal(value);
    case IrOpcode::LoadLocal:
    case IrOpcode::StoreLocal:
      return SelectLocal(value);
    case IrOpcode::TableGet:
    case IrOpcode::TableSet:
    case IrOpcode::TableSize:
      return SelectTable(value);
    case IrOpcode::BoundsCheck: {
      const VirtualId address = Use(instruction.operands[0]);
      const VirtualId first = NewVirtual(Type::I64);
      const VirtualId second = NewVirtual(Type::I64);
      const bool is_64 = At(instruction.operands[0]).type == Type::I64;
      Draft draft = Emit(is_64 ? MachineOpcode::CheckBounds64 : MachineOpcode::CheckBounds, 8);
      draft.LateUse(address).Temporary(first).Temporary(second);
      draft->immediate = instruction.immediate;
      draft->wasm_offset = ir_->wasm_offsets[value];
      return;
    }
    case IrOpcode::AlignmentCheck: {
      Comparison alignment;
      alignment.kind = CompareKind::Test;
      alignment.condition = Condition::NotEqual;
      alignment.size = 4;
      alignment.first = Use(instruction.operands[0]);
      alignment.second.form = OperandForm::Immediate;
      alignment.second.immediate = instruction.immediate - 1;
      return TrapIf(alignment, TrapCode::UnalignedAtomic, ir_->wasm_offsets[value]);
    }
    case IrOpcode::AtomicFence:
      Emit(MachineOpcode::Fence, 8);
      return;
    case IrOpcode::CheckInterrupt: {
      Draft draft = Emit(MachineOpcode::CheckInterrupt, 8);
      draft->wasm_offset = ir_->wasm_offsets[value];
      return;
    }
    case IrOpcode::Call:
      return SelectCall(value);
    case IrOpcode::CallIndirect:
      return SelectCallIndirect(value);
    case IrOpcode::CallResult:
      return SelectCallResult(value);
    case IrOpcode::MemoryGrow:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_grow));
    case IrOpcode::MemoryInit:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_init));
    case IrOpcode::MemoryCopy:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_copy));
    case IrOpcode::MemoryFill:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_fill));
    case IrOpcode::DataDrop:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, data_drop));
    case IrOpcode::TableInit:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, table_init));
    case IrOpcode::TableCopy:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, table_copy));
    case IrOpcode::TableFill:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, table_fill));
    case IrOpcode::TableGrow:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, table_grow));
    case IrOpcode::ElemDrop:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, elem_drop));
    case IrOpcode::MemoryAtomicNotify:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_atomic_notify));
    case IrOpcode::MemoryAtomicWait32:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_atomic_wait32));
    case IrOpcode::MemoryAtomicWait64:
      return SelectRuntimeCall(value, offsetof(abi::RuntimeCalls, memory_atomic_wait64));
    default:
      break;
  }
  if (IsWasm(instruction.opcode) &&
      wasm::Info(ToWasm(instruction.opcode)).immediate == wasm::Immediate::Atomic) {
    return SelectAtomic(value);
  }
  if (IsAccess(instruction.opcode)) {
    return instruction.type == Type::None ? SelectStore(value) : SelectLoad(value);
  }
  Comparison comparison;
  if (FillComparison(value, comparison)) {
    Emit(MachineOpcode::SetCompare, comparison.size)
        .Define(DefinitionOf(value))
        .Comparing(comparison);
    return;
  }
  SelectPlanned(value);
}

}  // namespace tenon::inline TENON_ABI::jit
