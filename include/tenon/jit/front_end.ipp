// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of front_end.hpp: all but control flow.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/folding.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/opcode_plan.hpp>
#include <tenon/jit/trivial_phi.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/instruction_walker.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/type_reader.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL bool FrontEnd::Build(const FrontEndInput& input, std::uint32_t defined_function,
                                Function& out) {
  input_ = &input;
  function_ = &out;
  if (!input.options.locals_in_frame) {
    if (input.options.optimize && BuildOnce(defined_function, true, Locals::InValues)) return true;
    if (BuildOnce(defined_function, false, Locals::InValues)) return true;
  }
  return BuildOnce(defined_function, false, Locals::InFrame);
}

TENON_DECL bool FrontEnd::BuildOnce(std::uint32_t defined_function, bool inlines, Locals locals) {
  const wasm::Module& module = input_->module;
  Function& out = *function_;
  inlines_ = inlines;
  locals_in_frame_ = locals == Locals::InFrame;
  recursive_bodies_ = 0;
  bodies_.clear();
  body_ = {};
  OpenBody(defined_function);
  inlining_.Begin(*body_.facts);
  out.Clear();
  out.index = body_.function;
  out.type = module.functions[out.index];

  stack_.clear();
  labels_.clear();
  edges_.clear();
  kept_values_.clear();
  loop_depth_ = 0;
  is_live_ = is_live_in_facts_ = true;
  entry_base_ = last_parameter_ = kNone;
  table_stamp_ = 0;
  is_over_budget_ = false;
  phi_budget_ = kPhiBudget + kPhisPerByte * body_.facts->CodeSize();

  dominators_.Clear();
  numbering_.Begin(out, dominators_, body_.facts->CodeSize() / 4);
  builder_.Begin(out, numbering_, HasDefaultFloatEnvironment());
  checks_.Begin();
  known_.Begin(module.imported_globals, module.globals.size());
  local_types_.Reset(module.Parameters(out.type), input_->context.type_slots[out.type].parameters,
                     std::max(256u, reader_.Remaining()));
  ReadLocals();
  BeginBody();
  Walk();
  out.context = 0;
  return !is_over_budget_ && !locals_.IsOverBudget();
}

TENON_DECL void FrontEnd::OpenBody(std::uint32_t defined_function) {
  const wasm::Module& module = input_->module;
  body_.facts = &input_->facts.Of(defined_function);
  body_.loops = input_->facts.Loops(*body_.facts);
  body_.next_loop = 0;
  reader_ = wasm::ByteReader{module.bytes, module.bodies[defined_function]};
  body_.function = module.imported_functions + defined_function;
}

TENON_DECL void FrontEnd::ReadLocals() {
  for (std::uint32_t groups = ReadU32(); groups != 0; --groups) {
    const std::uint32_t count = ReadU32();
    ValueType local;
    static_cast<void>(ReadValueType(reader_, input_->context.features, local));
    local_types_.Append(count, local);
  }
}

TENON_DECL void FrontEnd::BeginBody() {
  offset_ = reader_.Offset();
  builder_.SetOffset(offset_);
  const auto parameters = input_->module.Parameters(function_->type);
  const auto count = static_cast<std::uint32_t>(parameters.size());
  const auto sets = input_->facts.Sets(*body_.facts);
  if (locals_in_frame_) {
    locals_.BeginInFrame(*function_, dominators_, numbering_, local_types_, count, sets);
  } else {
    locals_.Begin(*function_, dominators_, numbering_, local_types_, count, sets, phi_budget_);
  }
  Enter(NewBlock(0), false);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    last_parameter_ = builder_.Append(IrOpcode::Parameter, TypeOf(parameters[i]), i);
  }
  if (locals_in_frame_) locals_.StoreInitialValues();
  if (input_->options.interruptible) builder_.Append(IrOpcode::CheckInterrupt, Type::None);
  Label label;
  label.kind = wasm::BlockKind::Function;
  label.type = function_->type;
  labels_.push_back(label);
}

