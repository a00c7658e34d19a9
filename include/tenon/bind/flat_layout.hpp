// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs taken apart into one value for each field.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/scalar.hpp>

namespace tenon::inline TENON_ABI::bind {

/// How a T is made of several values, its leaves. No members for what is not:
///
/// - `kCount`; `kWires.of, theirs`; `template <std::size_t I> using Leaf`, its type, which is a
/// scalar;
/// - `kRunsUserCode`: whether making one can run code of the program;
/// - `Fits(operands)`: whether all are in the ranges of their types;
/// - `Load(operands)`: the T; `Get<I>(value)`: a leaf of it;
/// - `FromLeaves<kFirst>(tuple)`: the T whose leaves begin at kFirst in a tuple.
///
/// C arrays, which cannot be returned, have `LoadInto(value, operands)` and
/// `TakeInto<kFirst>(value, tuple)` in place of these.
template <class T>
struct FlatLayout {
  static constexpr std::size_t kCount = 0;
};

namespace detail {

/// Of one Flat parameter or result.
inline constexpr std::size_t kMostLeaves = 64;

/// Wires of leaves. Longer lists are cut: they are refused by their count.
struct LeafWires {
  WireKind of[kMostLeaves] = {};

  constexpr void Append(std::size_t first, const LeafWires& more, std::size_t count) {
    for (std::size_t i = 0; i < count && first + i < kMostLeaves; ++i) of[first + i] = more.of[i];
  }
};

/// First leaf of each field.
template <std::size_t kFields>
struct FirstLeaves {
  std::size_t of[kFields + 1] = {};

  /// The field that a leaf belongs to.
  constexpr std::size_t FieldOf(std::size_t leaf) const {
    std::size_t field = 0;
    while (leaf >= of[field + 1]) ++field;
    return field;
  }
};
template <class... T>
consteval auto FirstLeavesOf() {
  const std::size_t counts[] = {FlatLayout<T>::kCount...};
  FirstLeaves<sizeof...(T)> firsts;
  for (std::size_t i = 0; i < sizeof...(T); ++i) firsts.of[i + 1] = firsts.of[i] + counts[i];
  return firsts;
}
template <class... T>
consteval LeafWires WiresOf() {
  const LeafWires* const parts[] = {&FlatLayout<T>::kWires...};
  const std::size_t counts[] = {FlatLayout<T>::kCount...};
  LeafWires wires;
  std::size_t first = 0;
  for (std::size_t i = 0; i < sizeof...(T); ++i) {
    wires.Append(first, *parts[i], counts[i]);
    first += counts[i];
  }
  return wires;
}

/// Fields of types T one after the other; `Access::Get<I>(value)` is a field.
template <class S, class Access, class Indices, class... T>
struct FlatFields;

template <class S, class Access, std::size_t... I, class... T>
struct FlatFields<S, Access, std::index_sequence<I...>, T...> {
  static constexpr std::size_t kCount = (std::size_t{0} + ... + FlatLayout<T>::kCount);
  static constexpr FirstLeaves<sizeof...(T)> kFirsts = FirstLeavesOf<T...>();
  static constexpr LeafWires kWires = WiresOf<T...>();
  static constexpr bool kRunsUserCode = (... || FlatLayout<T>::kRunsUserCode);

  template <std::size_t kIndex>
  using Field = FlatLayout<std::tuple_element_t<kIndex, std::tuple<T...>>>;
  template <std::size_t kLeaf>
  using Leaf =
      typename Field<kFirsts.FieldOf(kLeaf)>::template Leaf<kLeaf -
                                                            kFirsts.of[kFirsts.FieldOf(kLeaf)]>;

  static bool Fits(const Operand* operands) noexcept {
    return (FlatLayout<T>::Fits(operands + kFirsts.of[I]) && ...);
  }
  static void LoadInto(S& value, const Operand* operands) { (LoadField<I>(value, operands), ...); }
  template <std::size_t kFirst, class Tuple>
  static void TakeInto(S& value, const Tuple& leaves) {
    (TakeField<I, kFirst>(value, leaves), ...);
  }
  template <std::size_t kLeaf>
  static Leaf<kLeaf> Get(const S& value) {
    constexpr std::size_t kField = kFirsts.FieldOf(kLeaf);
    return Field<kField>::template Get<kLeaf - kFirsts.of[kField]>(
        Access::template Get<kField>(value));
  }

