// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is known about a parameter type of a host function.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/operand.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class ParameterKind : std::uint8_t {
  Scalar,      ///< one operand, see scalar.hpp
  View,        ///< offset and length of guest memory that is used in place, see view.hpp
  Marshalled,  ///< what its Marshaller says, see marshaller.hpp
  Reference,   ///< a Ref, see handles.hpp
  Callback,    ///< a Callback, see handles.hpp
  Module,      ///< the special parameters, which take no operand
  Memory,
  CallContext,
  Refused,
};

/// What is known about a parameter type; computed once for each type.
struct ParameterFacts {
  ParameterKind kind = ParameterKind::Refused;
  Refusal refusal = Refusal::None;
  WireKind wire = WireKind::I32;  ///< of every operand, unless there are `wires`
  std::uint8_t width = 0;         ///< operands
  bool has_wires = false;         ///< whether there are `wires`; comparing addresses is no constant
                                  ///< expression to g++ with sanitizers
  const WireKind* wires = nullptr;  ///< of each operand, if they differ
  bool has_names = false;
  const char* const* names = nullptr;  ///< of each operand, if they have names of their own
  bool needs_check = false;
  bool needs_memory = false;
  bool needs_holder = false;  ///< its argument refers to something kept during the call
  bool has_pointer = false;   ///< its first operand is a pointer, of which null may stand for none
  bool runs_user_code = false;
  bool is_result = false;    ///< where a result goes: no parameter of the C++ signature
  bool pins = false;         ///< its argument is an address in guest memory
  bool is_raw = false;       ///< through which plain reads and writes go: not of shared memories
  bool writes_back = false;  ///< what it writes is a copy until the function returned
  std::uint8_t writes = 0;   ///< ranges of guest memory that the function may write through

  constexpr bool IsSpecial() const {
    return kind == ParameterKind::Module || kind == ParameterKind::Memory ||
           kind == ParameterKind::CallContext;
  }
};

}  // namespace tenon::inline TENON_ABI::bind
