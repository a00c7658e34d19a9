// SPDX-License-Identifier: Apache-2.0
/// @file
/// Turns faults of compiled code on guard pages into traps.
///
/// A fault becomes a call of the trap stub by the faulting instruction. The return address that is
/// pushed is one byte into that instruction, where no call can return to, which is how the frame
/// walker tells it from a call's.
#pragma once

#include <csignal>
#include <memory>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::jit {

/// See tenon::HandleFault.
TENON_DECL bool RedirectFault(int signal, siginfo_t* info, void* context) noexcept;

/// The process's handlers of SIGSEGV and SIGBUS; they are there as long as anybody holds this. What
/// is not a guest's goes to whoever handled it before, in the form that was asked for.
class FaultHandlers {
 public:
  TENON_DECL static std::shared_ptr<const FaultHandlers> Install();
  TENON_DECL ~FaultHandlers();
  FaultHandlers(const FaultHandlers&) = delete;
  FaultHandlers& operator=(const FaultHandlers&) = delete;

 private:
  FaultHandlers();
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/fault_handler.ipp>
#endif
