// SPDX-License-Identifier: Apache-2.0
/// @file
/// The values of a function's locals while its blocks are built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/block_local_table.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/value_numbering.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Turns locals into values: SSA construction on demand, in the manner of Braun et al., "Simple and
/// Efficient Construction of Static Single Assignment Form" (2013), without recursion.
///
/// Blocks are entered in code order. Positions count the reachable local.set and local.tee; the log
/// of all of them, known from validation, tells of each local where it is set.
/// With p the last set of a local before a block begins: the local's value has been the same in all
/// the block's dominators that begin behind p, so that the search continues at the highest of them,
/// E. If p lies in E's immediate dominator, the value set there is the answer; else, if E has
/// several predecessors, a phi in E is. Loops need one more question: whether the local is set
/// further on in a loop around the block that begins behind p; then a phi in that loop's header is
/// the answer.
///
/// A search takes logarithmic time, but for blocks with a single predecessor where p stands in code
/// that does not lead there; each is passed once for each local. So time is O(log n) for each
/// reading and setting of a local and each argument of a phi. Of those there may be locals times
/// blocks (nested blocks that are all left from within, around as many sets); they are bounded by a
/// budget.
///
/// The body of a function that is inlined is an activation with locals and a log of its own.
/// Outside of it none of its locals is read, and inside it nothing of other activations is set but
/// by those within; so that its loops are none to the locals of others, and theirs none to its own.
/// Logs are joined in the order in which activations begin, while positions count the sets of all
/// of them as they come: a set further on has a place in its log, but no position yet.
class LocalValues {
 public:
  /// Starts a function whose parameters are its first values. `sets` is its log, `budget` the
  /// number of arguments that phis may have together. All references must stay valid; `types` may
  /// grow.
  TENON_DECL void Begin(Function& function, const AncestorTree& dominators,
                        ValueNumbering& constants, const wasm::LocalTypes& types,
                        std::uint32_t parameters, std::span<const std::uint32_t> sets,
                        std::uint64_t budget);
  /// Starts a function whose locals live in its frame, if they are set at all: each block loads
  /// what it reads, and no phi is made. Nothing can be inlined. StoreInitialValues must follow as
  /// soon as the function's parameters are there.
  TENON_DECL void BeginInFrame(Function& function, const AncestorTree& dominators,
                               ValueNumbering& constants, const wasm::LocalTypes& types,
                               std::uint32_t parameters, std::span<const std::uint32_t> sets);
  TENON_DECL void StoreInitialValues();

  /// Starts an inlined body: from now on sets are of its locals, which are numbered from
  /// `first_local` and begin with `arguments`; the others are zero. `budget` is added.
  TENON_DECL void BeginInlined(std::uint32_t first_local, std::span<const ValueId> arguments,
                               std::span<const std::uint32_t> sets, std::uint64_t budget);
  /// Goes on with the body around it.
  void EndInlined() { current_ = activations_[current_].outer; }

  /// Number of sets so far.
  std::uint32_t Position() const { return position_; }

  /// From now on instructions go to `block`, which is the newest of the dominator tree, stands
  /// there with Position(), and has all its predecessors unless it is a loop's header.
  TENON_DECL void EnterBlock(BlockId block);

  /// Before a loop's header is entered. The loop ends before set `set_end` of the current body.
  TENON_DECL void BeginLoop(BlockId header, std::uint32_t set_end);
  /// At the loop's end: its header has all its predecessors, and the current block has been left
  /// unless it goes on behind the loop.
  TENON_DECL void EndLoop();

  /// The value of a local at the end of the current block so far.
  ValueId Get(std::uint32_t local) {
    const Local& state = locals_[local];
    return state.block == block_stamp_ ? state.value : GetSlowly(local);
  }

  void Set(std::uint32_t local, ValueId value) {
    Local& state = locals_[local];
    PassSet(block_);
    if (state.block != block_stamp_) {
      state.block = block_stamp_;
      changed_.push_back(local);
    }
    state.value = value;
    if (in_frame_) Store(local, value);
  }

  /// Passes a set that no path leads to.
  void SkipSet() { PassSet(kNone); }

  /// Whether the budget has been used up. Values are wrong then.
  bool IsOverBudget() const { return is_over_budget_; }

