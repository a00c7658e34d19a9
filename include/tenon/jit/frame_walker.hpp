// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds the frames of compiled functions on the native stack.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/vm/engine.hpp>

namespace tenon::inline TENON_ABI::jit {

/// vm::Engine::next_frame of the compiler: compiled functions, inlined ones included, and host
/// functions that they called by `call`. From ExecContext::exit_stack_pointer along the saved
/// values of rbp to the entry stub, and on with the calls that were in progress then.
TENON_DECL bool NextCompiledFrame(vm::FrameCursor& cursor) noexcept;

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/frame_walker.ipp>
#endif
