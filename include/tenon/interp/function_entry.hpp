// SPDX-License-Identifier: Apache-2.0
/// @file
/// A function as the interpreter runs it.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/interp/side_table.hpp>
#include <tenon/vm/group.hpp>

namespace tenon::inline TENON_ABI::interp {

/// FunctionCode with addresses in place of offsets.
struct FunctionEntry {
  const std::uint8_t* begin;  ///< first instruction
  const std::uint8_t* end;    ///< behind the final `end`
  const BranchEntry* branches;
  const LocalPlace* places;  ///< wide functions only: of the first `place_count` locals
  const SideTable* table;
  std::uint32_t place_count;
  std::uint32_t search;  ///< wide functions only: for FindLocal
  std::uint32_t local_slots;
  std::uint32_t result_slots;
  std::uint32_t frame_slots;  ///< locals, frame and operands
  bool is_wide;
  bool has_rare_memory;  ///< whether memory 0 has 64-bit addresses or is shared
  bool is_interruptible;
  bool canonical_nan;

  /// Where a local of a wide function is.
  LocalPlace PlaceOf(std::uint32_t local) const {
    return local < place_count ? places[local] : FindLocal(*table, search, local);
  }
};

/// Stands between the locals and the operands of a function on the value stack.
struct InterpreterFrame : vm::Frame {
  const FunctionEntry* entry;
  const BranchEntry* branches;  ///< next entry; kept at calls
};

inline constexpr std::uint32_t kFrameSlots = sizeof(InterpreterFrame) / sizeof(abi::Slot);
static_assert(sizeof(InterpreterFrame) % sizeof(abi::Slot) == 0);
static_assert(alignof(InterpreterFrame) <= alignof(abi::Slot));

/// SlotInvoke of interpreted functions.
TENON_DECL void Invoke(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                       abi::Slot* slots);

}  // namespace tenon::inline TENON_ABI::interp
