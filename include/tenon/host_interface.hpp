// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host modules described as values, whose signatures the compiler compares with a guest's imports.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
// clang-format off
#include <tenon/bind/refusal.hpp>
#include <tenon/typed/interface_refusal.hpp>
// clang-format on

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind.hpp>
#include <tenon/fixed_text.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/runtime.hpp>
#include <tenon/typed/interface.hpp>
#include <tenon/typed/nearest.hpp>

namespace tenon::inline TENON_ABI {

namespace typed {

/// The wasm signature of a C++ signature; empty lists for one that binding refuses.
template <class S>
struct WasmSignature {
  static constexpr Signature Get() { return {}; }
};
template <class R, class... P>
  requires(bind::detail::JudgeSignature(bind::Signature<R, P...>{}).refusal == bind::Refusal::None)
struct WasmSignature<bind::Signature<R, P...>> {
  template <std::size_t... I>
  static constexpr Signature From(std::index_sequence<I...>) {
    using Results = bind::Result<std::remove_const_t<R>>;
    return {{bind::ValueTypes<bind::kLayout<P...>.wires[I]...>(), sizeof...(I)},
            {Results::Types(), Results::kCount}};
  }
  static constexpr Signature Get() {
    return From(std::make_index_sequence<bind::kLayout<P...>.operand_count>{});
  }
};

/// `Type` is one whose size is to be asked for: there is none if a callable is refused.
template <bind::detail::Verdict kVerdict, class S, class F>
struct AcceptedFunction {
  static consteval auto Judge() {
    if constexpr (kVerdict.refusal == bind::Refusal::None) {
      return bind::detail::TypeTag<char>{};
    } else {
      return bind::detail::TypeTag<bind::detail::RefusalOf<kVerdict, S, F>>{};
    }
  }
  using Type = typename decltype(Judge())::Type;
};

/// The names of functions, as a list; "" behind the last.
template <class... Functions>
struct NamesOf {
  static constexpr std::string_view NameAt(std::size_t position) {
    constexpr std::string_view kNames[] = {Functions::kName..., ""};
    return kNames[position];
  }
};
/// Position of the first name that stands before, too; the number of names if there is none.
template <class... Functions>
consteval std::size_t FindRepeatedName() {
  for (std::size_t i = 0; i < sizeof...(Functions); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (NamesOf<Functions...>::NameAt(i) == NamesOf<Functions...>::NameAt(j)) return i;
    }
  }
  return sizeof...(Functions);
}
/// `Type` is one whose size is to be asked for: there is none if two functions have one name.
template <class... Functions>
struct DistinctNames {
  static constexpr std::size_t kRepeated = FindRepeatedName<Functions...>();
  static consteval auto Judge() {
    if constexpr (kRepeated == sizeof...(Functions)) {
      return bind::detail::TypeTag<char>{};
    } else {
      return bind::detail::TypeTag<
          RefusedTwice<FixedOf<NameIn<NamesOf<Functions...>, kRepeated>>()>>{};
    }
  }
  using Type = typename decltype(Judge())::Type;
};

template <class Class, class R, class... P>
Class ClassOf(R (Class::*)(P...));
template <class Class, class R, class... P>
const Class ClassOf(R (Class::*)(P...) const);
template <class Class, class R, class... P>
Class ClassOf(R (Class::*)(P...) &);
template <class Class, class R, class... P>
const Class ClassOf(R (Class::*)(P...) const&);

}  // namespace typed

/// A function of a host module: a callable and its name. Made by Fn.
template <FixedText kFunctionName, class F>
struct HostFn {
  static constexpr std::string_view kName = kFunctionName.View();
  using CppSignature = bind::detail::CallableSignature<F>;
  static_assert(sizeof(typename typed::AcceptedFunction<
                       bind::detail::JudgeCallable<const F&, CppSignature, false>(), CppSignature,
                       F>::Type) != 0);
  static constexpr typed::Signature WasmType() { return typed::WasmSignature<CppSignature>::Get(); }

  F function;

