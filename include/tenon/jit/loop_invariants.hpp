// SPDX-License-Identifier: Apache-2.0
/// @file
/// Moves what a loop computes anew each time, with the same result, to where the loop is entered.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Moves pure instructions, and reads of globals, tables' sizes and the memory's place that nothing
/// in the loop changes. Loads of memory stay: they may trap. What the arms of a loop's branches
/// compute alike becomes one value where it arrives. Keeps its arrays from function to function. An
/// instruction leaves at most kMostLevels loops, which keeps the time linear.
class LoopInvariants {
 public:
  /// Most loops that an instruction leaves.
  static constexpr std::uint32_t kMostLevels = 16;

  TENON_DECL void Run(Function& function);

 private:
  struct Loop {
    std::uint32_t parent = kNone;
    std::uint32_t first = 0;  ///< position of the header in Function::order
    BlockId entry = kNone;    ///< the block that jumps to the header, if it does nothing else
    bool calls = false;
    bool stores_globals = false;
  };

  void FindLoops(const Function& function);
  bool IsOutside(const Function& function, ValueId value, const Loop& loop) const;
  bool CanLeave(const Function& function, const Instruction& instruction, const Loop& loop) const;
  static std::size_t PlaceOf(const Function& function, ValueId value, BlockId target);
  ValueId FindMoved(const Function& function, ValueId value, BlockId target);
  void GrowMoved(const Function& function);
  void Replace(Function& function);

  FlatArray<Loop> loops_;
  FlatArray<std::uint32_t> loop_of_;   ///< by block
  FlatArray<std::uint32_t> position_;  ///< by block: in Function::order
  FlatArray<ValueId> moved_;           ///< hash table of what has left loops
  std::size_t moved_count_ = 0;
  FlatArray<ValueId> replacements_;  ///< by value, if there are any: what stands for it
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/loop_invariants.ipp>
#endif
