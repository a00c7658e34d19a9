// SPDX-License-Identifier: Apache-2.0
/// @file
/// The C++ signature under which a host calls a function of a guest whose operands are put into the
/// guest's memory first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/call_signature.hpp>
#include <tenon/bind/flat_argument.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/refusal.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/bind/view.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {

/// What an argument is to the guest.
enum class LoweredKind : std::uint8_t {
  Scalar,    ///< one operand
  Elements,  ///< pointer and number of elements
  Value,     ///< a pointer to one value
  Text,      ///< a pointer to characters with a zero behind them
  Flat,      ///< an operand for each field
};

/// What a guest's result is to the host.
enum class GuestResultKind : std::uint8_t {
  Value,   ///< what the function returns
  Text,    ///< characters in memory, see GuestString
  Place,   ///< a struct that the function writes to a place it is given
  Object,  ///< a struct in memory that is the host's to free, see GuestObject
};

namespace detail {

template <class T>
consteval Refusal RefusalOfUnlowered();

/// How a parameter type of a call is passed to a guest:
/// - `kKind`; `Argument`, what the host gives; `Refused()`, why it cannot be;
/// - `Pairs`, the operands; `Objects`, those of an AssemblyScript guest that takes views as
/// objects;
/// - of what lies in memory: `Value`, the type there, without const; `kIsCopiedIn`,
/// `kIsCopiedBack`.
template <class T>
struct Lowered {
  static constexpr LoweredKind kKind = LoweredKind::Scalar;
  using Argument = T;
  using Pairs = Signature<void, T>;
  using Objects = Signature<void, T>;
  static consteval Refusal Refused() { return RefusalOfUnlowered<T>(); }
};

/// T is a view.
template <class T, bool kIn, bool kOut>
struct LoweredElements {
  using Element = typename ViewTraits<T>::Element;
  using Value = std::remove_const_t<Element>;
  static constexpr LoweredKind kKind = LoweredKind::Elements;
  static constexpr bool kIsCopiedIn = kIn;
  static constexpr bool kIsCopiedBack = kOut;
  using Argument = T;
  using Pairs = Signature<void, std::uint32_t, std::uint32_t>;
  using Objects = Signature<void, std::uint32_t>;
  static consteval Refusal Refused() {
    if constexpr (!ViewTraits<T>::kIsDynamic) {
      return Refusal::FixedExtent;
    } else if constexpr (kOut && std::is_const_v<Element>) {
      return Refusal::ConstOut;
    } else {
      return HasGuestLayout<Value> ? Refusal::None : RefusalOfLayout<Value>();
    }
  }
};

template <class T, bool kIn, bool kOut>
struct LoweredValue {
  using Value = std::remove_const_t<T>;
  static constexpr LoweredKind kKind = LoweredKind::Value;
  static constexpr bool kIsCopiedIn = kIn;
  static constexpr bool kIsCopiedBack = kOut;
  using Argument = std::conditional_t<kOut, T&, const T&>;
  using Pairs = Signature<void, std::uint32_t>;
  using Objects = Signature<void, std::uint32_t>;
  static consteval Refusal Refused() {
    if constexpr (kOut && std::is_const_v<T>) {
      return Refusal::ConstOut;
    } else {
      return HasGuestLayout<Value> ? Refusal::None : RefusalOfLayout<Value>();
    }
  }
};

template <class T, bool kIn, bool kOut>
struct LoweredCopy : LoweredValue<T, kIn, kOut> {};
template <class T, bool kIn, bool kOut>
  requires ViewTraits<T>::kIsView
struct LoweredCopy<T, kIn, kOut> : LoweredElements<T, kIn, kOut> {};

template <class T>
  requires ViewTraits<T>::kIsView
struct Lowered<T> : LoweredElements<T, true, !std::is_const_v<typename ViewTraits<T>::Element>> {};
template <class T>
struct Lowered<In<T>> : LoweredCopy<T, true, false> {};
template <class T>
struct Lowered<Out<T>> : LoweredCopy<T, false, true> {};
template <class T>
struct Lowered<InOut<T>> : LoweredCopy<T, true, true> {};
template <class S>
struct Lowered<Indirect<S>> : LoweredValue<S, true, false> {};

template <>
struct Lowered<CString> {
  static constexpr LoweredKind kKind = LoweredKind::Text;
  using Argument = std::string_view;
  using Pairs = Signature<void, std::uint32_t>;
  using Objects = Signature<void, std::uint32_t>;
  static consteval Refusal Refused() { return Refusal::None; }
};

/// Types of a Flat's operands, if it is accepted.
template <class S>
consteval auto LeavesOf() {
  if constexpr (RefusalOfMarshalled<Flat<S>>() == Refusal::None) {
    return LeavesAt<S>(std::make_index_sequence<FlatLayout<S>::kCount>{});
  } else {
    return Signature<void>{};
  }
}

template <class S>
struct Lowered<Flat<S>> {
  using Value = S;
  static constexpr LoweredKind kKind = LoweredKind::Flat;
  using Argument = const S&;
  using Pairs = decltype(LeavesOf<S>());
  using Objects = Pairs;
  static consteval Refusal Refused() { return RefusalOfMarshalled<Flat<S>>(); }
};

template <class T>
consteval Refusal RefusalOfUnlowered() {
  using Bare = std::remove_cvref_t<T>;
  if constexpr (!std::is_same_v<T, Bare> && Lowered<Bare>::kKind != LoweredKind::Scalar) {
    return Refusal::Reference;
  } else if constexpr (kScalarKind<T> == ScalarKind::None && HasMarshaller<Bare>) {
    return Refusal::OnlyFromGuest;
  } else {
    return RefusalOfArgument<T>();
  }
}

template <class R>
inline constexpr GuestResultKind kGuestResult =
    kIsGuestText<R> ? GuestResultKind::Text : GuestResultKind::Value;
template <class S>
inline constexpr GuestResultKind kGuestResult<Indirect<S>> = GuestResultKind::Place;
template <class T>
inline constexpr GuestResultKind kGuestResult<GuestObject<T>> = GuestResultKind::Object;

template <class R>
struct ResultStruct {};
template <class S>
struct ResultStruct<Indirect<S>> {
  using Type = S;
};
template <class T>
struct ResultStruct<GuestObject<T>> {
  using Type = T;
};

template <class R>
consteval Refusal RefusalOfGuestResult() {
  if constexpr (kGuestResult<R> == GuestResultKind::Text) {
    return Refusal::None;
  } else if constexpr (kGuestResult<R> == GuestResultKind::Value) {
    return RefusalOfReceived<std::remove_const_t<R>>();
  } else {
    using Struct = typename ResultStruct<R>::Type;
    if constexpr (HasGuestLayout<Struct>) {
      return Refusal::None;
    } else {
      return HasFields<Struct> ? Refusal::BadField : Refusal::ResultUnmapped;
    }
  }
}

template <class R, class... A>
consteval Verdict JudgeGuestCall() {
  constexpr Refusal kOfResult = RefusalOfGuestResult<R>();
  if (kOfResult != Refusal::None) return {kOfResult, Part::Result, 0};
  const Refusal refusals[] = {Lowered<A>::Refused()..., Refusal::None};
  for (std::size_t i = 0; i < sizeof...(A); ++i) {
    if (refusals[i] != Refusal::None) return {refusals[i], Part::Parameter, i};
  }
  return {};
}

/// What the function returns as values.
template <class R, GuestResultKind kKind>
struct ReturnedValues {
  using Type = void;
};
template <class R>
struct ReturnedValues<R, GuestResultKind::Value> {
  using Type = R;
};
template <class R>
struct ReturnedValues<R, GuestResultKind::Object> {
  using Type = std::uint32_t;
};

template <Verdict kVerdict, class R, class... A>
struct GuestCallOf {
  using Fault = RefusalOf<kVerdict, Signature<R, A...>, R(A...)>;
  static constexpr bool kIsAccepted = false;
};

template <Verdict kVerdict, class R, class... A>
  requires(kVerdict.refusal == Refusal::None)
struct GuestCallOf<kVerdict, R, A...> {
 private:
  using Place = std::conditional_t<kGuestResult<R> == GuestResultKind::Place,
                                   Signature<void, std::uint32_t>, Signature<void>>;
  using Returned = typename ReturnedValues<R, kGuestResult<R>>::Type;
  template <class... Parameters>
  using Values = CallSignature<Returned(Parameters...)>;
  template <class... Parameters>
  using Alone = CallSignature<void(Parameters...)>;

 public:
  using Fault = char;
  static constexpr bool kIsAccepted = true;
  static constexpr GuestResultKind kResult = kGuestResult<R>;
  /// Each view is pointer and length, the place for a result in front; without result if that is
  /// text.
  using Pairs =
      typename Listed<Values, Signature<void>, Place, typename Lowered<A>::Pairs...>::Type;
  /// Each view is a pointer to an object that knows its length.
  using Objects =
      typename Listed<Alone, Signature<void>, Place, typename Lowered<A>::Objects...>::Type;
};

}  // namespace detail

/// What a call of a function type R(A...) with scalars, views and structs comes down to: see
/// GuestCallOf. Its user asks for the size of `Fault`, so that the error is short.
template <class S>
struct GuestCall;

template <class R, class... A>
struct GuestCall<R(A...)> : detail::GuestCallOf<detail::JudgeGuestCall<R, A...>(), R, A...> {};

/// What the host gives for a parameter of type T.
template <class T>
using GuestArgumentOf = typename detail::Lowered<T>::Argument;

}  // namespace tenon::inline TENON_ABI::bind
