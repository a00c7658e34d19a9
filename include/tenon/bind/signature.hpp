// SPDX-License-Identifier: Apache-2.0
/// @file
/// The C++ signature of anything callable, deduced by overloads that are declared and never
/// defined.
#pragma once

#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>

namespace tenon::inline TENON_ABI::bind {

/// A signature: result R, parameters P as written.
template <class R, class... P>
struct Signature {};

/// In place of a signature: why there is none.
template <Refusal kReason>
struct NoSignature {};

namespace detail {

// A pointer to a noexcept function converts to the plain pointer during deduction, so noexcept
// needs no overloads of its own.
template <class R, class... P>
Signature<R, P...> DeduceFunction(R (*)(P...));
template <class R, class... P>
NoSignature<Refusal::Variadic> DeduceFunction(R (*)(P..., ...));

template <class R, class C, class... P>
Signature<R, P...> DeduceMethod(R (C::*)(P...));
template <class R, class C, class... P>
Signature<R, P...> DeduceMethod(R (C::*)(P...) const);
template <class R, class C, class... P>
Signature<R, P...> DeduceMethod(R (C::*)(P...) &);
template <class R, class C, class... P>
Signature<R, P...> DeduceMethod(R (C::*)(P...) const&);
template <class R, class C, class... P>
NoSignature<Refusal::RvalueCall> DeduceMethod(R (C::*)(P...) &&);
template <class R, class C, class... P>
NoSignature<Refusal::RvalueCall> DeduceMethod(R (C::*)(P...) const&&);
template <class R, class C, class... P>
NoSignature<Refusal::Variadic> DeduceMethod(R (C::*)(P..., ...));
template <class R, class C, class... P>
NoSignature<Refusal::Variadic> DeduceMethod(R (C::*)(P..., ...) const);

struct CallOperatorProbe {
  void operator()();
};
template <class F>
struct CallOperatorAmbiguity : F, CallOperatorProbe {};

/// Whether a class has an operator() of any kind: naming it in a class that inherits a second one
/// is ambiguous then.
template <class F>
consteval bool HasCallOperator() {
  if constexpr (std::is_final_v<F> || std::is_union_v<F>) {
    return true;
  } else {
    return !requires { &CallOperatorAmbiguity<F>::operator(); };
  }
}

/// Signature of a decayed callable, as a value of type Signature or NoSignature.
template <class F>
consteval auto DeduceSignature() {
  if constexpr (requires { DeduceMethod(&F::operator()); }) {
    return decltype(DeduceMethod(&F::operator())){};
  } else if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
    return decltype(DeduceFunction(static_cast<F>(nullptr))){};
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    return NoSignature<Refusal::NoObject>{};
  } else if constexpr (std::is_null_pointer_v<F>) {
    return NoSignature<Refusal::NullFunction>{};
  } else if constexpr (std::is_class_v<F> || std::is_union_v<F>) {
    if constexpr (HasCallOperator<F>()) {
      return NoSignature<Refusal::Generic>{};
    } else {
      return NoSignature<Refusal::NotCallable>{};
    }
  } else {
    return NoSignature<Refusal::NotCallable>{};
  }
}

/// Signature of a function type that the user named.
template <class F>
consteval auto NamedSignature() {
  if constexpr (requires { DeduceFunction(static_cast<F*>(nullptr)); }) {
    return decltype(DeduceFunction(static_cast<F*>(nullptr))){};
  } else {
    return NoSignature<Refusal::SignatureMismatch>{};
  }
}

/// Signature of a pointer to a member function.
template <class Method>
consteval auto MethodSignature() {
  if constexpr (requires { DeduceMethod(static_cast<Method>(nullptr)); }) {
    return decltype(DeduceMethod(static_cast<Method>(nullptr))){};
  } else {
    return NoSignature<Refusal::Generic>{};
  }
}

/// std::reference_wrapper, recognised by its members so that <functional> is not needed.
template <class T>
inline constexpr bool kIsReferenceWrapper = false;
template <template <class> class Wrapper, class T>
  requires requires(const Wrapper<T>& wrapper, typename Wrapper<T>::type& referenced) {
    requires std::is_same_v<typename Wrapper<T>::type, T>;
    requires std::is_same_v<decltype(wrapper.get()), T&>;
    Wrapper<T>{referenced};
  }
inline constexpr bool kIsReferenceWrapper<Wrapper<T>> = true;

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
