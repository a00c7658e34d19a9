// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of validator_state.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/type_reader.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_plan.hpp>
#include <tenon/wasm/validator_sink.hpp>
#include <tenon/wasm/validator_state.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

TENON_DECL BodyState::BodyState(const ValidationContext& context, std::uint32_t defined_function,
                                ValidationScratch& scratch)
    : context_{context},
      module_{*context.module},
      reader_{module_.bytes, module_.bodies[defined_function]},
      frames_{scratch.frames_},
      locals_{scratch.locals_},
      opcode_offset_{reader_.Offset()},
      function_{module_.imported_functions + defined_function},
      operands_{scratch.operands_} {
  frames_.clear();
  if (operands_.empty()) operands_.resize(256);
  base_ = top_ = floor_ = high_ = operands_.data();
  ControlFrame frame;
  frame.kind = BlockKind::Function;
  frame.type = module_.functions[function_];
  frames_.push_back(frame);
}

// Operands.

TENON_DECL bool BodyState::Raise(std::size_t slots) {
  const std::size_t height = Height();
  const std::size_t wanted = height + slots;
  if (wanted > kMaxOperandSlots) {
    return Fail(ErrorCode::LimitExceeded, "operand stack slots", wanted,
                std::uint64_t{kMaxOperandSlots});
  }
  if (wanted > operands_.size()) {
    const auto floor = floor_ - base_;
    operands_.resize(std::max(wanted, operands_.size() * 2));
    base_ = operands_.data();
    top_ = base_ + height;
    floor_ = base_ + floor;
  }
  high_ = base_ + wanted;
  return true;
}

TENON_DECL bool BodyState::PopOther(ValueType type) {
  if (top_ == floor_) {
    return frames_.back().is_unreachable || Fail(ErrorCode::TypeMismatchEmpty, type);
  }
  if (top_[-1] != kBottom) {
    return Fail(ErrorCode::TypeMismatch, type, ValueType::FromBits(top_[-1]));
  }
  --top_;
  return true;
}

TENON_DECL bool BodyState::PopAny(const char* expected, std::uint32_t& bits) {
  bits = kBottom;
  if (top_ == floor_) {
    return frames_.back().is_unreachable || Fail(ErrorCode::TypeMismatchEmpty, expected);
  }
  bits = top_[-1];
  top_ -= bits == kBottom ? 1 : ValueType::FromBits(bits).SlotCount();
  return true;
}

TENON_DECL bool BodyState::ApplySignature(const InstructionPlan& plan) {
  for (std::uint32_t i = plan.operand_count; i-- > 0;) {
    const std::uint8_t code = plan.operands[i];
    if (!Pop(code == kAddressOperand ? AddressType() : ValueType::FromBits(code))) return false;
  }
  return plan.result == 0 || Push(ValueType::FromBits(plan.result));
}

TENON_DECL bool BodyState::MatchTopSlowly(SlotTypes types, std::uint32_t*& rest) {
  std::uint32_t* cursor = top_;
  for (std::size_t i = types.size(); i != 0;) {
    const ValueType type = types[i - 1];
    i -= type.SlotCount();
    if (cursor == floor_) {
      if (frames_.back().is_unreachable) break;
      return Fail(ErrorCode::TypeMismatchEmpty, type);
    }
    if (cursor[-1] == type.Bits()) {
      cursor -= type.SlotCount();
    } else if (cursor[-1] == kBottom) {
      --cursor;
    } else {
      return Fail(ErrorCode::TypeMismatch, type, ValueType::FromBits(cursor[-1]));
    }
  }
  rest = cursor;
  return true;
}

// Blocks.

TENON_DECL BlockInfo BodyState::Describe(const ControlFrame& frame) const {
  BlockInfo info;
  info.kind = frame.kind;
  info.opcode_offset = opcode_offset_;
  info.body_offset = reader_.Offset();
  info.parameter_slots = static_cast<std::uint32_t>(Parameters(frame).size());
  info.result_slots = static_cast<std::uint32_t>(Results(frame).size());
  if (frame.type != kNoIndex) {
    info.parameters = module_.Parameters(frame.type);
    info.results = module_.Results(frame.type);
  } else if (frame.result_slots != 0) {
    info.results = {frame.result, 1};
  }
  return info;
}

TENON_DECL std::size_t BodyState::LabelArity(const ControlFrame& frame) const {
  const bool is_loop = frame.kind == BlockKind::Loop;
  if (frame.type == kNoIndex) return is_loop || frame.result_slots == 0 ? 0 : 1;
  const TypeDefinition& type = module_.types[frame.type];
  return is_loop ? type.parameter_count : type.result_count;
}

