// SPDX-License-Identifier: Apache-2.0
/// @file
/// Calls of host functions whose record has another entry than their thunk.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Calls the callable itself. `callee` belongs to a host module.
TENON_DECL void InvokeHost(const abi::FunctionRecord& callee, abi::InstanceHeader& caller,
                           abi::Slot* slots);

/// Takes what a call costs from every budget that it happens in the name of: those of the calls
/// from the host that are in progress in the caller's linkage group, and of the guests of the group
/// that have a function on the stack. False: one of them has too little; nothing is taken and a
/// trap is pending.
TENON_DECL bool ChargeCall(const abi::FunctionRecord& callee, abi::InstanceHeader& caller) noexcept;

/// FunctionRecord::invoke of host functions without another entry: `context` is not the callable's.
TENON_DECL void InvokeHostSlots(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                                abi::Slot* slots);
/// The same for those with a cost.
TENON_DECL void InvokeCharged(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                              abi::Slot* slots);

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/host_call.ipp>
#endif
