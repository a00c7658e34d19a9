// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where the values of a MachineFunction are live, used and bound to registers.
///
/// Everything is ordered by positions. A block has a step for its begin, where its parameters are
/// defined, followed by one step for each instruction; a step has four positions:
///
/// | position | what happens |
/// |---|---|
/// | 4 step + 0 | moves are made, all at once |
/// | 4 step + 1 | early uses are read |
/// | 4 step + 2 | clobbered registers are lost |
/// | 4 step + 3 | definitions are written |
///
/// Ranges are half open. A value that is only copied to where the instruction wants it (fixed uses,
/// uses that a definition replaces) is used at position 4 step and need not live there.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A position in a function; see above.
using Position = std::uint32_t;
inline constexpr Position kNoPosition = 0xFFFFFFFF;

constexpr std::uint32_t StepOf(Position position) { return position >> 2; }
constexpr Position BeginOf(std::uint32_t step) { return step << 2; }
constexpr Position EarlyOf(std::uint32_t step) { return (step << 2) + 1; }
constexpr Position ClobberOf(std::uint32_t step) { return (step << 2) + 2; }
constexpr Position LateOf(std::uint32_t step) { return (step << 2) + 3; }

/// A stretch without holes in which a value is live. What allocation works on.
struct LivePiece {
  Position start = 0;
  Position end = 0;
  VirtualId value = kNone;
  std::uint32_t next = kNone;  ///< another piece that begins in the same step
  std::uint32_t move = kNone;  ///< the move that brings the value there
  Register reg = kNoRegister;  ///< kNoRegister: spilled
  bool was_hoisted = false;    ///< begins in front of a loop rather than at its use
  bool spills_at_end = false;  ///< the value is in no register behind it
};

/// A use: position and whether it needs a register.
class LiveUse {
 public:
  constexpr LiveUse() = default;
  constexpr LiveUse(Position at, bool needs_register)
      : code_{at << 1 | (needs_register ? 1u : 0u)} {}
  constexpr Position At() const { return code_ >> 1; }
  constexpr bool NeedsRegister() const { return (code_ & 1) != 0; }
  /// Where the value may end.
  constexpr Position End() const { return (At() & 3) == 0 ? At() : At() + 1; }

 private:
  std::uint32_t code_ = 0;
};

/// A register that the allocator would like a value to have.
class RegisterWish {
 public:
  constexpr RegisterWish() = default;
  static constexpr RegisterWish Of(Register reg) { return RegisterWish{reg}; }
  /// The register of a block parameter.
  static constexpr RegisterWish OfParameter(VirtualId value) {
    return RegisterWish{value + kFirstParameter};
  }
  constexpr bool IsNone() const { return code_ == kNone; }
  constexpr bool IsRegister() const { return code_ < kFirstParameter; }
  constexpr bool IsParameter() const { return !IsNone() && !IsRegister(); }
  constexpr Register AsRegister() const { return static_cast<Register>(code_); }
  constexpr VirtualId AsParameter() const { return code_ - kFirstParameter; }

 private:
  static constexpr std::uint32_t kFirstParameter = 32;
  explicit constexpr RegisterWish(std::uint32_t code) : code_{code} {}
  std::uint32_t code_ = kNone;
};

/// What is known of a value, and what becomes of it.
struct LiveValue {
  std::uint32_t first_use = 0;  ///< in LiveIntervals::uses, by rising position
  std::uint32_t end_use = 0;
  std::uint32_t next_use = 0;           ///< first one that is not behind the scan
  std::uint32_t next_register_use = 0;  ///< the same of those that need a register
  Position definition = kNoPosition;
  Position start = kNoPosition;  ///< of all its pieces, and of its definition
  Position end = 0;
  RegisterWish wish;
  std::uint32_t slot = kNone;
  Register reg = kNoRegister;             ///< now; kNoRegister: spilled
  Register definition_reg = kNoRegister;  ///< where it is when its definition is done
  Register hint = kNoRegister;            ///< where it was last, or its arguments are
  bool is_parameter = false;
  bool can_rematerialize = false;
  bool is_stored = false;  ///< its spill slot is written behind the definition
  RegisterClass register_class = RegisterClass::Integer;
  bool is_wide = false;
};

/// A stretch in which a register belongs to an instruction.
struct FixedRange {
  Position start = 0;
  Position end = 0;
};

/// A loop as blocks stand in the layout.
struct LiveLoop {
  std::uint32_t parent = kNone;
  Position start = 0;
  Position end = 0;
};

