// SPDX-License-Identifier: Apache-2.0
/// @file
/// How a thunk gets from its context pointer to the callable.
#pragma once

#include <type_traits>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::bind::detail {

// Each target has `Get(context)`, which returns something to be called as an lvalue.

/// A callable that is a template argument: its body is inlined into the thunk.
template <auto kFunction>
struct ConstantTarget {
  static constexpr decltype(auto) Get(void*) noexcept {
    if constexpr (std::is_class_v<decltype(kFunction)>) {
      return (kFunction);
    } else {
      return kFunction;
    }
  }
};

/// A pointer to a function, kept in the context itself.
template <class F>
struct PointerTarget {
  static F Get(void* context) noexcept { return reinterpret_cast<F>(context); }
};

/// A callable without state: made anew for each call.
template <class F>
struct StatelessTarget {
  static F Get(void*) noexcept { return F{}; }
};

/// A callable at the address in the context.
template <class F>
struct ObjectTarget {
  static F& Get(void* context) noexcept { return *static_cast<F*>(context); }
};

template <class Method, class Object>
struct BoundMethod {
  Method method;
  Object* object;

  template <class... A>
  decltype(auto) operator()(A&&... arguments) const {
    return (object->*method)(static_cast<A&&>(arguments)...);
  }
};

/// A member function that is a template argument, with its object in the context.
template <auto kMethod, class Object>
struct ConstantMethodTarget {
  static auto Get(void* context) noexcept {
    return BoundMethod<decltype(kMethod), Object>{kMethod, static_cast<Object*>(context)};
  }
};

/// State of a member function with an object that is held by value, pointer or smart pointer.
template <class Method, class Holder>
struct MethodState {
  Method method;
  Holder holder;
};

template <class Method, class Holder>
struct MethodTarget {
  static auto Get(void* context) noexcept {
    auto& state = *static_cast<MethodState<Method, Holder>*>(context);
    if constexpr (requires { *state.holder; }) {
      using Object = std::remove_reference_t<decltype(*state.holder)>;
      return BoundMethod<Method, Object>{state.method, &*state.holder};
    } else {
      return BoundMethod<Method, Holder>{state.method, &state.holder};
    }
  }
};

/// Whether an object of type F need not be kept: nothing distinguishes it from a new one.
template <class F>
consteval bool IsStateless() {
  // In steps: a trait that is not reached costs no compile time.
  if constexpr (!std::is_empty_v<F>) {
    return false;
  } else if constexpr (!std::is_trivially_copyable_v<F>) {
    return false;
  } else {
    return std::is_trivially_default_constructible_v<F>;
  }
}

}  // namespace tenon::inline TENON_ABI::bind::detail
