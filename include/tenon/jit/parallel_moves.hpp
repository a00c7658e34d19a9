// SPDX-License-Identifier: Apache-2.0
/// @file
/// Moves that happen at once, put into an order in which they can be made one by one.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Sequences parallel moves. Integer registers in a cycle are exchanged, vector registers go
/// through kScratchVector, and a cycle with spill slots through a slot of its own: moves from slot
/// to slot need kScratchVector themselves.
///
/// Wide and other values must never share a slot.
class ParallelMoves {
 public:
  /// Starts on a function that has `spill_slots` slots so far.
  TENON_DECL void Reset(std::uint32_t spill_slots);

  /// Adds a move to the present group. All destinations of a group differ. `move.before` is
  /// ignored, `move.kind` is Copy or Rematerialize.
  void Add(const MachineMove& move) {
    if (move.kind == MoveKind::Copy && move.from == move.to) return;
    pending_.push_back(move);
  }

  /// Appends the group to `result`, in front of instruction `before`, and empties it.
  TENON_DECL void Flush(std::uint32_t before, FlatArray<MachineMove>& result);

  /// Slots of the function, with those that cycles needed.
  std::uint32_t SpillSlots() const { return spill_slots_; }

 private:
  static constexpr std::uint32_t kRegisters = 32;
  static std::uint32_t Index(Location location) {
    return location.IsRegister() ? location.AsRegister() : kRegisters + location.AsSlot();
  }

  TENON_DECL void BreakCycle(std::uint32_t first, FlatArray<MachineMove>& result);
  TENON_DECL Location CycleSlot(bool is_wide);

  FlatArray<MachineMove> pending_;
  FlatArray<std::uint32_t> readers_;   ///< by location: pending moves that read it
  FlatArray<std::uint32_t> writer_;    ///< by location: the pending move that writes it
  FlatArray<std::uint32_t> worklist_;  ///< pending moves that can be made
  FlatArray<std::uint32_t> cycle_;
  std::uint32_t spill_slots_ = 0;
  Location cycle_slot_;
  Location wide_cycle_slot_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/parallel_moves.ipp>
#endif