/// Which operand of an instruction a definition takes the register of.
struct ReusedOperands {
  /// Finds the reusing definition for operand `index` of value `value`, or kNone. Other early uses
  /// of the same value count as well, since the definition's register holds it, too.
  static std::uint32_t Find(std::span<const Operand> operands, std::uint32_t index) {
    const Operand& use = operands[index];
    if (use.policy == OperandPolicy::Fixed) return kNone;
    std::uint32_t found = kNone;
    for (std::uint32_t i = 0; i != operands.size(); ++i) {
      if (!IsReuse(operands, i)) continue;
      if (operands[i].fixed == index) return i;
      if (found == kNone && use.role == OperandRole::Use &&
          operands[operands[i].fixed].value == use.value) {
        found = i;
      }
    }
    return found;
  }
  /// Whether operand `index` is a definition that reuses a register which is not fixed.
  static bool IsReuse(std::span<const Operand> operands, std::uint32_t index) {
    const Operand& operand = operands[index];
    return operand.role == OperandRole::Define && operand.policy == OperandPolicy::Reuse &&
           operands[operand.fixed].policy != OperandPolicy::Fixed;
  }
  /// The register that is prescribed for an operand, or kNoRegister.
  static Register FixedOf(std::span<const Operand> operands, std::uint32_t index) {
    const Operand& operand = operands[index];
    if (operand.policy == OperandPolicy::Fixed) return operand.fixed;
    if (operand.role == OperandRole::Define && operand.policy == OperandPolicy::Reuse &&
        operands[operand.fixed].policy == OperandPolicy::Fixed) {
      return operands[operand.fixed].fixed;
    }
    return kNoRegister;
  }
};

/// Analyses a function. All arrays are kept for the next one.
class LiveIntervals {
 public:
  TENON_DECL void Build(const MachineFunction& function);
  /// Lets go of what the last function has made large.
  void ReleaseLarge() {
    jit::ReleaseLarge(values, uses, pieces, first_piece, block_of_step, definitions, calls,
                      loop_of_block, unsorted_uses_, marks_, predecessors_, first_predecessor_,
                      visited_);
    for (auto& ranges : fixed) jit::ReleaseLarge(ranges);
  }

  /// The step of a block's begin; instruction i of it has the step i + block + 1.
  std::uint32_t StepOfBlock(std::uint32_t block) const { return blocks_[block].first + block; }
  Position StartOfBlock(std::uint32_t block) const { return BeginOf(StepOfBlock(block)); }
  Position EndOfBlock(std::uint32_t block) const { return BeginOf(blocks_[block].end + block + 1); }

  std::span<const MachineBlock> Blocks() const { return blocks_; }

  FlatArray<LiveValue> values;  ///< by virtual register
  FlatArray<LiveUse> uses;
  FlatArray<LivePiece> pieces;
  FlatArray<std::uint32_t> first_piece;    ///< by step: chain of the pieces that begin in it
  FlatArray<std::uint32_t> block_of_step;  ///< by step
  FlatArray<VirtualId> definitions;        ///< by rising position
  FlatArray<FixedRange> fixed[32];         ///< by register, rising
  FlatArray<std::uint32_t> calls;          ///< steps that clobber all of kCallClobbers, rising
  FlatArray<LiveLoop> loops;
  FlatArray<std::uint32_t> loop_of_block;  ///< innermost, or kNone

  /// Lets a piece wait for the scan.
  void Enqueue(std::uint32_t piece) {
    std::uint32_t& first = first_piece[StepOf(pieces[piece].start)];
    pieces[piece].next = first;
    first = piece;
  }

 private:
  /// Blocks that the search for one value may visit before it draws on the common budget.
  static constexpr std::uint32_t kFreeVisits = 128;

  /// What is known of a block and the value that is being looked at: it plus 1 in `live_in` and
  /// `live_out`, and where its last use in the block ends.
  struct BlockMark {
    std::uint32_t live_in = 0;
    std::uint32_t live_out = 0;
    Position last_use = 0;
  };

  struct ValueUse {
    VirtualId value;
    LiveUse use;
  };

  TENON_DECL void NumberSteps(const MachineFunction& function);
  TENON_DECL void FindLoops(const MachineFunction& function);
  TENON_DECL void CollectOperands(const MachineFunction& function);
  TENON_DECL void CollectInstruction(std::span<const Operand> operands,
                                     const MachineInstruction& instruction, std::uint32_t step);
  TENON_DECL void GroupUses();
  TENON_DECL void BuildPieces(VirtualId value);
  TENON_DECL bool FindLiveBlocks(VirtualId value, std::uint32_t definition_block);
  TENON_DECL void AddPiece(VirtualId value, Position start, Position end);
  void AddUse(VirtualId value, Position at, bool needs_register) {
    unsorted_uses_.push_back({value, LiveUse{at, needs_register}});
    ++values[value].end_use;
  }

  std::span<const MachineBlock> blocks_;
  FlatArray<ValueUse> unsorted_uses_;
  std::vector<std::pair<VirtualId, VirtualId>> reuses_;  ///< definition, use
  FlatArray<BlockMark> marks_;                           ///< by block
  FlatArray<std::uint32_t> predecessors_;                ///< of all blocks
  FlatArray<std::uint32_t> first_predecessor_;           ///< by block, and one behind
  FlatArray<std::uint32_t> visited_;
  FlatArray<std::uint32_t> loop_stack_;
  std::uint64_t visits_left_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/live_intervals.ipp>
#endif
