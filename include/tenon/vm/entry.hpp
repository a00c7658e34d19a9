// SPDX-License-Identifier: Apache-2.0
/// @file
/// The way by which handles enter functions.
#pragma once

#include <exception>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI {

class CallContext;

namespace vm {

/// Calls a function with operands and results in `slots` (room for the larger of both). Throws what
/// the call ends with. The one way by which host code enters a guest.
TENON_DECL void Call(const abi::FunctionRecord& function, abi::Slot* slots,
                     const CallContext* context);
/// The same for callers that must not throw: what the call ended with, or null if it returned.
TENON_DECL std::exception_ptr TryCall(const abi::FunctionRecord& function, abi::Slot* slots,
                                      const CallContext* context) noexcept;

/// A call by way of FunctionRecord::host_entry: to be begun, made, and ended. False: it needs more
/// than that (it is nested, for example), and is to be made with Call.
TENON_DECL bool BeginPlain(const abi::FunctionRecord& function) noexcept;
/// What the call ended with, or null if it returned.
TENON_DECL std::exception_ptr EndPlain(const abi::FunctionRecord& function) noexcept;
[[noreturn]] TENON_DECL void Rethrow(std::exception_ptr error);
/// Throws ConfigError unless `function` is a function of this type.
TENON_DECL void CheckSignature(const abi::FunctionRecord* function,
                               std::span<const ValueType> parameters,
                               std::span<const ValueType> results);
[[noreturn]] TENON_DECL void ThrowEmptyHandle(const char* kind);
[[noreturn]] TENON_DECL void ThrowTrap(TrapCode code);

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
