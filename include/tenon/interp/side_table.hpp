// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the interpreter must know of function bodies beyond their bytes.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/flat_array.hpp>
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

/// Where a local of a wide function is among the slots of its locals.
class LocalPlace {
 public:
  constexpr LocalPlace(std::uint32_t slot, bool is_vector)
      : bits_{slot << 1 | (is_vector ? 1u : 0u)} {}

  constexpr std::uint32_t Slot() const { return bits_ >> 1; }
  constexpr bool IsVector() const { return (bits_ & 1) != 0; }

  friend constexpr bool operator==(const LocalPlace&, const LocalPlace&) = default;

 private:
  std::uint32_t bits_;
};

/// Consecutive locals of equal width.
struct LocalRun {
  std::uint32_t end;       ///< index behind the last
  std::uint32_t end_slot;  ///< slot behind the last
  bool is_vector;
};

/// Where to search for the places that a function does not have written out: the parameters of its
/// type, and its other locals. Positions in SideTable::runs.
struct LocalSearch {
  std::uint32_t parameter_count = 0;
  std::uint32_t first_parameter_run = 0;
  std::uint32_t end_parameter_run = 0;
  std::uint32_t first_run = 0;
  std::uint32_t end_run = 0;
};

/// How to run one function. Slots are 8 bytes; a v128 takes two.
struct FunctionCode {
  std::uint32_t code_offset = 0;  ///< of the first instruction, from the module's first byte
  std::uint32_t code_end = 0;     ///< behind the final `end`
  std::uint32_t parameter_slots = 0;
  std::uint32_t local_slots = 0;  ///< parameters included
  std::uint32_t result_slots = 0;
  std::uint32_t max_stack_slots = 0;  ///< of operands alone
  std::uint32_t first_entry = 0;      ///< in SideTable::entries
  // Wide functions only.
  std::uint32_t first_place = 0;  ///< in SideTable::places
  std::uint32_t place_count = 0;  ///< how many of its first locals have their place there
  std::uint32_t search = 0;       ///< in SideTable::searches, for the others, if there are any
  bool is_wide = false;           ///< whether a v128 occurs anywhere in the function
};

/// Of a whole module; immutable once built.
struct SideTable {
  wasm::FlatArray<BranchEntry> entries;
  /// The first locals of wide functions, about as many as their code is long: a short declaration
  /// can claim very many locals, which costs nothing.
  wasm::FlatArray<LocalPlace> places;
  wasm::FlatArray<LocalSearch> searches;  ///< of wide functions with further locals
  wasm::FlatArray<LocalRun> runs;         ///< those of parameters are shared by functions of a type
  wasm::FlatArray<FunctionCode> functions;  ///< those that are not imported
};

/// Validates all function bodies and builds the table in the same pass. Returns the first fault,
/// or none; after a fault `out` is unspecified. Time and memory are linear in the module's size.
TENON_DECL wasm::Fault BuildSideTable(const wasm::ValidationContext& context, SideTable& out);

/// The place of a local that is not written out.
TENON_DECL LocalPlace FindLocal(const SideTable& table, std::uint32_t search, std::uint32_t local);

}  // namespace tenon::inline TENON_ABI::interp

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/interp/side_table.ipp>
#endif
