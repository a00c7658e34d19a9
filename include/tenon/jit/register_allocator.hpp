// SPDX-License-Identifier: Apache-2.0
/// @file
/// Gives the virtual registers of a MachineFunction registers and spill slots.
///
/// Linear scan over live pieces (live_intervals.hpp). A value is in one place at a time; pieces of
/// it are joined by moves, at the begin of a step or on edges. Its spill slot never changes and is
/// written once, behind the definition: to leave a register costs nothing, anywhere.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/live_intervals.hpp>
#include <tenon/jit/machine_function.hpp>
#include <tenon/jit/parallel_moves.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The allocator. Keeps its arrays from run to run; not for several threads at once.
///
/// Beyond what machine_function.hpp says, it relies on this:
/// - blocks stand in `instructions` in layout order, each with at least one instruction;
/// - terminators define nothing; a terminator with one successor has no operands, if that has other
///   predecessors;
/// - moves may come before any instruction, so that nothing (as flags) but registers and slots
///   lives between two instructions;
/// - a temporary has a virtual register of its own, unless it is fixed;
/// - an instruction needs no more registers at once than there are.
/// Edges from blocks with several successors to blocks with several predecessors are right, but
/// cost: values come to such a block in their spill slots if they are not in one register on all
/// such edges.
class RegisterAllocator {
 public:
  /// Fills `locations`, `moves`, `spill_slots`, `used_registers` and the registers of blocks;
  /// changes nothing else.
  /// Throws std::logic_error if an instruction cannot be satisfied.
  TENON_DECL void Run(MachineFunction& function);
  /// Lets go of what the last function has made large.
  void ReleaseLarge() {
    intervals_.ReleaseLarge();
    jit::ReleaseLarge(snapshots_, begin_of_block_, end_of_block_, mark_, mark_reg_, transfers_,
                      edge_transfers_, transfers_at_begin_, transfers_at_end_, stored_);
  }

 private:
  /// A move at the begin of a step, or on an edge.
  struct Transfer {
    std::uint32_t step = 0;
    VirtualId value = kNone;      ///< what moves
    VirtualId target = kNone;     ///< whose slot is meant if `to` is none
    Register from = kNoRegister;  ///< kNoRegister: its slot, or made anew
    Register to = kNoRegister;
    bool is_cancelled = false;
  };
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
  };

  // The scan.
  TENON_DECL void Scan(MachineFunction& function);
  TENON_DECL void BeginBlock(MachineFunction& function, std::uint32_t block);
  TENON_DECL void EndBlock(MachineFunction& function, std::uint32_t block);
  TENON_DECL void VisitInstruction(std::span<const Operand> operands, std::uint32_t step,
                                   std::span<Location> locations);
  TENON_DECL void PlaceAtBlock(std::uint32_t piece, bool is_loop_entry);
  TENON_DECL void PlaceTemporary(VirtualId value, std::uint32_t step);
  TENON_DECL void Expire(Position at);

  // Decisions for one piece that begins at `at`.
  TENON_DECL void Place(std::uint32_t piece, Position at, Register first_hint);
  TENON_DECL Register FindFreeRegister(const LivePiece& piece, Position at, Register first_hint,
                                       Register& longest, Position& longest_until);
  TENON_DECL Register FindVictim(RegisterClass register_class, Position at, Position least_free);
  TENON_DECL void Assign(std::uint32_t piece, Position at, Register reg);
  TENON_DECL void Evict(Register reg, Position at);
  TENON_DECL void Spill(std::uint32_t piece, Position at);
  TENON_DECL void Continue(VirtualId value, Position from, Position end, bool hoist);
  TENON_DECL bool IsPinned(const LivePiece& piece, Position at);

  // Distances.
  TENON_DECL void AdvanceUses(LiveValue& value, Position at) const;
  TENON_DECL Position NextNeed(const LivePiece& piece, Position at) const;
  TENON_DECL Position FreeUntil(Register reg, Position at);
  TENON_DECL Position HoistOutOfLoops(Position at, Position limit) const;

  // Behind the scan.
  TENON_DECL void ResolveEdges(const MachineFunction& function);
  TENON_DECL void MarkEnd(std::uint32_t block);
  TENON_DECL void AssignSlots();
  TENON_DECL void EmitMoves(MachineFunction& function);
  TENON_DECL void Emit(const Transfer& transfer, const MachineFunction& function);
  TENON_DECL void CollectUsedRegisters(MachineFunction& function);

  LiveIntervals intervals_;
  ParallelMoves parallel_;

  std::uint32_t active_[32] = {};  ///< by register: the piece that has it
  RegisterSet active_set_ = 0;
  Position next_expiry_ = kNoPosition;
  std::uint32_t fixed_at_[32] = {};  ///< by register: first fixed range that has not ended
  std::uint32_t call_at_ = 0;
  std::uint32_t scan_block_ = 0;

  // Values in registers where a block begins and ends.
  FlatArray<std::uint32_t> snapshots_;  ///< pieces
  FlatArray<Range> begin_of_block_;
  FlatArray<Range> end_of_block_;

  // By value: the register at the end of the block that was marked last.
  FlatArray<std::uint32_t> mark_;
  FlatArray<Register> mark_reg_;
  std::uint32_t mark_count_ = 0;

  FlatArray<Transfer> transfers_;  ///< by rising step
  FlatArray<Transfer> edge_transfers_;
  FlatArray<Range> transfers_at_begin_;  ///< by block
  FlatArray<Range> transfers_at_end_;    ///< by block
  FlatArray<std::uint32_t> gap_pieces_;
  FlatArray<std::uint32_t> definition_pieces_;

  FlatArray<VirtualId> stored_;
  std::vector<std::pair<Position, std::uint32_t>> busy_slots_;  ///< heap: end, slot
  FlatArray<std::uint32_t> free_slots_;
  FlatArray<std::uint32_t> free_wide_slots_;
  std::uint32_t spill_slots_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/register_allocator.ipp>
#endif
