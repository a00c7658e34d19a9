// SPDX-License-Identifier: Apache-2.0
/// @file
/// Implementation of live_intervals.hpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

#include <tenon/jit/live_intervals.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void LiveIntervals::Build(const MachineFunction& function) {
  blocks_ = function.blocks;
  values.clear();
  values.resize(function.registers.size());
  for (std::size_t i = 0; i != values.size(); ++i) {
    const VirtualRegister& virtual_register = function.registers[i];
    values[i].register_class = virtual_register.register_class;
    values[i].is_wide = virtual_register.is_wide;
    values[i].can_rematerialize = virtual_register.rematerialization != kNone;
  }
  NumberSteps(function);
  FindLoops(function);
  CollectOperands(function);
  GroupUses();
  pieces.clear();
  marks_.assign(blocks_.size(), {});
  predecessors_.clear();
  first_predecessor_.clear();
  for (const MachineBlock& block : blocks_) {
    first_predecessor_.push_back(static_cast<std::uint32_t>(predecessors_.size()));
    predecessors_.insert(predecessors_.end(), block.predecessors.begin(), block.predecessors.end());
  }
  first_predecessor_.push_back(static_cast<std::uint32_t>(predecessors_.size()));
  visits_left_ = 32 * std::uint64_t{blocks_.size()} + 4 * std::uint64_t{block_of_step.size()};
  for (const VirtualId value : definitions) BuildPieces(value);
}

TENON_DECL void LiveIntervals::NumberSteps(const MachineFunction& function) {
  const std::size_t steps = function.instructions.size() + blocks_.size() + 1;
  first_piece.assign(steps, kNone);
  block_of_step.resize(steps);
  for (std::uint32_t block = 0; block != blocks_.size(); ++block) {
    const auto first = block_of_step.begin() + StepOfBlock(block);
    std::fill(first, first + (blocks_[block].end - blocks_[block].first + 1), block);
  }
  if (!blocks_.empty()) {
    block_of_step[steps - 1] = static_cast<std::uint32_t>(blocks_.size()) - 1;
  }
}

TENON_DECL void LiveIntervals::FindLoops(const MachineFunction& function) {
  const std::size_t count = function.blocks.size();
  loops.clear();
  loop_of_block.assign(count, kNone);
  loop_stack_.clear();
  for (std::uint32_t block = 0; block != count; ++block) {
    const Position start = StartOfBlock(block);
    while (!loop_stack_.empty() && loops[loop_stack_.back()].end <= start) loop_stack_.pop_back();
    const std::uint32_t loop_end = blocks_[block].loop_end;
    if (loop_end > block && loop_end <= count) {
      LiveLoop loop;
      loop.parent = loop_stack_.empty() ? kNone : loop_stack_.back();
      loop.start = start;
      loop.end = EndOfBlock(loop_end - 1);
      loop_stack_.push_back(static_cast<std::uint32_t>(loops.size()));
      loops.push_back(loop);
    }
    if (!loop_stack_.empty()) loop_of_block[block] = loop_stack_.back();
  }
}

TENON_DECL void LiveIntervals::CollectOperands(const MachineFunction& function) {
  // Instructions with many operands that may be in slots could need more registers than there are
  // if constants, which have no slots, were among them.
  constexpr std::uint32_t kManyOperands = 8;
  for (const MachineInstruction& instruction : function.instructions) {
    if (instruction.operand_count <= kManyOperands) continue;
    for (std::uint32_t i = 0; i != instruction.operand_count; ++i) {
      const Operand& operand = function.operands[instruction.first_operand + i];
      if (operand.policy == OperandPolicy::Any) values[operand.value].can_rematerialize = false;
    }
  }
  for (auto& ranges : fixed) ranges.clear();
  calls.clear();
  definitions.clear();
  unsorted_uses_.clear();
  reuses_.clear();
  for (std::uint32_t b = 0; b != blocks_.size(); ++b) {
    const MachineBlock& block = blocks_[b];
    for (const VirtualId parameter : block.parameters) {
      LiveValue& value = values[parameter];
      value.is_parameter = true;
      value.definition = value.start = StartOfBlock(b);
      definitions.push_back(parameter);
    }
    for (std::uint32_t i = block.first; i != block.end; ++i) {
      const MachineInstruction& instruction = function.instructions[i];
      const std::span operands{function.operands.data() + instruction.first_operand,
                               instruction.operand_count};
      CollectInstruction(operands, instruction, i + b + 1);
    }
    if (block.arguments.empty()) continue;
    const Position at = EndOfBlock(b) - 1;
    const MachineBlock& target = blocks_[block.successors[0]];
    for (std::size_t i = 0; i != block.arguments.size(); ++i) {
      AddUse(block.arguments[i], at, false);
      LiveValue& value = values[block.arguments[i]];
      if (value.wish.IsNone()) value.wish = RegisterWish::OfParameter(target.parameters[i]);
    }
  }
  for (std::size_t i = reuses_.size(); i-- != 0;) {
    LiveValue& used = values[reuses_[i].second];
    if (used.wish.IsNone()) used.wish = values[reuses_[i].first].wish;
  }
}

