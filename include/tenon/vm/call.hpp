// SPDX-License-Identifier: Apache-2.0
/// @file
/// Entry from host code into functions, and exit from them by traps, exits and exceptions.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/entry.hpp>
#include <tenon/vm/group.hpp>

namespace tenon::inline TENON_ABI::vm {

class Instance;

/// Makes a trap of the innermost guest function pending, with its backtrace.
TENON_DECL void RaiseTrap(abi::InstanceHeader& header, TrapCode code,
                          const char* detail = nullptr) noexcept;
/// Makes an exit pending.
TENON_DECL void RaiseExit(abi::InstanceHeader& header, std::uint32_t exit_code) noexcept;
/// Makes the exception being handled pending.
TENON_DECL void CaptureException(abi::InstanceHeader& header) noexcept;

/// Calls a function on behalf of an instance, which host functions see as their caller. Throws as
/// Call.
TENON_DECL void CallAs(Instance& caller, const abi::FunctionRecord& function, abi::Slot* slots,
                       const CallContext* context);

/// Answers a set interrupt word. True: an exit is pending now; false: go on.
TENON_DECL bool HandleInterrupt(abi::InstanceHeader& header) noexcept;

/// What thunks may ask; every instance's header refers to it.
TENON_DECL const abi::Operations& ThunkOperations() noexcept;

/// Stack kept free below the limit, for host functions and the library itself.
inline constexpr std::uintptr_t kStackReserve = std::uintptr_t{48} * 1024;
/// How much a guest may use of a stack that is not the thread's own (a fiber's), as nobody knows
/// where that ends.
inline constexpr std::uintptr_t kForeignStack = std::uintptr_t{32} * 1024;

/// Lowest stack address that guest code may use when it is entered here: `bytes` below, but not
/// less than kStackReserve above the end of the thread's stack.
TENON_DECL std::uintptr_t NativeStackLimit(std::uint64_t bytes) noexcept;
/// Whether the caller runs on the thread's own stack.
TENON_DECL bool IsOnThreadStack() noexcept;

/// The entry of functions whose module was closed: makes its exit pending.
TENON_DECL abi::NativeCode ClosedCode(const abi::FunctionRecord& function) noexcept;

/// An address in the caller's part of the native stack.
[[gnu::always_inline]] inline std::uintptr_t CurrentStackPointer() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

inline std::uint32_t FlagsOf(const abi::FunctionRecord& function) noexcept {
  return __atomic_load_n(&function.flags, __ATOMIC_RELAXED);
}

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/call.ipp>
#endif