TENON_DECL void FrontEnd::Walk() {
  while (!labels_.empty()) {
    if (!is_live_) {
      SkipUnreached();
      continue;
    }
    offset_ = reader_.Offset();
    builder_.SetOffset(offset_);
    std::uint32_t code = 0;
    // Bodies have been validated; this is for those that are not what they were.
    if (!reader_.ReadOpcode(code) || code >= wasm::kOpcodeLimit) return;
    Translate(code);
  }
}

TENON_DECL void FrontEnd::Translate(std::uint32_t code) {
  const OpcodePlan& plan = kOpcodePlans.rows[code];
  const auto opcode = static_cast<IrOpcode>(code);
  switch (plan.kind) {
    case PlanKind::Unary: {
      ValueId& top = stack_.back();
      top = Canonical(builder_.Unary(opcode, plan.result, function_->Resolve(top)), plan);
      return;
    }
    case PlanKind::Binary: {
      const ValueId second = Pop();
      ValueId& top = stack_.back();
      top = Canonical(builder_.Binary(opcode, plan.result, function_->Resolve(top), second), plan);
      return;
    }
    case PlanKind::Vector:
    case PlanKind::Shuffle:
      Pure(opcode, plan);
      return;
    case PlanKind::Load:
    case PlanKind::Store:
      Access(opcode, plan);
      return;
    case PlanKind::Special:
      Special(static_cast<wasm::Opcode>(code));
      return;
  }
}

TENON_DECL ValueId FrontEnd::Canonical(ValueId value, const OpcodePlan& plan) {
  if (plan.canonical == IrOpcode::Forward || !input_->options.canonical_nan) return value;
  if (IsConstant((*function_)[value].opcode)) return value;
  return builder_.Number(plan.canonical, plan.result, 0, value);
}

/// Vector instructions.
TENON_DECL void FrontEnd::Pure(IrOpcode opcode, const OpcodePlan& plan) {
  std::uint64_t immediate = 0;
  if (plan.immediate == wasm::Immediate::Lane) {
    std::uint8_t lane = 0;
    static_cast<void>(reader_.ReadByte(lane));
    immediate = lane;
  } else if (plan.kind == PlanKind::Shuffle) {
    V128 lanes;
    for (std::uint8_t& lane : lanes.bytes) static_cast<void>(reader_.ReadByte(lane));
    immediate = numbering_.VectorIndex(lanes);
  }
  ValueId operands[3] = {kNone, kNone, kNone};
  for (std::size_t i = plan.operands; i-- > 0;) operands[i] = Pop();
  const bool is_plain = plan.kind == PlanKind::Vector && plan.immediate == wasm::Immediate::None;
  const ValueId value =
      is_plain
          ? builder_.Vector(opcode, plan.result, operands[0], operands[1], operands[2])
          : builder_.Number(opcode, plan.result, immediate, operands[0], operands[1], operands[2]);
  Push(Canonical(value, plan));
}

TENON_DECL ValueId FrontEnd::MemoryBase() {
  if (input_->options.memory == MemoryStyle::Guarded) {
    if (entry_base_ == kNone) {
      Instruction instruction;
      instruction.opcode = IrOpcode::MemoryBase;
      instruction.type = Type::I64;
      entry_base_ = function_->Add(instruction, offset_);
      const ValueId place =
          last_parameter_ == kNone ? function_->blocks[0].first : function_->next[last_parameter_];
      function_->InsertBefore(0, place, entry_base_);
    }
    return entry_base_;
  }
  ValueId base = known_.Base();
  if (base == kNone) {
    base = builder_.Append(IrOpcode::MemoryBase, Type::I64);
    known_.SetBase(base);
  }
  return base;
}

/// An address that is a sum with a constant, if the sum certainly does not wrap.
TENON_DECL void FrontEnd::FoldAddress(ValueId& address, std::uint64_t& offset,
                                      std::uint32_t bytes) const {
  const Instruction& sum = (*function_)[address];
  if (sum.opcode != IrOpcode::I32Add || !builder_.IsConstant(sum.operands[1])) return;
  const std::uint64_t constant = builder_.Bits(sum.operands[1]);
  // A larger offset would need a check where none was needed before.
  if (offset + constant + bytes > kFoldedOffsetLimit) return;
  if (builder_.MaximumOf(sum.operands[0]) + constant > 0xFFFFFFFF) return;
  address = sum.operands[0];
  offset += constant;
}