TENON_DECL void LiveIntervals::CollectInstruction(std::span<const Operand> operands,
                                                  const MachineInstruction& instruction,
                                                  std::uint32_t step) {
  // By register: which positions of the step are taken, as bits.
  std::uint8_t taken[32];
  RegisterSet touched = 0;
  const auto take = [&](Register reg, std::uint8_t positions) {
    const RegisterSet bit = Bit(reg);
    taken[reg] = static_cast<std::uint8_t>(((touched & bit) != 0 ? taken[reg] : 0) | positions);
    touched |= bit;
  };
  bool has_reuse = false;
  for (std::uint32_t i = 0; i != operands.size(); ++i) {
    const Operand& operand = operands[i];
    if (operand.role != OperandRole::Define) continue;
    LiveValue& value = values[operand.value];
    value.definition = LateOf(step);
    definitions.push_back(operand.value);
    if (const Register reg = ReusedOperands::FixedOf(operands, i); reg != kNoRegister) {
      value.start = BeginOf(step + 1);
      take(reg, 0b1000);
    } else if (operand.policy == OperandPolicy::Reuse) {
      has_reuse = true;
      value.start = BeginOf(step);
      reuses_.push_back({operand.value, operands[operand.fixed].value});
    } else {
      value.start = LateOf(step);
    }
  }
  for (std::uint32_t i = 0; i != operands.size(); ++i) {
    const Operand& operand = operands[i];
    switch (operand.role) {
      case OperandRole::Define:
        break;
      case OperandRole::Temporary:
        if (operand.policy == OperandPolicy::Fixed) {
          take(operand.fixed, 0b1110);
        } else {
          values[operand.value].definition = LateOf(step);
        }
        break;
      case OperandRole::Use:
      case OperandRole::LateUse: {
        const bool is_late = operand.role == OperandRole::LateUse;
        if (operand.policy == OperandPolicy::Fixed) {
          take(operand.fixed, is_late ? 0b1111 : 0b0011);
          AddUse(operand.value, BeginOf(step), false);
          LiveValue& value = values[operand.value];
          if (value.wish.IsNone()) value.wish = RegisterWish::Of(operand.fixed);
        } else if (has_reuse && ReusedOperands::Find(operands, i) != kNone) {
          AddUse(operand.value, BeginOf(step), false);
        } else {
          const bool needs_register =
              operand.policy != OperandPolicy::Any || values[operand.value].can_rematerialize;
          AddUse(operand.value, is_late ? LateOf(step) : EarlyOf(step), needs_register);
        }
        break;
      }
    }
  }
  RegisterSet clobbers = instruction.clobbers & kAllocatable;
  if ((clobbers & kCallClobbers) == kCallClobbers) {
    calls.push_back(step);
    clobbers &= ~kCallClobbers;
  }
  for (; clobbers != 0; clobbers &= clobbers - 1) {
    take(static_cast<Register>(std::countr_zero(clobbers)), 0b0100);
  }
  for (; touched != 0; touched &= touched - 1) {
    const auto reg = static_cast<Register>(std::countr_zero(touched));
    for (std::uint32_t bits = taken[reg], offset = 0; bits != 0;) {
      const auto skip = static_cast<std::uint32_t>(std::countr_zero(bits));
      const auto length = static_cast<std::uint32_t>(std::countr_one(bits >> skip));
      offset += skip;
      fixed[reg].push_back({BeginOf(step) + offset, BeginOf(step) + offset + length});
      offset += length;
      bits >>= skip + length;
    }
  }
}

TENON_DECL void LiveIntervals::GroupUses() {
  std::uint32_t total = 0;
  for (LiveValue& value : values) {
    const std::uint32_t count = value.end_use;
    value.first_use = value.end_use = total;
    value.next_use = value.next_register_use = total;
    total += count;
  }
  uses.resize(total);
  for (const auto& [value, use] : unsorted_uses_) uses[values[value].end_use++] = use;
  // They came in rising order but for instructions with early and late uses of one value.
  for (LiveValue& value : values) {
    for (std::uint32_t i = value.first_use + 1; i < value.end_use; ++i) {
      for (std::uint32_t k = i; k != value.first_use && uses[k].At() < uses[k - 1].At(); --k) {
        std::swap(uses[k], uses[k - 1]);
      }
    }
  }
}

