// SPDX-License-Identifier: Apache-2.0
/// @file
/// The border between thunks and parameter types that are neither one value nor a raw view.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/parameter_facts.hpp>

namespace tenon::inline TENON_ABI::bind {

/// How a parameter of type T is made from its operands. The library specialises it for its own
/// types; programs specialise tenon::WasmOperands, on which one of the specialisations rests.
///
/// - `static consteval ParameterFacts Facts()`: operands and properties;
/// - `static bool Check(caller, operands, parameter) noexcept`: false, with a trap pending that
/// names
///   the parameter, if it cannot be passed. Called for all parameters before any is made;
/// - unless the facts say `needs_holder`: `static T Make(caller, operands)`;
/// - otherwise `class Holder`, constructed from (caller, operands), holders of a call from left to
///   right, and destroyed from right to left. `T Get()` gives the argument. `void WriteBack()
///   noexcept` is called, from left to right, once the function returned normally, and not if it
///   threw;
/// - if the facts say `writes`: `static WrittenRange* AppendWritten(operands, parameter, into)
///   noexcept`, which adds that many ranges and returns the end, after a successful Check.
template <class T>
struct Marshaller {};

template <class T>
concept HasMarshaller = requires { Marshaller<T>::Facts(); };

/// What Marshaller says, of a parameter that points into guest memory, for offsets and lengths of
/// this kind. Types that have a specialisation can be Wide.
template <class T, WireKind kOffset>
struct MemoryParameter {};

namespace detail {

/// Of a parameter that is a pointer into guest memory, or (with two operands) a pointer and a
/// number of elements.
consteval ParameterFacts FactsOfMemory(ParameterKind kind, WireKind offset, std::uint8_t width,
                                       bool is_written) {
  ParameterFacts facts;
  facts.kind = kind;
  facts.wire = offset;
  facts.width = width;
  facts.needs_check = true;
  facts.needs_memory = true;
  facts.has_pointer = true;
  facts.writes = is_written ? 1 : 0;
  return facts;
}

}  // namespace detail

}  // namespace tenon::inline TENON_ABI::bind
