// SPDX-License-Identifier: Apache-2.0
/// @file
/// Implementation of register_allocator.hpp: moves on edges, spill slots, and the list of moves.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <functional>
#include <utility>

#include <tenon/jit/register_allocator.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void RegisterAllocator::ResolveEdges(const MachineFunction& function) {
  const auto& blocks = function.blocks;
  auto& values = intervals_.values;
  edge_transfers_.clear();
  transfers_at_begin_.assign(blocks.size(), {});
  transfers_at_end_.assign(blocks.size(), {});
  const auto add = [&](VirtualId value, VirtualId target, Register to) {
    Transfer transfer;
    transfer.value = value;
    transfer.target = target;
    transfer.to = to;
    if (mark_[value] == mark_count_) transfer.from = mark_reg_[value];
    if (transfer.from != kNoRegister && transfer.from == to) return;
    // What cannot be made anew in a register must have been stored.
    LiveValue& live = values[value];
    if (transfer.from == kNoRegister && (to == kNoRegister || !live.can_rematerialize)) {
      live.is_stored = true;
    }
    edge_transfers_.push_back(transfer);
  };
  for (std::uint32_t b = 0; b != blocks.size(); ++b) {
    const MachineBlock& block = blocks[b];
    const Position start = intervals_.StartOfBlock(b);
    // The pieces that are in registers when the block begins, but for its parameters.
    gap_pieces_.clear();
    for (std::uint32_t i = begin_of_block_[b].first; i != begin_of_block_[b].end; ++i) {
      const LivePiece& piece = intervals_.pieces[snapshots_[i]];
      if (piece.reg == kNoRegister || piece.start > start || piece.end <= start) continue;
      const LiveValue& value = values[piece.value];
      if (value.is_parameter && value.definition == start) continue;
      gap_pieces_.push_back(snapshots_[i]);
    }
    const auto at_begin = static_cast<std::uint32_t>(edge_transfers_.size());
    transfers_at_begin_[b] = {at_begin, at_begin};
    if (block.predecessors.size() > 1) {
      for (const std::uint32_t predecessor : block.predecessors) {
        if (blocks[predecessor].successors.size() < 2 || gap_pieces_.empty()) continue;
        // There is no room for moves: what is elsewhere at the end of the predecessor is expected
        // in its slot, and fetched from there by the block itself.
        MarkEnd(predecessor);
        const auto kept =
            std::remove_if(gap_pieces_.begin(), gap_pieces_.end(), [&](std::uint32_t id) {
              const LivePiece& piece = intervals_.pieces[id];
              if (mark_[piece.value] == mark_count_ && mark_reg_[piece.value] == piece.reg) {
                return false;
              }
              Transfer transfer;
              transfer.value = piece.value;
              transfer.to = piece.reg;
              edge_transfers_.push_back(transfer);
              LiveValue& value = values[piece.value];
              if (!value.can_rematerialize) value.is_stored = true;
              return true;
            });
        gap_pieces_.resize(static_cast<std::size_t>(kept - gap_pieces_.begin()));
      }
      transfers_at_begin_[b].end = static_cast<std::uint32_t>(edge_transfers_.size());
    }
    for (const std::uint32_t predecessor : block.predecessors) {
      const MachineBlock& from = blocks[predecessor];
      const bool is_at_end = block.predecessors.size() > 1;
      if (is_at_end && from.successors.size() > 1) continue;
      const auto first = static_cast<std::uint32_t>(edge_transfers_.size());
      MarkEnd(predecessor);
      for (const std::uint32_t id : gap_pieces_) {
        add(intervals_.pieces[id].value, kNone, intervals_.pieces[id].reg);
      }
      for (std::size_t i = 0; i != from.arguments.size(); ++i) {
        const VirtualId parameter = block.parameters[i];
        if (values[parameter].end == 0) continue;
        add(from.arguments[i], parameter, values[parameter].definition_reg);
      }
      const Range range{first, static_cast<std::uint32_t>(edge_transfers_.size())};
      (is_at_end ? transfers_at_end_[predecessor] : transfers_at_begin_[b]) = range;
    }
  }
}

