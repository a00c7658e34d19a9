// SPDX-License-Identifier: Apache-2.0
/// @file
/// What can be seen of an aggregate without naming its fields: types, and the shapes in which
/// fields are not what they seem.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/field_refusal.hpp>
#include <tenon/bind/guest_layout.hpp>

namespace tenon::inline TENON_ABI::bind::detail {

inline constexpr std::size_t kMostFields = 32;

/// Converts to whatever a field is, in expressions that are not evaluated.
template <std::size_t>
struct AnyField {
  template <class T>
  operator T() const noexcept;
};
/// Converts to a base class of S.
template <class S>
struct AnyBase {
  template <class T>
    requires(std::is_base_of_v<T, S> && !std::is_same_v<T, S>)
  operator T() const noexcept;
};

template <class S>
consteval bool HasBase() {
  return requires { S{AnyBase<S>{}}; };
}

/// Whether S can be initialised by kBefore values, one in braces, and kAfter values.
template <class S, std::size_t... kBefore, std::size_t... kAfter>
consteval bool IsInitialisable(std::index_sequence<kBefore...>, std::index_sequence<kAfter...>) {
  return requires { S{AnyField<kBefore>{}..., {AnyField<0>{}}, AnyField<kAfter>{}...}; };
}

/// Whether a field is a C array. kCount counts its elements as fields, since braces around them may
/// be left out; so a pair of braces around the first one takes the place of all.
template <class S, std::size_t kCount, std::size_t kIndex = 0>
consteval bool HasArray() {
  if constexpr (kIndex >= kCount || kCount > 4 * kMostFields) {
    return false;
  } else if constexpr (!IsInitialisable<S>(std::make_index_sequence<kIndex>{},
                                           std::make_index_sequence<kCount - kIndex - 1>{}) &&
                       IsInitialisable<S>(std::make_index_sequence<kIndex>{},
                                          std::make_index_sequence<0>{})) {
    return true;
  } else {
    return HasArray<S, kCount, kIndex + 1>();
  }
}

template <class... T>
struct FieldTypeList {
  static constexpr std::size_t kCount = sizeof...(T);
};
template <std::size_t kIndex, class List>
struct TypeAtIndex;
template <std::size_t kIndex, class First, class... Rest>
struct TypeAtIndex<kIndex, FieldTypeList<First, Rest...>>
    : TypeAtIndex<kIndex - 1, FieldTypeList<Rest...>> {};
template <class First, class... Rest>
struct TypeAtIndex<0, FieldTypeList<First, Rest...>> {
  using Type = First;
};

/// Calls `use` with all fields of an aggregate of kCount fields. C++20 has no other way to name
/// them than one list for each number.
template <std::size_t kCount, class S, class Use>
constexpr auto WithFields(S& value, Use use) {
  if constexpr (kCount == 1) {
    auto& [f0] = value;
    return use.template operator()<decltype(f0)>(f0);
  } else if constexpr (kCount == 2) {
    auto& [f0, f1] = value;
    return use.template operator()<decltype(f0), decltype(f1)>(f0, f1);
  } else if constexpr (kCount == 3) {
    auto& [f0, f1, f2] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2)>(f0, f1, f2);
  } else if constexpr (kCount == 4) {
    auto& [f0, f1, f2, f3] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3)>(f0, f1,
                                                                                           f2, f3);
  } else if constexpr (kCount == 5) {
    auto& [f0, f1, f2, f3, f4] = value;
    return use
        .template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4)>(
            f0, f1, f2, f3, f4);
  } else if constexpr (kCount == 6) {
    auto& [f0, f1, f2, f3, f4, f5] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3),
                                   decltype(f4), decltype(f5)>(f0, f1, f2, f3, f4, f5);
  } else if constexpr (kCount == 7) {
    auto& [f0, f1, f2, f3, f4, f5, f6] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3),
                                   decltype(f4), decltype(f5), decltype(f6)>(f0, f1, f2, f3, f4, f5,
                                                                             f6);
  } else if constexpr (kCount == 8) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3),
                                   decltype(f4), decltype(f5), decltype(f6), decltype(f7)>(
        f0, f1, f2, f3, f4, f5, f6, f7);
  } else if constexpr (kCount == 9) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8)>(f0, f1, f2, f3, f4, f5, f6, f7, f8);
  } else if constexpr (kCount == 10) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = value;
    return use
        .template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                             decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9)>(
            f0, f1, f2, f3, f4, f5, f6, f7, f8, f9);
  } else if constexpr (kCount == 11) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10);
  } else if constexpr (kCount == 12) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = value;
    return use.template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3),
                                   decltype(f4), decltype(f5), decltype(f6), decltype(f7),
                                   decltype(f8), decltype(f9), decltype(f10), decltype(f11)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11);
  } else if constexpr (kCount == 13) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12)>(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12);
  } else if constexpr (kCount == 14) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = value;
    return use
        .template operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                             decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                             decltype(f10), decltype(f11), decltype(f12), decltype(f13)>(
            f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13);
  } else if constexpr (kCount == 15) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14)>(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9,
                                                            f10, f11, f12, f13, f14);
  } else if constexpr (kCount == 16) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15);
  } else if constexpr (kCount == 17) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16);
  } else if constexpr (kCount == 18) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17);
  } else if constexpr (kCount == 19) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18] =
        value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18)>(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12,
                                             f13, f14, f15, f16, f17, f18);
  } else if constexpr (kCount == 20) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18,
           f19] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19);
  } else if constexpr (kCount == 21) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20);
  } else if constexpr (kCount == 22) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21);
  } else if constexpr (kCount == 23) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
        decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22);
  } else if constexpr (kCount == 24) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
        decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23);
  } else if constexpr (kCount == 25) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21),
               decltype(f22), decltype(f23), decltype(f24)>(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9,
                                                            f10, f11, f12, f13, f14, f15, f16, f17,
                                                            f18, f19, f20, f21, f22, f23, f24);
  } else if constexpr (kCount == 26) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21),
               decltype(f22), decltype(f23), decltype(f24), decltype(f25)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25);
  } else if constexpr (kCount == 27) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21),
               decltype(f22), decltype(f23), decltype(f24), decltype(f25), decltype(f26)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26);
  } else if constexpr (kCount == 28) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26, f27] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
        decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
        decltype(f24), decltype(f25), decltype(f26), decltype(f27)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26, f27);
  } else if constexpr (kCount == 29) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26, f27, f28] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
        decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
        decltype(f24), decltype(f25), decltype(f26), decltype(f27), decltype(f28)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26, f27, f28);
  } else if constexpr (kCount == 30) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26, f27, f28, f29] = value;
    return use.template operator()<
        decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
        decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
        decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
        decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
        decltype(f24), decltype(f25), decltype(f26), decltype(f27), decltype(f28), decltype(f29)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26, f27, f28, f29);
  } else if constexpr (kCount == 31) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21),
               decltype(f22), decltype(f23), decltype(f24), decltype(f25), decltype(f26),
               decltype(f27), decltype(f28), decltype(f29), decltype(f30)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30);
  } else if constexpr (kCount == 32) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
           f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31] = value;
    return use.template
    operator()<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
               decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
               decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16),
               decltype(f17), decltype(f18), decltype(f19), decltype(f20), decltype(f21),
               decltype(f22), decltype(f23), decltype(f24), decltype(f25), decltype(f26),
               decltype(f27), decltype(f28), decltype(f29), decltype(f30), decltype(f31)>(
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31);
  }
}

