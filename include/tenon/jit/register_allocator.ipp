// SPDX-License-Identifier: Apache-2.0
/// @file
/// Implementation of register_allocator.hpp: the scan. What comes behind it is in
/// register_resolution.ipp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <stdexcept>

#include <tenon/jit/register_allocator.hpp>
#include <tenon/jit/register_resolution.ipp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

/// Registers in the order in which they are tried: short encodings first, those that must be saved
/// last.
inline constexpr Register kIntegerOrder[] = {kRax, kRcx, kRdx, kRsi, kRdi, kR8, kR9,
                                             kR10, kR11, kRbx, kR14, kR12, kR13};
inline constexpr Register kSavedOrder[] = {kRbx, kR14, kR12, kR13};
inline constexpr Register kVectorOrder[] = {16, 17, 18, 19, 20, 21, 22, 23,
                                            24, 25, 26, 27, 28, 29, 30};

constexpr RegisterSet RegistersOf(RegisterClass register_class) {
  return kAllocatable & (register_class == RegisterClass::Integer ? kAllIntegers : kAllVectors);
}

constexpr Location LocationOf(const LiveValue& value, VirtualId id) {
  // Slots are not known yet: the value stands for its slot until they are.
  return value.reg != kNoRegister ? Location::InRegister(value.reg) : Location::InSlot(id);
}

}  // namespace detail

TENON_DECL void RegisterAllocator::Run(MachineFunction& function) {
  function.locations.assign(function.operands.size(), Location{});
  function.moves.clear();
  function.spill_slots = 0;
  function.used_registers = 0;
  intervals_.Build(function);
  Scan(function);
  // The scan has left values in place of slots.
  ResolveEdges(function);
  AssignSlots();
  for (Location& location : function.locations) {
    if (location.IsSlot()) {
      location = Location::InSlot(intervals_.values[location.AsSlot()].slot);
    }
  }
  EmitMoves(function);
  CollectUsedRegisters(function);
}

TENON_DECL void RegisterAllocator::Scan(MachineFunction& function) {
  const std::size_t blocks = function.blocks.size();
  active_set_ = 0;
  next_expiry_ = kNoPosition;
  std::fill(std::begin(fixed_at_), std::end(fixed_at_), 0);
  call_at_ = 0;
  snapshots_.clear();
  begin_of_block_.assign(blocks, {});
  end_of_block_.assign(blocks, {});
  mark_.assign(intervals_.values.size(), 0);
  mark_reg_.resize(intervals_.values.size());
  mark_count_ = 0;
  transfers_.clear();
  for (std::uint32_t block = 0; block != blocks; ++block) {
    BeginBlock(function, block);
    for (std::uint32_t i = function.blocks[block].first; i != function.blocks[block].end; ++i) {
      const MachineInstruction& instruction = function.instructions[i];
      VisitInstruction(
          {function.operands.data() + instruction.first_operand, instruction.operand_count},
          i + block + 1,
          {function.locations.data() + instruction.first_operand, instruction.operand_count});
    }
    EndBlock(function, block);
  }
}

