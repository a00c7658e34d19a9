// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions of an instance, called with values or through a stack of slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/call_context.hpp>
#include <tenon/definition.hpp>
#include <tenon/error.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/value.hpp>
#include <tenon/vm/entry.hpp>

namespace tenon::inline TENON_ABI {

template <class Signature>
class TypedFunction;

/// A handle to a function of a module. Keeps the module's instance alive; after the module was
/// closed every call throws ExitError. One thread at a time for all handles of one linkage group.
class Function {
 public:
  Function() noexcept = default;
  /// The function that a reference refers to; empty for null. The reference must be valid: its
  /// linkage group alive.
  explicit Function(FuncRef reference) noexcept : function_{reference.Record()} {}

  explicit operator bool() const noexcept { return function_.Get() != nullptr; }
  friend bool operator==(const Function&, const Function&) noexcept = default;

  TENON_DECL FunctionDefinition Definition() const;

  /// Calls the function. Throws ConfigError if the handle is empty or the arguments do not fit;
  /// Trap, ExitError, or what a host function threw.
  std::vector<Value> Call(std::span<const Value> arguments) const {
    return CallWith(nullptr, arguments);
  }
  std::vector<Value> Call(std::initializer_list<Value> arguments = {}) const {
    return CallWith(nullptr, std::span{arguments.begin(), arguments.size()});
  }
  /// The same under a stop token or deadline, or with user data.
  std::vector<Value> Call(const CallContext& context, std::span<const Value> arguments) const {
    return CallWith(&context, arguments);
  }
  std::vector<Value> Call(const CallContext& context,
                          std::initializer_list<Value> arguments = {}) const {
    return CallWith(&context, std::span{arguments.begin(), arguments.size()});
  }
  /// Calls without allocating: `stack` holds the operands as slots on entry and the results on
  /// return, and must have room for the larger of both. Throws as Call.
  TENON_DECL void CallWithStack(std::span<abi::Slot> stack,
                                const CallContext* context = nullptr) const;
  /// CallWithStack that does not throw: what the call ended with, or null if it returned.
  TENON_DECL std::exception_ptr TryCallWithStack(
      std::span<abi::Slot> stack, const CallContext* context = nullptr) const noexcept;

  /// The same function with a C++ signature, as in `As<std::int32_t(std::int32_t)>()`. Throws
  /// ConfigError, naming both signatures, if it is of another type. Defined in
  /// <tenon/typed_function.hpp>.
  template <class Signature>
  TypedFunction<Signature> As() const;

  /// The value of this function as a reference; null for an empty handle.
  FuncRef Reference() const noexcept { return FuncRef{function_.Get()}; }

  /// For the library's own rooms: a handle to `function`, or an empty one for null.
  static Function FromRecord(const abi::FunctionRecord* function) noexcept {
    Function handle;
    handle.function_ = FunctionHandle{function};
    return handle;
  }
  /// See FunctionHandle::Adopt.
  static Function Adopt(const abi::FunctionRecord* function) noexcept {
    Function handle;
    handle.function_ = FunctionHandle::Adopt(function);
    return handle;
  }
  const abi::FunctionRecord* Record() const noexcept { return function_.Get(); }

 private:
  TENON_DECL std::vector<Value> CallWith(const CallContext* context,
                                         std::span<const Value> arguments) const;

  FunctionHandle function_;
};

}  // namespace tenon::inline TENON_ABI

template <>
struct std::hash<tenon::Function> {
  std::size_t operator()(const tenon::Function& handle) const noexcept {
    return std::hash<const void*>{}(handle.Record());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/function.ipp>
#endif