 private:
  template <std::size_t kIndex>
  static void LoadField(S& value, const Operand* operands) {
    auto& field = Access::template Get<kIndex>(value);
    if constexpr (std::is_array_v<std::remove_reference_t<decltype(field)>>) {
      Field<kIndex>::LoadInto(field, operands + kFirsts.of[kIndex]);
    } else {
      field = Field<kIndex>::Load(operands + kFirsts.of[kIndex]);
    }
  }
  template <std::size_t kIndex, std::size_t kFirst, class Tuple>
  static void TakeField(S& value, const Tuple& leaves) {
    auto& field = Access::template Get<kIndex>(value);
    if constexpr (std::is_array_v<std::remove_reference_t<decltype(field)>>) {
      Field<kIndex>::template TakeInto<kFirst + kFirsts.of[kIndex]>(field, leaves);
    } else {
      field = Field<kIndex>::template FromLeaves<kFirst + kFirsts.of[kIndex]>(leaves);
    }
  }
};

/// A class, because g++ 12 loses its way in packs of a member alias.
template <class Access, std::size_t kIndex>
struct FieldTypeOf {
  using Type = typename Access::template Type<kIndex>;
};
template <class S, class Access, class Indices>
struct FlatPack;
template <class S, class Access, std::size_t... I>
struct FlatPack<S, Access, std::index_sequence<I...>>
    : FlatFields<S, Access, std::index_sequence<I...>, typename FieldTypeOf<Access, I>::Type...> {};

/// The same as a value of its own.
template <class S, class Access, std::size_t kCount>
struct FlatValue : FlatPack<S, Access, std::make_index_sequence<kCount>> {
  static S Load(const Operand* operands) {
    S value{};
    FlatValue::LoadInto(value, operands);
    return value;
  }
  template <std::size_t kFirst, class Tuple>
  static S FromLeaves(const Tuple& leaves) {
    S value{};
    FlatValue::template TakeInto<kFirst>(value, leaves);
    return value;
  }
};
template <class S, class L>
using FlatStruct = FlatValue<S, L, L::kCount>;

template <class T>
struct ArrayAccess {
  template <std::size_t>
  using Type = T;
  template <std::size_t kIndex, class A>
  static constexpr auto& Get(A& array) noexcept {
    return array[kIndex];
  }
};

}  // namespace detail

template <class T>
  requires(kScalarKind<T> != ScalarKind::None)
struct FlatLayout<T> {
  static constexpr std::size_t kCount = 1;
  static constexpr detail::LeafWires kWires{{Scalar<T>::kWire}};
  static constexpr bool kRunsUserCode = kScalarKind<T> == ScalarKind::User;
  template <std::size_t>
  using Leaf = T;

  static bool Fits(const Operand* operands) noexcept {
    return Scalar<T>::Fits(bind::Get<Scalar<T>::kWire>(*operands));
  }
  static T Load(const Operand* operands) {
    return Scalar<T>::From(bind::Get<Scalar<T>::kWire>(*operands));
  }
  template <std::size_t kFirst, class Tuple>
  static T FromLeaves(const Tuple& leaves) {
    return std::get<kFirst>(leaves);
  }
  template <std::size_t>
  static T Get(const T& value) {
    return value;
  }
};

template <class T, std::size_t kLength>
  requires(kLength > 0 && FlatLayout<T>::kCount > 0)
struct FlatLayout<std::array<T, kLength>>
    : detail::FlatValue<std::array<T, kLength>, detail::ArrayAccess<T>, kLength> {};
template <class T, std::size_t kLength>
  requires(FlatLayout<T>::kCount > 0)
struct FlatLayout<T[kLength]>
    : detail::FlatPack<T[kLength], detail::ArrayAccess<T>, std::make_index_sequence<kLength>> {};

/// Whether there is a value, and the value.
template <class T>
  requires(FlatLayout<T>::kCount > 0)
struct FlatLayout<std::optional<T>> {
  using Element = FlatLayout<T>;
  template <std::size_t kLeaf>
  struct LeafAt {
    using Type = typename Element::template Leaf<kLeaf - 1>;
  };
  template <std::size_t kLeaf>
    requires(kLeaf == 0)
  struct LeafAt<kLeaf> {
    using Type = bool;
  };

  static constexpr std::size_t kCount = Element::kCount + 1;
  static constexpr detail::LeafWires kWires = detail::WiresOf<bool, T>();
  static constexpr bool kRunsUserCode = Element::kRunsUserCode;
  template <std::size_t kLeaf>
  using Leaf = typename LeafAt<kLeaf>::Type;

  static bool Fits(const Operand* operands) noexcept {
    return operands->i32 == 0 || Element::Fits(operands + 1);
  }
  static std::optional<T> Load(const Operand* operands) {
    if (operands->i32 == 0) return std::nullopt;
    return Element::Load(operands + 1);
  }
  template <std::size_t kFirst, class Tuple>
  static std::optional<T> FromLeaves(const Tuple& leaves) {
    if (!std::get<kFirst>(leaves)) return std::nullopt;
    return Element::template FromLeaves<kFirst + 1>(leaves);
  }
  template <std::size_t kLeaf>
  static Leaf<kLeaf> Get(const std::optional<T>& value) {
    if constexpr (kLeaf == 0) {
      return value.has_value();
    } else {
      return Element::template Get<kLeaf - 1>(value.value_or(T{}));
    }
  }
};

}  // namespace tenon::inline TENON_ABI::bind