TENON_DECL bool BodyState::BeginBlock(BlockKind kind) {
  ControlFrame frame;
  frame.kind = kind;
  frame.is_dead = !is_live_;
  const std::uint32_t offset = reader_.Offset();
  const int first = reader_.Peek();
  if (first == 0x40) {
    std::uint8_t ignored = 0;
    if (!reader_.ReadByte(ignored)) return false;
  } else if (first >= 0x40 && first < 0x80) {
    if (!ReadValueType(reader_, context_.features, frame.result[0])) return false;
    frame.result[1] = frame.result[0];
    frame.result_slots = static_cast<std::uint8_t>(frame.result[0].SlotCount());
  } else {
    std::int64_t type = 0;
    if (!reader_.ReadS33(type)) return false;
    if (type < 0) return reader_.Fail(ErrorCode::MalformedBlockType, offset);
    if (static_cast<std::uint64_t>(type) >= module_.types.size() ||
        module_.types[static_cast<std::size_t>(type)].kind != TypeKind::Function) {
      return Fail(ErrorCode::UnknownType, static_cast<std::uint64_t>(type));
    }
    frame.type = static_cast<std::uint32_t>(type);
    const TypeDefinition& definition = module_.types[frame.type];
    if ((definition.parameter_count != 0 || definition.result_count > 1) &&
        !context_.features.IsEnabled(Feature::MultiValue)) {
      return Fail(ErrorCode::FeatureDisabled, Feature::MultiValue, "a block type");
    }
  }
  if (kind == BlockKind::If && !Pop(ValueType::I32)) return false;
  const SlotTypes parameters = Parameters(frame);
  if (!PopTypes(parameters)) return false;
  frame.height = Height();
  frames_.push_back(frame);
  floor_ = top_;
  return PushTypes(parameters, HasVector(frame));
}

TENON_DECL bool BodyState::CheckBlockResults(const ControlFrame& frame) {
  std::uint32_t* rest = nullptr;
  if (!MatchTop(Results(frame), rest)) return false;
  if (rest == floor_) return true;
  std::uint64_t values = 0;
  while (rest != floor_) {
    const std::uint32_t bits = rest[-1];
    rest -= bits == kBottom ? 1 : ValueType::FromBits(bits).SlotCount();
    ++values;
  }
  return Fail(ErrorCode::TypeMismatchHeight, values);
}

TENON_DECL bool BodyState::CheckElse() {
  const ControlFrame& frame = frames_.back();
  if (frame.kind != BlockKind::If) return Fail(ErrorCode::UnmatchedElse);
  return CheckBlockResults(frame);
}

TENON_DECL bool BodyState::EnterElse() {
  ControlFrame& frame = frames_.back();
  frame.kind = BlockKind::Else;
  frame.is_unreachable = false;
  top_ = floor_;
  Revive(frame);
  return PushTypes(Parameters(frame), HasVector(frame));
}

TENON_DECL bool BodyState::CheckEnd() {
  const ControlFrame& frame = frames_.back();
  if (!CheckBlockResults(frame)) return false;
  if (frame.kind == BlockKind::If) {
    const SlotTypes parameters = Parameters(frame);
    const SlotTypes results = Results(frame);
    if (!std::equal(parameters.begin(), parameters.end(), results.begin(), results.end())) {
      return Fail(ErrorCode::TypeMismatchIf);
    }
  }
  return true;
}

TENON_DECL bool BodyState::LeaveBlock() {
  const ControlFrame frame = frames_.back();
  frames_.pop_back();
  top_ = floor_;
  floor_ = base_ + (frames_.empty() ? 0 : frames_.back().height);
  Revive(frame);
  return PushTypes(Results(frame), HasVector(frame));
}

TENON_DECL void BodyState::SetUnreachable() {
  frames_.back().is_unreachable = true;
  top_ = floor_;
  if (is_live_) {
    is_live_ = false;
    live_high_ = static_cast<std::uint32_t>(high_ - base_);
  }
}

/// What follows can be reached again if the block's beginning could.
TENON_DECL void BodyState::Revive(const ControlFrame& frame) {
  if (is_live_ || frame.is_dead) return;
  is_live_ = true;
  high_ = base_ + live_high_;
}

TENON_DECL bool BodyState::FindLabel(std::uint32_t depth, const ControlFrame*& frame) {
  if (depth >= frames_.size()) return Fail(ErrorCode::UnknownLabel, depth);
  frame = &frames_[frames_.size() - 1 - depth];
  return true;
}