TENON_DECL void RegisterAllocator::BeginBlock(MachineFunction& function, std::uint32_t block) {
  scan_block_ = block;
  const Position at = intervals_.StartOfBlock(block);
  Expire(at);
  // What is where at the end of a predecessor decides: the one in front, or the first known.
  const MachineBlock& machine_block = intervals_.Blocks()[block];
  std::uint32_t best = kNone;
  for (const std::uint32_t predecessor : machine_block.predecessors) {
    if (predecessor >= block) continue;
    if (best == kNone || predecessor + 1 == block) best = predecessor;
  }
  const std::uint32_t first = intervals_.first_piece[StepOf(at)];
  const bool is_elsewhere = best != kNone && best + 1 != block && active_set_ != 0;
  bool is_loop_entry = false;
  if (first != kNone || is_elsewhere) {
    ++mark_count_;
    if (best != kNone) {
      MarkEnd(best);
      is_loop_entry = machine_block.loop_depth > intervals_.Blocks()[best].loop_depth;
      const auto& arguments = intervals_.Blocks()[best].arguments;
      for (std::size_t i = 0; i != arguments.size(); ++i) {
        if (mark_[arguments[i]] != mark_count_) continue;
        LiveValue& parameter = intervals_.values[machine_block.parameters[i]];
        parameter.hint = mark_reg_[arguments[i]];
      }
    }
  }
  if (is_elsewhere) {
    // What the block in front fetched from its slot for itself comes here in its slot.
    for (RegisterSet set = active_set_; set != 0; set &= set - 1) {
      const auto reg = static_cast<Register>(std::countr_zero(set));
      if (mark_[intervals_.pieces[active_[reg]].value] != mark_count_) Evict(reg, at);
    }
  }
  if (first != kNone) {
    gap_pieces_.clear();
    for (std::uint32_t piece = first; piece != kNone; piece = intervals_.pieces[piece].next) {
      gap_pieces_.push_back(piece);
    }
    // In the order of the values: pieces were queued the other way round.
    std::reverse(gap_pieces_.begin(), gap_pieces_.end());
    for (const std::uint32_t piece : gap_pieces_) {
      if (best == kNone && !intervals_.values[intervals_.pieces[piece].value].is_parameter &&
          machine_block.predecessors.empty()) {
        Spill(piece, at);
      } else {
        PlaceAtBlock(piece, is_loop_entry || best == kNone);
      }
    }
  }
  begin_of_block_[block].first = static_cast<std::uint32_t>(snapshots_.size());
  for (RegisterSet set = active_set_; set != 0; set &= set - 1) {
    snapshots_.push_back(active_[std::countr_zero(set)]);
  }
  begin_of_block_[block].end = static_cast<std::uint32_t>(snapshots_.size());
  function.blocks[block].begin_registers = active_set_;
}

TENON_DECL void RegisterAllocator::EndBlock(MachineFunction& function, std::uint32_t block) {
  const Position end = intervals_.EndOfBlock(block);
  end_of_block_[block].first = static_cast<std::uint32_t>(snapshots_.size());
  for (RegisterSet set = active_set_; set != 0; set &= set - 1) {
    const std::uint32_t piece = active_[std::countr_zero(set)];
    if (intervals_.pieces[piece].end >= end) snapshots_.push_back(piece);
  }
  end_of_block_[block].end = static_cast<std::uint32_t>(snapshots_.size());
  function.blocks[block].end_registers = active_set_;
}

TENON_DECL void RegisterAllocator::MarkEnd(std::uint32_t block) {
  ++mark_count_;
  const Position end = intervals_.EndOfBlock(block);
  for (std::uint32_t i = end_of_block_[block].first; i != end_of_block_[block].end; ++i) {
    const LivePiece& piece = intervals_.pieces[snapshots_[i]];
    if (piece.reg == kNoRegister || piece.end < end) continue;
    mark_[piece.value] = mark_count_;
    mark_reg_[piece.value] = piece.reg;
  }
}

TENON_DECL void RegisterAllocator::PlaceAtBlock(std::uint32_t id, bool is_loop_entry) {
  LivePiece& piece = intervals_.pieces[id];
  LiveValue& value = intervals_.values[piece.value];
  const Position at = piece.start;
  if (value.is_parameter && value.definition == at) {
    Place(id, at, value.hint);
    value.definition_reg = value.reg;
    return;
  }
  if (mark_[piece.value] == mark_count_) {
    Place(id, at, mark_reg_[piece.value]);
    return;
  }
  // It comes in its slot. It had better stay there till it is used.
  AdvanceUses(value, at);
  const bool is_used = value.next_register_use != value.end_use &&
                       intervals_.uses[value.next_register_use].At() < piece.end;
  if (is_used && is_loop_entry) {
    Place(id, at, value.hint);
  } else {
    Spill(id, at);
  }
}

