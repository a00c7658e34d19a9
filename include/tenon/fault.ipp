// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of fault.hpp.
#pragma once

#include <tenon/fault.hpp>

#if TENON_HAS_JIT
#include <tenon/jit/fault_handler.hpp>
#endif

namespace tenon::inline TENON_ABI {

TENON_DECL bool HandleFault([[maybe_unused]] int signal, [[maybe_unused]] siginfo_t* info,
                            [[maybe_unused]] void* context) noexcept {
#if TENON_HAS_JIT
  return jit::RedirectFault(signal, info, context);
#else
  return false;
#endif
}

}  // namespace tenon::inline TENON_ABI
