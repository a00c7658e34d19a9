// SPDX-License-Identifier: Apache-2.0
/// @file
/// The C++ signature under which a host calls a function of a guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/bind/flat_argument.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/result.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/bind/signature.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI::bind {

/// Whether a type is text that a guest's function returns, which takes the guest's allocator.
/// Specialised where such types are.
template <class T>
inline constexpr bool kIsGuestText = false;
/// Whether a type owns memory of a guest, which is passed as a pointer to it.
template <class T>
inline constexpr bool kOwnsGuestMemory = false;
template <>
inline constexpr bool kOwnsGuestMemory<GuestBuffer> = true;
template <class T>
inline constexpr bool kOwnsGuestMemory<GuestObject<T>> = true;
/// Whether a type is a struct that a guest's function leaves in memory, likewise.
template <class T>
inline constexpr bool kIsGuestStruct = false;
template <class S>
inline constexpr bool kIsGuestStruct<Indirect<S>> = true;
template <class T>
inline constexpr bool kIsGuestStruct<GuestObject<T>> = true;

namespace detail {

template <class...>
struct FirstOf {
  using Type = void;
};
template <class T, class... Rest>
struct FirstOf<T, Rest...> {
  using Type = T;
};

template <std::size_t, class T>
struct ConvertedValue {
  T value;
};

/// Values of these types in consecutive slots, v128 taking two.
template <class Indices, class... T>
struct SlotList;
template <std::size_t... I, class... T>
struct SlotList<std::index_sequence<I...>, T...> {
  static constexpr std::uint32_t kCount = sizeof...(T);
  static constexpr std::uint32_t kSlotCount = (0 + ... + SlotsOf(Scalar<T>::kWire));

  /// Native form of the first value, if there is one.
  using First = typename FirstOf<ExtendedNative<Scalar<T>::kWire>...>::Type;

  static consteval const ValueType* Types() { return ValueTypes<Scalar<T>::kWire...>(); }
  static consteval std::uint32_t OffsetOf(std::size_t index) {
    const std::uint32_t widths[] = {SlotsOf(Scalar<T>::kWire)..., 0};
    std::uint32_t offset = 0;
    for (std::size_t i = 0; i < index; ++i) offset += widths[i];
    return offset;
  }
  template <class U>
  static Native<Scalar<U>::kWire> At(const abi::Slot* slots) noexcept {
    return FromSlot<Native<Scalar<U>::kWire>>(slots);
  }

  static void Store([[maybe_unused]] abi::Slot* slots, const T&... values) {
    (ToSlot(slots + OffsetOf(I), Scalar<T>::To(values)), ...);
  }
  /// The values, converted in order.
  struct Converted : ConvertedValue<I, Native<Scalar<T>::kWire>>... {
    void Store([[maybe_unused]] abi::Slot* slots) const noexcept {
      (ToSlot(slots + OffsetOf(I), this->ConvertedValue<I, Native<Scalar<T>::kWire>>::value), ...);
    }
    template <class Callee>
    [[gnu::always_inline]] decltype(auto) PassTo(Callee callee) const {
      return callee(this->ConvertedValue<I, Native<Scalar<T>::kWire>>::value...);
    }
    /// Calls a function with the values behind `context` and `caller`. One result goes to the first
    /// slot, several (`R` is void then) are written there by the function.
    template <class R, class... Area>
    [[gnu::always_inline]] void Pass(abi::NativeCode code, const void* context,
                                     abi::InstanceHeader* caller, [[maybe_unused]] abi::Slot* slots,
                                     Area... area) const {
      const auto function = reinterpret_cast<R (*)(
          const void*, abi::InstanceHeader*, ExtendedNative<Scalar<T>::kWire>..., Area...)>(code);
      if constexpr (std::is_void_v<R>) {
        function(context, caller, this->ConvertedValue<I, Native<Scalar<T>::kWire>>::value...,
                 area...);
      } else {
        ToSlot(slots, function(context, caller,
                               this->ConvertedValue<I, Native<Scalar<T>::kWire>>::value...));
      }
    }
  };
  static Converted Convert(const T&... values) { return Converted{{Scalar<T>::To(values)}...}; }
  static bool Fit([[maybe_unused]] const abi::Slot* slots) noexcept {
    return (Scalar<T>::Fits(At<T>(slots + OffsetOf(I))) && ...);
  }
};

template <class... T>
using SlotListOf = SlotList<std::index_sequence_for<T...>, T...>;

template <class... A>
struct ArgumentSlots {
  using Type = SlotListOf<A...>;
};
template <class... A>
  requires(kIsFlat<A> || ...)
struct ArgumentSlots<A...> {
  using Type = FlatArguments<SlotListOf, A...>;
};

/// The slots of a result that is made of its values as a whole.
template <class R>
struct ValuesSlotList {
  using All = Values<R>;
  static constexpr std::uint32_t kCount = All::kCount;
  static constexpr std::uint32_t kSlotCount = All::kSlots;
  using First = ExtendedNative<All::kWires.kinds[0]>;

