// SPDX-License-Identifier: Apache-2.0
/// @file
/// C++ types for the values of a guest's functions, and what may be passed for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/reference.hpp>
#include <tenon/value.hpp>

namespace tenon::inline TENON_ABI::typed {

using bind::WireKind;
using bind::detail::TypeTag;

/// The kind of a value type. The features that the decoder knows have no other types.
consteval WireKind WireOf(ValueType type) {
  if (type == ValueType::I32) return WireKind::I32;
  if (type == ValueType::I64) return WireKind::I64;
  if (type == ValueType::F32) return WireKind::F32;
  if (type == ValueType::F64) return WireKind::F64;
  if (type == ValueType::V128) return WireKind::V128;
  if (type == ValueType::FuncRef) return WireKind::FuncRef;
  return WireKind::ExternRef;
}

template <WireKind kWire>
consteval auto PlainTag() {
  if constexpr (kWire == WireKind::I32) {
    return TypeTag<std::int32_t>{};
  } else if constexpr (kWire == WireKind::I64) {
    return TypeTag<std::int64_t>{};
  } else if constexpr (kWire == WireKind::F32) {
    return TypeTag<float>{};
  } else if constexpr (kWire == WireKind::F64) {
    return TypeTag<double>{};
  } else if constexpr (kWire == WireKind::V128) {
    return TypeTag<V128>{};
  } else if constexpr (kWire == WireKind::FuncRef) {
    return TypeTag<FuncRef>{};
  } else {
    return TypeTag<ExternRef>{};
  }
}
/// The C++ type of a wasm value where the program did not choose one; numbers are signed.
template <WireKind kWire>
using Plain = typename decltype(PlainTag<kWire>())::Type;

/// The type as which an argument is passed: its own if that is the parameter's kind, the
/// parameter's if it holds every value of the argument's; void if neither.
template <class A, WireKind kWire>
consteval auto PassedTag() {
  if constexpr (bind::kScalarKind<A> == bind::ScalarKind::None) {
    return TypeTag<void>{};
  } else if constexpr (bind::Scalar<A>::kWire == kWire) {
    return TypeTag<A>{};
  } else if constexpr (kWire == WireKind::I64 && std::is_integral_v<A>) {
    return TypeTag<std::int64_t>{};
  } else if constexpr (kWire == WireKind::F64 && std::is_same_v<A, float>) {
    return TypeTag<double>{};
  } else {
    return TypeTag<void>{};
  }
}
template <class A, WireKind kWire>
using Passed = typename decltype(PassedTag<A, kWire>())::Type;

/// The result type for several results, or fewer.
template <WireKind... kWires>
struct PlainResults {
  using Type = std::tuple<Plain<kWires>...>;
};
template <WireKind kWire>
struct PlainResults<kWire> {
  using Type = Plain<kWire>;
};
template <>
struct PlainResults<> {
  using Type = void;
};

}  // namespace tenon::inline TENON_ABI::typed