  template <class...>
  using Needed = char;
  template <class... State>
  void Define(HostFunctionBuilder builder, State&...) const {
    builder.WithFunc(function).Export(std::string{kName});
  }
  template <class... A>
  constexpr decltype(auto) Call(A&&... arguments) const {
    return std::invoke(function, std::forward<A>(arguments)...);
  }
};

/// A function of a host module that is a template argument, which is inlined into its thunk.
template <FixedText kFunctionName, auto kFunction>
struct ConstantHostFn {
  static constexpr std::string_view kName = kFunctionName.View();
  using CppSignature =
      decltype(bind::detail::DeduceSignature<std::remove_const_t<decltype(kFunction)>>());
  static_assert(
      sizeof(typename typed::AcceptedFunction<bind::detail::JudgeSignature(CppSignature{}),
                                              CppSignature, decltype(kFunction)>::Type) != 0);
  static constexpr typed::Signature WasmType() { return typed::WasmSignature<CppSignature>::Get(); }

  template <class...>
  using Needed = char;
  template <class... State>
  void Define(HostFunctionBuilder builder, State&...) const {
    builder.template WithFunc<kFunction>().Export(std::string{kName});
  }
  template <class... A>
  constexpr decltype(auto) Call(A&&... arguments) const {
    return std::invoke(kFunction, std::forward<A>(arguments)...);
  }
};

/// A member function, bound to an object each time that its module is mounted. Made by Method.
template <FixedText kFunctionName, auto kMethod>
struct HostMethod {
  static constexpr std::string_view kName = kFunctionName.View();
  using CppSignature = decltype(bind::detail::MethodSignature<decltype(kMethod)>());
  static constexpr typed::Signature WasmType() { return typed::WasmSignature<CppSignature>::Get(); }

  using Object = decltype(typed::ClassOf(kMethod));
  static_assert(
      sizeof(typename typed::AcceptedFunction<bind::detail::JudgeSignature(CppSignature{}),
                                              CppSignature, decltype(kMethod)>::Type) != 0);

  /// A type whose size is to be asked for: there is none if no object is of the class.
  template <class... State>
  using Needed = typename std::conditional_t<
      (std::is_convertible_v<State*, Object*> || ...), bind::detail::TypeTag<char>,
      bind::detail::TypeTag<typed::RefusedObject<kFunctionName, Object>>>::Type;
  template <class... State>
  void Define(HostFunctionBuilder builder, State&... state) const {
    DefineOn(builder, state...);
  }
  template <class... A>
  constexpr decltype(auto) Call(A&&... arguments) const {
    return std::invoke(kMethod, std::forward<A>(arguments)...);
  }

 private:
  static void DefineOn(const HostFunctionBuilder&) {}
  template <class First, class... Rest>
  static void DefineOn(HostFunctionBuilder builder, First& first, Rest&... rest) {
    if constexpr (std::is_convertible_v<First*, Object*>) {
      builder.template WithFunc<kMethod>(first).Export(std::string{kName});
    } else {
      DefineOn(builder, rest...);
    }
  }
};

/// A function of a HostModule: `Fn<"mix">(Mix)`. Takes what HostFunctionBuilder::WithFunc takes; it
/// is copied each time that the module is mounted.
template <FixedText kName, class F>
constexpr HostFn<kName, std::decay_t<F>> Fn(F&& function) {
  return {std::forward<F>(function)};
}
/// The same with a function as template argument: `Fn<"mix", Mix>()`.
template <FixedText kName, auto kFunction>
consteval ConstantHostFn<kName, kFunction> Fn() {
  return {};
}
/// A member function as a function of a HostModule: `Method<"tick", &Game::Tick>()`. The object is
/// given to HostInterface::Mount.
template <FixedText kName, auto kMethod>
  requires std::is_member_function_pointer_v<decltype(kMethod)>
consteval HostMethod<kName, kMethod> Method() {
  return {};
}

template <class Interface>
class MountedHost;

/// A host module as a value: its name and functions. Made by HostModule. Literal if its functions
/// are; may be mounted in any number of runtimes, by several threads at once if copying its
/// functions may be done so.
template <FixedText kModuleName, class... Functions>
class HostInterface {
  static_assert(sizeof(typename typed::DistinctNames<Functions...>::Type) != 0);

