// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs guests written by hand in every configuration of engine and memory that is available.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"
#include "engine.hpp"

namespace differential::edge {

using tenon::TrapCode;
using tenon::ValueType;
using tenon::abi::Slot;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ConstantExpression;
using tenon::wasm::ElementItems;
using tenon::wasm::MemoryArgument;
using tenon::wasm::Opcode;
using tenon_test::guests::Guest;

inline constexpr ValueType kI = ValueType::I32, kL = ValueType::I64, kF = ValueType::F32,
                           kD = ValueType::F64, kV = ValueType::V128;

/// What stands in the upper half of slots that hold 32 bits.
inline constexpr Slot kJunk = 0xDEADBEEF00000000;

inline std::uint32_t Bits(float value) { return std::bit_cast<std::uint32_t>(value); }
inline std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Calls `body(runtime)` once for each configuration.
template <class Body>
void InEveryConfiguration(Body body) {
  for (const Configuration& configuration : AvailableConfigurations()) {
    INFO(configuration.Text());
    const tenon::Runtime runtime{RuntimeConfigOf(configuration)};
    body(runtime);
  }
}

/// How a call ended.
struct Answer {
  TrapCode trap = TrapCode::None;
  std::vector<Slot> slots;

  /// As Catch shows it when a comparison fails.
  friend std::ostream& operator<<(std::ostream& out, const Answer& answer) {
    out << (answer.trap == TrapCode::None ? "returned" : tenon::TrapText(answer.trap));
    for (const Slot slot : answer.slots) out << ' ' << std::hex << slot << std::dec;
    return out;
  }
  friend bool operator==(const Answer&, const Answer&) = default;
};

inline Answer Trapped(TrapCode code) { return {code, {}}; }
/// The results: 32-bit ones with an upper half of zero, v128 as two slots.
inline Answer Returned(std::initializer_list<Slot> slots) { return {TrapCode::None, slots}; }

/// Calls an export with arguments as slots; 32-bit ones get junk in their upper half.
inline Answer Call(const tenon::Module& module, std::string_view name,
                   std::span<const Slot> arguments) {
  const tenon::Function function = module.ExportedFunction(name);
  REQUIRE(function);
  const tenon::FunctionDefinition definition = function.Definition();
  std::vector<Slot> slots;
  std::size_t at = 0;
  for (const ValueType type : definition.parameter_types) {
    REQUIRE(at < arguments.size());
    const bool is_half = type == kI || type == kF;
    slots.push_back(is_half ? (arguments[at] & 0xFFFFFFFF) | kJunk : arguments[at]);
    ++at;
    if (type.IsVector()) slots.push_back(arguments[at++]);
  }
  REQUIRE(at == arguments.size());
  std::size_t result_slots = 0;
  for (const ValueType type : definition.result_types) result_slots += type.SlotCount();
  slots.resize(std::max(slots.size(), result_slots));
  const std::exception_ptr error = function.TryCallWithStack(slots);
  if (error != nullptr) {
    try {
      std::rethrow_exception(error);
    } catch (const tenon::Trap& trap) {
      return Trapped(trap.Code());
    }
  }
  slots.resize(result_slots);
  at = 0;
  for (const ValueType type : definition.result_types) {
    if (type == kI || type == kF) slots[at] &= 0xFFFFFFFF;
    at += type.SlotCount();
  }
  return {TrapCode::None, slots};
}

inline Answer Call(const tenon::Module& module, std::string_view name,
                   std::initializer_list<Slot> arguments = {}) {
  return Call(module, name, std::span{arguments.begin(), arguments.size()});
}

}  // namespace differential::edge
