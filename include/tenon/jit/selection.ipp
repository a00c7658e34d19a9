// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of selection.hpp.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenon/abi/records.hpp>
#include <tenon/abi/runtime_calls.hpp>
#include <tenon/jit/direct_opcode.hpp>
#include <tenon/jit/effects.hpp>
#include <tenon/jit/float_plan.hpp>
#include <tenon/jit/selection.hpp>
#include <tenon/jit/vector_plan.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

// --- Drafts --------------------------------------------------------------------------------------

/// Appends operands to the instruction made last.
class Selector::Draft {
 public:
  Draft(MachineFunction& function, MachineInstruction& instruction)
      : function_{function}, instruction_{instruction} {}

  Draft& Define(VirtualId value) { return Append(value, OperandRole::Define); }
  Draft& DefineFixed(VirtualId value, Register reg) {
    return Append(value, OperandRole::Define, OperandPolicy::Fixed, reg);
  }
  /// In the register of operand `use`.
  Draft& DefineReuse(VirtualId value, std::uint8_t use) {
    return Append(value, OperandRole::Define, OperandPolicy::Reuse, use);
  }
  Draft& Use(VirtualId value) { return Append(value, OperandRole::Use); }
  Draft& UseAny(VirtualId value) { return Append(value, OperandRole::Use, OperandPolicy::Any); }
  Draft& UseFixed(VirtualId value, Register reg) {
    return Append(value, OperandRole::Use, OperandPolicy::Fixed, reg);
  }
  Draft& LateUse(VirtualId value) { return Append(value, OperandRole::LateUse); }
  Draft& Temporary(VirtualId value) { return Append(value, OperandRole::Temporary); }

  Draft& At(const Selector::Address& address) { return Reach(address, OperandRole::Use); }
  /// An address that is used after the definition is written.
  Draft& AtLate(const Selector::Address& address) { return Reach(address, OperandRole::LateUse); }

  Draft& Reach(const Selector::Address& address, OperandRole role) {
    MachineAddress& target = instruction_.address;
    target.displacement = address.displacement;
    target.scale = address.scale;
    target.base = MachineAddress::kAbsent;
    target.index = MachineAddress::kAbsent;
    if (address.special_base != 0) target.base = address.special_base;
    if (address.base != kNone) {
      target.base = instruction_.operand_count;
      Append(address.base, role);
    }
    if (address.index != kNone) {
      target.index = instruction_.operand_count;
      Append(address.index, role);
    }
    if (address.wasm_offset != 0) {
      instruction_.wasm_offset = address.wasm_offset;
      instruction_.context = address.context;
    }
    return *this;
  }

  Draft& From(const Selector::Source& source) {
    instruction_.form = static_cast<std::uint8_t>(source.form);
    switch (source.form) {
      case OperandForm::Operand:
        return UseAny(source.value);
      case OperandForm::Immediate:
        instruction_.immediate = source.immediate;
        return *this;
      case OperandForm::Memory:
        return At(source.address);
    }
    return *this;
  }

  Draft& Comparing(const Selector::Comparison& comparison) {
    instruction_.compare = static_cast<std::uint8_t>(comparison.kind);
    instruction_.condition = static_cast<std::uint8_t>(comparison.condition);
    instruction_.compare_operand = instruction_.operand_count;
    Use(comparison.first);
    return From(comparison.second);
  }

  MachineInstruction& operator*() { return instruction_; }
  MachineInstruction* operator->() { return &instruction_; }

 private:
  Draft& Append(VirtualId value, OperandRole role, OperandPolicy policy = OperandPolicy::InRegister,
                std::uint8_t fixed = 0) {
    function_.operands.push_back({value, role, policy, fixed});
    ++instruction_.operand_count;
    return *this;
  }

  MachineFunction& function_;
  MachineInstruction& instruction_;
};

inline VirtualId Selector::NewVirtual(Type type) {
  const auto value = static_cast<VirtualId>(out_->registers.size());
  VirtualRegister made;
  made.register_class =
      type == Type::I32 || type == Type::I64 ? RegisterClass::Integer : RegisterClass::Vector;
  made.is_wide = type == Type::V128;
  out_->registers.push_back(made);
  return value;
}

