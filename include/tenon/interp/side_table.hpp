// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the interpreter must know of function bodies beyond their bytes.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/validation_context.hpp>

namespace tenon::inline TENON_ABI::interp {

/// Where a branch leads and what it does to the operand stack. The interpreter holds a pointer to
/// the next entry beside its program counter; both move together.
///
/// Entries stand in code order, for reachable code only: one for `br`, `br_if` (not taken: on to
/// the next entry), `if` (taken when the condition is false) and `else` (reached from the first
/// arm); one for each target of `br_table`, the default last. In wide functions `drop` and `select`
/// without type have one each, of which only `arity` counts: the slots of the operand.
///
/// A branch to a block leads behind its `end`, to a loop behind the loop's block type, out of the
/// function to the body's final `end`. A false `if` leads behind its `else`, or behind its `end`
/// without one; `else` behind its `end`.
struct BranchEntry {
  std::int32_t pc_delta;     ///< of the target, from the opcode of the branch
  std::int32_t table_delta;  ///< of the next entry at the target, from this entry
  std::uint32_t arity;       ///< slots to keep
  std::uint32_t drop;        ///< slots to remove beneath them
};

static_assert(sizeof(BranchEntry) == 16);

/// How to run one function. Slots are 8 bytes; a v128 takes two.
struct FunctionCode {
  std::uint32_t code_offset = 0;  ///< of the first instruction, from the module's first byte
  std::uint32_t code_end = 0;     ///< behind the final `end`
  std::uint32_t parameter_slots = 0;
  std::uint32_t local_slots = 0;  ///< parameters included
  std::uint32_t result_slots = 0;
  std::uint32_t max_stack_slots = 0;     ///< of operands alone
  std::uint32_t first_entry = 0;         ///< in SideTable::entries
  std::uint32_t first_local_offset = 0;  ///< wide only: in SideTable::local_slots
  bool is_wide = false;                  ///< whether a v128 occurs anywhere in the function
};

/// Of a whole module; immutable once built.
struct SideTable {
  std::vector<BranchEntry> entries;
  /// For each wide function: the slot at which each of its locals begins, by local index, and the
  /// slot behind the last.
  std::vector<std::uint32_t> local_slots;
  std::vector<FunctionCode> functions;  ///< those that are not imported
};

/// Validates all function bodies and builds the table in the same pass. Returns the first fault,
/// or none; after a fault `out` is unspecified. Memory is bounded by a multiple of the module's
/// size: locals of wide functions that no code could use are refused with LimitExceeded.
TENON_DECL wasm::Fault BuildSideTable(const wasm::ValidationContext& context, SideTable& out);

}  // namespace tenon::inline TENON_ABI::interp

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/interp/side_table.ipp>
#endif