TENON_DECL bool BodyState::ReadBranch(BranchInfo& branch, std::uint32_t*& rest) {
  const ControlFrame* frame = nullptr;
  if (!reader_.ReadU32(branch.depth) || !FindLabel(branch.depth, frame) ||
      !MatchTop(LabelTypes(*frame), rest)) {
    return false;
  }
  branch.opcode_offset = opcode_offset_;
  branch.arity = static_cast<std::uint32_t>(LabelTypes(*frame).size());
  branch.drop = static_cast<std::uint32_t>(rest - base_) - frame->height;
  return true;
}

TENON_DECL bool BodyState::ReadTableTarget(BranchInfo& branch, bool is_first) {
  const ControlFrame* frame = nullptr;
  if (!reader_.ReadU32(branch.depth) || !FindLabel(branch.depth, frame)) return false;
  const SlotTypes types = LabelTypes(*frame);
  const std::size_t arity = LabelArity(*frame);
  if (is_first) {
    matched_targets_ = {};
    target_arity_ = arity;
  } else if (arity != target_arity_) {
    return Fail(ErrorCode::TypeMismatchBranch, target_arity_, arity);
  }
  // Neighbours often share their types, which then need no second look.
  if (types.data() != matched_targets_.data() || types.size() != matched_targets_.size()) {
    std::uint32_t* rest = nullptr;
    if (!MatchTop(types, rest)) return false;
    matched_targets_ = types;
  }
  branch.opcode_offset = opcode_offset_;
  branch.arity = static_cast<std::uint32_t>(types.size());
  branch.drop = Height() - branch.arity - frame->height;
  return true;
}

TENON_DECL bool BodyState::FallThroughBranch(const BranchInfo& branch, std::uint32_t* rest) {
  if (!frames_.back().is_unreachable) return true;
  const ControlFrame* frame = nullptr;
  if (!FindLabel(branch.depth, frame)) return false;
  top_ = rest;
  return PushTypes(LabelTypes(*frame), HasVector(*frame));
}

// Locals.

TENON_DECL bool BodyState::ReadLocals(FunctionInfo& info) {
  info.function = function_;
  info.type = module_.functions[function_];
  info.code_end = reader_.Offset() + reader_.Remaining();
  const TypeSlots& slots = context_.type_slots[info.type];
  info.parameter_slots = slots.parameters;
  info.result_slots = slots.results;
  info.locals = &locals_;
  locals_.Reset(module_.Parameters(info.type), slots.parameters,
                std::max(256u, reader_.Remaining()));
  std::uint32_t groups = 0;
  if (!reader_.ReadCount(groups)) return false;
  std::uint64_t total = locals_.Size();
  for (; groups != 0; --groups) {
    opcode_offset_ = reader_.Offset();
    std::uint32_t count = 0;
    ValueType type;
    if (!reader_.ReadU32(count)) return false;
    total += count;
    if (total > context_.limits.locals) {
      return Fail(ErrorCode::TooManyLocals, total, std::uint64_t{context_.limits.locals});
    }
    if (!ReadValueType(reader_, context_.features, type)) return false;
    locals_.Append(count, type);
  }
  info.code_offset = reader_.Offset();
  has_vector_ = locals_.HasVector() || info.result_slots != module_.types[info.type].result_count;
  info.has_vector = has_vector_;
  return true;
}

// Immediates.

TENON_DECL bool BodyState::ReadImmediate(const InstructionPlan& plan) {
  switch (plan.immediate) {
    case Immediate::I64: {
      std::int64_t ignored = 0;
      return reader_.ReadS64(ignored);
    }
    case Immediate::F32:
      return reader_.Skip(4);
    case Immediate::F64:
      return reader_.Skip(8);
    case Immediate::V128:
      return reader_.Skip(16);
    case Immediate::Lane:
    case Immediate::MemoryLane:
      return ReadLane(16u >> plan.width);
    case Immediate::Fence: {
      const std::uint32_t start = reader_.Offset();
      std::uint8_t order = 0;
      if (!reader_.ReadByte(order)) return false;
      return order == 0 || reader_.Fail(ErrorCode::ZeroByteExpected, start);
    }
    case Immediate::Shuffle:
      for (int i = 0; i < 16; ++i) {
        if (!ReadLane(32)) return false;
      }
      return true;
    default:
      return true;
  }
}

TENON_DECL bool BodyState::ReadLane(std::uint32_t count) {
  std::uint8_t lane = 0;
  if (!reader_.ReadByte(lane)) return false;
  return lane < count || Fail(ErrorCode::InvalidLane, std::uint64_t{lane}, count);
}