inline Selector::Draft Selector::Emit(MachineOpcode opcode, std::uint8_t size) {
  MachineInstruction& instruction = group_.emplace_back();
  instruction.opcode = static_cast<std::uint16_t>(opcode);
  instruction.size = size;
  instruction.context = context_;
  instruction.first_operand = static_cast<std::uint32_t>(out_->operands.size());
  return Draft{*out_, instruction};
}

inline void Selector::MarkRematerializable(VirtualId value) {
  remakes_.emplace_back(static_cast<std::uint32_t>(group_.size() - 1), value);
}

inline void Selector::FlushGroup() {
  const auto base = static_cast<std::uint32_t>(reversed_.size());
  const auto count = static_cast<std::uint32_t>(group_.size());
  for (const auto& [position, value] : remakes_) {
    out_->registers[value].rematerialization = base + (count - 1 - position);
  }
  remakes_.clear();
  reversed_.insert(reversed_.end(), group_.rbegin(), group_.rend());
  group_.clear();
}

// --- Preparation ---------------------------------------------------------------------------------

namespace detail {

/// Marks a value whose work another instruction does.
inline constexpr VirtualId kAbsorbed = kNone - 1;

constexpr std::uint8_t SizeOf(Type type) {
  return type == Type::I32 || type == Type::F32 ? 4 : type == Type::V128 ? 16 : 8;
}

}  // namespace detail

inline void Selector::Analyze() {
  const std::size_t count = ir_->instructions.size();
  uses_.assign(count, 0);
  colors_.assign(count, 0);
  virtuals_.assign(count, kNone);
  hoisted_.assign(count, kNone);
  hoisted_values_.clear();
  last_uses_.assign(count, 0);
  positions_.assign(ir_->blocks.size(), 0);
  for (std::uint32_t i = 0; i < ir_->order.size(); ++i) positions_[ir_->order[i]] = i;
  for (const BlockId block : ir_->order) {
    std::uint32_t color = 0;
    for (ValueId value = ir_->blocks[block].first; value != kNone; value = ir_->next[value]) {
      const Instruction& instruction = At(value);
      colors_[value] = color;
      if (HasEffect(instruction)) ++color;
      const auto use = [&](ValueId operand, BlockId user) {
        ++uses_[operand];
        last_uses_[operand] = std::max(last_uses_[operand], positions_[user]);
      };
      if (instruction.opcode == IrOpcode::Phi) {
        const std::span<const ValueId> arguments = ir_->List(instruction);
        for (std::size_t i = 0; i < arguments.size(); ++i) {
          use(arguments[i], ir_->blocks[block].predecessors[i]);
        }
      } else {
        VisitOperands(*ir_, instruction, [&](ValueId operand) { use(operand, block); });
      }
    }
  }
}

inline bool Selector::NeedsEdgeBlock(BlockId from, std::uint32_t successor) const {
  const Block& source = ir_->blocks[from];
  if (source.successors.size() < 2) return false;
  const Block& target = ir_->blocks[source.successors[successor]];
  return target.predecessors.size() > 1;
}

inline void Selector::NumberEdges() {
  constexpr std::uint32_t kFew = 4;
  edge_keys_.clear();
  first_edge_.assign(ir_->blocks.size(), 0);
  std::uint32_t edges = 0;
  for (const BlockId block : ir_->order) {
    first_edge_[block] = edges;
    edges += static_cast<std::uint32_t>(ir_->blocks[block].successors.size());
  }
  edge_places_.assign(edges, kNone);
  edge_positions_.assign(edges, kNone);
  for (const BlockId block : ir_->order) {
    const Block& target = ir_->blocks[block];
    for (std::uint32_t i = 0; i < target.predecessors.size(); ++i) {
      const BlockId from = target.predecessors[i];
      const ShortList<BlockId>& successors = ir_->blocks[from].successors;
      if (successors.size() > kFew) {
        edge_keys_.push_back({(std::uint64_t{from} << 32) | block, i});
        continue;
      }
      // Both edges of a branch may lead to one block.
      for (std::uint32_t k = 0; k < successors.size(); ++k) {
        std::uint32_t& position = edge_positions_[first_edge_[from] + k];
        if (successors[k] != block || position != kNone) continue;
        position = i;
        break;
      }
    }
  }
  if (edge_keys_.empty()) return;
  std::ranges::sort(edge_keys_, {}, &EdgeKey::edge);
  for (const BlockId block : ir_->order) {
    const ShortList<BlockId>& successors = ir_->blocks[block].successors;
    if (successors.size() <= kFew) continue;
    for (std::uint32_t i = 0; i < successors.size(); ++i) {
      const std::uint64_t edge = (std::uint64_t{block} << 32) | successors[i];
      edge_positions_[first_edge_[block] + i] =
          std::ranges::lower_bound(edge_keys_, edge, {}, &EdgeKey::edge)->position;
    }
  }
}

