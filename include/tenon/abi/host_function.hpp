// SPDX-License-Identifier: Apache-2.0
/// @file
/// A host function with its C++ type erased: the one form in which the binding room hands callables
/// to the rest of the library.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::abi {

/// Everything about a host function's signature that is known while compiling. Static storage.
struct HostSignature {
  const ValueType* parameters;
  const ValueType* results;
  std::uint32_t parameter_count;  ///< wasm operands
  std::uint32_t result_count;
  /// Wasm operands taken by each C++ parameter (special parameters excluded): 1, 2 for a view,
  /// others for structs and classes of the program.
  const std::uint8_t* parameter_widths;
  std::uint32_t cpp_parameter_count;
  std::uint32_t flags;  ///< FunctionFlags
  NativeCode thunk;
  SlotInvoke invoke;            ///< adapter from slots to `thunk`, one per wasm signature
  std::uint32_t special_count;  ///< C++ parameters in front that take no operand
  /// Texts of the result and of all C++ parameters, see bind/spelling.hpp; null if nobody knows.
  const char* const* spellings;
  std::uint32_t
      result_operands;  ///< operands before those of the parameters: where the result goes
  /// Names that operands have by their C++ types, null where there is none; null if there are none.
  const char* const* operand_names;
};

/// A callable with its state. Owned by whoever holds it; `destroy` is called exactly once.
struct HostFunction {
  const HostSignature* signature;
  void* state;                            ///< first argument of the thunk; may be null
  void (*destroy)(void* state) noexcept;  ///< null if there is nothing to destroy
};

}  // namespace tenon::inline TENON_ABI::abi