TENON_DECL void RegisterAllocator::VisitInstruction(std::span<const Operand> operands,
                                                    std::uint32_t step,
                                                    std::span<Location> locations) {
  auto& values = intervals_.values;
  const Position begin = BeginOf(step);
  Expire(begin);
  gap_pieces_.clear();
  definition_pieces_.clear();
  for (std::uint32_t id = intervals_.first_piece[step]; id != kNone;
       id = intervals_.pieces[id].next) {
    (intervals_.pieces[id].start == begin ? gap_pieces_ : definition_pieces_).push_back(id);
  }
  bool has_reuse = false;
  bool has_temporary = false;
  // Where values are copied from is decided before anything changes.
  for (std::uint32_t i = 0; i != operands.size(); ++i) {
    const Operand& operand = operands[i];
    if (operand.role == OperandRole::Temporary) {
      has_temporary = true;
    } else if (operand.role == OperandRole::Define) {
      if (!ReusedOperands::IsReuse(operands, i)) continue;
      has_reuse = true;
      const VirtualId used = operands[operand.fixed].value;
      values[operand.value].hint = values[used].reg;
      Transfer transfer;
      transfer.step = step;
      transfer.value = used;
      transfer.target = operand.value;
      transfer.from = values[used].reg;
      transfers_.push_back(transfer);
    } else if (operand.policy == OperandPolicy::Fixed) {
      locations[i] = Location::InRegister(operand.fixed);
      Transfer transfer;
      transfer.step = step;
      transfer.value = operand.value;
      transfer.from = values[operand.value].reg;
      transfer.to = operand.fixed;
      bool is_double = false;
      for (std::uint32_t k = 0; k != i; ++k) {
        is_double |=
            operands[k].role != OperandRole::Define && operands[k].role != OperandRole::Temporary &&
            operands[k].policy == OperandPolicy::Fixed && operands[k].fixed == operand.fixed;
      }
      if (!is_double) transfers_.push_back(transfer);
    }
  }
  for (const std::uint32_t id : gap_pieces_) {
    const VirtualId value_id = intervals_.pieces[id].value;
    LiveValue& value = values[value_id];
    const bool is_definition = StepOf(value.definition) == step;
    Transfer transfer;
    transfer.step = step;
    transfer.value = value_id;
    transfer.from = value.reg;
    Place(id, begin, is_definition ? value.hint : value.reg);
    if (is_definition || value.reg == kNoRegister) continue;
    transfer.to = value.reg;
    intervals_.pieces[id].move = static_cast<std::uint32_t>(transfers_.size());
    transfers_.push_back(transfer);
  }
  if (has_temporary) {
    for (std::uint32_t i = 0; i != operands.size(); ++i) {
      const Operand& operand = operands[i];
      if (operand.role != OperandRole::Temporary) continue;
      if (operand.policy == OperandPolicy::Fixed) {
        locations[i] = Location::InRegister(operand.fixed);
      } else {
        PlaceTemporary(operand.value, step);
        locations[i] = Location::InRegister(values[operand.value].reg);
      }
    }
  }
  for (std::uint32_t i = 0; i != operands.size(); ++i) {
    const Operand& operand = operands[i];
    if (operand.role != OperandRole::Use && operand.role != OperandRole::LateUse) continue;
    if (operand.policy == OperandPolicy::Fixed) continue;
    VirtualId place = operand.value;
    if (has_reuse) {
      const std::uint32_t reuse = ReusedOperands::Find(operands, i);
      if (reuse != kNone) place = operands[reuse].value;
    }
    locations[i] = detail::LocationOf(values[place], place);
    if (values[place].reg == kNoRegister) values[place].is_stored = true;
  }
  if (!definition_pieces_.empty()) Expire(LateOf(step));
  for (const std::uint32_t id : definition_pieces_) Place(id, LateOf(step), kNoRegister);
  for (std::uint32_t i = 0; i != operands.size(); ++i) {
    const Operand& operand = operands[i];
    if (operand.role != OperandRole::Define) continue;
    LiveValue& value = values[operand.value];
    const Register fixed = ReusedOperands::FixedOf(operands, i);
    if (fixed != kNoRegister) value.reg = value.hint = fixed;
    value.definition_reg = value.reg;
    locations[i] = Location::InRegister(value.reg);
  }
}