inline std::uint32_t Selector::EdgePosition(BlockId from, std::uint32_t successor) const {
  return edge_positions_[first_edge_[from] + successor];
}

/// Whether the block does nothing but return.
inline bool Selector::IsReturn(BlockId block) const {
  ValueId value = ir_->blocks[block].first;
  while (At(value).opcode == IrOpcode::Phi) value = ir_->next[value];
  return At(value).opcode == IrOpcode::Return;
}

/// Whether nothing in the block needs a frame.
inline bool Selector::IsHarmless(BlockId block) const {
  for (ValueId value = ir_->blocks[block].first; value != kNone; value = ir_->next[value]) {
    if (IsTerminator(At(value).opcode)) break;
    if (HasEffect(At(value)) || IsLoad(At(value))) return false;
  }
  return true;
}

inline void Selector::FindEarlyExit() {
  early_exit_ = {};
  const Block& entry = ir_->blocks[0];
  if (At(entry.last).opcode != IrOpcode::Branch || entry.successors[0] == entry.successors[1] ||
      !IsHarmless(0)) {
    return;
  }
  for (const std::uint32_t side : {0u, 1u}) {
    const BlockId way = entry.successors[side];
    const BlockId other = entry.successors[1 - side];
    const Block& block = ir_->blocks[way];
    if (IsReturn(way)) {
      if (block.predecessors.size() > 1) {
        early_exit_.from = 0;
        early_exit_.successor = side;
      }
    } else if (At(block.last).opcode == IrOpcode::Jump && IsReturn(block.successors[0]) &&
               block.predecessors.size() == 1 && !block.is_cold && IsHarmless(way)) {
      if (ir_->blocks[block.successors[0]].predecessors.size() > 1) early_exit_.from = way;
    } else {
      continue;
    }
    if (ir_->blocks[other].predecessors.size() == 1) early_exit_.onward = other;
    return;
  }
}

inline void Selector::PlaceEdge(BlockId from, std::uint32_t successor) {
  edge_places_[first_edge_[from] + successor] = static_cast<std::uint32_t>(places_.size());
  places_.push_back({from, successor});
}

/// Edges that leave a loop have their blocks behind it, so that nothing in the loop jumps over
/// them; the one that leaves it last comes first. `depth`: of the loops around what comes next.
inline void Selector::PlaceWaysOut(std::uint32_t depth) {
  for (; ways_out_depth_ > depth; --ways_out_depth_) {
    FlatArray<Edge>& ways = ways_out_[ways_out_depth_ - 1];
    for (; !ways.empty(); ways.pop_back()) PlaceEdge(ways.back().from, ways.back().successor);
  }
}