TENON_DECL void LiveIntervals::AddPiece(VirtualId value, Position start, Position end) {
  if (start >= end) return;
  LivePiece piece;
  piece.start = start;
  piece.end = end;
  piece.value = value;
  pieces.push_back(piece);
  values[value].start = std::min(values[value].start, start);
  values[value].end = std::max(values[value].end, end);
  Enqueue(static_cast<std::uint32_t>(pieces.size()) - 1);
}

TENON_DECL void LiveIntervals::BuildPieces(VirtualId id) {
  const LiveValue& value = values[id];
  const Position start = value.start;
  const std::uint32_t step = StepOf(value.definition);
  const Position least_end = value.is_parameter ? start : BeginOf(step + 1);
  const std::uint32_t block = block_of_step[step];
  const std::uint32_t first = value.first_use;
  const std::uint32_t end = value.end_use;
  if (first == end) {
    AddPiece(id, start, least_end);
    return;
  }
  // A use at the begin of a step belongs to that step's block.
  if (block_of_step[StepOf(uses[first].At())] == block &&
      block_of_step[StepOf(uses[end - 1].At())] == block) {
    AddPiece(id, start, std::max(least_end, uses[end - 1].End()));
    return;
  }
  if (!FindLiveBlocks(id, block)) {
    AddPiece(id, 0, start);
    AddPiece(id, start, EndOfBlock(static_cast<std::uint32_t>(blocks_.size()) - 1));
    return;
  }
  Position open_start = 0;
  Position open_end = 0;
  const std::uint32_t mark = id + 1;
  const auto append = [&](std::uint32_t at) {
    const Position from = at == block ? start : StartOfBlock(at);
    Position to = marks_[at].live_out == mark ? EndOfBlock(at) : marks_[at].last_use;
    if (at == block) to = std::max(to, least_end);
    if (from == open_end && at != block) {
      open_end = to;
      return;
    }
    AddPiece(id, open_start, open_end);
    open_start = from;
    open_end = to;
  };
  // In rising order: by sorting, or by looking at every block between if most of them are live.
  const auto [least, greatest] = std::minmax_element(visited_.begin(), visited_.end());
  if (*greatest - *least < 8 * visited_.size()) {
    const std::uint32_t last = *greatest;
    for (std::uint32_t at = *least; at <= last; ++at) {
      if (marks_[at].live_in == mark) append(at);
    }
  } else {
    std::sort(visited_.begin(), visited_.end());
    for (const std::uint32_t at : visited_) append(at);
  }
  AddPiece(id, open_start, open_end);
}

TENON_DECL bool LiveIntervals::FindLiveBlocks(VirtualId id, std::uint32_t definition_block) {
  // Goes up from the uses to the definition, which is above all of them. live_in marks the blocks
  // that have been seen, the definition's among them.
  const LiveValue& value = values[id];
  const std::uint32_t mark = id + 1;
  visited_.clear();
  visited_.push_back(definition_block);
  marks_[definition_block].live_in = mark;
  marks_[definition_block].last_use = 0;
  for (std::uint32_t i = value.first_use; i != value.end_use; ++i) {
    const std::uint32_t block = block_of_step[StepOf(uses[i].At())];
    BlockMark& block_mark = marks_[block];
    if (block_mark.live_in != mark) {
      block_mark.live_in = mark;
      block_mark.last_use = 0;
      visited_.push_back(block);
    }
    block_mark.last_use = std::max(block_mark.last_use, uses[i].End());
  }
  for (std::size_t i = 1; i < visited_.size(); ++i) {
    if (visited_.size() > kFreeVisits) {
      if (visits_left_ == 0) return false;
      --visits_left_;
    }
    const std::uint32_t block = visited_[i];
    for (std::uint32_t k = first_predecessor_[block]; k != first_predecessor_[block + 1]; ++k) {
      const std::uint32_t predecessor = predecessors_[k];
      BlockMark& block_mark = marks_[predecessor];
      block_mark.live_out = mark;
      if (block_mark.live_in == mark) continue;
      block_mark.live_in = mark;
      block_mark.last_use = 0;
      visited_.push_back(predecessor);
    }
  }
  return true;
}

}  // namespace tenon::inline TENON_ABI::jit