TENON_DECL void FrontEnd::CheckBounds(ValueId address, std::uint64_t end) {
  if (checks_.TestAndSet(address, end, block_, dominators_)) return;
  builder_.Append(IrOpcode::BoundsCheck, Type::None, end, address);
}

/// An offset of 64 bits that does not fit an access becomes part of the address, once it is known
/// that the sum does not wrap: a sum that the guest makes itself may, and has a check of its own.
TENON_DECL void FrontEnd::AddLargeOffset(ValueId& address, std::uint64_t& offset,
                                         std::uint32_t bytes) {
  if (offset <= INT32_MAX) return;
  // No memory has as many bytes as the largest number says.
  CheckBounds(address, offset > UINT64_MAX - bytes ? UINT64_MAX : offset + bytes);
  address = builder_.Binary(IrOpcode::I64Add, Type::I64, address, builder_.I64(offset));
  offset = 0;
  static_cast<void>(checks_.TestAndSet(address, bytes, block_, dominators_));
}

namespace detail {

/// The load that gives again what a store has written.
constexpr IrOpcode LoadOf(IrOpcode store) {
  switch (store) {
    case IrOpcode::I32Store:
      return IrOpcode::I32Load;
    case IrOpcode::I64Store:
      return IrOpcode::I64Load;
    case IrOpcode::F32Store:
      return IrOpcode::F32Load;
    case IrOpcode::F64Store:
      return IrOpcode::F64Load;
    case IrOpcode::V128Store:
      return IrOpcode::V128Load;
    default:
      return IrOpcode::Forward;
  }
}

}  // namespace detail

TENON_DECL void FrontEnd::Access(IrOpcode opcode, const OpcodePlan& plan) {
  std::uint32_t alignment = 0;
  std::uint64_t offset = 0;
  static_cast<void>(reader_.ReadU32(alignment));
  static_cast<void>(reader_.ReadU64(offset));
  std::uint8_t lane = 0;
  if (plan.immediate == wasm::Immediate::MemoryLane) static_cast<void>(reader_.ReadByte(lane));
  const ValueId value = plan.operands == 2 ? Pop() : kNone;
  ValueId address = Pop();
  const bool is_64 = input_->module.HasMemory64();
  if (is_64) {
    AddLargeOffset(address, offset, plan.bytes);
  } else {
    FoldAddress(address, offset, plan.bytes);
  }
  const bool is_plain_load = plan.kind == PlanKind::Load && plan.operands == 1;
  if (is_plain_load) {
    const ValueId known = known_.Loaded(opcode, address, offset);
    if (known != kNone) {
      Push(known);
      return;
    }
  }
  const std::uint64_t end = offset + plan.bytes;
  // Guard pages lie behind what 32 bits address.
  if (is_64 || input_->options.memory == MemoryStyle::Checked || end > kFoldedOffsetLimit) {
    CheckBounds(address, end);
  }
  const ValueId base = MemoryBase();
  const ValueId access = builder_.Append({opcode,
                                          plan.result,
                                          kInstructionChecked,
                                          {address, value, base},
                                          offset | std::uint64_t{lane} << 32});
  if (is_plain_load) known_.Read(opcode, address, offset, plan.bytes, access);
  if (plan.kind == PlanKind::Load) {
    Push(access);
  } else {
    known_.Write(detail::LoadOf(opcode), address, offset, plan.bytes, value);
  }
}

