// SPDX-License-Identifier: Apache-2.0
/// @file
/// How plain structs of a callable cross, chosen beside it: see HostFunctionBuilder::WithFunc.
#pragma once

#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/bind.hpp>

namespace tenon::inline TENON_ABI {

template <class S>
class Flat;
template <class S>
class Indirect;

/// How a plain struct crosses that a callable takes or returns by value (or takes by constant
/// reference).
enum class StructForm : std::uint8_t {
  Flat,      ///< as a Flat: a value for each field
  Indirect,  ///< as an Indirect: C's way, by pointer
};

namespace detail {

/// Whether a T is a struct with known fields and nothing else that could cross.
template <class T>
consteval bool IsBareStruct() {
  if constexpr (!std::is_class_v<T> || bind::HasMarshaller<T>) {
    return false;
  } else {
    return bind::HasFields<T> && bind::kScalarKind<T> == bind::ScalarKind::None;
  }
}

/// What stands in a signature in place of a T.
template <StructForm kForm, class T>
consteval auto FormOf() {
  using Struct = std::remove_cvref_t<T>;
  constexpr bool kIsValue = std::is_same_v<std::remove_cv_t<T>, Struct> ||
                            std::is_same_v<T, std::add_lvalue_reference_t<const Struct>>;
  if constexpr (!kIsValue || !IsBareStruct<Struct>()) {
    return std::type_identity<T>{};
  } else if constexpr (kForm == StructForm::Flat) {
    return std::type_identity<Flat<Struct>>{};
  } else {
    return std::type_identity<Indirect<Struct>>{};
  }
}

/// The function type of a callable with its structs in this form; void if it has no signature.
template <StructForm kForm, class R, class... P>
auto FormedSignature(bind::Signature<R, P...>) -> std::type_identity<
    typename decltype(FormOf<kForm, R>())::type(typename decltype(FormOf<kForm, P>())::type...)>;
template <StructForm, bind::Refusal kReason>
auto FormedSignature(bind::NoSignature<kReason>) -> std::type_identity<void>;
template <StructForm kForm, class F>
using FormedFunction =
    typename decltype(FormedSignature<kForm>(bind::detail::CallableSignature<F>{}))::type;

}  // namespace detail
}  // namespace tenon::inline TENON_ABI
