// SPDX-License-Identifier: Apache-2.0
/// @file
/// Plain structs as they are: their fields are found by Boost.PFR. Needs Boost.PFR (headers only;
/// Boost 1.75 or later, or PFR alone), which no other header of tenon does. See struct.hpp for what
/// structs can do.
///
/// A plain struct is an aggregate without base class, of 1 to 32 fields. C arrays and bit-fields
/// are refused, because they would be miscounted; structs with C arrays, constructors or private
/// fields can list their fields with tenon::Fields.
///
/// Where Boost.PFR knows names of fields (BOOST_PFR_CORE_NAME_ENABLED, Boost 1.84 or later), they
/// are names of the operands of a Flat<S>, in definitions, traces and traps.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>
// What it needs itself.
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <boost/pfr/core.hpp>

#include <tenon/bind/field_refusal.hpp>
#if __has_include(<boost/pfr/core_name.hpp>)
#include <boost/pfr/core_name.hpp>
#endif

#include <tenon/abi/config.hpp>
#include <tenon/bind/aggregate_shape.hpp>
#include <tenon/struct.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

/// Structs that are taken apart without being asked to.
template <class T>
concept PlainStruct = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T> &&
                      !std::is_same_v<T, V128> && !HasWasmType<T> && !HasWasmOperands<T> &&
                      !TupleLike<T> && !requires { tenon::Fields<T>::kCount; };

#if defined(BOOST_PFR_CORE_NAME_ENABLED) && BOOST_PFR_CORE_NAME_ENABLED
/// Names of fields, each ending with a zero byte.
template <class S, class Indices>
struct FieldNames;
template <class S, std::size_t... I>
struct FieldNames<S, std::index_sequence<I...>> {
  template <std::size_t kIndex>
  struct Name {
    static constexpr auto kView = boost::pfr::get_name<kIndex, S>();
    struct Text {
      char of[kView.size() + 1] = {};
    };
    static consteval Text Copy() {
      Text text;
      for (std::size_t i = 0; i < kView.size(); ++i) text.of[i] = kView[i];
      return text;
    }
    static constexpr Text kText = Copy();
  };
  static constexpr const char* kNames[] = {Name<I>::kText.of...};
};
#else
template <class S, class Indices>
struct FieldNames {};
#endif

template <class S, FieldFault kShapeFault>
struct PlainFields {
  static constexpr FieldFault kFault = kShapeFault;
  static constexpr std::size_t kCount = 0;
};
template <class S>
struct PlainFields<S, FieldFault::None>
    : FieldNames<S, std::make_index_sequence<boost::pfr::tuple_size_v<S>>> {
  static constexpr FieldFault kFault = FieldFault::None;
  static constexpr std::size_t kCount = boost::pfr::tuple_size_v<S>;
  static constexpr bool kIsComplete = true;
  using Types = FieldTypes<S, kCount>;
  template <std::size_t kIndex>
  using Type = typename TypeAtIndex<kIndex, Types>::Type;

  template <std::size_t kIndex, class T>
  static constexpr auto& Get(T& value) noexcept {
    return boost::pfr::get<kIndex>(value);
  }
};

/// Everything that Boost.PFR would stumble over is looked for before it is asked for more than a
/// count.
template <class S>
consteval FieldFault FaultOfShape() {
  if constexpr (HasBase<S>()) {
    return FieldFault::Base;
  } else {
    constexpr std::size_t kCount = boost::pfr::tuple_size_v<S>;
    if constexpr (HasArray<S, kCount>()) {
      return FieldFault::CArray;
    } else if constexpr (kCount == 0 || kCount > kMostFields) {
      return FieldFault::TooManyFields;
    } else {
      return FaultOfTypes<S, kCount>();
    }
  }
}

}  // namespace detail

template <class S>
  requires detail::PlainStruct<S>
struct FieldsOf<S> : detail::PlainFields<S, detail::FaultOfShape<S>()> {};

}  // namespace tenon::inline TENON_ABI::bind