/// Traps unless the effective address of an atomic access is a multiple of `bytes`.
TENON_DECL void FrontEnd::CheckAlignment(ValueId address, std::uint64_t offset,
                                         std::uint32_t bytes) {
  const std::uint64_t low = offset & (bytes - 1);
  if (bytes == 1) return;
  const bool is_64 = input_->module.HasMemory64();
  if (low != 0) {
    address = is_64 ? builder_.Binary(IrOpcode::I64Add, Type::I64, address, builder_.I64(low))
                    : builder_.Binary(IrOpcode::I32Add, Type::I32, address,
                                      builder_.I32(static_cast<std::uint32_t>(low)));
  }
  if (builder_.IsConstant(address) && (builder_.Bits(address) & (bytes - 1)) == 0) return;
  builder_.Append(IrOpcode::AlignmentCheck, Type::None, bytes, address);
}

/// What stands behind prefix 0xFE. Other threads may see and change memory here, so that nothing is
/// known of it afterwards.
TENON_DECL void FrontEnd::Atomic(wasm::Opcode opcode) {
  const wasm::OpcodeInfo& info = wasm::Info(opcode);
  if (info.immediate == wasm::Immediate::Fence) {
    static_cast<void>(wasm::walk::SkipImmediate(reader_, info.immediate));
    builder_.Append(IrOpcode::AtomicFence, Type::None);
    return known_.ForgetMemory();
  }
  if (info.immediate != wasm::Immediate::Atomic) return;
  std::uint32_t alignment = 0;
  std::uint64_t offset = 0;
  static_cast<void>(reader_.ReadU32(alignment));
  static_cast<void>(reader_.ReadU64(offset));
  const std::size_t operands = info.signature.find(':');
  if (HasList(From(opcode))) {
    return RuntimeCall(From(opcode), static_cast<std::uint32_t>(operands), Type::I32, offset);
  }
  ValueId values[3] = {kNone, kNone, kNone};
  for (std::size_t i = operands; i-- > 0;) values[i] = Pop();
  ValueId& place = values[0];
  const std::uint32_t bytes = 1u << info.width;
  const bool is_64 = input_->module.HasMemory64();
  CheckAlignment(place, offset, bytes);
  if (is_64) {
    AddLargeOffset(place, offset, bytes);
  } else {
    FoldAddress(place, offset, bytes);
  }
  if (is_64 || input_->options.memory == MemoryStyle::Checked ||
      offset + bytes > kFoldedOffsetLimit) {
    CheckBounds(place, offset + bytes);
  }
  if (!is_64) place = builder_.Unary(IrOpcode::I64ExtendI32U, Type::I64, place);
  if (offset > INT32_MAX) {
    place = builder_.Binary(IrOpcode::I64Add, Type::I64, place, builder_.I64(offset));
    offset = 0;
  }
  place = builder_.Binary(IrOpcode::I64Add, Type::I64, MemoryBase(), place);
  const bool has_result = info.signature.back() != ':';
  const Type result = has_result ? TypeOfLetter(info.signature.back()) : Type::None;
  const ValueId access = builder_.Append(
      {From(opcode), result, kInstructionChecked, {values[0], values[1], values[2]}, offset});
  known_.ForgetMemory();
  if (has_result) Push(access);
}

TENON_DECL void FrontEnd::GetGlobal(std::uint32_t index) {
  const wasm::GlobalType& global = input_->module.globals[index];
  const ValueId known = global.is_mutable ? known_.Global(index) : kNone;
  if (known != kNone) {
    Push(known);
    return;
  }
  const Type type = TypeOf(global.type);
  const ValueId address = builder_.Number(IrOpcode::GlobalAddress, Type::I64, index);
  if (!global.is_mutable) {
    Push(builder_.Number(IrOpcode::LoadGlobal, type, 0, address));
    return;
  }
  const ValueId value = builder_.Append(IrOpcode::LoadGlobal, type, 0, address);
  known_.ReadGlobal(index, value);
  Push(value);
}

TENON_DECL void FrontEnd::SetGlobal(std::uint32_t index) {
  const ValueId value = Pop();
  const ValueId address = builder_.Number(IrOpcode::GlobalAddress, Type::I64, index);
  builder_.Append(IrOpcode::StoreGlobal, Type::None, 0, address, value);
  known_.WriteGlobal(index, value);
}