/// Decides the layout: blocks in order with the blocks of their edges, cold ones at the end.
inline void Selector::Arrange() {
  places_.clear();
  place_of_block_.assign(ir_->blocks.size(), kNone);
  ways_out_depth_ = 0;
  for (const bool cold : {false, true}) {
    for (const BlockId block : ir_->order) {
      PlaceWaysOut(ir_->blocks[block].loop_depth - (ir_->blocks[block].is_loop_header ? 1 : 0));
      const bool is_cold = ir_->blocks[block].is_cold;
      if (is_cold == cold) {
        place_of_block_[block] = static_cast<std::uint32_t>(places_.size());
        places_.push_back({block, kNone});
      }
      const ShortList<BlockId>& successors = ir_->blocks[block].successors;
      for (std::uint32_t i = 0; i < successors.size(); ++i) {
        if ((is_cold || ir_->blocks[successors[i]].is_cold) != cold) continue;
        if (!NeedsEdgeBlock(block, i)) continue;
        const std::uint32_t outside = ir_->blocks[successors[i]].loop_depth;
        if (!cold && outside < ir_->blocks[block].loop_depth) {
          if (ways_out_.size() <= outside) ways_out_.resize(outside + 1);
          ways_out_depth_ = std::max(ways_out_depth_, outside + 1);
          ways_out_[outside].push_back({block, i});
          continue;
        }
        PlaceEdge(block, i);
      }
    }
    PlaceWaysOut(0);
  }
  out_->blocks.resize(places_.size());
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    const Block& block = ir_->blocks[place.block];
    MachineBlock& made = out_->blocks[i];
    made.is_cold = block.is_cold || (place.successor != kNone &&
                                     ir_->blocks[block.successors[place.successor]].is_cold);
    const auto connect = [&](std::uint32_t target) {
      made.successors.push_back(target);
      out_->blocks[target].predecessors.push_back(i);
      // A way back: all between belongs to the loop.
      if (target <= i) {
        MachineBlock& header = out_->blocks[target];
        header.loop_end = std::max(header.loop_end, i + 1);
      }
    };
    if (place.successor != kNone) {
      const BlockId target = block.successors[place.successor];
      made.loop_depth = std::min(block.loop_depth, ir_->blocks[target].loop_depth);
      if (!ExitsEarly(place.block, place.successor)) connect(place_of_block_[target]);
      continue;
    }
    made.loop_depth = block.loop_depth;
    for (std::uint32_t k = 0; k < block.successors.size(); ++k) {
      const std::uint32_t edge = edge_places_[first_edge_[place.block] + k];
      if (edge == kNone && ExitsEarly(place.block, k)) continue;
      connect(edge != kNone ? edge : place_of_block_[block.successors[k]]);
    }
  }
}

TENON_DECL void Selector::Run(const Function& ir, MachineFunction& out) {
  ir_ = &ir;
  out_ = &out;
  reversed_.clear();
  result_area_ = kNone;
  out.local_bytes = ir.local_cells * ir.local_cell_bytes;
  Analyze();
  NumberEdges();
  FindEarlyExit();
  Arrange();
  for (std::size_t place = places_.size(); place-- > 0;) {
    const auto end = static_cast<std::uint32_t>(reversed_.size());
    SelectPlace(place);
    out.blocks[place].end = end;
    out.blocks[place].first = static_cast<std::uint32_t>(reversed_.size());
  }
  const auto count = static_cast<std::uint32_t>(reversed_.size());
  std::reverse(reversed_.begin(), reversed_.end());
  out.instructions.swap(reversed_);
  for (MachineBlock& block : out.blocks) {
    block.first = count - block.first;
    block.end = count - block.end;
  }
  for (VirtualRegister& made : out.registers) {
    if (made.rematerialization != kNone)
      made.rematerialization = count - 1 - made.rematerialization;
  }
}

// --- Values --------------------------------------------------------------------------------------

/// The value whose register holds this one too: an i32's register is its zero extension.
inline ValueId Selector::Root(ValueId value) const {
  while (At(value).opcode == IrOpcode::I64ExtendI32U) value = At(value).operands[0];
  return value;
}

inline bool Selector::IsIntegerConstant(ValueId value) const {
  return At(value).opcode == IrOpcode::I32Const || At(value).opcode == IrOpcode::I64Const;
}

/// Whether the value is a constant that instructions of `size` bytes can hold.
inline bool Selector::FitsImmediate(ValueId value, std::uint8_t size,
                                    std::uint64_t& immediate) const {
  value = Root(value);
  if (!IsIntegerConstant(value)) return false;
  const std::uint64_t bits = At(value).immediate;
  const auto extended = static_cast<std::int64_t>(bits);
  if (size == 8 && (extended < INT32_MIN || extended > INT32_MAX)) return false;
  immediate = size == 8 ? bits : static_cast<std::uint32_t>(bits);
  return true;
}

/// Whether the current instruction can do the work of the one that makes `value`.
inline bool Selector::CanAbsorb(ValueId value) const {
  return uses_[value] == 1 && ir_->block_of[value] == block_ && virtuals_[value] == kNone;
}
inline bool Selector::CanAbsorbLoad(ValueId value) const {
  return CanAbsorb(value) && colors_[value] == color_;
}

