// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each C++ parameter type of a host function takes from the caller, and how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/bind/view.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class ParameterKind : std::uint8_t { Scalar, View, Module, Memory, CallContext, Refused };

/// What is known about a parameter type; computed once for each type.
struct ParameterFacts {
  ParameterKind kind = ParameterKind::Refused;
  Refusal refusal = Refusal::None;
  WireKind wire = WireKind::I32;
  bool needs_check = false;
  bool runs_user_code = false;

  constexpr bool IsSpecial() const {
    return kind == ParameterKind::Module || kind == ParameterKind::Memory ||
           kind == ParameterKind::CallContext;
  }
  constexpr std::uint8_t Width() const {
    return kind == ParameterKind::Scalar ? 1 : kind == ParameterKind::View ? 2 : 0;
  }
};

namespace detail {

template <class T>
inline constexpr bool kIsSpecialClass =
    std::is_same_v<T, Module> || std::is_same_v<T, Memory> || std::is_same_v<T, CallContext>;

/// A string, vector or array: something with elements that is not a view.
template <class T>
concept Container = requires(const T& value) {
  typename T::value_type;
  value.data();
  value.size();
};

template <class T>
consteval bool IsUsableUserType() {
  if constexpr (HasWasmType<T>) {
    using Wire = typename WasmType<T>::Wire;
    return kScalarKind<Wire> != ScalarKind::None && kScalarKind<Wire> != ScalarKind::User;
  } else {
    return false;
  }
}

template <class T>
concept ReadableUserType = IsUsableUserType<T>() && requires(typename WasmType<T>::Wire wire) {
  requires std::is_same_v<decltype(WasmType<T>::FromWasm(wire)), T>;
};

template <class T>
concept WritableUserType = IsUsableUserType<T>() && requires(T& value) {
  requires std::is_convertible_v<decltype(WasmType<T>::ToWasm(static_cast<T&&>(value))),
                                 typename WasmType<T>::Wire>;
};

/// Why a type that is no scalar, view or special parameter is refused.
template <class T>
consteval Refusal RefusalOfParameter() {
  using Bare = std::remove_cvref_t<T>;
  if constexpr (kIsSpecialClass<Bare> ||
                kIsSpecialClass<std::remove_cv_t<std::remove_pointer_t<Bare>>>) {
    return Refusal::SpecialForm;
  } else if constexpr (std::is_pointer_v<Bare>) {
    return Refusal::RawPointer;
  } else if constexpr (std::is_same_v<Bare, long double>) {
    return Refusal::LongDouble;
  } else if constexpr (kScalarKind<Bare> != ScalarKind::None || ViewTraits<Bare>::kIsView) {
    return Refusal::Reference;
  } else if constexpr (std::is_enum_v<Bare>) {
    return Refusal::UnfixedEnum;
  } else if constexpr (std::is_class_v<Bare>) {
    return Container<Bare> ? Refusal::OwningContainer : Refusal::Unmapped;
  } else {
    return Refusal::Unmapped;
  }
}

template <class T>
consteval ParameterFacts FactsOf() {
  ParameterFacts facts;
  constexpr ScalarKind kKind = kScalarKind<T>;
  if constexpr (kKind == ScalarKind::User && !ReadableUserType<T>) {
    facts.refusal = Refusal::BadWasmType;
  } else if constexpr (kKind != ScalarKind::None) {
    facts.kind = ParameterKind::Scalar;
    facts.wire = Scalar<T>::kWire;
    facts.needs_check = Scalar<T>::kNeedsCheck;
    facts.runs_user_code = kKind == ScalarKind::User;
  } else if constexpr (ViewTraits<T>::kIsView) {
    if constexpr (!ViewTraits<T>::kIsDynamic) {
      facts.refusal = Refusal::FixedExtent;
    } else if constexpr (!IsViewElement<typename ViewTraits<T>::Element>()) {
      facts.refusal = Refusal::ViewElement;
    } else {
      facts.kind = ParameterKind::View;
      facts.needs_check = true;
    }
  } else {
    using Target = std::remove_const_t<
        std::conditional_t<std::is_lvalue_reference_v<T>, std::remove_reference_t<T>, T>>;
    if constexpr (std::is_same_v<Target, Module>) {
      facts.kind = ParameterKind::Module;
    } else if constexpr (std::is_same_v<Target, Memory>) {
      facts.kind = ParameterKind::Memory;
    } else if constexpr (std::is_same_v<Target, CallContext> && std::is_lvalue_reference_v<T>) {
      facts.kind = ParameterKind::CallContext;
    } else {
      facts.refusal = RefusalOfParameter<T>();
    }
  }
  return facts;
}

}  // namespace detail

template <class T>
inline constexpr ParameterFacts kParameterFacts = detail::FactsOf<T>();