/// `operands` values are taken from the stack, in the order of the list.
TENON_DECL void FrontEnd::Call(IrOpcode opcode, std::uint32_t type, std::uint64_t immediate,
                               std::uint32_t operands) {
  const std::size_t first = stack_.size() - operands;
  for (std::size_t i = first; i < stack_.size(); ++i) stack_[i] = function_->Resolve(stack_[i]);
  const auto results = input_->module.Results(type);
  const Type result = results.size() == 1 ? TypeOf(results[0]) : Type::None;
  const ValueId call =
      builder_.AppendList(opcode, result, immediate, std::span{stack_}.subspan(first));
  stack_.resize(first);
  known_.Forget();
  if (results.size() == 1) {
    Push(call);
    return;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    Push(builder_.Append(IrOpcode::CallResult, TypeOf(results[i]), i, call));
  }
}

TENON_DECL void FrontEnd::RuntimeCall(IrOpcode opcode, std::uint32_t operands, Type result,
                                      std::uint64_t indices) {
  const std::size_t first = stack_.size() - operands;
  for (std::size_t i = first; i < stack_.size(); ++i) stack_[i] = function_->Resolve(stack_[i]);
  const ValueId call =
      builder_.AppendList(opcode, result, indices, std::span{stack_}.subspan(first));
  stack_.resize(first);
  // No other moves the memory, or changes globals.
  if (opcode == IrOpcode::MemoryGrow) {
    known_.Forget();
  } else {
    known_.ForgetMemory();
  }
  if (result != Type::None) Push(call);
}