inline VirtualId Selector::MakeImmediate(std::uint64_t bits) {
  const VirtualId made = NewVirtual(Type::I64);
  Emit(MachineOpcode::Immediate, 8).Define(made)->immediate = bits;
  MarkRematerializable(made);
  return made;
}

inline VirtualId Selector::MakeConstant(ValueId value) {
  const Instruction& constant = At(value);
  // What a loop would load again and again, or takes ten bytes, is made before it.
  if (ir_->blocks[block_].loop_depth != 0 && block_ != 0 &&
      (!IsIntegerConstant(value) || constant.immediate > 0xFFFFFFFF)) {
    if (hoisted_[value] == kNone) {
      hoisted_[value] = NewVirtual(constant.type);
      hoisted_values_.push_back(value);
    }
    return hoisted_[value];
  }
  const VirtualId made = NewVirtual(constant.type);
  EmitConstant(value, made);
  return made;
}

inline void Selector::EmitConstant(ValueId value, VirtualId target) {
  const Instruction& constant = At(value);
  const MachineOpcode opcode = IsIntegerConstant(value)      ? MachineOpcode::Immediate
                               : constant.type == Type::V128 ? MachineOpcode::VectorImmediate
                                                             : MachineOpcode::FloatImmediate;
  Emit(opcode, IsIntegerConstant(value) ? 8 : detail::SizeOf(constant.type))
      .Define(target)
      ->immediate = constant.immediate;
  MarkRematerializable(target);
}

inline VirtualId Selector::Use(ValueId value) {
  value = Root(value);
  if (IsConstant(At(value).opcode)) return MakeConstant(value);
  return DefinitionOf(value);
}

inline VirtualId Selector::DefinitionOf(ValueId value) {
  VirtualId& made = virtuals_[value];
  if (made == kNone) made = NewVirtual(At(value).type);
  return made;
}

inline Selector::Address Selector::FieldOf(VirtualId base, std::int32_t displacement) const {
  Address address;
  address.base = base;
  address.displacement = displacement;
  return address;
}
inline Selector::Address Selector::InstanceField(std::size_t displacement) {
  Address address;
  address.special_base = MachineAddress::kInstanceBase;
  address.displacement = static_cast<std::int32_t>(displacement);
  return address;
}

inline VirtualId Selector::LoadField(const Address& address, Type type, VirtualId target) {
  const VirtualId made = target != kNone ? target : NewVirtual(type);
  Emit(MachineOpcode::LoadField, detail::SizeOf(type)).Define(made).At(address);
  return made;
}

/// Where a load or store accesses. Its check, if it needs one, has been made.
inline Selector::Address Selector::MemoryAddress(ValueId access) {
  const Instruction& instruction = At(access);
  Address address;
  address.wasm_offset = ir_->wasm_offsets[access];
  address.context = ir_->contexts[access];
  address.base = Use(instruction.operands[2]);
  const std::uint64_t offset = instruction.immediate & 0xFFFFFFFF;
  const ValueId index = Root(instruction.operands[0]);
  if (IsIntegerConstant(index)) {
    const std::uint64_t effective = At(index).immediate + offset;
    if (effective <= INT32_MAX) {
      address.displacement = static_cast<std::int32_t>(effective);
    } else {
      address.index = MakeImmediate(effective);
    }
    return address;
  }
  if (offset <= INT32_MAX) {
    address.index = Use(index);
    address.displacement = static_cast<std::int32_t>(offset);
    return address;
  }
  const VirtualId first = Use(index);
  const VirtualId second = MakeImmediate(offset);
  address.index = NewVirtual(Type::I64);
  Emit(MachineOpcode::Add, 8).Define(address.index).Use(first).UseAny(second);
  return address;
}

/// The cheapest form in which an instruction can read `value`. `load` is the load that it can do
/// itself.
inline Selector::Source Selector::MakeSource(ValueId value, std::uint8_t size, IrOpcode load) {
  Source source;
  if (FitsImmediate(value, size, source.immediate)) {
    source.form = OperandForm::Immediate;
  } else if (At(value).opcode == load && CanAbsorbLoad(value)) {
    source.form = OperandForm::Memory;
    source.address = MemoryAddress(value);
    virtuals_[value] = detail::kAbsorbed;
  } else {
    source.value = Use(value);
  }
  return source;
}

