// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of loop_invariants.hpp.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tenon/jit/effects.hpp>
#include <tenon/jit/loop_invariants.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Loops are told from the depths of blocks: those behind a header whose depth is not smaller
/// belong to it, because order keeps loops together.
inline void LoopInvariants::FindLoops(const Function& function) {
  loops_.clear();
  loop_of_.assign(function.blocks.size(), kNone);
  position_.assign(function.blocks.size(), kNone);
  std::uint32_t current = kNone;
  for (std::uint32_t i = 0; i < function.order.size(); ++i) {
    const BlockId number = function.order[i];
    const Block& block = function.blocks[number];
    position_[number] = i;
    const std::uint32_t outer_depth = block.loop_depth - (block.is_loop_header ? 1 : 0);
    while (current != kNone &&
           function.blocks[function.order[loops_[current].first]].loop_depth > outer_depth) {
      current = loops_[current].parent;
    }
    if (block.is_loop_header) {
      Loop loop;
      loop.parent = current;
      loop.first = i;
      std::uint32_t entries = 0;
      for (const BlockId predecessor : block.predecessors) {
        if (position_[predecessor] == kNone || predecessor == number) continue;
        ++entries;
        loop.entry = predecessor;
      }
      if (entries != 1 || function.blocks[loop.entry].successors.size() != 1) loop.entry = kNone;
      current = static_cast<std::uint32_t>(loops_.size());
      loops_.push_back(loop);
    }
    loop_of_[number] = current;
    if (current == kNone) continue;
    Loop& loop = loops_[current];
    for (ValueId value = block.first; value != kNone; value = function.next[value]) {
      const IrOpcode opcode = function[value].opcode;
      loop.calls |= IsCall(opcode);
      loop.stores_globals |= opcode == IrOpcode::StoreGlobal;
    }
  }
  // What an inner loop does its outer ones do.
  for (std::size_t i = loops_.size(); i-- > 0;) {
    if (loops_[i].parent == kNone) continue;
    Loop& outer = loops_[loops_[i].parent];
    outer.calls |= loops_[i].calls;
    outer.stores_globals |= loops_[i].stores_globals;
  }
}

inline bool LoopInvariants::IsOutside(const Function& function, ValueId value,
                                      const Loop& loop) const {
  const BlockId block = function.block_of[value];
  return block == kNone || position_[block] < loop.first;
}

inline bool LoopInvariants::CanLeave(const Function& function, const Instruction& instruction,
                                     const Loop& loop) const {
  if (loop.entry == kNone) return false;
  // A comparison costs nothing where it becomes part of a branch, and a register elsewhere.
  if (instruction.opcode >= IrOpcode::I32Eqz && instruction.opcode <= IrOpcode::F64Ge) return false;
  switch (instruction.opcode) {
    case IrOpcode::LoadGlobal:
      if (loop.calls || loop.stores_globals) return false;
      break;
    case IrOpcode::MemoryBytes:
      if (loop.calls || instruction.immediate != 0) return false;
      break;
    case IrOpcode::MemoryBase:
    case IrOpcode::TableSize:
      if (loop.calls) return false;
      break;
    default:
      if (!IsPure(instruction)) return false;
  }
  bool outside = true;
  VisitOperands(function, instruction,
                [&](ValueId operand) { outside = outside && IsOutside(function, operand, loop); });
  return outside;
}

/// The same instruction may leave any number of loops.
inline std::size_t LoopInvariants::PlaceOf(const Function& function, ValueId value,
                                           BlockId target) {
  return HashOf(function[value]) + std::size_t{target} * 0x9E3779B9;
}

/// An instruction equal to `value` that has been moved to `target`; if there is none, `value`,
/// which will be.
inline ValueId LoopInvariants::FindMoved(const Function& function, ValueId value, BlockId target) {
  if ((moved_count_ + 1) * 2 > moved_.size()) GrowMoved(function);
  const std::size_t mask = moved_.size() - 1;
  std::size_t at = PlaceOf(function, value, target) & mask;
  for (; moved_[at] != kNone; at = (at + 1) & mask) {
    if (function.block_of[moved_[at]] == target && IsSame(function[moved_[at]], function[value])) {
      return moved_[at];
    }
  }
  ++moved_count_;
  moved_[at] = value;
  return value;
}

inline void LoopInvariants::GrowMoved(const Function& function) {
  FlatArray<ValueId> old(std::max<std::size_t>(64, moved_.size() * 2), kNone);
  old.swap(moved_);
  const std::size_t mask = moved_.size() - 1;
  for (const ValueId value : old) {
    if (value == kNone) continue;
    std::size_t at = PlaceOf(function, value, function.block_of[value]) & mask;
    while (moved_[at] != kNone) at = (at + 1) & mask;
    moved_[at] = value;
  }
}

/// Lets those that stay take the place of those that were found to be equal.
inline void LoopInvariants::Replace(Function& function) {
  const auto replace = [&](ValueId& operand) {
    if (operand != kNone && replacements_[operand] != kNone) operand = replacements_[operand];
  };
  for (const BlockId block : function.order) {
    for (ValueId value = function.blocks[block].first; value != kNone;
         value = function.next[value]) {
      Instruction& instruction = function[value];
      if (HasList(instruction.opcode)) {
        for (ValueId& operand : function.List(instruction)) replace(operand);
      } else {
        for (ValueId& operand : instruction.operands) replace(operand);
      }
    }
  }
}

TENON_DECL void LoopInvariants::Run(Function& function) {
  FindLoops(function);
  if (loops_.empty()) return;
  std::fill(moved_.begin(), moved_.end(), kNone);
  moved_count_ = 0;
  replacements_.clear();
  for (const BlockId block : function.order) {
    if (loop_of_[block] == kNone) continue;
    for (ValueId value = function.blocks[block].first; value != kNone;) {
      const ValueId behind = function.next[value];
      if (!replacements_.empty() && !HasList(function[value].opcode)) {
        // Operands come first in order: so they have equal names when they are compared.
        for (ValueId& operand : function[value].operands) {
          if (operand != kNone && replacements_[operand] != kNone) {
            operand = replacements_[operand];
          }
        }
      }
      BlockId target = kNone;
      std::uint32_t loop = loop_of_[block];
      for (std::uint32_t level = 0; level < kMostLevels && loop != kNone &&
                                    CanLeave(function, function[value], loops_[loop]);
           ++level) {
        target = loops_[loop].entry;
        loop = loops_[loop].parent;
      }
      if (target != kNone) {
        function.Remove(value);
        const ValueId moved = FindMoved(function, value, target);
        if (moved == value) {
          function.InsertBefore(target, function.blocks[target].last, value);
        } else {
          replacements_.resize(function.instructions.size(), kNone);
          replacements_[value] = moved;
        }
      }
      value = behind;
    }
  }
  if (!replacements_.empty()) Replace(function);
}

}  // namespace tenon::inline TENON_ABI::jit
