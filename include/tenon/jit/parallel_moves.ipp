// SPDX-License-Identifier: Apache-2.0
/// @file
/// Implementation of parallel_moves.hpp.
#pragma once

#include <cstddef>

#include <tenon/jit/parallel_moves.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void ParallelMoves::Reset(std::uint32_t spill_slots) {
  pending_.clear();
  spill_slots_ = spill_slots;
  cycle_slot_ = Location{};
  wide_cycle_slot_ = Location{};
  // Two slots for cycles of words, one of them for alignment, two for wide cycles.
  readers_.assign(kRegisters + std::size_t{spill_slots} + 4, 0);
  writer_.assign(kRegisters + std::size_t{spill_slots} + 4, kNone);
}

TENON_DECL void ParallelMoves::Flush(std::uint32_t before, FlatArray<MachineMove>& result) {
  if (pending_.empty()) return;
  if (pending_.size() == 1) {
    pending_[0].before = before;
    result.push_back(pending_[0]);
    pending_.clear();
    return;
  }
  const auto count = static_cast<std::uint32_t>(pending_.size());
  for (std::uint32_t i = 0; i != count; ++i) {
    MachineMove& move = pending_[i];
    move.before = before;
    if (move.kind == MoveKind::Copy) ++readers_[Index(move.from)];
    writer_[Index(move.to)] = i;
  }
  worklist_.clear();
  for (std::uint32_t i = count; i-- != 0;) {
    if (readers_[Index(pending_[i].to)] == 0) worklist_.push_back(i);
  }
  while (!worklist_.empty()) {
    const MachineMove& move = pending_[worklist_.back()];
    worklist_.pop_back();
    result.push_back(move);
    writer_[Index(move.to)] = kNone;
    if (move.kind != MoveKind::Copy) continue;
    const std::uint32_t source = Index(move.from);
    if (--readers_[source] == 0 && writer_[source] != kNone) worklist_.push_back(writer_[source]);
  }
  // What is left has every destination read by exactly one other move.
  for (std::uint32_t i = 0; i != count; ++i) {
    if (writer_[Index(pending_[i].to)] == i) BreakCycle(i, result);
  }
  pending_.clear();
}

TENON_DECL void ParallelMoves::BreakCycle(std::uint32_t first, FlatArray<MachineMove>& result) {
  // In the order in which each destination is the next one's... source comes behind its reader.
  cycle_.clear();
  std::size_t slot_at = SIZE_MAX;
  for (std::uint32_t i = first;;) {
    const MachineMove& move = pending_[i];
    if (move.to.IsSlot()) slot_at = cycle_.size();
    cycle_.push_back(i);
    writer_[Index(move.to)] = kNone;
    readers_[Index(move.from)] = 0;
    const std::uint32_t next = writer_[Index(move.from)];
    if (next == kNone) break;
    i = next;
  }
  const std::size_t count = cycle_.size();
  const MachineMove& begin = pending_[first];
  if (slot_at == SIZE_MAX && begin.register_class == RegisterClass::Integer) {
    for (std::size_t i = 0; i + 1 < count; ++i) {
      MachineMove swap = pending_[cycle_[i]];
      swap.kind = MoveKind::Swap;
      result.push_back(swap);
    }
    return;
  }
  // Save what the first destination holds; its reader is the last of the cycle.
  const std::size_t start = slot_at == SIZE_MAX ? 0 : slot_at;
  const std::size_t last = (start + count - 1) % count;
  MachineMove save = pending_[cycle_[last]];
  save.to = slot_at == SIZE_MAX ? Location::InRegister(kScratchVector) : CycleSlot(save.is_wide);
  result.push_back(save);
  for (std::size_t i = 0; i != count; ++i) {
    MachineMove move = pending_[cycle_[(start + i) % count]];
    if ((start + i) % count == last) move.from = save.to;
    result.push_back(move);
  }
}

TENON_DECL Location ParallelMoves::CycleSlot(bool is_wide) {
  Location& slot = is_wide ? wide_cycle_slot_ : cycle_slot_;
  if (slot.IsNone()) {
    if (is_wide) spill_slots_ += spill_slots_ & 1;
    slot = Location::InSlot(spill_slots_);
    spill_slots_ += is_wide ? 2 : 1;
  }
  return slot;
}

}  // namespace tenon::inline TENON_ABI::jit