// --- Comparisons ---------------------------------------------------------------------------------

namespace detail {

/// What to ask of numbers that are not negative, if they are compared in fewer bits.
constexpr Condition OfUnsigned(Condition condition) {
  switch (condition) {
    case Condition::Less:
      return Condition::Below;
    case Condition::LessOrEqual:
      return Condition::BelowOrEqual;
    case Condition::Greater:
      return Condition::Above;
    case Condition::GreaterOrEqual:
      return Condition::AboveOrEqual;
    default:
      return condition;
  }
}

struct CompareRule {
  CompareKind kind = CompareKind::Integer;
  Condition condition = Condition::Equal;
  std::uint8_t size = 0;  ///< 0: not a comparison
  bool swaps = false;
};

constexpr CompareRule CompareRuleOf(IrOpcode opcode) {
  using enum Condition;
  constexpr CompareKind kInteger = CompareKind::Integer;
  constexpr CompareKind kFloat = CompareKind::Float;
  switch (opcode) {
    case IrOpcode::I32Eq:
      return {kInteger, Equal, 4};
    case IrOpcode::I32Ne:
      return {kInteger, NotEqual, 4};
    case IrOpcode::I32LtS:
      return {kInteger, Less, 4};
    case IrOpcode::I32LtU:
      return {kInteger, Below, 4};
    case IrOpcode::I32GtS:
      return {kInteger, Greater, 4};
    case IrOpcode::I32GtU:
      return {kInteger, Above, 4};
    case IrOpcode::I32LeS:
      return {kInteger, LessOrEqual, 4};
    case IrOpcode::I32LeU:
      return {kInteger, BelowOrEqual, 4};
    case IrOpcode::I32GeS:
      return {kInteger, GreaterOrEqual, 4};
    case IrOpcode::I32GeU:
      return {kInteger, AboveOrEqual, 4};
    case IrOpcode::I64Eq:
      return {kInteger, Equal, 8};
    case IrOpcode::I64Ne:
      return {kInteger, NotEqual, 8};
    case IrOpcode::I64LtS:
      return {kInteger, Less, 8};
    case IrOpcode::I64LtU:
      return {kInteger, Below, 8};
    case IrOpcode::I64GtS:
      return {kInteger, Greater, 8};
    case IrOpcode::I64GtU:
      return {kInteger, Above, 8};
    case IrOpcode::I64LeS:
      return {kInteger, LessOrEqual, 8};
    case IrOpcode::I64LeU:
      return {kInteger, BelowOrEqual, 8};
    case IrOpcode::I64GeS:
      return {kInteger, GreaterOrEqual, 8};
    case IrOpcode::I64GeU:
      return {kInteger, AboveOrEqual, 8};
    case IrOpcode::F32Eq:
      return {kFloat, FloatEqual, 4};
    case IrOpcode::F32Ne:
      return {kFloat, FloatNotEqual, 4};
    // "Above" is false when unordered; "below" is not, so that operands are exchanged for it.
    case IrOpcode::F32Lt:
      return {kFloat, Above, 4, true};
    case IrOpcode::F32Gt:
      return {kFloat, Above, 4};
    case IrOpcode::F32Le:
      return {kFloat, AboveOrEqual, 4, true};
    case IrOpcode::F32Ge:
      return {kFloat, AboveOrEqual, 4};
    case IrOpcode::F64Eq:
      return {kFloat, FloatEqual, 8};
    case IrOpcode::F64Ne:
      return {kFloat, FloatNotEqual, 8};
    case IrOpcode::F64Lt:
      return {kFloat, Above, 8, true};
    case IrOpcode::F64Gt:
      return {kFloat, Above, 8};
    case IrOpcode::F64Le:
      return {kFloat, AboveOrEqual, 8, true};
    case IrOpcode::F64Ge:
      return {kFloat, AboveOrEqual, 8};
    default:
      return {};
  }
}

}  // namespace detail

