// SPDX-License-Identifier: Apache-2.0
/// @file
/// What can be seen of an aggregate without naming its fields: types, and the shapes in which
/// fields are not what they seem.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/field_refusal.hpp>

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
  if constexpr (kIndex >= kCount || kIndex > kMostFields || kCount > 32 * kMostFields) {
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

void Take(const auto&...);

/// The list of the types of all fields of an aggregate of kCount fields, as they are declared; void
/// if one of them is a bit-field, which has no address. C++20 has no other way to name fields than
/// one list for each number.
template <std::size_t kCount, class S>
constexpr auto ListFields(S& value) {
  if constexpr (kCount == 1) {
    [[maybe_unused]] auto& [f0] = value;
    if constexpr (requires { Take(&f0); }) return FieldTypeList<decltype(f0)>{};
  } else if constexpr (kCount == 2) {
    [[maybe_unused]] auto& [f0, f1] = value;
    if constexpr (requires { Take(&f0, &f1); }) return FieldTypeList<decltype(f0), decltype(f1)>{};
  } else if constexpr (kCount == 3) {
    [[maybe_unused]] auto& [f0, f1, f2] = value;
    if constexpr (requires { Take(&f0, &f1, &f2); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2)>{};
  } else if constexpr (kCount == 4) {
    [[maybe_unused]] auto& [f0, f1, f2, f3] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3)>{};
  } else if constexpr (kCount == 5) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4)>{};
  } else if constexpr (kCount == 6) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5)>{};
  } else if constexpr (kCount == 7) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6)>{};
  } else if constexpr (kCount == 8) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7)>{};
  } else if constexpr (kCount == 9) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8)>{};
  } else if constexpr (kCount == 10) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9)>{};
  } else if constexpr (kCount == 11) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10)>{};
  } else if constexpr (kCount == 12) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = value;
    if constexpr (requires { Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11); })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11)>{};
  } else if constexpr (kCount == 13) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12)>{};
  } else if constexpr (kCount == 14) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13)>{};
  } else if constexpr (kCount == 15) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] =
        value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14)>{};
  } else if constexpr (kCount == 16) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] =
        value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15)>{};
  } else if constexpr (kCount == 17) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16)>{};
  } else if constexpr (kCount == 18) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17)>{};
  } else if constexpr (kCount == 19) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18)>{};
  } else if constexpr (kCount == 20) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19)>{};
  } else if constexpr (kCount == 21) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20)>{};
  } else if constexpr (kCount == 22) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20), decltype(f21)>{};
  } else if constexpr (kCount == 23) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22)>{};
  } else if constexpr (kCount == 24) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20), decltype(f21),
                           decltype(f22), decltype(f23)>{};
  } else if constexpr (kCount == 25) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20), decltype(f21),
                           decltype(f22), decltype(f23), decltype(f24)>{};
  } else if constexpr (kCount == 26) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20), decltype(f21),
                           decltype(f22), decltype(f23), decltype(f24), decltype(f25)>{};
  } else if constexpr (kCount == 27) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
          decltype(f24), decltype(f25), decltype(f26)>{};
  } else if constexpr (kCount == 28) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26, &f27);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
          decltype(f24), decltype(f25), decltype(f26), decltype(f27)>{};
  } else if constexpr (kCount == 29) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28] =
        value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26, &f27, &f28);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
          decltype(f24), decltype(f25), decltype(f26), decltype(f27), decltype(f28)>{};
  } else if constexpr (kCount == 30) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29] =
        value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26, &f27, &f28, &f29);
                  })
      return FieldTypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                           decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                           decltype(f10), decltype(f11), decltype(f12), decltype(f13),
                           decltype(f14), decltype(f15), decltype(f16), decltype(f17),
                           decltype(f18), decltype(f19), decltype(f20), decltype(f21),
                           decltype(f22), decltype(f23), decltype(f24), decltype(f25),
                           decltype(f26), decltype(f27), decltype(f28), decltype(f29)>{};
  } else if constexpr (kCount == 31) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29,
                            f30] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26, &f27, &f28, &f29, &f30);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
          decltype(f24), decltype(f25), decltype(f26), decltype(f27), decltype(f28), decltype(f29),
          decltype(f30)>{};
  } else if constexpr (kCount == 32) {
    [[maybe_unused]] auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,
                            f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29,
                            f30, f31] = value;
    if constexpr (requires {
                    Take(&f0, &f1, &f2, &f3, &f4, &f5, &f6, &f7, &f8, &f9, &f10, &f11, &f12, &f13,
                         &f14, &f15, &f16, &f17, &f18, &f19, &f20, &f21, &f22, &f23, &f24, &f25,
                         &f26, &f27, &f28, &f29, &f30, &f31);
                  })
      return FieldTypeList<
          decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
          decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
          decltype(f12), decltype(f13), decltype(f14), decltype(f15), decltype(f16), decltype(f17),
          decltype(f18), decltype(f19), decltype(f20), decltype(f21), decltype(f22), decltype(f23),
          decltype(f24), decltype(f25), decltype(f26), decltype(f27), decltype(f28), decltype(f29),
          decltype(f30), decltype(f31)>{};
  }
}
template <class S, std::size_t kCount>
using FieldTypes = decltype(ListFields<kCount>(std::declval<S&>()));

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
  } else {
    if ((... || (alignof(S) < alignof(T)))) return FieldFault::PackedStruct;
    if (SizeOfFields<S, T...>() != sizeof(S)) return FieldFault::Gap;
    return FieldFault::None;
  }
}
template <class S, std::size_t kCount>
consteval FieldFault FaultOfTypes() {
  if constexpr (std::is_void_v<FieldTypes<S, kCount>>) {
    return FieldFault::BitField;
  } else {
    return FaultOfTypes<S>(FieldTypes<S, kCount>{});
  }
}

}  // namespace tenon::inline TENON_ABI::bind::detail