struct ListTypes {
  template <class... T, class... Fields>
  constexpr auto operator()(const Fields&...) const {
    return FieldTypeList<T...>{};
  }
};
/// The types of all fields as they are declared; those of bit-fields too.
template <class S, std::size_t kCount>
using FieldTypes = decltype(WithFields<kCount>(std::declval<S&>(), ListTypes{}));

template <class T>
constexpr T LargestOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    constexpr unsigned kBits = sizeof(T) * 8 - (std::is_signed_v<T> ? 1 : 0);
    return static_cast<T>(~std::uint64_t{0} >> (64 - kBits));
  } else if constexpr (IsViewElement<T>() && std::is_enum_v<T>) {
    return static_cast<T>(LargestOf<std::underlying_type_t<T>>());
  } else {
    return T{};
  }
}

/// Initialises a field of type T.
template <class T>
struct LargestField {
  constexpr operator T() const noexcept { return LargestOf<T>(); }
};
template <class T>
constexpr bool IsLargest(const T& value) {
  if constexpr (std::is_integral_v<T> || (IsViewElement<T>() && std::is_enum_v<T>)) {
    return value == LargestOf<T>();
  } else {
    return true;
  }
}
template <class T>
concept HasConstantValue = requires { typename std::bool_constant<((void)LargestOf<T>(), true)>; };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Woverflow"
/// Whether an integer field cannot hold the largest number of its type.
template <class S, class... T>
consteval bool HasNarrowField() {
  const S value{LargestField<std::remove_const_t<T>>{}...};
  return WithFields<sizeof...(T)>(
      value, []<class... F>(const auto&... fields) { return !(... && IsLargest(fields)); });
}
#pragma GCC diagnostic pop

/// The size that a struct of these fields has on the host, if that is all there is in it.
template <class S, class... T>
consteval std::size_t SizeOfFields() {
  const std::size_t sizes[] = {sizeof(T)...};
  const std::size_t alignments[] = {alignof(T)...};
  const auto align = [](std::size_t offset, std::size_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
  };
  std::size_t size = 0;
  for (std::size_t i = 0; i < sizeof...(T); ++i) size = align(size, alignments[i]) + sizes[i];
  return align(size, alignof(S));
}

template <class S, class... T>
consteval FieldFault FaultOfTypes(FieldTypeList<T...>) {
  if constexpr ((... || std::is_array_v<T>)) {
    return FieldFault::CArray;
  } else if constexpr ((... || (std::is_reference_v<T> || std::is_volatile_v<T>))) {
    return FieldFault::None;  // reported with its position
  } else if constexpr ((std::size_t{0} + ... + sizeof(T)) > sizeof(S)) {
    return FieldFault::BitField;
  } else {
    if ((... || (alignof(S) < alignof(T)))) return FieldFault::PackedStruct;
    if constexpr ((... && HasConstantValue<std::remove_const_t<T>>)) {
      if (HasNarrowField<S, T...>()) return FieldFault::BitField;
    }
    if (SizeOfFields<S, T...>() != sizeof(S)) return FieldFault::Gap;
    return FieldFault::None;
  }
}
template <class S, std::size_t kCount>
consteval FieldFault FaultOfTypes() {
  return FaultOfTypes<S>(FieldTypes<S, kCount>{});
}

}  // namespace tenon::inline TENON_ABI::bind::detail
