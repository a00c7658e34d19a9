// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where an allocated function makes its frame: at its begin, or behind a way out that needs none.
///
/// Recursive functions and fast paths often return at once. Blocks at the begin that touch no slot
/// and no register that callers want back, call nothing and cannot fault or trap run without a
/// frame; it is made where the first of the others begins. What those blocks would write to slots
/// is written there.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Whether somebody may look at the frame while the instruction executes, or it looks itself.
inline bool NeedsFrame(const MachineInstruction& instruction) {
  return instruction.is_call || instruction.wasm_offset != 0 ||
         instruction.address.base == MachineAddress::kFrameBase;
}

/// Keeps its arrays from function to function; not for several threads at once.
class FramePlacement {
 public:
  /// `function` has been allocated. Sets `frame_block`, `frame_registers` and the blocks'
  /// `is_frameless`, and moves stores to slots behind; leaves all alone if nothing is won.
  TENON_DECL void Run(MachineFunction& function);
  /// Lets go of what the last function has made large.
  void ReleaseLarge() { jit::ReleaseLarge(kept_); }

 private:
  /// Blocks that are looked at.
  static constexpr std::uint32_t kMostBlocks = 16;

  bool CanRunWithout(const MachineFunction& function, std::uint32_t block);
  bool CanRunWithout(const MachineFunction& function, const MachineInstruction& instruction) const;
  bool FindBlocks(const MachineFunction& function);
  bool FindRegisters(MachineFunction& function) const;
  bool KeepsStored(const MachineFunction& function) const;
  void Postpone(MachineFunction& function);

  FlatArray<std::uint32_t> frameless_;  ///< blocks, in layout order
  FlatArray<std::uint32_t> path_;       ///< those that lead to the frame
  FlatArray<std::uint32_t> stores_;     ///< positions in MachineFunction::moves
  FlatArray<MachineMove> kept_;
  std::uint32_t frame_block_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/frame_placement.ipp>
#endif
