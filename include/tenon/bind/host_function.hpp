// SPDX-License-Identifier: Apache-2.0
/// @file
/// Turns C++ callables into host functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/host_function.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/result.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/bind/target.hpp>
#include <tenon/bind/thunk.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

template <class F>
inline void Destroy(void* state) noexcept {
  ::delete static_cast<F*>(state);
}
/// Shared by all states that need no destructor.
inline void Deallocate(void* state) noexcept { ::operator delete(state); }

/// How the state of type F is given back.
template <class F>
consteval auto DestroyerOf() -> void (*)(void*) noexcept {
  if constexpr (alignof(F) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    return &Destroy<F>;
  } else if constexpr (std::is_trivially_copyable_v<F>) {
    return &Deallocate;
  } else {
    return &Destroy<F>;
  }
}

/// Whether a Callable can be made from what was passed as F&&. True at once for the common case, a
/// temporary of trivial type, because the trait is slow to compile.
template <class Callable, class F>
consteval bool IsStorable() {
  if constexpr (std::is_pointer_v<Callable> ||
                (!std::is_reference_v<F> && std::is_trivially_copyable_v<Callable>)) {
    return true;
  } else {
    return std::is_constructible_v<Callable, F>;
  }
}

/// The callable as its thunk sees it: what a std::reference_wrapper refers to, or itself.
template <class Callable>
struct CalleeOf : TypeTag<Callable> {};
template <class Callable>
  requires kIsReferenceWrapper<Callable>
struct CalleeOf<Callable> : TypeTag<typename Callable::type> {};

/// Signature of a callable passed as F&&.
template <class F>
using CallableSignature =
    decltype(DeduceSignature<std::decay_t<typename CalleeOf<std::decay_t<F>>::Type>>());

/// Whether f(P...) compiles and converts to R.
template <class F, class R, class... P>
consteval bool IsInvocable(Signature<R, P...>) {
  return std::is_invocable_r_v<R, F&, P...>;
}

/// `kIsNamed`: the user named the signature, so it may not be the callable's own.
template <class F, class S, bool kIsNamed>
consteval Verdict JudgeCallable() {
  using Callable = std::decay_t<F>;
  using Callee = typename CalleeOf<Callable>::Type;
  constexpr Verdict kOfSignature = JudgeSignature(S{});
  if constexpr (kOfSignature.refusal != Refusal::None) {
    return kOfSignature;
  } else if constexpr (std::is_null_pointer_v<Callable>) {
    return {Refusal::NullFunction};
  } else if constexpr (!IsStorable<Callable, F>()) {
    return {Refusal::NotCopyable};
  } else if constexpr (kIsNamed || std::is_const_v<Callee>) {
    return {IsInvocable<Callee>(S{}) ? Refusal::None : Refusal::SignatureMismatch};
  } else {
    return {};
  }
}

/// How the thunk of a stored callable reaches it.
template <class Callable>
consteval auto TargetOfCallable() {
  if constexpr (std::is_pointer_v<Callable>) {
    return TypeTag<PointerTarget<Callable>>{};
  } else if constexpr (kIsReferenceWrapper<Callable>) {
    using Callee = typename Callable::type;
    if constexpr (std::is_function_v<Callee>) {
      return TypeTag<PointerTarget<Callee*>>{};
    } else {
      return TypeTag<ObjectTarget<Callee>>{};
    }
  } else if constexpr (IsStateless<Callable>()) {
    return TypeTag<StatelessTarget<Callable>>{};
  } else {
    return TypeTag<ObjectTarget<Callable>>{};
  }
}
template <class Callable>
using TargetOf = typename decltype(TargetOfCallable<Callable>())::Type;

/// Stores a callable that has been judged, and pairs it with its thunk.
template <class S, class F>
inline abi::HostFunction Store(F&& callable) {
  using Callable = std::decay_t<F>;
  using Target = TargetOf<Callable>;
  if constexpr (std::is_pointer_v<Callable>) {
    const Callable pointer = callable;
    if (pointer == nullptr) return {};
    return {kHostSignature<Target, S>, reinterpret_cast<void*>(pointer), nullptr};
  } else if constexpr (kIsReferenceWrapper<Callable>) {
    using Callee = typename Callable::type;
    if constexpr (std::is_function_v<Callee>) {
      return Store<S>(&callable.get());
    } else {
      return {kHostSignature<Target, S>,
              const_cast<void*>(static_cast<const void*>(__builtin_addressof(callable.get()))),
              nullptr};
    }
  } else if constexpr (IsStateless<Callable>()) {
    return {kHostSignature<Target, S>, nullptr, nullptr};
  } else {
    if constexpr (requires(const Callable& c) { c == nullptr; }) {
      // A std::function and its like may be empty.
      if (callable == nullptr) return {};
    }
    return {kHostSignature<Target, S>, ::new Callable(static_cast<F&&>(callable)),
            DestroyerOf<Callable>()};
  }
}