TENON_DECL void RegisterAllocator::PlaceTemporary(VirtualId value, std::uint32_t step) {
  LivePiece piece;
  piece.start = EarlyOf(step);
  piece.end = BeginOf(step + 1);
  piece.value = value;
  intervals_.pieces.push_back(piece);
  Place(static_cast<std::uint32_t>(intervals_.pieces.size()) - 1, piece.start, kNoRegister);
}

TENON_DECL void RegisterAllocator::Expire(Position at) {
  if (at < next_expiry_) return;
  next_expiry_ = kNoPosition;
  for (RegisterSet set = active_set_; set != 0; set &= set - 1) {
    const auto reg = static_cast<Register>(std::countr_zero(set));
    const LivePiece& piece = intervals_.pieces[active_[reg]];
    if (piece.end <= at) {
      active_set_ &= ~Bit(reg);
      if (piece.spills_at_end) intervals_.values[piece.value].reg = kNoRegister;
    } else {
      next_expiry_ = std::min(next_expiry_, piece.end);
    }
  }
}

TENON_DECL void RegisterAllocator::AdvanceUses(LiveValue& value, Position at) const {
  // Copies at the begin of a step have been made when the step's pieces are placed.
  const Position from = (at & 3) == 0 ? at + 1 : at;
  const auto& uses = intervals_.uses;
  while (value.next_use != value.end_use && uses[value.next_use].At() < from) ++value.next_use;
  value.next_register_use = std::max(value.next_register_use, value.next_use);
  while (value.next_register_use != value.end_use &&
         (uses[value.next_register_use].At() < from ||
          !uses[value.next_register_use].NeedsRegister())) {
    ++value.next_register_use;
  }
}

TENON_DECL Position RegisterAllocator::FreeUntil(Register reg, Position at) {
  Position until = kNoPosition;
  const auto& ranges = intervals_.fixed[reg];
  std::uint32_t& next = fixed_at_[reg];
  while (next != ranges.size() && ranges[next].end <= at) ++next;
  if (next != ranges.size()) until = ranges[next].start;
  if ((Bit(reg) & kCallClobbers) != 0) {
    const auto& calls = intervals_.calls;
    while (call_at_ != calls.size() && ClobberOf(calls[call_at_]) < at) ++call_at_;
    if (call_at_ != calls.size()) until = std::min(until, ClobberOf(calls[call_at_]));
  }
  return until <= at ? 0 : until;
}

TENON_DECL Position RegisterAllocator::HoistOutOfLoops(Position at, Position limit) const {
  // The begin of the outermost loop around `at` that begins behind `limit`.
  Position best = BeginOf(StepOf(at));
  std::uint32_t loop = intervals_.loop_of_block[intervals_.block_of_step[StepOf(at)]];
  for (std::uint32_t depth = 0; loop != kNone && depth != 16; ++depth) {
    const LiveLoop& candidate = intervals_.loops[loop];
    if (candidate.start <= limit) break;
    best = candidate.start;
    loop = candidate.parent;
  }
  return best;
}