  /// Lets go of what the last function has made large.
  void ReleaseLarge() {
    jit::ReleaseLarge(locals_, set_places_, set_blocks_, set_positions_, loop_facts_, loop_of_,
                      open_phis_, pending_, work_, phis_);
    loops_.ReleaseLarge();
    values_.ReleaseLarge();
  }

  /// Has SimplifyPhis look at a phi that was made elsewhere.
  void Watch(ValueId phi) { phis_.push_back(phi); }

  /// Removes phis that have become trivial since they were made.
  TENON_DECL void SimplifyPhis();

 private:
  struct Local {
    std::uint32_t function = 0;  ///< stamp: whether `first` and `count` are of this function
    std::uint32_t block = 0;     ///< stamp: whether `value` is of the current block
    ValueId value = kNone;
    std::uint32_t first = 0;  ///< in set_places_
    std::uint32_t count = 0;
    std::uint32_t activation = 0;
    ValueId initial = kNone;  ///< kNone: zero
    std::uint32_t cell = 0;   ///< of those that live in the frame
  };
  struct Activation {
    std::uint32_t first_set = 0;  ///< where its log begins
    std::uint32_t next_set = 0;   ///< the place of the next set
    std::uint32_t outer = 0;
  };
  struct Loop {
    BlockId header = kNone;
    std::uint32_t set_end = kNone;  ///< a place in the logs
    std::uint32_t activation = 0;
  };
  struct PendingPhi {
    ValueId phi;
    std::uint32_t local;
    std::uint32_t next;  ///< of the same header; in terms of open_phis_
  };

  // What open_phis_ holds; what follows is 2 + an index in pending_.
  static constexpr std::uint32_t kClosed = 0;
  static constexpr std::uint32_t kOpen = 1;

  TENON_DECL ValueId GetSlowly(std::uint32_t local);
  TENON_DECL ValueId Search(BlockId block, std::uint32_t local);
  TENON_DECL ValueId InitialValue(std::uint32_t local);
  TENON_DECL ValueId PhiIn(BlockId block, std::uint32_t local);
  TENON_DECL void CompletePhis();
  TENON_DECL void Leave();
  TENON_DECL void Store(std::uint32_t local, ValueId value);

  Local& StateOf(std::uint32_t local) {
    Local& state = locals_[local];
    if (state.function != function_stamp_) state = {function_stamp_, 0, kNone, 0, 0, 0, kNone, 0};
    return state;
  }
  void PassSet(BlockId block) {
    const std::uint32_t place = activations_[current_].next_set++;
    set_blocks_[place] = block;
    set_positions_[place] = position_++;
  }
  TENON_DECL void AddLog(std::uint32_t first_local, std::span<const std::uint32_t> sets);

  Function* function_ = nullptr;
  const AncestorTree* dominators_ = nullptr;
  ValueNumbering* constants_ = nullptr;
  const wasm::LocalTypes* types_ = nullptr;
  std::uint64_t budget_ = 0;
  bool is_over_budget_ = false;
  bool in_frame_ = false;

  FlatArray<Local> locals_;
  std::uint32_t function_stamp_ = 0;
  std::uint32_t block_stamp_ = 0;
  BlockId block_ = kNone;
  FlatArray<std::uint32_t> changed_;  ///< locals whose value is of the current block
  FlatArray<std::uint32_t> named_;    ///< by the log that is joined

  FlatArray<Activation> activations_;  ///< 0 is the function
  std::uint32_t current_ = 0;
  std::uint32_t position_ = 0;
  FlatArray<std::uint32_t> set_places_;     ///< local by local, rising
  FlatArray<BlockId> set_blocks_;           ///< by place; kNone: not reachable
  FlatArray<std::uint32_t> set_positions_;  ///< by place; kNone: further on

  AncestorTree loops_;                  ///< those open at some time; positions are in loop_facts_
  FlatArray<Loop> loop_facts_;          ///< by loop; loop 0 is the function
  std::uint32_t loop_ = 0;              ///< innermost open
  FlatArray<std::uint32_t> loop_of_;    ///< by block
  FlatArray<std::uint32_t> open_phis_;  ///< by block: phis of a header that wait for its end
  FlatArray<PendingPhi> pending_;
  FlatArray<PendingPhi> work_;  ///< phis whose arguments are to be found

  BlockLocalTable values_;  ///< at the end of blocks that have been left
  FlatArray<BlockId> path_;
  FlatArray<ValueId> phis_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/local_values.ipp>
#endif
