// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of function.hpp.
#pragma once

#include <algorithm>
#include <exception>
#include <utility>

#include <tenon/function.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

inline std::span<const ValueType> ParametersOf(const abi::FunctionRecord& function) {
  const wasm::Module& module = vm::OwnerOf(function).Module();
  return module.Parameters(module.functions[function.index]);
}
inline std::span<const ValueType> ResultsOf(const abi::FunctionRecord& function) {
  const wasm::Module& module = vm::OwnerOf(function).Module();
  return module.Results(module.functions[function.index]);
}

}  // namespace detail

TENON_DECL FunctionDefinition Function::Definition() const {
  if (!*this) vm::ThrowEmptyHandle("Function");
  const vm::Instance& instance = vm::OwnerOf(*Record());
  return vm::DefineFunction(*instance.code, instance.host.get(), instance.name, Record()->index);
}

TENON_DECL std::vector<Value> Function::CallWith(const CallContext* context,
                                                 std::span<const Value> arguments) const {
  if (!*this) vm::ThrowEmptyHandle("Function");
  // The call may end with the last other handle gone, and this one with it.
  const FunctionHandle keep_alive = function_;
  const abi::FunctionRecord& function = *keep_alive.Get();
  const std::span<const ValueType> parameters = detail::ParametersOf(function);
  const std::span<const ValueType> results = detail::ResultsOf(function);
  if (arguments.size() != parameters.size()) {
    throw ConfigError{ErrorCode::ParameterCount,
                      FormatError(ErrorCode::ParameterCount, {std::to_string(parameters.size()),
                                                              std::to_string(arguments.size())})};
  }
  std::vector<abi::Slot> slots(
      std::max({function.parameter_slots, function.result_slots, std::uint16_t{1}}));
  abi::Slot* next = slots.data();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (arguments[i].Type() != parameters[i]) {
      throw ConfigError{
          ErrorCode::ParameterType,
          FormatError(ErrorCode::ParameterType,
                      {std::to_string(i), TypeName(parameters[i]), TypeName(arguments[i].Type())})};
    }
    arguments[i].ToSlots(next);
    next += parameters[i].SlotCount();
  }
  vm::Call(function, slots.data(), context);
  std::vector<Value> values;
  values.reserve(results.size());
  const abi::Slot* result = slots.data();
  for (const ValueType type : results) {
    values.push_back(Value::FromSlots(type, result));
    result += type.SlotCount();
  }
  return values;
}

namespace detail {

/// Null if a stack of this size will do for a call.
inline std::exception_ptr CheckStack(const abi::FunctionRecord* function, std::size_t size) {
  if (function == nullptr) {
    return std::make_exception_ptr(
        ConfigError{ErrorCode::EmptyHandle, FormatError(ErrorCode::EmptyHandle, {"Function"})});
  }
  const std::size_t needed = std::max(function->parameter_slots, function->result_slots);
  if (size >= needed) return nullptr;
  return std::make_exception_ptr(ConfigError{
      ErrorCode::StackSize,
      FormatError(ErrorCode::StackSize, {std::to_string(needed), std::to_string(size)})});
}

}  // namespace detail

TENON_DECL void Function::CallWithStack(std::span<abi::Slot> stack,
                                        const CallContext* context) const {
  std::exception_ptr error = detail::CheckStack(Record(), stack.size());
  if (error != nullptr) std::rethrow_exception(std::move(error));
  vm::Call(*Record(), stack.data(), context);
}

TENON_DECL std::exception_ptr Function::TryCallWithStack(
    std::span<abi::Slot> stack, const CallContext* context) const noexcept {
  std::exception_ptr error = detail::CheckStack(Record(), stack.size());
  return error != nullptr ? error : vm::TryCall(*Record(), stack.data(), context);
}

}  // namespace tenon::inline TENON_ABI
