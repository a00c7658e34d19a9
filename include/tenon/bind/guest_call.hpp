// SPDX-License-Identifier: Apache-2.0
/// @file
/// The C++ signature under which a host calls a function of a guest whose operands are put into the
/// guest's memory first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/bind/call_signature.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/refusal.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/bind/view.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

/// Why a type cannot be passed to a guest by way of its memory.
template <class T>
consteval Refusal RefusalOfLowered() {
  if constexpr (ViewTraits<T>::kIsView) {
    if constexpr (!ViewTraits<T>::kIsDynamic) {
      return Refusal::FixedExtent;
    } else {
      return IsViewElement<typename ViewTraits<T>::Element>() ? Refusal::None
                                                              : Refusal::ViewElement;
    }
  } else {
    return RefusalOfArgument<T>();
  }
}

template <class R, class... A>
consteval Verdict JudgeGuestCall() {
  if constexpr (!kIsGuestText<R>) {
    if (constexpr Refusal kRefusal = RefusalOfReceived<std::remove_const_t<R>>();
        kRefusal != Refusal::None) {
      return {kRefusal, Part::Result, 0};
    }
  }
  const Refusal refusals[] = {RefusalOfLowered<A>()..., Refusal::None};
  for (std::size_t i = 0; i < sizeof...(A); ++i) {
    if (refusals[i] != Refusal::None) return {refusals[i], Part::Parameter, i};
  }
  return {};
}

/// The function type that remains when each view of A is the types of `Lowered`.
template <class R, class Lowered, class Done, class... A>
struct LowerViews;
template <class R, class Lowered, class... Done>
struct LowerViews<R, Lowered, Signature<void, Done...>> {
  using Type = R(Done...);
};
template <class R, class... L, class... Done, class First, class... Rest>
struct LowerViews<R, Signature<void, L...>, Signature<void, Done...>, First, Rest...>
    : std::conditional_t<
          ViewTraits<First>::kIsView,
          LowerViews<R, Signature<void, L...>, Signature<void, Done..., L...>, Rest...>,
          LowerViews<R, Signature<void, L...>, Signature<void, Done..., First>, Rest...>> {};

template <Verdict kVerdict, class R, class... A>
struct GuestCallOf {
  using Fault = RefusalOf<kVerdict, Signature<R, A...>, R(A...)>;
  static constexpr bool kIsAccepted = false;
  static constexpr bool kIsText = false;
};

template <Verdict kVerdict, class R, class... A>
  requires(kVerdict.refusal == Refusal::None)
struct GuestCallOf<kVerdict, R, A...> {
 private:
  using NativeResult = std::conditional_t<kIsGuestText<R>, void, R>;
  using Pair = Signature<void, std::uint32_t, std::uint32_t>;
  using Object = Signature<void, std::uint32_t>;

 public:
  using Fault = char;
  static constexpr bool kIsAccepted = true;
  static constexpr bool kIsText = kIsGuestText<R>;
  /// Each view is pointer and length; without result if that is text.
  using Pairs = CallSignature<typename LowerViews<NativeResult, Pair, Signature<void>, A...>::Type>;
  /// Each view is a pointer to an object that knows its length.
  using Objects = CallSignature<typename LowerViews<void, Object, Signature<void>, A...>::Type>;
};

}  // namespace detail

/// What a call of a function type R(A...) with scalars, views and, as result, text comes down to:
/// see GuestCallOf. Its user asks for the size of `Fault`, so that the error is short.
template <class S>
struct GuestCall;

template <class R, class... A>
struct GuestCall<R(A...)> : detail::GuestCallOf<detail::JudgeGuestCall<R, A...>(), R, A...> {};

}  // namespace tenon::inline TENON_ABI::bind