TENON_DECL Position RegisterAllocator::NextNeed(const LivePiece& piece, Position at) const {
  const LiveValue& value = intervals_.values[piece.value];
  const auto& uses = intervals_.uses;
  Position next = value.next_use == value.end_use ? kNoPosition : uses[value.next_use].At();
  if (value.next_use == value.first_use) return next;
  // A value that was used in the loop before is used again when it comes round.
  const Position last = uses[value.next_use - 1].At();
  std::uint32_t loop = intervals_.loop_of_block[intervals_.block_of_step[StepOf(at)]];
  for (std::uint32_t depth = 0; loop != kNone && depth != 4; ++depth) {
    const LiveLoop& candidate = intervals_.loops[loop];
    if (candidate.end >= next || value.definition > candidate.start) break;
    if (last >= candidate.start && piece.end >= candidate.end) return candidate.end;
    loop = candidate.parent;
  }
  return next;
}

TENON_DECL bool RegisterAllocator::IsPinned(const LivePiece& piece, Position at) {
  LiveValue& value = intervals_.values[piece.value];
  AdvanceUses(value, at);
  const std::uint32_t step = StepOf(at);
  if (!value.is_parameter && StepOf(value.definition) == step) return true;
  // Locations of uses have been written down when definitions are placed.
  const std::uint32_t use = (at & 3) == 3 ? value.next_use : value.next_register_use;
  return use != value.end_use && StepOf(intervals_.uses[use].At()) == step;
}

TENON_DECL Register RegisterAllocator::FindFreeRegister(const LivePiece& piece, Position at,
                                                        Register first_hint, Register& longest,
                                                        Position& longest_until) {
  const LiveValue& value = intervals_.values[piece.value];
  const RegisterSet free = detail::RegistersOf(value.register_class) & ~active_set_;
  longest = kNoRegister;
  longest_until = 0;
  const auto fits = [&](Register reg) {
    if (reg == kNoRegister || (free & Bit(reg)) == 0) return false;
    const Position until = FreeUntil(reg, at);
    if (until > longest_until) {
      longest = reg;
      longest_until = until;
    }
    return until >= piece.end;
  };
  Register wish = kNoRegister;
  if (value.wish.IsRegister()) {
    wish = value.wish.AsRegister();
  } else if (value.wish.IsParameter()) {
    const LiveValue& parameter = intervals_.values[value.wish.AsParameter()];
    wish = parameter.hint;
    if (wish == kNoRegister && parameter.wish.IsRegister()) wish = parameter.wish.AsRegister();
  }
  // What is in a register already stays; what is new goes where it will be wanted.
  const bool is_new = !value.is_parameter && StepOf(value.definition) == StepOf(at);
  if (is_new && fits(wish)) return wish;
  // A loop that hands the value on need not move it, even if it has to leave the register later.
  if (is_new && value.wish.IsParameter() && wish == longest && wish != kNoRegister) {
    const std::uint32_t loop = intervals_.loop_of_block[intervals_.block_of_step[StepOf(at)]];
    if (loop != kNone && longest_until > intervals_.loops[loop].end) return wish;
  }
  if (fits(first_hint)) return first_hint;
  if (!is_new && fits(wish)) return wish;
  if (value.hint != first_hint && fits(value.hint)) return value.hint;
  std::span<const Register> order = detail::kIntegerOrder;
  if (value.register_class == RegisterClass::Vector) order = detail::kVectorOrder;
  for (const Register reg : order) {
    if (fits(reg)) return reg;
  }
  return kNoRegister;
}

TENON_DECL Register RegisterAllocator::FindVictim(RegisterClass register_class, Position at,
                                                  Position least_free) {
  Register best = kNoRegister;
  std::uint64_t best_distance = 0;
  for (RegisterSet set = active_set_ & detail::RegistersOf(register_class); set != 0;
       set &= set - 1) {
    const auto reg = static_cast<Register>(std::countr_zero(set));
    const LivePiece& piece = intervals_.pieces[active_[reg]];
    if (IsPinned(piece, at) || FreeUntil(reg, at) < least_free) continue;
    std::uint64_t distance = std::uint64_t{NextNeed(piece, at)} - at;
    const LiveValue& value = intervals_.values[piece.value];
    // Values that need no store are cheaper to let go.
    if (value.can_rematerialize || value.is_stored) distance += distance / 2;
    if (best == kNoRegister || distance > best_distance) {
      best = reg;
      best_distance = distance;
    }
  }
  return best;
}