  static consteval const ValueType* Types() {
    return TypesOf<All>(std::make_index_sequence<kCount>{});
  }
  static bool Fit(const abi::Slot* slots) noexcept { return All::Fit(slots); }
};

template <class R>
consteval auto ResultSlots() {
  if constexpr (kResultFacts<R>.kind == ResultKind::Void) {
    return SlotListOf<>{};
  } else if constexpr (kResultFacts<R>.kind == ResultKind::Scalar) {
    return SlotListOf<std::remove_const_t<R>>{};
  } else {
    return ValuesSlotList<std::remove_const_t<R>>{};
  }
}

template <class T>
consteval Refusal RefusalOfArgument() {
  using Bare = std::remove_cvref_t<T>;
  if constexpr (kScalarKind<T> == ScalarKind::User) {
    return WritableUserType<T> ? Refusal::None : Refusal::BadWasmType;
  } else if constexpr (kScalarKind<T> != ScalarKind::None) {
    return Refusal::None;
  } else if constexpr (HandleTraits<Bare>::kKind != HandleKind::None) {
    return Refusal::HandleInCall;
  } else if constexpr (kIsFlat<T>) {
    return RefusalOfMarshalled<T>();
  } else if constexpr (kOwnsGuestMemory<Bare>) {
    return Refusal::OwnsGuestMemory;
  } else if constexpr (ViewTraits<Bare>::kIsView || HasMarshaller<Bare>) {
    return Refusal::ViewInCall;
  } else if constexpr (kIsSpecialClass<Bare>) {
    return Refusal::SpecialInCall;
  } else {
    return RefusalOfParameter<T>();
  }
}

/// Why a type cannot be received: it can be sent, but not made of values.
template <class T>
consteval Refusal RefusalOfReceived();

template <class T, std::size_t... I>
consteval Refusal RefusalOfReceivedTuple(std::index_sequence<I...>) {
  Refusal refusal = Refusal::None;
  static_cast<void>(
      ((refusal = RefusalOfReceived<std::remove_const_t<std::tuple_element_t<I, T>>>(),
        refusal == Refusal::None) &&
       ...));
  return refusal;
}

template <class T>
consteval Refusal RefusalOfReceived() {
  constexpr ResultFacts kFacts = kResultFacts<T>;
  if constexpr (kScalarKind<T> == ScalarKind::User) {
    return ReadableUserType<T> ? Refusal::None : Refusal::ResultBadWasmType;
  } else if constexpr (kIsGuestText<T> || kFacts.refusal == Refusal::ResultView) {
    return Refusal::ResultViewInCall;
  } else if constexpr (kIsGuestStruct<T>) {
    return Refusal::ResultInMemory;
  } else if constexpr (kFacts.refusal != Refusal::None || kFacts.kind == ResultKind::Void ||
                       kFacts.kind == ResultKind::Scalar) {
    return kFacts.refusal;
  } else if constexpr (kFacts.kind == ResultKind::Tuple) {
    return RefusalOfReceivedTuple<T>(std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (kFacts.kind == ResultKind::Reference) {
    return Refusal::ResultReferenceInCall;
  } else if constexpr (kFacts.kind == ResultKind::Ending) {
    return Refusal::ResultEnding;
  } else if constexpr (kFacts.kind == ResultKind::Mapped) {
    return RefusalOfReceived<std::remove_const_t<typename WasmResult<T>::Values>>();
  } else {
    return RefusalOfReceived<std::remove_const_t<typename T::value_type>>();
  }
}

template <class R, class... A>
consteval Verdict JudgeCall() {
  constexpr Refusal kOfResult = RefusalOfReceived<std::remove_const_t<R>>();
  if (kOfResult != Refusal::None) return {kOfResult, Part::Result, 0};
  const Refusal refusals[] = {RefusalOfArgument<A>()..., Refusal::None};
  for (std::size_t i = 0; i < sizeof...(A); ++i) {
    if (refusals[i] != Refusal::None) return {refusals[i], Part::Parameter, i};
  }
  return {};
}

/// A type whose size is to be asked for: there is none if a signature is refused. For types that
/// are no signatures there is another error.
template <class S>
struct FunctionFault {
  using Type = char;
};
template <class R, class... A>
struct FunctionFault<R(A...)> {
  static constexpr Verdict kVerdict = JudgeCall<R, A...>();
  using Type = std::conditional_t<kVerdict.refusal == Refusal::None, char,
                                  RefusalOf<kVerdict, Signature<R, A...>, R(A...)>>;
};

/// The members of a CallSignature. After a refusal they exist, so that nothing else is reported.
template <Verdict kVerdict, class R, class... A>
struct CallSlots {
  static_assert(sizeof(RefusalOf<kVerdict, Signature<R, A...>, R(A...)>) != 0);

  static constexpr std::uint32_t kParameterCount = 0;
  static constexpr std::uint32_t kResultCount = 0;
  static constexpr std::uint32_t kSlotCount = 0;
  static constexpr std::span<const ValueType> Parameters() { return {}; }
  static constexpr std::span<const ValueType> Results() { return {}; }
  struct Operands {
    void Store(abi::Slot*) const noexcept {}
    template <class Callee>
    R PassTo(Callee) const;
  };
  template <class... T>
  static void Store(abi::Slot*, const T&...) {}
  template <class... T>
  static Operands Convert(const T&...) {
    return {};
  }
  static void Call(abi::NativeCode, const void*, abi::InstanceHeader*, const Operands&,
                   abi::Slot*) {}
  static TrapCode CheckResults(const abi::Slot*) noexcept;
  static R Load(const abi::Slot*);
  static R Load(const abi::Slot*, TrapCode&);
};

template <Verdict kVerdict, class R, class... A>
  requires(kVerdict.refusal == Refusal::None)
struct CallSlots<kVerdict, R, A...> {
 private:
  using ArgumentList = typename ArgumentSlots<std::remove_const_t<A>...>::Type;
  using ResultList = decltype(ResultSlots<R>());

 public:
  static constexpr std::uint32_t kParameterCount = ArgumentList::kCount;
  static constexpr std::uint32_t kResultCount = ResultList::kCount;
  static constexpr std::uint32_t kSlotCount = ArgumentList::kSlotCount > ResultList::kSlotCount
                                                  ? ArgumentList::kSlotCount
                                                  : ResultList::kSlotCount;

  static constexpr std::span<const ValueType> Parameters() {
    return {ArgumentList::Types(), kParameterCount};
  }
  static constexpr std::span<const ValueType> Results() {
    return {ResultList::Types(), kResultCount};
  }

  using Operands = typename ArgumentList::Converted;

  static void Store(abi::Slot* slots, const A&... arguments) {
    ArgumentList::Store(slots, arguments...);
  }
  static Operands Convert(const A&... arguments) { return ArgumentList::Convert(arguments...); }
  /// Calls native code of the wasm signature; results go to `slots`.
  [[gnu::always_inline]] static void Call(abi::NativeCode code, const void* context,
                                          abi::InstanceHeader* caller, const Operands& operands,
                                          abi::Slot* slots) {
    if constexpr (kResultCount == 0) {
      operands.template Pass<void>(code, context, caller, slots);
    } else if constexpr (kResultCount == 1) {
      operands.template Pass<typename ResultList::First>(code, context, caller, slots);
    } else {
      operands.template Pass<void>(code, context, caller, slots, slots);
    }
  }
  static TrapCode CheckResults(const abi::Slot* slots) noexcept {
    return ResultList::Fit(slots) ? TrapCode::None : TrapCode::ValueOutOfRange;
  }
  static R Load(const abi::Slot* slots) {
    if constexpr (!std::is_void_v<R>) {
      return Values<std::remove_const_t<R>>::Load(slots);
    }
  }
  static R Load(const abi::Slot* slots, TrapCode& trap) {
    trap = CheckResults(slots);
    if constexpr (!std::is_void_v<R> && std::is_default_constructible_v<R>) {
      if (trap != TrapCode::None) return R();
    }
    return Load(slots);
  }
};

}  // namespace detail

/// Slots for calls of a function with C++ signature `R(A...)`. Arguments and results are scalars
/// (see scalar.hpp); several of them in one are a Flat, several results also a std::tuple,
/// std::pair or std::array. Types follow the same table in the opposite direction: arguments
/// convert as results of host functions do, results as their parameters do, range rules included.
///
/// - `kParameterCount`, `kResultCount`: wasm operands and results; `kSlotCount`: slots of the
/// longer
///   of both lists;
/// - `Parameters()`, `Results()`: their value types, in static storage;
/// - `Store(slots, arguments...)`: writes the operands;
/// - `CheckResults(slots)`: TrapCode::ValueOutOfRange if a result does not fit its C++ type;
/// - `Load(slots)`: the result, after CheckResults. Throws only what a user's FromWasm throws;
/// - `Load(slots, trap)`: both in one. If `trap` is set, the value means nothing: a default one,
/// or,
///   for types without default constructor, what converting the bits gave.
template <class S>
struct CallSignature {
  static_assert(detail::kAccepted<S>, TENON_REFUSED_CALL_SIGNATURE);

  static constexpr std::uint32_t kSlotCount = 0;
  static constexpr std::span<const ValueType> Parameters() { return {}; }
  static constexpr std::span<const ValueType> Results() { return {}; }
};

template <class R, class... A>
struct CallSignature<R(A...)> : detail::CallSlots<detail::JudgeCall<R, A...>(), R, A...> {};

}  // namespace tenon::inline TENON_ABI::bind