TENON_DECL bool BodyState::ReadMemoryArgument(const InstructionPlan& plan) {
  const std::uint32_t start = reader_.Offset();
  const bool is_64 = AddressType() == ValueType::I64;
  std::uint32_t flags = 0;
  if (!reader_.ReadU32(flags)) return false;
  // Bit 6 announces a memory index; from bit 7 on nothing is defined.
  if (flags >= 0x40) return reader_.Fail(ErrorCode::MalformedMemoryFlags, start, flags);
  std::uint32_t offset = 0;
  std::uint64_t wide_offset = 0;
  if (!(is_64 ? reader_.ReadU64(wide_offset) : reader_.ReadU32(offset))) return false;
  if (module_.memories.empty()) return Fail(ErrorCode::UnknownMemory, std::uint64_t{0});
  const std::uint32_t width = plan.width;
  if (plan.immediate == Immediate::Atomic && flags != width) {
    return Fail(ErrorCode::AlignmentNotNatural, flags, width);
  }
  return flags <= width || Fail(ErrorCode::AlignmentTooLarge, flags, width);
}

TENON_DECL bool BodyState::ReadMemoryIndex() {
  const std::uint32_t start = reader_.Offset();
  std::uint8_t memory = 0;
  if (!reader_.ReadByte(memory)) return false;
  if (memory != 0) return reader_.Fail(ErrorCode::ZeroByteExpected, start);
  return !module_.memories.empty() || Fail(ErrorCode::UnknownMemory, std::uint64_t{0});
}

TENON_DECL bool BodyState::ReadTable(std::uint32_t& table) {
  const std::uint32_t start = reader_.Offset();
  if (!reader_.ReadU32(table)) return false;
  if (!context_.features.IsEnabled(Feature::ReferenceTypes) &&
      (table != 0 || reader_.Offset() != start + 1)) {
    return reader_.Fail(ErrorCode::ZeroByteExpected, start);
  }
  return table < module_.tables.size() || Fail(ErrorCode::UnknownTable, table);
}

TENON_DECL bool BodyState::ReadDataIndex() {
  std::uint32_t data = 0;
  if (!reader_.ReadU32(data)) return false;
  if (module_.data_count == kNoIndex) return Fail(ErrorCode::DataCountRequired);
  return data < module_.data_count || Fail(ErrorCode::UnknownDataSegment, data);
}

TENON_DECL bool BodyState::ReadElementIndex(std::uint32_t& element) {
  if (!reader_.ReadU32(element)) return false;
  return element < module_.elements.size() || Fail(ErrorCode::UnknownElementSegment, element);
}

TENON_DECL bool BodyState::ReadLocal(std::uint32_t& local, ValueType& type) {
  if (!reader_.ReadU32(local)) return false;
  if (local >= locals_.Size()) return Fail(ErrorCode::UnknownLocal, local);
  type = locals_[local];
  return true;
}

TENON_DECL bool BodyState::ReadGlobal(std::uint32_t& global) {
  if (!reader_.ReadU32(global)) return false;
  return global < module_.globals.size() || Fail(ErrorCode::UnknownGlobal, global);
}

// Instructions whose types depend on their immediates or operands.

TENON_DECL bool BodyState::Select(ValueType& type) {
  std::uint32_t second = kBottom;
  std::uint32_t first = kBottom;
  if (!Pop(ValueType::I32) || !PopAny("a value", second) || !PopAny("a value", first)) {
    return false;
  }
  for (const std::uint32_t bits : {second, first}) {
    if (bits != kBottom && ValueType::FromBits(bits).IsReference()) {
      return Fail(ErrorCode::TypeMismatchNumeric, ValueType::FromBits(bits));
    }
  }
  if (first == kBottom) {
    first = second;
  } else if (second != kBottom && second != first) {
    return Fail(ErrorCode::TypeMismatch, ValueType::FromBits(first), ValueType::FromBits(second));
  }
  if (first == kBottom) return PushBottom();
  type = ValueType::FromBits(first);
  return Push(type);
}

TENON_DECL bool BodyState::SelectTyped() {
  std::uint32_t count = 0;
  ValueType type;
  if (!reader_.ReadCount(count)) return false;
  if (count != 1) return Fail(ErrorCode::InvalidResultArity, count);
  return ReadValueType(reader_, context_.features, type) && Pop(ValueType::I32) && Pop(type) &&
         Pop(type) && Push(type);
}