TENON_DECL void RegisterAllocator::AssignSlots() {
  auto& values = intervals_.values;
  stored_.clear();
  for (const VirtualId id : intervals_.definitions) {
    if (values[id].is_stored) stored_.push_back(id);
  }
  std::sort(stored_.begin(), stored_.end(), [&](VirtualId left, VirtualId right) {
    return std::pair{values[left].start, left} < std::pair{values[right].start, right};
  });
  // Words and wide values never share slots, so that moves never overlap in part.
  busy_slots_.clear();
  free_slots_.clear();
  free_wide_slots_.clear();
  spill_slots_ = 0;
  for (const VirtualId id : stored_) {
    LiveValue& value = values[id];
    while (!busy_slots_.empty() && busy_slots_.front().first <= value.start) {
      std::pop_heap(busy_slots_.begin(), busy_slots_.end(), std::greater<>{});
      const std::uint32_t done = busy_slots_.back().second;
      busy_slots_.pop_back();
      (values[done].is_wide ? free_wide_slots_ : free_slots_).push_back(values[done].slot);
    }
    auto& free = value.is_wide ? free_wide_slots_ : free_slots_;
    if (!free.empty()) {
      value.slot = free.back();
      free.pop_back();
    } else {
      if (value.is_wide && (spill_slots_ & 1) != 0) free_slots_.push_back(spill_slots_++);
      value.slot = spill_slots_;
      spill_slots_ += value.is_wide ? 2 : 1;
    }
    busy_slots_.push_back({value.end, id});
    std::push_heap(busy_slots_.begin(), busy_slots_.end(), std::greater<>{});
  }
}

TENON_DECL void RegisterAllocator::Emit(const Transfer& transfer, const MachineFunction& function) {
  if (transfer.is_cancelled) return;
  const LiveValue& value = intervals_.values[transfer.value];
  MachineMove move;
  move.register_class = value.register_class;
  move.is_wide = value.is_wide;
  Register to = transfer.to;
  if (to == kNoRegister) to = intervals_.values[transfer.target].definition_reg;
  move.to = to != kNoRegister ? Location::InRegister(to)
                              : Location::InSlot(intervals_.values[transfer.target].slot);
  if (transfer.from != kNoRegister) {
    move.from = Location::InRegister(transfer.from);
  } else if (value.can_rematerialize && to != kNoRegister) {
    move.kind = MoveKind::Rematerialize;
    move.instruction = function.registers[transfer.value].rematerialization;
  } else {
    move.from = Location::InSlot(value.slot);
  }
  parallel_.Add(move);
}

TENON_DECL void RegisterAllocator::EmitMoves(MachineFunction& function) {
  const auto& values = intervals_.values;
  const auto& definitions = intervals_.definitions;
  parallel_.Reset(spill_slots_);
  std::size_t transfer = 0;
  std::size_t definition = 0;
  const auto emit = [&](Range range, std::uint32_t before) {
    for (std::uint32_t i = range.first; i != range.end; ++i) Emit(edge_transfers_[i], function);
    parallel_.Flush(before, function.moves);
  };
  for (std::uint32_t b = 0; b != function.blocks.size(); ++b) {
    const MachineBlock& block = function.blocks[b];
    emit(transfers_at_begin_[b], block.first);
    for (std::uint32_t i = block.first; i != block.end; ++i) {
      const std::uint32_t step = i + b + 1;
      for (; transfer != transfers_.size() && transfers_[transfer].step == step; ++transfer) {
        Emit(transfers_[transfer], function);
      }
      // Spill slots of what has just been defined.
      for (; definition != definitions.size(); ++definition) {
        const LiveValue& value = values[definitions[definition]];
        if (StepOf(value.definition) >= step) break;
        if (!value.is_stored || value.definition_reg == kNoRegister) continue;
        MachineMove store;
        store.register_class = value.register_class;
        store.is_wide = value.is_wide;
        store.from = Location::InRegister(value.definition_reg);
        store.to = Location::InSlot(value.slot);
        parallel_.Add(store);
      }
      parallel_.Flush(i, function.moves);
    }
    emit(transfers_at_end_[b], block.end - 1);
  }
  function.spill_slots = parallel_.SpillSlots();
}

TENON_DECL void RegisterAllocator::CollectUsedRegisters(MachineFunction& function) {
  RegisterSet used = 0;
  for (const Location location : function.locations) {
    if (location.IsRegister()) used |= Bit(location.AsRegister());
  }
  for (const MachineMove& move : function.moves) {
    if (move.from.IsRegister()) used |= Bit(move.from.AsRegister());
    if (move.to.IsRegister()) used |= Bit(move.to.AsRegister());
    if (move.from.IsSlot() && move.to.IsSlot()) used |= Bit(kScratchVector);
  }
  for (const MachineInstruction& instruction : function.instructions) {
    used |= instruction.clobbers;
  }
  function.used_registers = used;
}

}  // namespace tenon::inline TENON_ABI::jit
