// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of loop_invariants.hpp.
#pragma once

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
    case IrOpcode::MemoryBase:
    case IrOpcode::MemoryBytes:
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

TENON_DECL void LoopInvariants::Run(Function& function) {
  FindLoops(function);
  if (loops_.empty()) return;
  for (const BlockId block : function.order) {
    if (loop_of_[block] == kNone) continue;
    for (ValueId value = function.blocks[block].first; value != kNone;) {
      const ValueId behind = function.next[value];
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
        function.InsertBefore(target, function.blocks[target].last, value);
      }
      value = behind;
    }
  }
}

}  // namespace tenon::inline TENON_ABI::jit
