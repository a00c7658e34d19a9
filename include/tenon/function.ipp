// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of function.hpp.
#pragma once

#include <algorithm>

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

TENON_DECL std::vector<Value> Function::Call(std::span<const Value> arguments,
                                             const CallContext* context) const {
  if (!*this) vm::ThrowEmptyHandle("Function");
  const std::span<const ValueType> parameters = detail::ParametersOf(*Record());
  const std::span<const ValueType> results = detail::ResultsOf(*Record());
  if (arguments.size() != parameters.size()) {
    throw ConfigError{ErrorCode::ParameterCount,
                      FormatError(ErrorCode::ParameterCount, {std::to_string(parameters.size()),
                                                              std::to_string(arguments.size())})};
  }
  std::vector<abi::Slot> slots(
      std::max({Record()->parameter_slots, Record()->result_slots, std::uint16_t{1}}));
  abi::Slot* next = slots.data();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (arguments[i].Type() != parameters[i]) {
      throw ConfigError{ErrorCode::ParameterType,
                        FormatError(ErrorCode::ParameterType,
                                    {std::to_string(i), TypeName(parameters[i]),
                                     TypeName(arguments[i].Type())})};
    }
    arguments[i].ToSlots(next);
    next += parameters[i].SlotCount();
  }
  vm::Call(*Record(), slots.data(), context);
  std::vector<Value> values;
  values.reserve(results.size());
  const abi::Slot* result = slots.data();
  for (const ValueType type : results) {
    values.push_back(Value::FromSlots(type, result));
    result += type.SlotCount();
  }
  return values;
}

TENON_DECL void Function::CallWithStack(std::span<abi::Slot> stack,
                                        const CallContext* context) const {
  if (!*this) vm::ThrowEmptyHandle("Function");
  const std::size_t needed = std::max(Record()->parameter_slots, Record()->result_slots);
  if (stack.size() < needed) {
    throw ConfigError{ErrorCode::StackSize,
                      FormatError(ErrorCode::StackSize,
                                  {std::to_string(needed), std::to_string(stack.size())})};
  }
  vm::Call(*Record(), stack.data(), context);
}

}  // namespace tenon::inline TENON_ABI