/// Takes a parameter of type T from its operands:
/// - `Check(caller, operands, parameter)`: false, with a trap pending, if it cannot be passed;
/// - `Make(caller, operands)`: the argument, after a successful Check. Only user types throw.
template <class T, ParameterKind kKind = kParameterFacts<T>.kind>
struct Parameter;

template <class T>
struct Parameter<T, ParameterKind::Scalar> {
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    if constexpr (Scalar<T>::kNeedsCheck) {
      if (!Scalar<T>::Fits(Get<Scalar<T>::kWire>(*operands))) [[unlikely]] {
        detail::FailParameter(caller, TrapCode::ValueOutOfRange, parameter);
        return false;
      }
    }
    return true;
  }
  static T Make(abi::InstanceHeader*,
                const Operand* operands) noexcept(kScalarKind<T> != ScalarKind::User) {
    return Scalar<T>::From(Get<Scalar<T>::kWire>(*operands));
  }
};

template <class T>
struct Parameter<T, ParameterKind::View> {
  using Element = typename detail::ViewTraits<T>::Element;
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return detail::CheckView<sizeof(Element), alignof(Element)>(caller, operands[0].i32,
                                                                operands[1].i32, parameter);
  }
  static T Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    // The base is read here and not kept from Check: a conversion before this one may have let the
    // memory move.
    return T{reinterpret_cast<Element*>(caller->memory->base + operands[0].i32), operands[1].i32};
  }
};

template <class T>
struct Parameter<T, ParameterKind::Module> {
  static bool Check(abi::InstanceHeader*, const Operand*, std::uint32_t) noexcept { return true; }
  static Module& Make(abi::InstanceHeader* caller, const Operand*) noexcept {
    return *static_cast<Module*>(caller->module);
  }
};

template <class T>
struct Parameter<T, ParameterKind::Memory> {
  static bool Check(abi::InstanceHeader*, const Operand*, std::uint32_t) noexcept { return true; }
  static Memory& Make(abi::InstanceHeader* caller, const Operand*) noexcept {
    return *static_cast<Memory*>(caller->memory_handle);
  }
};

template <class T>
struct Parameter<T, ParameterKind::CallContext> {
  static bool Check(abi::InstanceHeader*, const Operand*, std::uint32_t) noexcept { return true; }
  static CallContext& Make(abi::InstanceHeader* caller, const Operand*) noexcept {
    void* const context = caller->exec->call_context;
    return *static_cast<CallContext*>(
        context != nullptr ? context : caller->operations->call_context(caller));
  }
};

/// A parameter list, laid out: which operands each parameter takes, and what is wrong if anything.
template <std::size_t kCount>
struct ParameterLayout {
  WireKind wires[2 * kCount + 2] = {};     ///< of the operands, and room for a result area
  std::uint32_t offsets[kCount + 1] = {};  ///< first operand of each parameter
  std::uint32_t operand_count = 0;
  std::uint32_t special_count = 0;
  std::uint32_t user_conversions = 0;
  std::uint32_t flags = abi::kFunctionIsHost;
  bool needs_check = false;
  Refusal refusal = Refusal::None;
  std::size_t refused_position = 0;
};

/// `facts` has one more element than there are parameters, so that it is never empty.
template <std::size_t kCountPlusOne>
consteval auto LayOut(const ParameterFacts (&facts)[kCountPlusOne]) {
  constexpr std::size_t kCount = kCountPlusOne - 1;
  ParameterLayout<kCount> layout;
  bool seen[static_cast<std::size_t>(ParameterKind::Refused) + 1] = {};
  for (std::size_t i = 0; i < kCount; ++i) {
    const ParameterFacts& fact = facts[i];
    Refusal refusal = fact.refusal;
    if (fact.IsSpecial()) {
      bool& repeated = seen[static_cast<std::size_t>(fact.kind)];
      if (repeated) {
        refusal = Refusal::SpecialRepeated;
      } else if (i != layout.special_count) {
        refusal = Refusal::SpecialNotLeading;
      }
      repeated = true;
      ++layout.special_count;
    }
    if (refusal != Refusal::None) {
      layout.refusal = refusal;
      layout.refused_position = i;
      return layout;
    }
    if (fact.kind == ParameterKind::Module || fact.kind == ParameterKind::CallContext) {
      layout.flags |= abi::kFunctionNeedsCaller;
    }
    if (fact.kind == ParameterKind::Memory || fact.kind == ParameterKind::View) {
      layout.flags |= abi::kFunctionNeedsMemory;
    }
    layout.needs_check |= fact.needs_check;
    layout.user_conversions += fact.runs_user_code ? 1 : 0;
    layout.offsets[i] = layout.operand_count;
    for (std::uint8_t n = 0; n < fact.Width(); ++n) {
      layout.wires[layout.operand_count++] = fact.wire;
    }
  }
  return layout;
}

/// Layout of a parameter list.
template <class... P>
inline constexpr auto kLayout = LayOut({kParameterFacts<P>..., ParameterFacts{}});

}  // namespace tenon::inline TENON_ABI::bind