/// How an object given for a member function is held: an lvalue and a std::reference_wrapper by
/// address, everything else by value.
template <class Object>
consteval auto HolderOf() {
  using Decayed = std::decay_t<Object>;
  if constexpr (kIsReferenceWrapper<Decayed>) {
    return TypeTag<typename Decayed::type*>{};
  } else if constexpr (std::is_pointer_v<Decayed>) {
    return TypeTag<Decayed>{};
  } else if constexpr (std::is_lvalue_reference_v<Object> && !requires(Object o) { *o; }) {
    return TypeTag<std::remove_reference_t<Object>*>{};
  } else {
    return TypeTag<Decayed>{};
  }
}
template <class Object>
using Holder = typename decltype(HolderOf<Object>())::Type;

/// The held object as an lvalue.
template <class T>
inline auto& ObjectIn(T& holder) noexcept {
  if constexpr (requires { *holder; }) {
    return *holder;
  } else {
    return holder;
  }
}
template <class Held>
using HeldObject = std::remove_reference_t<decltype(ObjectIn(std::declval<Held&>()))>;

template <class Object>
inline decltype(auto) Hold(Object&& object) noexcept {
  if constexpr (kIsReferenceWrapper<std::decay_t<Object>>) {
    return __builtin_addressof(object.get());
  } else if constexpr (!std::is_same_v<Holder<Object>, std::decay_t<Object>>) {
    return __builtin_addressof(object);
  } else {
    return static_cast<Object&&>(object);
  }
}

template <class Method, class Object, class R, class... P>
consteval bool IsMethodOf(Signature<R, P...>) {
  return std::is_invocable_v<Method, Object&, P...>;
}

template <class Method, class Object, class S>
consteval Verdict JudgeMethod() {
  constexpr Verdict kOfSignature = JudgeSignature(S{});
  if constexpr (kOfSignature.refusal != Refusal::None) {
    return kOfSignature;
  } else if constexpr (std::is_void_v<std::remove_pointer_t<Holder<Object>>>) {
    return {Refusal::WrongObject};
  } else if constexpr (!IsMethodOf<Method, HeldObject<Holder<Object>>>(S{})) {
    return {Refusal::WrongObject};
  } else if constexpr (std::is_same_v<Holder<Object>, std::decay_t<Object>> &&
                       !IsStorable<Holder<Object>, Object>()) {
    return {Refusal::NotCopyable};
  } else {
    return {};
  }
}

}  // namespace detail

// All forms below return a host function whose `destroy` must be called once by whoever takes it
// (OwnedHostFunction does). A null pointer, to a function, a member function or an object, and
// an empty std::function give an empty one: `signature` is null, and Compile reports it.

/// Binds a callable whose signature can be deduced: a function, a pointer or reference to one, a
/// lambda or other function object with one operator(), a std::function, a std::reference_wrapper
/// of any of these. State is moved in if `callable` is an rvalue, copied once if it is an lvalue,
/// and left where it is behind a std::reference_wrapper; it is never copied afterwards. Throws what
/// that move or copy throws, and std::bad_alloc.
template <class F>
  requires(!std::is_function_v<F>)
[[nodiscard]] abi::HostFunction MakeHostFunction([[maybe_unused]] F&& callable) {
  using S = detail::CallableSignature<F>;
  constexpr detail::Verdict kVerdict = detail::JudgeCallable<F, S, false>();
  if constexpr (kVerdict.refusal == Refusal::None) {
    return detail::Store<S>(static_cast<F&&>(callable));
  } else {
    static_cast<void>(sizeof(detail::RefusalOf<kVerdict, S, F>));
    return {};
  }
}

/// The same with the signature named, as in `MakeHostFunction<int(int)>(f)`: for generic and
/// overloaded callables, or to choose other types than the callable's own.
template <class NamedSignature, class F>
  requires(std::is_function_v<NamedSignature> &&
           (std::is_class_v<std::decay_t<F>> ||
            !std::is_convertible_v<std::decay_t<F>, NamedSignature*>))
[[nodiscard]] abi::HostFunction MakeHostFunction([[maybe_unused]] F&& callable) {
  using S = decltype(detail::NamedSignature<NamedSignature>());
  constexpr detail::Verdict kVerdict = detail::JudgeCallable<F, S, true>();
  if constexpr (kVerdict.refusal == Refusal::None) {
    return detail::Store<S>(static_cast<F&&>(callable));
  } else {
    static_cast<void>(sizeof(detail::RefusalOf<kVerdict, S, F>));
    return {};
  }
}

/// The same for functions and pointers to them; chooses among overloaded functions.
template <class NamedSignature>
  requires std::is_function_v<NamedSignature>