TENON_DECL bool BodyState::Call(std::uint32_t& function) {
  if (!reader_.ReadU32(function)) return false;
  if (function >= module_.functions.size()) return Fail(ErrorCode::UnknownFunction, function);
  const std::uint32_t type = module_.functions[function];
  return PopTypes(context_.Parameters(type)) && PushTypes(context_.Results(type), HasVector(type));
}

TENON_DECL bool BodyState::CallIndirect(std::uint32_t& type, std::uint32_t& table) {
  if (!reader_.ReadU32(type) || !ReadTable(table)) return false;
  if (type >= module_.types.size() || module_.types[type].kind != TypeKind::Function) {
    return Fail(ErrorCode::UnknownType, type);
  }
  if (module_.tables[table].element != ValueType::FuncRef) {
    return Fail(ErrorCode::TypeMismatch, ValueType::FuncRef, module_.tables[table].element);
  }
  return Pop(TableAddressType(table)) && PopTypes(context_.Parameters(type)) &&
         PushTypes(context_.Results(type), HasVector(type));
}

TENON_DECL bool BodyState::ReferenceInstruction(Opcode opcode) {
  if (opcode == Opcode::RefIsNull) {
    std::uint32_t bits = kBottom;
    if (!PopAny("a reference", bits)) return false;
    if (bits != kBottom && !ValueType::FromBits(bits).IsReference()) {
      return Fail(ErrorCode::TypeMismatchReference, ValueType::FromBits(bits));
    }
    return Push(ValueType::I32);
  }
  if (opcode == Opcode::RefFunc) {
    std::uint32_t function = 0;
    if (!reader_.ReadU32(function)) return false;
    if (function >= module_.functions.size()) return Fail(ErrorCode::UnknownFunction, function);
    if (!context_.declared_functions[function]) {
      return Fail(ErrorCode::UndeclaredFunctionReference, function);
    }
    return Push(ValueType::FuncRef);
  }
  HeapType heap = HeapType::Func;
  return ReadHeapType(reader_, heap) && Push(ValueType::Reference(heap, true));
}

TENON_DECL bool BodyState::TableInstruction(Opcode opcode) {
  if (opcode == Opcode::ElemDrop) {
    std::uint32_t element = 0;
    return ReadElementIndex(element);
  }
  if (opcode == Opcode::TableInit) {
    std::uint32_t element = 0;
    std::uint32_t table = 0;
    if (!ReadElementIndex(element) || !ReadTable(table)) return false;
    if (module_.elements[element].type != module_.tables[table].element) {
      return Fail(ErrorCode::TypeMismatchElement, module_.elements[element].type,
                  module_.tables[table].element);
    }
    return Pop(ValueType::I32) && Pop(ValueType::I32) && Pop(TableAddressType(table));
  }
  std::uint32_t table = 0;
  if (!ReadTable(table)) return false;
  const ValueType element = module_.tables[table].element;
  const ValueType address = TableAddressType(table);
  switch (opcode) {
    case Opcode::TableGet:
      return Pop(address) && Push(element);
    case Opcode::TableSet:
      return Pop(element) && Pop(address);
    case Opcode::TableSize:
      return Push(address);
    case Opcode::TableGrow:
      return Pop(address) && Pop(element) && Push(address);
    case Opcode::TableFill:
      return Pop(address) && Pop(element) && Pop(address);
    default: {
      std::uint32_t source = 0;
      if (!ReadTable(source)) return false;
      if (module_.tables[source].element != element) {
        return Fail(ErrorCode::TypeMismatch, element, module_.tables[source].element);
      }
      const ValueType source_address = TableAddressType(source);
      const ValueType length = source_address == address ? address : ValueType::I32;
      return Pop(length) && Pop(source_address) && Pop(address);
    }
  }
}

TENON_DECL bool BodyState::MemoryInstruction(Opcode opcode) {
  if (opcode == Opcode::DataDrop) return ReadDataIndex();
  if (opcode == Opcode::MemoryInit && !ReadDataIndex()) return false;
  if (!ReadMemoryIndex()) return false;
  const ValueType address = AddressType();
  switch (opcode) {
    case Opcode::MemorySize:
      return Push(address);
    case Opcode::MemoryGrow:
      return Pop(address) && Push(address);
    case Opcode::MemoryInit:
      return Pop(ValueType::I32) && Pop(ValueType::I32) && Pop(address);
    case Opcode::MemoryFill:
      return Pop(address) && Pop(ValueType::I32) && Pop(address);
    default:
      return ReadMemoryIndex() && Pop(address) && Pop(address) && Pop(address);
  }
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
