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
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/guest_range.hpp>
#include <tenon/bind/handles.hpp>
#include <tenon/bind/marshaller.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter_facts.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/bind/view.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {

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
  } else if constexpr (kScalarKind<Bare> != ScalarKind::None || ViewTraits<Bare>::kIsView ||
                       HasMarshaller<Bare> || HandleTraits<Bare>::kKind != HandleKind::None) {
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
consteval ParameterFacts FactsOfView(WireKind offset) {
  ParameterFacts facts;
  if constexpr (!ViewTraits<T>::kIsDynamic) {
    facts.refusal = Refusal::FixedExtent;
  } else if constexpr (!IsViewElement<typename ViewTraits<T>::Element>()) {
    facts.refusal = Refusal::ViewElement;
  } else {
    facts = FactsOfMemory(ParameterKind::View, offset, 2,
                          !std::is_const_v<typename ViewTraits<T>::Element>);
    facts.pins = true;
    facts.is_raw = true;
  }
  return facts;
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
    facts.width = 1;
    facts.needs_check = Scalar<T>::kNeedsCheck;
    facts.runs_user_code = kKind == ScalarKind::User;
  } else if constexpr (HandleTraits<T>::kKind != HandleKind::None) {
    facts.kind = HandleTraits<T>::kKind == HandleKind::Reference ? ParameterKind::Reference
                                                                 : ParameterKind::Callback;
    facts.wire = HandleTraits<T>::kWire;
    facts.width = 1;
    facts.needs_check = true;
  } else if constexpr (ViewTraits<T>::kIsView) {
    facts = FactsOfView<T>(kOffsetWire);
  } else if constexpr (HasMarshaller<T>) {
    facts = Marshaller<T>::Facts();
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

template <class T, WireKind kOffset>
  requires detail::ViewTraits<T>::kIsView
struct MemoryParameter<T, kOffset> {
  using Element = typename detail::ViewTraits<T>::Element;
  static consteval ParameterFacts Facts() { return detail::FactsOfView<T>(kOffset); }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    return detail::CheckUnshared(caller, parameter) &&
           detail::CheckRange<sizeof(Element), alignof(Element)>(
               caller, Get<kOffset>(operands[0]), Get<kOffset>(operands[1]), parameter);
  }
  static T Make(abi::InstanceHeader* caller, const Operand* operands) noexcept {
    return T{reinterpret_cast<Element*>(caller->memory->base + Get<kOffset>(operands[0])),
             Get<kOffset>(operands[1])};
  }
  static WrittenRange* AppendWritten(const Operand* operands, std::uint32_t parameter,
                                     WrittenRange* into) noexcept {
    return detail::AppendRange<sizeof(Element)>(Get<kOffset>(operands[0]),
                                                Get<kOffset>(operands[1]), parameter, false, into);
  }
};

template <class T>
struct Parameter<T, ParameterKind::View> : MemoryParameter<T, kOffsetWire> {};

template <class T>
struct Parameter<T, ParameterKind::Marshalled> : Marshaller<T> {};
template <class T>
struct Parameter<T, ParameterKind::Reference> : detail::ReferenceParameter<T> {};
template <class T>
struct Parameter<T, ParameterKind::Callback> : detail::CallbackParameter<T> {};

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
template <std::size_t kCount, std::size_t kWidth>
struct ParameterLayout {
  WireKind wires[kWidth + 2] = {};         ///< of the operands, and room for a result area
  std::uint32_t offsets[kCount + 1] = {};  ///< first operand of each parameter
  std::uint32_t operand_count = 0;
  std::uint32_t special_count = 0;    ///< in front of the list, a place for the result included
  std::uint32_t result_operands = 0;  ///< in front of the others: where the result goes
  std::uint32_t user_conversions = 0;
  std::uint32_t flags = abi::kFunctionIsHost;
  std::uint32_t written_ranges = 0;  ///< through which the function may write to guest memory
  bool needs_check = false;
  bool needs_holders = false;
  bool has_names = false;
  bool pins = false;
  bool writes_back = false;
  Refusal refusal = Refusal::None;
  std::size_t refused_position = 0;

  /// Position in the C++ signature. A place for the result has none: the largest number.
  constexpr std::uint32_t NumberOf(std::size_t index) const {
    return static_cast<std::uint32_t>(index) - (result_operands != 0 ? 1 : 0);
  }
};

/// `facts` has one more element than there are parameters, so that it is never empty.
template <std::size_t kWidth, std::size_t kCountPlusOne>
consteval auto LayOut(const ParameterFacts (&facts)[kCountPlusOne]) {
  constexpr std::size_t kCount = kCountPlusOne - 1;
  ParameterLayout<kCount, kWidth> layout;
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
    if (fact.is_result) {
      ++layout.special_count;
      layout.result_operands = fact.width;
    }
    if (refusal != Refusal::None) {
      layout.refusal = refusal;
      layout.refused_position = i;
      return layout;
    }
    if (fact.kind == ParameterKind::Module || fact.kind == ParameterKind::CallContext) {
      layout.flags |= abi::kFunctionNeedsCaller;
    }
    if (fact.kind == ParameterKind::Memory || fact.needs_memory) {
      layout.flags |= abi::kFunctionNeedsMemory;
    }
    if (fact.is_raw) layout.flags |= abi::kFunctionHasRawViews;
    layout.needs_check |= fact.needs_check;
    layout.needs_holders |= fact.needs_holder;
    layout.has_names |= fact.has_names;
    layout.pins |= fact.pins;
    layout.writes_back |= fact.writes_back;
    layout.written_ranges += fact.writes;
    layout.user_conversions += fact.runs_user_code ? 1 : 0;
    layout.offsets[i] = layout.operand_count;
    for (std::uint8_t n = 0; n < fact.width; ++n) {
      layout.wires[layout.operand_count++] = fact.has_wires ? fact.wires[n] : fact.wire;
    }
  }
  return layout;
}

/// Layout of a parameter list.
template <class... P>
inline constexpr auto kLayout = LayOut<(std::size_t{0} + ... + kParameterFacts<P>.width)>(
    {kParameterFacts<P>..., ParameterFacts{}});

}  // namespace tenon::inline TENON_ABI::bind