TENON_DECL void RegisterAllocator::Place(std::uint32_t id, Position at, Register first_hint) {
  Register longest;
  Position longest_until;
  {
    const LivePiece& piece = intervals_.pieces[id];
    const Register reg = FindFreeRegister(piece, at, first_hint, longest, longest_until);
    if (reg != kNoRegister) {
      Assign(id, at, reg);
      return;
    }
  }
  const LivePiece piece = intervals_.pieces[id];
  LiveValue& value = intervals_.values[piece.value];
  AdvanceUses(value, at);
  const auto& uses = intervals_.uses;
  const std::uint32_t step = StepOf(at);
  // Up to where it needs the register now, if it does.
  Position needed_until = 0;
  if (!value.is_parameter && StepOf(value.definition) == step) needed_until = BeginOf(step + 1);
  std::uint32_t use = value.next_register_use;
  while (use != value.end_use && StepOf(uses[use].At()) == step) {
    if (uses[use].NeedsRegister()) needed_until = std::max(needed_until, uses[use].End());
    ++use;
  }
  const auto first_use_in_piece = [&](std::uint32_t index) {
    const bool is_inside = index != value.end_use && uses[index].At() < piece.end;
    return is_inside ? index : kNone;
  };
  const bool is_needed = needed_until != 0;
  const std::uint32_t next_use = first_use_in_piece(value.next_use);
  const std::uint32_t next_need = first_use_in_piece(value.next_register_use);
  const Position partial_least = is_needed           ? needed_until
                                 : next_use == kNone ? kNoPosition
                                                     : uses[next_use].End();
  if (longest_until >= partial_least) {
    // Free for a while. Rather one that is taken, if who has it needs it later than this value
    // would have to come back.
    std::uint32_t back = next_need;
    while (back != kNone && back != value.end_use && uses[back].At() < longest_until &&
           back - next_need < 8) {
      ++back;
    }
    if (back != kNone && back != value.end_use && uses[back].At() < piece.end &&
        uses[back].At() >= longest_until) {
      const Register victim = FindVictim(value.register_class, at, uses[back].End());
      if (victim != kNoRegister &&
          NextNeed(intervals_.pieces[active_[victim]], at) > uses[back].At()) {
        Evict(victim, at);
        Assign(id, at, victim);
        return;
      }
    }
    Assign(id, at, longest);
    return;
  }
  if (!is_needed && next_need == kNone) {
    Spill(id, at);
    return;
  }
  const Position least = is_needed ? needed_until : uses[next_need].End();
  const Register victim = FindVictim(value.register_class, at, least);
  if (victim != kNoRegister &&
      (is_needed || NextNeed(intervals_.pieces[active_[victim]], at) > uses[next_need].At())) {
    Evict(victim, at);
    Assign(id, at, victim);
    return;
  }
  if (is_needed) throw std::logic_error{"no register for an operand"};
  Spill(id, at);
}

