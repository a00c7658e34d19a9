// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs taken apart as arguments of a call into a guest.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {

/// Defined by flat_layout.hpp, which whoever has the body of Flat has included.
template <class T>
struct FlatLayout;

namespace detail {

/// Why a type is refused that a host function could have as parameter too.
template <class T>
consteval Refusal RefusalOfMarshalled() {
  if constexpr (HasMarshaller<T>) {
    return Marshaller<T>::Facts().refusal;
  } else {
    return Refusal::NoLayout;
  }
}

template <class S, std::size_t... I>
consteval auto LeavesAt(std::index_sequence<I...>) {
  return Signature<void, typename FlatLayout<S>::template Leaf<I>...>{};
}

/// The operands of an argument of type T, and how something is called with them.
template <class T>
struct ArgumentLeaves {
  using Types = Signature<void, T>;
  template <class Callee>
  static decltype(auto) PassTo(const Callee& callee, const T& value) {
    return callee(value);
  }
};
template <class S>
struct ArgumentLeaves<Flat<S>> {
  static constexpr auto kIndices = std::make_index_sequence<FlatLayout<S>::kCount>{};
  using Types = decltype(LeavesAt<S>(kIndices));
  template <class Callee>
  static decltype(auto) PassTo(const Callee& callee, const Flat<S>& value) {
    return PassLeaves(callee, *value, kIndices);
  }

 private:
  template <class Callee, std::size_t... I>
  static decltype(auto) PassLeaves(const Callee& callee, const S& value,
                                   std::index_sequence<I...>) {
    return callee(FlatLayout<S>::template Get<I>(value)...);
  }
};

template <class T>
inline constexpr bool kIsFlat = false;
template <class S>
inline constexpr bool kIsFlat<Flat<S>> = true;

/// Types of several lists in one, which `List` is made of.
template <template <class...> class List, class Done, class... Lists>
struct Listed;
template <template <class...> class List, class... Done>
struct Listed<List, Signature<void, Done...>> {
  using Type = List<Done...>;
};
template <template <class...> class List, class... Done, class... First, class... Rest>
struct Listed<List, Signature<void, Done...>, Signature<void, First...>, Rest...>
    : Listed<List, Signature<void, Done..., First...>, Rest...> {};

/// Slots of arguments of which some are Flat; List is what makes slots of values.
template <template <class...> class List, class... A>
struct FlatArguments : Listed<List, Signature<void>, typename ArgumentLeaves<A>::Types...>::Type {
  using Base = typename Listed<List, Signature<void>, typename ArgumentLeaves<A>::Types...>::Type;

  template <class Slot>
  static void Store(Slot* slots, const A&... arguments) {
    Expand<A...>([&](const auto&... leaves) { Base::Store(slots, leaves...); }, arguments...);
  }
  static typename Base::Converted Convert(const A&... arguments) {
    return Expand<A...>([](const auto&... leaves) { return Base::Convert(leaves...); },
                        arguments...);
  }

 private:
  template <class... Types, class Callee>
    requires(sizeof...(Types) == 0)
  static decltype(auto) Expand(const Callee& callee) {
    return callee();
  }
  template <class First, class... Rest, class Callee>
  static decltype(auto) Expand(const Callee& callee, const First& first, const Rest&... rest) {
    return ArgumentLeaves<First>::PassTo(
        [&](const auto&... own) -> decltype(auto) {
          return Expand<Rest...>(
              [&](const auto&... others) -> decltype(auto) { return callee(own..., others...); },
              rest...);
        },
        first);
  }
};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