[[nodiscard]] abi::HostFunction MakeHostFunction(std::type_identity_t<NamedSignature>* function) {
  return MakeHostFunction(std::move(function));
}

/// Binds a function, or another callable constant, that is a template argument, as in
/// `MakeHostFunction<&f>()`: it is inlined into its thunk.
template <auto kFunction>
[[nodiscard]] abi::HostFunction MakeHostFunction() {
  using F = std::remove_const_t<decltype(kFunction)>;
  using S = decltype(detail::DeduceSignature<F>());
  constexpr detail::Verdict kVerdict = detail::JudgeCallable<const F, S, false>();
  if constexpr (kVerdict.refusal == Refusal::None) {
    return {kHostSignature<detail::ConstantTarget<kFunction>, S>, nullptr, nullptr};
  } else {
    static_cast<void>(sizeof(detail::RefusalOf<kVerdict, S, F>));
    return {};
  }
}

/// Binds a member function with its object: `MakeHostFunction(&Class::Method, object)`. A pointer,
/// an lvalue or a std::reference_wrapper must outlive the host function; an rvalue is moved in and
/// owned, as are smart pointers (copied if they are lvalues).
template <class Method, class Object>
  requires std::is_member_function_pointer_v<Method>
[[nodiscard]] abi::HostFunction MakeHostFunction([[maybe_unused]] Method method,
                                                 [[maybe_unused]] Object&& object) {
  using S = decltype(detail::MethodSignature<Method>());
  constexpr detail::Verdict kVerdict = detail::JudgeMethod<Method, Object, S>();
  if constexpr (kVerdict.refusal == Refusal::None) {
    using Holder = detail::Holder<Object>;
    using State = detail::MethodState<Method, Holder>;
    if (method == nullptr) return {};
    if constexpr (std::is_pointer_v<Holder>) {
      if (detail::Hold(static_cast<Object&&>(object)) == nullptr) return {};
    }
    return {kHostSignature<detail::MethodTarget<Method, Holder>, S>,
            ::new State{method, detail::Hold(static_cast<Object&&>(object))},
            detail::DestroyerOf<State>()};
  } else {
    static_cast<void>(sizeof(detail::RefusalOf<kVerdict, S, Object>));
    return {};
  }
}

/// Binds a member function that is a template argument, which is inlined into its thunk:
/// `MakeHostFunction<&Class::Method>(object)`. The object is a pointer, an lvalue or a
/// std::reference_wrapper, and must outlive the host function.
template <auto kMethod, class Object>
  requires std::is_member_function_pointer_v<decltype(kMethod)>
[[nodiscard]] abi::HostFunction MakeHostFunction([[maybe_unused]] Object&& object) {
  using Method = decltype(kMethod);
  using S = decltype(detail::MethodSignature<Method>());
  constexpr detail::Verdict kVerdict = detail::JudgeMethod<Method, Object, S>();
  if constexpr (kVerdict.refusal == Refusal::None) {
    using Holder = detail::Holder<Object>;
    if constexpr (std::is_pointer_v<Holder>) {
      Holder pointer = detail::Hold(static_cast<Object&&>(object));
      if (pointer == nullptr) return {};
      using Target = detail::ConstantMethodTarget<kMethod, std::remove_pointer_t<Holder>>;
      return {kHostSignature<Target, S>, const_cast<void*>(static_cast<const void*>(pointer)),
              nullptr};
    } else {
      return MakeHostFunction(kMethod, static_cast<Object&&>(object));
    }
  } else {
    static_cast<void>(sizeof(detail::RefusalOf<kVerdict, S, Object>));
    return {};
  }
}

/// Owns a host function. Move-only.
class OwnedHostFunction {
 public:
  /// Empty.
  OwnedHostFunction() = default;
  /// Takes over `function`, which may be empty.
  explicit OwnedHostFunction(const abi::HostFunction& function) noexcept : function_{function} {}
  OwnedHostFunction(OwnedHostFunction&& other) noexcept
      : function_{std::exchange(other.function_, abi::HostFunction{})} {}
  OwnedHostFunction& operator=(OwnedHostFunction&& other) noexcept {
    OwnedHostFunction{std::move(other)}.Swap(*this);
    return *this;
  }
  ~OwnedHostFunction() {
    if (function_.destroy != nullptr) function_.destroy(function_.state);
  }

  /// Whether there is a function.
  explicit operator bool() const noexcept { return function_.signature != nullptr; }
  /// The function, still owned by this object.
  const abi::HostFunction& Get() const noexcept { return function_; }
  /// Gives up ownership.
  [[nodiscard]] abi::HostFunction Release() noexcept {
    return std::exchange(function_, abi::HostFunction{});
  }

 private:
  void Swap(OwnedHostFunction& other) noexcept { std::swap(function_, other.function_); }

  abi::HostFunction function_{};
};

}  // namespace tenon::inline TENON_ABI::bind
