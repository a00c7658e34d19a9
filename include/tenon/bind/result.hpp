// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each C++ result type of a host function gives back to the guest, and how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/bind/view.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class ResultKind : std::uint8_t { Void, Scalar, Tuple, Refused };

struct ResultFacts {
  ResultKind kind = ResultKind::Refused;
  Refusal refusal = Refusal::None;
};

namespace detail {

/// std::tuple, std::pair, std::array and whatever else follows the tuple protocol.
template <class T>
concept TupleLike = std::is_class_v<T> && requires { std::tuple_size<T>::value; };

template <class T>
consteval Refusal RefusalOfResult() {
  if constexpr (std::is_volatile_v<T>) {
    return Refusal::Volatile;
  } else if constexpr (std::is_reference_v<T>) {
    return Refusal::ResultReference;
  } else if constexpr (std::is_pointer_v<T>) {
    return Refusal::ResultPointer;
  } else if constexpr (std::is_same_v<T, long double>) {
    return Refusal::ResultLongDouble;
  } else if constexpr (kScalarKind<T> == ScalarKind::User) {
    return WritableUserType<T> ? Refusal::None : Refusal::ResultBadWasmType;
  } else if constexpr (kScalarKind<T> != ScalarKind::None) {
    return Refusal::None;
  } else if constexpr (std::is_enum_v<T>) {
    return Refusal::ResultUnfixedEnum;
  } else if constexpr (kIsSpecialClass<T>) {
    return Refusal::ResultUnmapped;
  } else if constexpr (std::is_class_v<T>) {
    return ViewTraits<T>::kIsView || Container<T> ? Refusal::ResultView : Refusal::ResultUnmapped;
  } else {
    return Refusal::ResultUnmapped;
  }
}

template <class T, std::size_t... I>
consteval Refusal RefusalOfElements(std::index_sequence<I...>) {
  Refusal refusal = Refusal::None;
  static_cast<void>(((refusal = RefusalOfResult<std::remove_const_t<std::tuple_element_t<I, T>>>(),
                      refusal == Refusal::None) &&
                     ...));
  return refusal;
}

template <class T>
consteval ResultFacts ResultFactsOf() {
  if constexpr (std::is_void_v<T>) {
    return {ResultKind::Void, Refusal::None};
  } else if constexpr (kScalarKind<T> == ScalarKind::None && !kIsSpecialClass<T> && TupleLike<T>) {
    return {ResultKind::Tuple,
            RefusalOfElements<T>(std::make_index_sequence<std::tuple_size_v<T>>{})};
  } else {
    return {ResultKind::Scalar, RefusalOfResult<T>()};
  }
}

template <class T, class Indices = std::make_index_sequence<std::tuple_size_v<T>>>
struct Elements;
template <class T, std::size_t... I>
struct Elements<T, std::index_sequence<I...>> {
  static constexpr std::size_t kCount = sizeof...(I);
  static constexpr WireKind kWires[kCount + 1] = {
      Scalar<std::remove_const_t<std::tuple_element_t<I, T>>>::kWire..., WireKind::I32};

  static consteval const ValueType* Types() { return ValueTypes<kWires[I]...>(); }
  static consteval std::uint32_t OffsetOf(std::size_t element) {
    std::uint32_t offset = 0;
    for (std::size_t i = 0; i < element; ++i) offset += SlotsOf(kWires[i]);
    return offset;
  }
  static consteval bool HasFunctions() {
    bool has_functions = false;
    for (std::size_t i = 0; i < kCount; ++i) has_functions |= kWires[i] == WireKind::FuncRef;
    return has_functions;
  }
  /// Writes the elements in order.
  static void Store(abi::Slot* results, T&& value) {
    (ToSlot(results + OffsetOf(I), Scalar<std::remove_const_t<std::tuple_element_t<I, T>>>::To(
                                       get<I>(static_cast<T&&>(value)))),
     ...);
  }
};

}  // namespace detail

template <class T>
inline constexpr ResultFacts kResultFacts = detail::ResultFactsOf<std::remove_const_t<T>>();

/// Gives back a result of type T:
/// - `NativeResult`: what the thunk returns, void for none and for several;
/// - `kHasArea`: whether the thunk takes a `Slot*` behind its operands;
/// - `kHasFunctions`: whether references to functions are among the values;
/// - `Return(value, area...)`: the conversion. Only user types throw.
template <class T, ResultKind kKind = kResultFacts<T>.kind>
struct Result;

template <class T>
struct Result<T, ResultKind::Void> {
  using NativeResult = void;
  static constexpr bool kHasArea = false;
  static constexpr std::uint32_t kCount = 0;
  static consteval const ValueType* Types() { return nullptr; }
};

template <class T>
struct Result<T, ResultKind::Scalar> {
  using Mapping = Scalar<std::remove_const_t<T>>;
  using NativeResult = Native<Mapping::kWire>;
  static constexpr bool kHasArea = false;
  static constexpr bool kHasFunctions = Mapping::kWire == WireKind::FuncRef;
  static constexpr std::uint32_t kCount = 1;
  static consteval const ValueType* Types() { return ValueTypes<Mapping::kWire>(); }
  static NativeResult Return(T&& value) { return Mapping::To(static_cast<T&&>(value)); }
};

template <class T>
struct Result<T, ResultKind::Tuple> {
  using Elements = detail::Elements<T>;
  static constexpr std::uint32_t kCount = Elements::kCount;
  static constexpr bool kHasArea = kCount > 1;
  static constexpr bool kHasFunctions = Elements::HasFunctions();
  static consteval const ValueType* Types() { return Elements::Types(); }

  static auto Empty() {
    if constexpr (kCount == 1) {
      return Native<Elements::kWires[0]>();
    }
  }
  using NativeResult = decltype(Empty());

  static NativeResult Return(T&& value) {
    if constexpr (kCount == 1) {
      using Element = std::remove_const_t<std::tuple_element_t<0, T>>;
      return Scalar<Element>::To(get<0>(static_cast<T&&>(value)));
    } else {
      static_cast<void>(value);
    }
  }
  static void Return(T&& value, abi::Slot* area) { Elements::Store(area, static_cast<T&&>(value)); }
};

}  // namespace tenon::inline TENON_ABI::bind
