// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the validation of a module's declarations leaves for that of its function bodies.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Types with one entry for each slot that a value takes: a vector's type stands there twice.
using SlotTypes = std::span<const ValueType>;

/// Where ValidationContext::slot_types has the parameters of a type, followed by its results.
struct TypeSlots {
  std::uint32_t first = 0;
  std::uint32_t parameters = 0;  ///< slots
  std::uint32_t results = 0;     ///< slots
};

/// Filled by ValidateModule; read-only afterwards, so that any number of threads validate bodies
/// with it at once. The module and its bytes must outlive it.
struct ValidationContext {
  const Module* module = nullptr;
  CoreFeatures features;
  ImplementationLimits limits;
  FlatArray<TypeSlots> type_slots;  ///< of each type
  std::vector<ValueType> slot_types;
  FlatArray<bool> declared_functions;  ///< by function index: those `ref.func` may name in bodies

  /// Of a function type.
  SlotTypes Parameters(std::uint32_t type) const {
    return SlotTypes{slot_types}.subspan(type_slots[type].first, type_slots[type].parameters);
  }
  SlotTypes Results(std::uint32_t type) const {
    const TypeSlots& slots = type_slots[type];
    return SlotTypes{slot_types}.subspan(slots.first + slots.parameters, slots.results);
  }
};

}  // namespace tenon::inline TENON_ABI::wasm