TENON_DECL void RegisterAllocator::Assign(std::uint32_t id, Position at, Register reg) {
  LivePiece& piece = intervals_.pieces[id];
  LiveValue& value = intervals_.values[piece.value];
  piece.reg = reg;
  value.reg = value.hint = reg;
  if (value.wish.IsParameter()) {
    LiveValue& parameter = intervals_.values[value.wish.AsParameter()];
    if (parameter.hint == kNoRegister) parameter.hint = reg;
  }
  active_[reg] = id;
  active_set_ |= Bit(reg);
  const Position until = FreeUntil(reg, at);
  if (until >= piece.end) {
    next_expiry_ = std::min(next_expiry_, piece.end);
    return;
  }
  const VirtualId value_id = piece.value;
  const Position end = piece.end;
  if (StepOf(until) == StepOf(at)) {
    piece.end = until;
    piece.spills_at_end = true;
    next_expiry_ = std::min(next_expiry_, until);
    Continue(value_id, until, end, true);
    return;
  }
  // The rest tries again, before the loop if the register is lost in one.
  const auto& uses = intervals_.uses;
  const auto behind =
      std::partition_point(uses.begin() + value.first_use, uses.begin() + value.end_use,
                           [&](const LiveUse& use) { return use.At() < until; });
  Position last = at;
  if (behind != uses.begin() + value.first_use) last = std::max(last, (behind - 1)->At());
  const Position split = HoistOutOfLoops(until, last);
  piece.end = split;
  next_expiry_ = std::min(next_expiry_, split);
  LivePiece rest;
  rest.start = split;
  rest.end = end;
  rest.value = value_id;
  intervals_.pieces.push_back(rest);
  intervals_.Enqueue(static_cast<std::uint32_t>(intervals_.pieces.size()) - 1);
}

TENON_DECL void RegisterAllocator::Evict(Register reg, Position at) {
  const std::uint32_t id = active_[reg];
  active_set_ &= ~Bit(reg);
  LivePiece& piece = intervals_.pieces[id];
  LiveValue& value = intervals_.values[piece.value];
  AdvanceUses(value, at);
  value.reg = kNoRegister;
  if (!value.can_rematerialize) value.is_stored = true;
  // Where it was needed last: from there on it need not have been in the register.
  const auto& uses = intervals_.uses;
  Position last = piece.start;
  bool is_used = value.definition != kNoPosition && !value.is_parameter &&
                 value.definition >= piece.start && value.definition < at;
  if (is_used) last = std::max(last, value.definition);
  if (value.next_use != value.first_use) {
    const Position use = uses[value.next_use - 1].At();
    // Copies at the piece's start were made from where the value was before.
    is_used |= use > piece.start;
    last = std::max(last, use);
  }
  const Position end = piece.end;
  const VirtualId value_id = piece.value;
  if (!is_used) {
    piece.reg = kNoRegister;
    if (piece.move != kNone) transfers_[piece.move].is_cancelled = true;
    if (value.is_parameter && value.definition == piece.start) value.definition_reg = kNoRegister;
  } else {
    const Position hoisted = HoistOutOfLoops(at, last);
    piece.end = hoisted > last && StepOf(hoisted) != StepOf(at) ? hoisted : at;
  }
  Continue(value_id, at, end, true);
}

TENON_DECL void RegisterAllocator::Spill(std::uint32_t id, Position at) {
  LivePiece& piece = intervals_.pieces[id];
  LiveValue& value = intervals_.values[piece.value];
  AdvanceUses(value, at);
  value.reg = kNoRegister;
  if (!value.can_rematerialize) value.is_stored = true;
  piece.reg = kNoRegister;
  const bool hoist = !piece.was_hoisted;
  Continue(piece.value, at, piece.end, hoist);
}

TENON_DECL void RegisterAllocator::Continue(VirtualId id, Position from, Position end, bool hoist) {
  // Back into a register before the next use that needs one.
  LiveValue& value = intervals_.values[id];
  if (!value.can_rematerialize) value.is_stored = true;
  const auto& uses = intervals_.uses;
  std::uint32_t next = value.next_register_use;
  while (next != value.end_use && (uses[next].At() < from || !uses[next].NeedsRegister())) ++next;
  if (next == value.end_use || uses[next].At() >= end) return;
  const Position use = uses[next].At();
  LivePiece rest;
  rest.start = hoist ? HoistOutOfLoops(use, from) : BeginOf(StepOf(use));
  rest.was_hoisted = rest.start != BeginOf(StepOf(use));
  rest.end = end;
  rest.value = id;
  intervals_.pieces.push_back(rest);
  intervals_.Enqueue(static_cast<std::uint32_t>(intervals_.pieces.size()) - 1);
}

}  // namespace tenon::inline TENON_ABI::jit
