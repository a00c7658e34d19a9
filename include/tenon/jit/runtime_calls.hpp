// SPDX-License-Identifier: Apache-2.0
/// @file
/// The runtime's answers to compiled code.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/abi/runtime_calls.hpp>

namespace tenon::inline TENON_ABI::jit {

/// What InstanceHeader::runtime_calls of every guest refers to.
TENON_DECL const abi::RuntimeCalls& CompiledCodeCalls() noexcept;

/// FunctionRecord::invoke of compiled functions.
TENON_DECL void InvokeCompiled(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                               abi::Slot* slots);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/runtime_calls.ipp>
#endif