TENON_DECL void FrontEnd::Special(wasm::Opcode opcode) {
  using wasm::Opcode;
  const auto two_indices = [&] {
    const std::uint64_t first = ReadU32();
    return first | std::uint64_t{ReadU32()} << 32;
  };
  switch (opcode) {
    case Opcode::Nop:
      return;
    case Opcode::Unreachable:
      builder_.Append(IrOpcode::Trap, Type::None,
                      static_cast<std::uint64_t>(TrapCode::Unreachable));
      function_->blocks[block_].is_cold = true;
      is_live_ = is_live_in_facts_ = false;
      return;
    case Opcode::Block:
      return BeginBlock(wasm::BlockKind::Block);
    case Opcode::Loop:
      return BeginBlock(wasm::BlockKind::Loop);
    case Opcode::If:
      return BeginBlock(wasm::BlockKind::If);
    case Opcode::Else:
      return EnterElse();
    case Opcode::End:
      return EndBlock();
    case Opcode::Br:
      return Branch(ReadU32());
    case Opcode::BrIf:
      return BranchIf(ReadU32());
    case Opcode::BrTable:
      return BranchTable();
    case Opcode::Return:
      return Branch(static_cast<std::uint32_t>(labels_.size() - 1) - body_.first_label);

    case Opcode::Call:
      return CallFunction(ReadU32());
    case Opcode::CallIndirect: {
      const std::uint32_t type = ReadU32();
      const std::uint64_t table = ReadU32();
      return Call(IrOpcode::CallIndirect, type, type | table << 32,
                  input_->module.types[type].parameter_count + 1);
    }
    case Opcode::Drop:
      stack_.pop_back();
      return;
    case Opcode::SelectT:
      static_cast<void>(wasm::walk::SkipImmediate(reader_, wasm::Immediate::SelectTypes));
      [[fallthrough]];
    case Opcode::Select: {
      const ValueId condition = Pop();
      const ValueId second = Pop();
      const ValueId first = Pop();
      Push(builder_.Select((*function_)[first].type, first, second, condition));
      return;
    }

    case Opcode::LocalGet:
      Push(locals_.Get(ReadLocal()));
      return;
    case Opcode::LocalSet:
      locals_.Set(ReadLocal(), Pop());
      return;
    case Opcode::LocalTee:
      locals_.Set(ReadLocal(), function_->Resolve(stack_.back()));
      return;
    case Opcode::GlobalGet:
      return GetGlobal(ReadU32());
    case Opcode::GlobalSet:
      return SetGlobal(ReadU32());

    case Opcode::I32Const: {
      std::int32_t value = 0;
      static_cast<void>(reader_.ReadS32(value));
      Push(builder_.I32(static_cast<std::uint32_t>(value)));
      return;
    }
    case Opcode::I64Const: {
      std::int64_t value = 0;
      static_cast<void>(reader_.ReadS64(value));
      Push(builder_.I64(static_cast<std::uint64_t>(value)));
      return;
    }
    case Opcode::F32Const: {
      std::uint32_t bits = 0;
      static_cast<void>(reader_.ReadFixed32(bits));
      Push(builder_.Constant(IrOpcode::F32Const, bits));
      return;
    }
    case Opcode::F64Const: {
      std::uint64_t bits = 0;
      static_cast<void>(reader_.ReadFixed64(bits));
      Push(builder_.Constant(IrOpcode::F64Const, bits));
      return;
    }
    case Opcode::V128Const: {
      V128 value;
      for (std::uint8_t& byte : value.bytes) static_cast<void>(reader_.ReadByte(byte));
      Push(builder_.VectorConstant(value));
      return;
    }

    case Opcode::RefNull: {
      std::uint8_t ignored = 0;
      static_cast<void>(reader_.ReadByte(ignored));
      Push(builder_.I64(0));
      return;
    }
    case Opcode::RefIsNull:
      Push(builder_.Unary(IrOpcode::I64Eqz, Type::I32, Pop()));
      return;
    case Opcode::RefFunc:
      Push(builder_.Number(IrOpcode::RefFunc, Type::I64, ReadU32()));
      return;
    case Opcode::TableGet: {
      const std::uint32_t table = ReadU32();
      Push(builder_.Append(IrOpcode::TableGet, TypeOf(input_->module.tables[table].element), table,
                           Pop()));
      return;
    }
    case Opcode::TableSet: {
      const std::uint32_t table = ReadU32();
      const ValueId value = Pop();
      const ValueId index = Pop();
      builder_.Append(IrOpcode::TableSet, Type::None, table, index, value);
      return;
    }
    case Opcode::TableSize:
      Push(builder_.Append(IrOpcode::TableSize, Type::I32, ReadU32()));
      return;

    case Opcode::MemorySize: {
      ReadU32();
      const ValueId bytes = builder_.Append(IrOpcode::MemoryBytes, Type::I64,
                                            input_->module.HasSharedMemory() ? 1 : 0);
      const ValueId pages = builder_.Binary(IrOpcode::I64ShrU, Type::I64, bytes, builder_.I64(16));
      Push(input_->module.HasMemory64() ? pages
                                        : builder_.Unary(IrOpcode::I32WrapI64, Type::I32, pages));
      return;
    }
    case Opcode::MemoryGrow:
      return RuntimeCall(IrOpcode::MemoryGrow, 1,
                         input_->module.HasMemory64() ? Type::I64 : Type::I32, ReadU32());
    case Opcode::MemoryFill:
      return RuntimeCall(IrOpcode::MemoryFill, 3, Type::None, ReadU32());
    case Opcode::MemoryCopy:
      return RuntimeCall(IrOpcode::MemoryCopy, 3, Type::None, two_indices());
    case Opcode::MemoryInit:
      return RuntimeCall(IrOpcode::MemoryInit, 3, Type::None, two_indices());
    case Opcode::DataDrop:
      return RuntimeCall(IrOpcode::DataDrop, 0, Type::None, ReadU32());
    case Opcode::TableGrow:
      return RuntimeCall(IrOpcode::TableGrow, 2, Type::I32, ReadU32());
    case Opcode::TableFill:
      return RuntimeCall(IrOpcode::TableFill, 3, Type::None, ReadU32());
    case Opcode::TableCopy:
      return RuntimeCall(IrOpcode::TableCopy, 3, Type::None, two_indices());
    case Opcode::TableInit:
      return RuntimeCall(IrOpcode::TableInit, 3, Type::None, two_indices());
    case Opcode::ElemDrop:
      return RuntimeCall(IrOpcode::ElemDrop, 0, Type::None, ReadU32());
    default:
      return Atomic(opcode);
  }
}

}  // namespace tenon::inline TENON_ABI::jit
