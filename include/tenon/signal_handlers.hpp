// SPDX-License-Identifier: Apache-2.0
/// @file
/// Who handles the faults of compiled guests.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// How a guest's access beyond its memory becomes a trap, where guests are compiled.
enum class SignalHandlers : std::uint8_t {
  /// By handlers of SIGSEGV and SIGBUS that are there while any instance with guard pages is. Other
  /// faults go to whoever handled them before, in the form that was asked for. Handlers installed
  /// later must pass on what is not theirs.
  Automatic,
  /// By the host's own handlers, which call HandleFault of <tenon/fault.hpp> first.
  Host,
  /// By a comparison before every access, at a cost in time; no signals are needed.
  None,
};

}  // namespace tenon::inline TENON_ABI