/// Whether the value is the low byte of another one, only to be compared with `number`, a byte.
inline bool Selector::IsLowByte(ValueId value, std::uint64_t number) const {
  std::uint64_t mask = 0;
  return number <= 0xFF && At(value).opcode == IrOpcode::I32And && CanAbsorb(value) &&
         FitsImmediate(At(value).operands[1], 4, mask) && mask == 0xFF;
}

/// Says a comparison instruction as operands; false if the value is none. Its operands become those
/// of the current instruction.
inline bool Selector::FillComparison(ValueId value, Comparison& comparison) {
  const Instruction& instruction = At(value);
  const auto test = [&](ValueId tested, std::uint8_t size) {
    comparison.kind = CompareKind::Test;
    comparison.size = size;
    const IrOpcode conjunction = size == 4 ? IrOpcode::I32And : IrOpcode::I64And;
    if (At(tested).opcode == conjunction && CanAbsorb(tested)) {
      const Instruction& masked = At(tested);
      virtuals_[tested] = detail::kAbsorbed;
      comparison.second = MakeSource(masked.operands[1], size, IrOpcode::Limit);
      comparison.first = Use(masked.operands[0]);
      return;
    }
    comparison.first = Use(tested);
    comparison.second.value = comparison.first;
  };
  if (instruction.opcode == IrOpcode::I32Eqz || instruction.opcode == IrOpcode::I64Eqz) {
    comparison.condition = Condition::Equal;
    test(instruction.operands[0], instruction.opcode == IrOpcode::I32Eqz ? 4 : 8);
    return true;
  }
  const detail::CompareRule rule = detail::CompareRuleOf(instruction.opcode);
  if (rule.size == 0) return false;
  comparison.kind = rule.kind;
  comparison.condition = rule.condition;
  comparison.size = rule.size;
  ValueId first = instruction.operands[0];
  ValueId second = instruction.operands[1];
  if (rule.swaps) std::swap(first, second);
  if (rule.kind == CompareKind::Float) {
    comparison.second =
        MakeSource(second, 8, rule.size == 4 ? IrOpcode::F32Load : IrOpcode::F64Load);
  } else {
    std::uint64_t immediate = 0;
    const bool is_equality =
        rule.condition == Condition::Equal || rule.condition == Condition::NotEqual;
    if (is_equality && FitsImmediate(second, rule.size, immediate) && immediate == 0) {
      test(first, rule.size);
      return true;
    }
    if (rule.size == 4 && FitsImmediate(second, 4, immediate) && IsLowByte(first, immediate)) {
      virtuals_[first] = detail::kAbsorbed;
      first = At(first).operands[0];
      comparison.size = 1;
      comparison.condition = detail::OfUnsigned(rule.condition);
    }
    comparison.second =
        MakeSource(second, rule.size, rule.size == 4 ? IrOpcode::I32Load : IrOpcode::I64Load);
  }
  comparison.first = Use(first);
  return true;
}

/// The comparison on which an i32 that is used as a condition depends.
inline Selector::Comparison Selector::Compare(ValueId condition) {
  Comparison comparison;
  bool inverted = false;
  while (At(condition).opcode == IrOpcode::I32Eqz && CanAbsorb(condition) &&
         CanAbsorb(At(condition).operands[0])) {
    virtuals_[condition] = detail::kAbsorbed;
    condition = At(condition).operands[0];
    inverted = !inverted;
  }
  if (CanAbsorb(condition) && FillComparison(condition, comparison)) {
    virtuals_[condition] = detail::kAbsorbed;
  } else {
    comparison.kind = CompareKind::Test;
    comparison.condition = Condition::NotEqual;
    comparison.size = 4;
    comparison.first = Use(condition);
    comparison.second.value = comparison.first;
  }
  if (inverted) comparison.condition = Invert(comparison.condition);
  return comparison;
}

inline void Selector::TrapIf(const Comparison& comparison, TrapCode trap,
                             std::uint32_t wasm_offset) {
  Draft draft = Emit(MachineOpcode::CompareTrap, comparison.size);
  draft.Comparing(comparison);
  draft->trap = static_cast<std::uint8_t>(trap);
  draft->wasm_offset = wasm_offset;
}

}  // namespace tenon::inline TENON_ABI::jit

#include <tenon/jit/selection_blocks.ipp>
#include <tenon/jit/selection_calls.ipp>
#include <tenon/jit/selection_rules.ipp>
