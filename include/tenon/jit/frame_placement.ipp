// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of frame_placement.hpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <iterator>
#include <span>

#include <tenon/jit/frame_placement.hpp>
#include <tenon/jit/machine_opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

constexpr bool IsSaved(Register reg) { return (Bit(reg) & kCalleeSaved) != 0; }

/// The moves that stand before the instructions of a block.
inline std::span<const MachineMove> MovesOf(const MachineFunction& function, std::uint32_t block) {
  const auto before = [](const MachineMove& move, std::uint32_t at) { return move.before < at; };
  const auto& moves = function.moves;
  const auto first =
      std::lower_bound(moves.begin(), moves.end(), function.blocks[block].first, before);
  return {first, std::lower_bound(first, moves.end(), function.blocks[block].end, before)};
}

}  // namespace detail

inline bool FramePlacement::CanRunWithout(const MachineFunction& function,
                                          const MachineInstruction& instruction) const {
  if (NeedsFrame(instruction) || (instruction.clobbers & kCalleeSaved) != 0) return false;
  if (instruction.address.base == MachineAddress::kStackBase ||
      instruction.address.base == MachineAddress::kLocalBase) {
    return false;
  }
  for (std::uint32_t i = 0; i < instruction.operand_count; ++i) {
    const Location location = function.locations[instruction.first_operand + i];
    if (!location.IsRegister() || detail::IsSaved(location.AsRegister())) return false;
  }
  return true;
}

/// Notes stores to slots, which can wait, in `stores_`.
inline bool FramePlacement::CanRunWithout(const MachineFunction& function, std::uint32_t number) {
  const MachineBlock& block = function.blocks[number];
  if (block.loop_end != 0 || block.is_cold) return false;
  for (std::uint32_t i = block.first; i < block.end; ++i) {
    if (!CanRunWithout(function, function.instructions[i])) return false;
  }
  for (const MachineMove& move : detail::MovesOf(function, number)) {
    if (move.to.IsSlot()) {
      if (!move.from.IsRegister()) return false;
      stores_.push_back(static_cast<std::uint32_t>(&move - function.moves.data()));
      continue;
    }
    if (move.from.IsSlot() || detail::IsSaved(move.to.AsRegister())) return false;
    if (move.kind == MoveKind::Rematerialize &&
        NeedsFrame(function.instructions[move.instruction])) {
      return false;
    }
    if (move.kind == MoveKind::Swap && detail::IsSaved(move.from.AsRegister())) return false;
  }
  return true;
}

/// Follows the way from the entry as long as one of two ways returns at once.
inline bool FramePlacement::FindBlocks(const MachineFunction& function) {
  frameless_.clear();
  path_.clear();
  stores_.clear();
  std::size_t frameless = 0;
  std::size_t path = 0;
  std::size_t stores = 0;
  for (std::uint32_t at = 0; frameless_.size() < kMostBlocks;) {
    if (!CanRunWithout(function, at)) break;
    frameless_.push_back(at);
    path_.push_back(at);
    const std::size_t stores_of_path = stores_.size();
    std::uint32_t onward = kNone;
    bool returns = false;
    bool forks = false;
    for (const std::uint32_t successor : function.blocks[at].successors) {
      const MachineBlock& block = function.blocks[successor];
      if (block.successors.empty() && block.predecessors.size() == 1 &&
          static_cast<MachineOpcode>(function.instructions[block.end - 1].opcode) ==
              MachineOpcode::Return &&
          CanRunWithout(function, successor) && stores_.size() == stores_of_path) {
        frameless_.push_back(successor);
        returns = true;
        continue;
      }
      stores_.resize(stores_of_path);
      forks |= onward != kNone;
      onward = successor;
    }
    if (onward == kNone || forks || function.blocks[onward].predecessors.size() != 1) break;
    if (returns) {
      frameless = frameless_.size();
      path = path_.size();
      stores = stores_.size();
      frame_block_ = onward;
    }
    at = onward;
  }
  frameless_.resize(frameless);
  path_.resize(path);
  stores_.resize(stores);
  return frameless != 0;
}

/// Whether what is stored is still in its register where the frame is made.
inline bool FramePlacement::KeepsStored(const MachineFunction& function) const {
  for (const std::uint32_t store : stores_) {
    const MachineMove& stored = function.moves[store];
    const Register reg = stored.from.AsRegister();
    for (const std::uint32_t number : path_) {
      const MachineBlock& block = function.blocks[number];
      for (std::uint32_t i = std::max(block.first, stored.before); i < block.end; ++i) {
        const MachineInstruction& instruction = function.instructions[i];
        if ((instruction.clobbers & Bit(reg)) != 0) return false;
        for (std::uint32_t k = 0; k < instruction.operand_count; ++k) {
          const OperandRole role = function.operands[instruction.first_operand + k].role;
          if (role != OperandRole::Define && role != OperandRole::Temporary) continue;
          if (function.locations[instruction.first_operand + k] == stored.from) return false;
        }
      }
      for (const MachineMove& move : detail::MovesOf(function, number)) {
        if (&move <= &stored) continue;
        if (move.to == stored.from || (move.kind == MoveKind::Swap && move.from == stored.from)) {
          return false;
        }
      }
    }
  }
  return true;
}

inline bool FramePlacement::FindRegisters(MachineFunction& function) const {
  const MachineBlock& block = function.blocks[frame_block_];
  RegisterSet busy =
      block.begin_registers | function.blocks[block.predecessors[0]].end_registers | kCalleeSaved;
  for (const std::uint32_t store : stores_) busy |= Bit(function.moves[store].from.AsRegister());
  std::size_t found = 0;
  for (RegisterSet free = kAllocatable & kAllIntegers & ~busy; free != 0; free &= free - 1) {
    function.frame_registers[found++] = static_cast<Register>(std::countr_zero(free));
    if (found == std::size(function.frame_registers)) return true;
  }
  return false;
}

inline void FramePlacement::Postpone(MachineFunction& function) {
  if (stores_.empty()) return;
  auto& moves = function.moves;
  const std::uint32_t before = function.blocks[frame_block_].first;
  // Behind what stays before them, in front of what the block moves itself.
  std::sort(stores_.begin(), stores_.end());
  kept_.clear();
  std::size_t store = 0;
  const auto store_all = [&] {
    for (; store < stores_.size(); ++store) {
      kept_.push_back(moves[stores_[store]]);
      kept_.back().before = before;
    }
  };
  std::size_t waiting = 0;
  for (std::uint32_t i = 0; i < moves.size(); ++i) {
    if (moves[i].before >= before) store_all();
    if (waiting < stores_.size() && stores_[waiting] == i) {
      ++waiting;
    } else {
      kept_.push_back(moves[i]);
    }
  }
  store_all();
  moves.swap(kept_);
}

TENON_DECL void FramePlacement::Run(MachineFunction& function) {
  if (!FindBlocks(function) || !KeepsStored(function) || !FindRegisters(function)) return;
  for (const std::uint32_t block : frameless_) function.blocks[block].is_frameless = true;
  function.frame_block = frame_block_;
  Postpone(function);
}

}  // namespace tenon::inline TENON_ABI::jit
