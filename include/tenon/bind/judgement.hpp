// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds the first fault of a signature, and the refusal that reports it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/bind/composite.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/refusal.hpp>
#include <tenon/bind/result.hpp>
#include <tenon/bind/signature.hpp>

namespace tenon::inline TENON_ABI::bind::detail {

/// What a refusal is about.
enum class Part : std::uint8_t { Callable, Result, Parameter };

struct Verdict {
  Refusal refusal = Refusal::None;
  Part part = Part::Callable;
  std::size_t position = 0;
};

/// The first fault of a signature: its result's, then that of its parameters in order.
template <class R, class... P>
consteval Verdict JudgeSignature(Signature<R, P...>) {
  if constexpr (kResultFacts<R>.refusal != Refusal::None) {
    return {kResultFacts<R>.refusal, Part::Result, 0};
  } else {
    return {kLayout<P...>.refusal, Part::Parameter, kLayout<P...>.refused_position};
  }
}
template <Refusal kReason>
consteval Verdict JudgeSignature(NoSignature<kReason>) {
  return {kReason, Part::Callable, 0};
}

template <class T>
struct TypeTag {
  using Type = T;
};
template <std::size_t kPosition, class First, class... Rest>
struct TypeAt : TypeAt<kPosition - 1, Rest...> {};
template <class First, class... Rest>
struct TypeAt<0, First, Rest...> : TypeTag<First> {};

template <Verdict kVerdict, class Whole, class R, class... P>
consteval auto TypeAtFault(Signature<R, P...>) {
  if constexpr (kVerdict.part == Part::Parameter) {
    return TypeTag<typename TypeAt<kVerdict.position, P...>::Type>{};
  } else if constexpr (kVerdict.part == Part::Result) {
    return TypeTag<R>{};
  } else {
    return TypeTag<Whole>{};
  }
}
template <Verdict kVerdict, class Whole, Refusal kReason>
consteval auto TypeAtFault(NoSignature<kReason>) {
  return TypeTag<Whole>{};
}

/// What says why, in place of a refusal that would only lead there: clang prints each step.
template <class Refusal>
struct LastStep {
  using Type = Refusal;
};

/// The refusal that a verdict calls for; `Whole` is the callable's type.
template <Verdict kVerdict, class S, class Whole>
using RefusalOf =
    typename LastStep<Refused<kVerdict.refusal, kVerdict.position,
                              typename decltype(TypeAtFault<kVerdict, Whole>(S{}))::Type>>::Type;

}  // namespace tenon::inline TENON_ABI::bind::detail