 public:
  static constexpr std::string_view kModule = kModuleName.View();
  static constexpr std::size_t kNameCount = sizeof...(Functions);
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  constexpr explicit HostInterface(Functions... functions) : functions_{std::move(functions)...} {}

  /// Position of a function by its name, or kNone.
  static constexpr std::size_t Find(std::string_view name) {
    for (std::size_t i = 0; i < kNameCount; ++i) {
      if (NameAt(i) == name) return i;
    }
    return kNone;
  }
  static constexpr std::string_view NameAt(std::size_t position) {
    return typed::NamesOf<Functions...>::NameAt(position);
  }
  static constexpr typed::Signature WasmTypeAt(std::size_t position) {
    const typed::Signature types[] = {Functions::WasmType()..., {}};
    return types[position];
  }

  /// Defines the module in a runtime, with the objects of its Methods, which must outlive it.
  /// Throws as HostModuleBuilder::Instantiate: LinkError if there is an open module of the name.
  template <class... State>
  MountedHost<HostInterface> Mount(const Runtime& runtime, State&... state) const {
    (static_cast<void>(sizeof(typename Functions::template Needed<State...>)), ...);
    const HostModuleBuilder builder = runtime.NewHostModuleBuilder(std::string{kModule});
    std::apply(
        [&](const Functions&... functions) {
          (functions.Define(HostModuleBuilder{builder}.NewFunctionBuilder(), state...), ...);
        },
        functions_);
    return MountedHost<HostInterface>{builder.Instantiate()};
  }

  /// Calls a function without a guest, for tests: `env.Call<"mix">(1, 2)`. The object comes first
  /// for a Method.
  template <FixedText kName, class... A>
  constexpr decltype(auto) Call(A&&... arguments) const {
    constexpr std::size_t kFound = Find(kName.View());
    if constexpr (kFound == kNone) {
      using Near = typename typed::NearestIn<HostInterface, kName>::Type;
      static_cast<void>(sizeof(typed::RefusedHostFunction<kName, Near>));
      return 0;
    } else {
      return std::get<kFound>(functions_).Call(std::forward<A>(arguments)...);
    }
  }

 private:
  std::tuple<Functions...> functions_;
};

/// Describes a host module: `HostModule<"env">(Fn<"mix">(Mix), Fn<"log">(Log))`.
template <FixedText kName, class... Functions>
constexpr auto HostModule(Functions... functions) {
  return HostInterface<kName, Functions...>{std::move(functions)...};
}

/// A HostModule in a runtime. A handle: copies refer to the same module, which lives until it or
/// the runtime is closed.
template <class Interface>
class MountedHost {
 public:
  using Description = Interface;

  explicit MountedHost(Module module) noexcept : module_{std::move(module)} {}
  const Module& Untyped() const noexcept { return module_; }

 private:
  Module module_;
};

/// A module that the runtime has under this name when a guest is instantiated, for what a guest
/// imports from modules that are not described as values, such as WASI. Checked when it is linked.
template <FixedText kModuleName>
struct LinkedModule {
  static constexpr std::string_view kModule = kModuleName.View();
};
/// The module of this name that the runtime will have: `tenon::Linked<"wasi_snapshot_preview1">()`.
template <FixedText kModuleName>
consteval LinkedModule<kModuleName> Linked() {
  return {};
}

/// Whether a newer host module has every function of an older one under the same signature, so that
/// guests of the older one can use it: `static_assert(tenon::IsSuperset(kNew, kOld))`. Their names
/// are not compared.
template <FixedText kNewName, class... New, FixedText kOldName, class... Old>
constexpr bool IsSuperset(const HostInterface<kNewName, New...>&,
                          const HostInterface<kOldName, Old...>&) {
  using NewInterface = HostInterface<kNewName, New...>;
  using OldInterface = HostInterface<kOldName, Old...>;
  for (std::size_t i = 0; i < sizeof...(Old); ++i) {
    const std::size_t found = NewInterface::Find(OldInterface::NameAt(i));
    if (found == NewInterface::kNone) return false;
    if (!(NewInterface::WasmTypeAt(found) == OldInterface::WasmTypeAt(i))) return false;
  }
  return true;
}

}  // namespace tenon::inline TENON_ABI
