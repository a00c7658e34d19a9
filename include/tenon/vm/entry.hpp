// SPDX-License-Identifier: Apache-2.0
/// @file
/// The way by which handles enter functions.
#pragma once

#include <cstdint>
#include <exception>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/vm/float_modes.hpp>

namespace tenon::inline TENON_ABI {

class CallContext;

namespace vm {

class Instance;

/// Calls a function with operands and results in `slots` (room for the larger of both). Throws what
/// the call ends with. The one way by which host code enters a guest.
TENON_DECL void Call(const abi::FunctionRecord& function, abi::Slot* slots,
                     const CallContext* context);
/// The same for callers that must not throw: what the call ended with, or null if it returned.
TENON_DECL std::exception_ptr TryCall(const abi::FunctionRecord& function, abi::Slot* slots,
                                      const CallContext* context) noexcept;

namespace detail {

/// A number that no other thread has or had: one that took a dead thread's place in memory may have
/// less stack. 0: not yet given.
inline constinit thread_local std::uintptr_t thread_number = 0;

/// How far apart calls are that need not look at the stack again.
inline constexpr std::uintptr_t kSameStack = 8192;

/// An address in this part of the stack. Asked for as a frame's address it would cost a frame.
[[gnu::always_inline]] inline std::uintptr_t StackPosition() noexcept {
#if defined(__x86_64__)
  std::uintptr_t position;
  asm("mov %%rsp, %0" : "=r"(position));
  return position;
#else
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
#endif
}

/// Ends a plain call that has something pending or more to do than to return.
TENON_DECL void EndWithWork(const abi::FunctionRecord& function);

}  // namespace detail

/// A call by way of FunctionRecord::host_entry: to be begun, made, and ended. False: it needs more
/// than that (it is nested, for example), and is to be made with Call.
///
/// What an outermost call without a context needs is left as it is between calls, so that the next
/// one only compares. Whoever changes it says so in `prepared_for`. BeginPlain prepares the group.
TENON_DECL bool BeginPlain(const abi::FunctionRecord& function) noexcept;
/// The same where the group is prepared already. False: nothing has begun, and it may not be.
[[gnu::always_inline]] inline bool BeginPrepared(const abi::FunctionRecord& function) noexcept {
  abi::ExecContext& exec = *function.instance->exec;
  if (exec.prepared_for.LoadRelaxed() != reinterpret_cast<std::uintptr_t>(function.instance) ||
      exec.activation.LoadRelaxed() != 0 || exec.known_thread != detail::thread_number ||
      detail::StackPosition() - exec.known_stack > detail::kSameStack || !FloatModes::AreSet())
      [[unlikely]] {
    return false;
  }
  exec.activation.StoreRelease(++exec.last_activation);
  // Against Store::Close, which sets the instance's state and then looks at the activation: the
  // store makes all threads pass a fence, else nothing is ever prepared.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (exec.end_work.LoadRelaxed() == abi::kEndWorkNone) [[likely]]
    return true;
  exec.activation.StoreRelease(0);
  return false;
}

/// Ends it. Throws what it ended with, if it did not return. A template, so that only those who end
/// calls need the bodies of this room.
template <class Record>
[[gnu::always_inline]] inline void EndPlain(const Record& function) {
  abi::ExecContext& exec = *function.instance->exec;
  if (exec.pending == nullptr) [[likely]] {
    exec.activation.StoreRelease(0);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (exec.end_work.LoadRelaxed() == abi::kEndWorkNone) [[likely]]
      return;
  }
  detail::EndWithWork(function);
}
/// Throws ConfigError unless `function` is a function of this type.
TENON_DECL void CheckSignature(const abi::FunctionRecord* function,
                               std::span<const ValueType> parameters,
                               std::span<const ValueType> results);
[[noreturn]] TENON_DECL void ThrowEmptyHandle(const char* kind);
[[noreturn]] TENON_DECL void ThrowTrap(TrapCode code);
/// Number of traps that ended calls of the instance's linkage group. Changes also when groups join
/// one of which has trapped, so that a number that is still the same says that none did.
TENON_DECL std::uint64_t TrapCount(const Instance& instance) noexcept;

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
