// SPDX-License-Identifier: Apache-2.0
/// @file
/// For hosts that handle SIGSEGV and SIGBUS themselves.
#pragma once

#include <csignal>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Whether a signal was a guest's access beyond its memory; if so, `context` (the third argument of
/// a handler installed with SA_SIGINFO) has been changed so that the guest traps once the handler
/// returns. False: the signal is none of this library's, and nothing was changed.
///
/// For handlers of SIGSEGV and SIGBUS under SignalHandlers::Host; call it first. Any thread;
/// async-signal-safe.
TENON_DECL bool HandleFault(int signal, siginfo_t* info, void* context) noexcept;

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/fault.ipp>
#endif
