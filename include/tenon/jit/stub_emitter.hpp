// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine code between conventions: how host code enters compiled functions, how compiled
/// functions of other modules do, and how they are left.
///
/// Frames of stubs, by distance from their rbp:
///
/// | | slot entry | external entry |
/// |---|---|---|
/// | +8 | return address | return address |
/// | 0 | the caller's rbp | the caller's rbp |
/// | -8 | rbx | r15: the caller's instance |
/// | -16 | r12 | the callee's instance |
/// | -24 to -40 | r13, r14, r15 | |
/// | -48 | former ExecContext::entry_stack_pointer | |
/// | -56 | former ExecContext::exit_stack_pointer | |
/// | -64 | the callee's instance | |
///
/// entry_stack_pointer is the address of the last row of the innermost slot entry's frame. While no
/// compiled function of an entry has called out, exit_stack_pointer is 0.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/jit/code_range.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Enters compiled code: runs `body` with operands from `slots`, where its results go too. Returns
/// also when something is pending.
using SlotEntry = void (*)(abi::InstanceHeader* callee, const void* body, abi::Slot* slots);

/// Host entries, for host code that has operands in registers, have the frame of slot entries.
inline constexpr std::int32_t kEntryFrameFormerEntry = -48, kEntryFrameFormerExit = -56,
                              kEntryFrameInstance = -64;
inline constexpr std::int32_t kExternalFrameCaller = -8, kExternalFrameInstance = -16;

/// Which stubs are wanted.
struct StubPlan {
  const wasm::Module& module;
  FlatArray<bool> externals;     ///< by defined function
  FlatArray<bool> slot_entries;  ///< by type
  FlatArray<bool> adapters;      ///< by type; an external entry needs that of its type
};

/// All stubs of a code object. Offsets count from `code`.
struct StubArea {
  std::vector<std::uint8_t> code;
  FlatArray<Relocation> relocations;  ///< to bodies only
  std::uint32_t unwind = kNoCode;
  std::uint32_t interrupt = kNoCode;
  std::uint32_t traps[kTrapCodes] = {};
  CodeRange external_range;
  CodeRange slot_entry_range;
  FlatArray<std::uint32_t> externals;     ///< by defined function, or kNoCode
  FlatArray<std::uint32_t> slot_entries;  ///< by type, or kNoCode
  FlatArray<std::uint32_t> host_entries;  ///< by type, or kNoCode
  FlatArray<std::uint32_t> adapters;      ///< by type, or kNoCode
};

/// Writes the stubs.
TENON_DECL void EmitStubs(const StubPlan& plan, StubArea& out);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/stub_emitter.ipp>
#endif
