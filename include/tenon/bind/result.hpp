// SPDX-License-Identifier: Apache-2.0
/// @file
/// What each C++ result type of a host function gives back to the guest, and how.
///
/// | C++ type | wasm results |
/// |---|---|
/// | void | none |
/// | a scalar (scalar.hpp) | one |
/// | Ref<T>, Handle<T> | one |
/// | std::tuple, std::pair, std::array and other tuples | those of each element, in order |
/// | an optional of T | i32: 1 and those of T, or 0 and zeros |
/// | a result of T or E, leading form | i32: 0 and those of T, or the number of E and zeros |
/// | a result of T or E, negative form | T's, an integer or void: it, or minus E's number |
/// | a result of T or an Exit, HostTrap or Ending | those of T; the error ends the guest |
/// | a type with WasmResult<T> | those of its Values |
///
/// Optionals and results are recognised by their members: `value_type` and `has_value()`, `*`, and
/// `error_type` and `error()`; std::optional, std::expected and tenon::Result have them. They may
/// hold each other, and tuples. An error whose number is 0, or not positive in negative form, and a
/// value that would be taken for an error, trap with TrapCode::ResultOutOfRange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/handles.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/bind/parameter.hpp>
#include <tenon/bind/scalar.hpp>
#include <tenon/bind/view.hpp>
#include <tenon/fwd.hpp>
#include <tenon/result.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class ResultKind : std::uint8_t {
  Void,
  Scalar,
  Reference,  ///< a Ref
  Tuple,
  Optional,
  Expected,
  Ending,  ///< an expected type whose error ends the guest
  Mapped,  ///< has a WasmResult
  Refused,
};

struct ResultFacts {
  ResultKind kind = ResultKind::Refused;
  Refusal refusal = Refusal::None;
};

namespace detail {

/// std::tuple, std::pair, std::array and whatever else follows the tuple protocol.
template <class T>
concept TupleLike = std::is_class_v<T> && requires { std::tuple_size<T>::value; };

/// std::expected, tenon::Result and their like: a value or an error.
template <class T>
concept ExpectedLike = std::is_class_v<T> && requires(const T& value) {
  typename T::value_type;
  typename T::error_type;
  static_cast<bool>(value.has_value());
  value.error();
};

/// std::optional and its like.
template <class T>
concept OptionalLike = std::is_class_v<T> && !ExpectedLike<T> && requires(const T& value) {
  typename T::value_type;
  static_cast<bool>(value.has_value());
  *value;
};

template <class T>
concept HasWasmResult = std::is_class_v<T> && requires { typename WasmResult<T>::Values; };

template <class E>
inline constexpr bool kEndsGuest =
    std::is_same_v<E, Exit> || std::is_same_v<E, HostTrap> || std::is_same_v<E, Ending>;

template <class T>
consteval Refusal RefusalOfResult() {
  if constexpr (std::is_volatile_v<T>) {
    return Refusal::Volatile;
  } else if constexpr (std::is_reference_v<T>) {
    return Refusal::ResultReference;
  } else if constexpr (std::is_pointer_v<T>) {
    return Refusal::ResultPointer;
  } else if constexpr (std::is_same_v<T, long double>) {
    return Refusal::ResultLongDouble;
  } else if constexpr (kScalarKind<T> == ScalarKind::User) {
    return WritableUserType<T> ? Refusal::None : Refusal::ResultBadWasmType;
  } else if constexpr (kScalarKind<T> != ScalarKind::None) {
    return Refusal::None;
  } else if constexpr (std::is_enum_v<T>) {
    return Refusal::ResultUnfixedEnum;
  } else if constexpr (kIsSpecialClass<T>) {
    return Refusal::ResultUnmapped;
  } else if constexpr (std::is_class_v<T>) {
    return ViewTraits<T>::kIsView || HasMarshaller<T> || Container<T> ? Refusal::ResultView
                                                                      : Refusal::ResultUnmapped;
  } else {
    return Refusal::ResultUnmapped;
  }
}

template <class T>
consteval ResultFacts ResultFactsOf();

template <class T, std::size_t... I>
consteval Refusal RefusalOfElements(std::index_sequence<I...>) {
  Refusal refusal = Refusal::None;
  static_cast<void>(
      ((refusal = ResultFactsOf<std::remove_const_t<std::tuple_element_t<I, T>>>().refusal,
        refusal == Refusal::None) &&
       ...));
  return refusal;
}

/// Whether an error of this type has a number.
template <class E>
consteval bool IsNumberedError() {
  if constexpr (kScalarKind<E> == ScalarKind::User && !WritableUserType<E>) {
    return false;
  } else if constexpr (kScalarKind<E> != ScalarKind::None) {
    return Scalar<E>::kWire == WireKind::I32;
  } else {
    return false;
  }
}

template <class T>
consteval Refusal RefusalOfExpected() {
  using Value = std::remove_const_t<typename T::value_type>;
  using Error = typename T::error_type;
  if constexpr (!kEndsGuest<Error> && !IsNumberedError<Error>()) {
    return Refusal::ResultErrorType;
  } else if constexpr (!kEndsGuest<Error> && kErrorForm<Error> == ErrorForm::Negative &&
                       !std::is_void_v<Value> && kScalarKind<Value> != ScalarKind::Integer) {
    return Refusal::ResultNegativeForm;
  } else {
    return ResultFactsOf<Value>().refusal;
  }
}

template <class T>
consteval Refusal RefusalOfMapped() {
  using Values = typename WasmResult<T>::Values;
  if constexpr (
      requires(T& value) {
        requires std::is_convertible_v<decltype(WasmResult<T>::ToWasm(static_cast<T&&>(value))),
                                       Values>;
      } ||
      requires(Values& values) {
        requires std::is_same_v<decltype(WasmResult<T>::FromWasm(static_cast<Values&&>(values))),
                                T>;
      }) {
    return ResultFactsOf<Values>().refusal;
  } else {
    return Refusal::ResultBadMapping;
  }
}

template <class T>
consteval ResultFacts ResultFactsOf() {
  if constexpr (std::is_void_v<T>) {
    return {ResultKind::Void, Refusal::None};
  } else if constexpr (kScalarKind<T> != ScalarKind::None || kIsSpecialClass<T> ||
                       !std::is_class_v<T>) {
    return {ResultKind::Scalar, RefusalOfResult<T>()};
  } else if constexpr (HandleTraits<T>::kKind != HandleKind::None) {
    return HandleTraits<T>::kKind == HandleKind::Reference
               ? ResultFacts{ResultKind::Reference, Refusal::None}
               : ResultFacts{ResultKind::Scalar, Refusal::ResultCallback};
  } else if constexpr (HasWasmResult<T>) {
    return {ResultKind::Mapped, RefusalOfMapped<T>()};
  } else if constexpr (TupleLike<T>) {
    return {ResultKind::Tuple,
            RefusalOfElements<T>(std::make_index_sequence<std::tuple_size_v<T>>{})};
  } else if constexpr (ExpectedLike<T>) {
    return {kEndsGuest<typename T::error_type> ? ResultKind::Ending : ResultKind::Expected,
            RefusalOfExpected<T>()};
  } else if constexpr (OptionalLike<T>) {
    return {ResultKind::Optional,
            ResultFactsOf<std::remove_const_t<typename T::value_type>>().refusal};
  } else {
    return {ResultKind::Scalar, RefusalOfResult<T>()};
  }
}

/// Whether a guest may be given this function; makes a trap pending if not. Otherwise it could keep
/// one that is gone, or of another runtime, whose types have other numbers.
[[gnu::noinline]] inline bool CheckFunction(abi::InstanceHeader* caller,
                                            std::uint64_t reference) noexcept {
  const auto* function = reinterpret_cast<const abi::FunctionRecord*>(reference);
  if (function == nullptr || caller->operations->may_hold(caller, function)) return true;
  caller->operations->raise_trap(caller, TrapCode::ResultOutOfRange,
                                 "a function of another linkage group");
  return false;
}

[[gnu::cold, gnu::noinline]] inline void FailResult(abi::InstanceHeader* caller,
                                                    const char* detail) noexcept {
  caller->operations->raise_trap(caller, TrapCode::ResultOutOfRange, detail);
}

/// Makes what ends the guest pending.
[[gnu::cold, gnu::noinline]] inline void EndGuest(abi::InstanceHeader* caller,
                                                  Ending ending) noexcept {
  if (ending.IsExit()) {
    caller->operations->raise_exit(caller, ending.ExitCode());
  } else {
    caller->operations->raise_trap(caller, TrapCode::HostTrap, ending.Text());
  }
}

/// Wire kinds of a result's values. One more than there are, so that there is always one.
template <std::size_t kCount>
struct WireList {
  WireKind kinds[kCount + 1] = {};
};
/// `first` and then `rest`.
template <std::size_t kFirst, std::size_t kRest>
consteval WireList<kFirst + kRest> operator+(const WireList<kFirst>& first,
                                             const WireList<kRest>& rest) {
  WireList<kFirst + kRest> all;
  for (std::size_t i = 0; i < kFirst; ++i) all.kinds[i] = first.kinds[i];
  for (std::size_t i = 0; i < kRest; ++i) all.kinds[kFirst + i] = rest.kinds[i];
  return all;
}
inline void ClearSlots(abi::Slot* slots, std::uint32_t count) noexcept {
  for (std::uint32_t i = 0; i < count; ++i) slots[i] = 0;
}

}  // namespace detail

template <class T>
inline constexpr ResultFacts kResultFacts = detail::ResultFactsOf<std::remove_const_t<T>>();

namespace detail {

/// The values of a result type, without const:
/// - `kCount`, `kWires`, `kSlots`: how many, their kinds, the slots they take;
/// - `Store(caller, slots, value)`: host to guest; false if that left something pending. Throws
///   what user types throw;
/// - `Fit(slots)`, `Load(slots)`: guest to host, as for parameters.
template <class T, ResultKind kKind = kResultFacts<T>.kind>
struct Values;

template <class T>
struct Values<T, ResultKind::Void> {
  static constexpr std::uint32_t kCount = 0;
  static constexpr std::uint32_t kSlots = 0;
  static constexpr WireList<0> kWires = {};
};

template <class T>
struct Values<T, ResultKind::Scalar> {
  using Mapping = Scalar<T>;
  static constexpr std::uint32_t kCount = 1;
  static constexpr std::uint32_t kSlots = SlotsOf(Mapping::kWire);
  static constexpr WireList<1> kWires = {{Mapping::kWire}};

  static bool Store([[maybe_unused]] abi::InstanceHeader* caller, abi::Slot* slots, T&& value) {
    ToSlot(slots, Mapping::To(static_cast<T&&>(value)));
    if constexpr (Mapping::kWire == WireKind::FuncRef) {
      return CheckFunction(caller, *slots);
    } else {
      return true;
    }
  }
  static Native<Mapping::kWire> At(const abi::Slot* slots) noexcept {
    return FromSlot<Native<Mapping::kWire>>(slots);
  }
  static bool Fit(const abi::Slot* slots) noexcept { return Mapping::Fits(At(slots)); }
  static T Load(const abi::Slot* slots) { return Mapping::From(At(slots)); }
};

template <class T>
struct Values<T, ResultKind::Reference> {
  static constexpr std::uint32_t kCount = 1;
  static constexpr std::uint32_t kSlots = 1;
  static constexpr WireList<1> kWires = {{HandleTraits<T>::kWire}};

  static bool Store(abi::InstanceHeader* caller, abi::Slot* slots, T&& value) noexcept {
    std::uint64_t token = 0;
    const bool is_given = GiveReference(caller, value, token);
    // As a handle: the half that crosses.
    *slots = HandleTraits<T>::kWire == WireKind::I32 ? token & 0xFFFFFFFF : token;
    return is_given;
  }
};

template <class T, class Indices = std::make_index_sequence<std::tuple_size_v<T>>>
struct TupleValues;
template <class T, std::size_t... I>
struct TupleValues<T, std::index_sequence<I...>> {
  template <std::size_t kElement>
  using Element = Values<std::remove_const_t<std::tuple_element_t<kElement, T>>>;

  static constexpr std::uint32_t kCount = (0 + ... + Element<I>::kCount);
  static constexpr auto kWires = (WireList<0>{} + ... + Element<I>::kWires);
  static constexpr std::uint32_t kSlots = (0 + ... + Element<I>::kSlots);

  static consteval std::uint32_t OffsetOf(std::size_t element) {
    const std::uint32_t widths[] = {Element<I>::kSlots..., 0};
    std::uint32_t offset = 0;
    for (std::size_t i = 0; i < element; ++i) offset += widths[i];
    return offset;
  }
  template <std::size_t kElement, class U>
  static bool StoreElement(abi::InstanceHeader* caller, abi::Slot* slots, U&& value) {
    if constexpr (std::is_const_v<std::remove_reference_t<U>>) {
      return StoreElement<kElement>(caller, slots, std::remove_cvref_t<U>(value));
    } else {
      return Element<kElement>::Store(caller, slots, static_cast<U&&>(value));
    }
  }
  /// Writes the elements in order.
  static bool Store([[maybe_unused]] abi::InstanceHeader* caller, [[maybe_unused]] abi::Slot* slots,
                    [[maybe_unused]] T&& value) {
    return (StoreElement<I>(caller, slots + OffsetOf(I), get<I>(static_cast<T&&>(value))) && ...);
  }
  static bool Fit([[maybe_unused]] const abi::Slot* slots) noexcept {
    return (Element<I>::Fit(slots + OffsetOf(I)) && ...);
  }
  /// Braces convert in order.
  static T Load([[maybe_unused]] const abi::Slot* slots) {
    return T{Element<I>::Load(slots + OffsetOf(I))...};
  }
};
template <class T>
struct Values<T, ResultKind::Tuple> : TupleValues<T> {};

/// A value of type V behind a number that says whether it is there.
template <class V>
struct FlaggedValues {
  using Value = Values<std::remove_const_t<V>>;
  static constexpr std::uint32_t kCount = 1 + Value::kCount;
  static constexpr std::uint32_t kSlots = 1 + Value::kSlots;
  static constexpr auto kWires = WireList<1>{{WireKind::I32}} + Value::kWires;

  static bool StoreNumber(abi::Slot* slots, std::uint32_t number) noexcept {
    ToSlot(slots, number);
    ClearSlots(slots + 1, Value::kSlots);
    return true;
  }
  static std::uint32_t Number(const abi::Slot* slots) noexcept {
    return FromSlot<std::uint32_t>(slots);
  }
};

template <class T>
struct Values<T, ResultKind::Optional> : FlaggedValues<typename T::value_type> {
  using Base = FlaggedValues<typename T::value_type>;
  using typename Base::Value;

  static bool Store(abi::InstanceHeader* caller, abi::Slot* slots, T&& value) {
    if (!value.has_value()) return Base::StoreNumber(slots, 0);
    ToSlot(slots, std::uint32_t{1});
    return Value::Store(caller, slots + 1, *static_cast<T&&>(value));
  }
  static bool Fit(const abi::Slot* slots) noexcept {
    return Base::Number(slots) == 0 || Value::Fit(slots + 1);
  }
  static T Load(const abi::Slot* slots) {
    return Base::Number(slots) == 0 ? T() : T(Value::Load(slots + 1));
  }
};

/// The number of an error: 0, with a trap pending, if it would be taken for success.
template <class T>
inline std::uint32_t ErrorNumber(abi::InstanceHeader* caller, T&& result) {
  using Error = typename T::error_type;
  const std::uint32_t number = Scalar<Error>::To(static_cast<T&&>(result).error());
  if constexpr (kErrorForm<Error> == ErrorForm::Negative) {
    if (static_cast<std::int32_t>(number) > 0) return number;
    FailResult(caller, "an error without a positive number");
    return 0;
  } else {
    if (number == 0) FailResult(caller, "an error whose number is 0");
    return number;
  }
}

template <class T>
inline T ErrorFromNumber(std::uint32_t number) {
  using Error = typename T::error_type;
  return T(typename T::unexpected_type(Scalar<Error>::From(number)));
}

/// The leading form.
template <class T>
struct LeadingValues : FlaggedValues<typename T::value_type> {
  using Base = FlaggedValues<typename T::value_type>;
  using typename Base::Value;

  static bool Store(abi::InstanceHeader* caller, abi::Slot* slots, T&& value) {
    if (!value.has_value()) {
      const std::uint32_t number = ErrorNumber(caller, static_cast<T&&>(value));
      Base::StoreNumber(slots, number);
      return number != 0;
    }
    ToSlot(slots, std::uint32_t{0});
    if constexpr (!std::is_void_v<typename T::value_type>) {
      return Value::Store(caller, slots + 1, *static_cast<T&&>(value));
    } else {
      return true;
    }
  }
  static bool Fit(const abi::Slot* slots) noexcept {
    const std::uint32_t number = Base::Number(slots);
    if (number != 0) return Scalar<typename T::error_type>::Fits(number);
    if constexpr (Value::kCount == 0) {
      return true;
    } else {
      return Value::Fit(slots + 1);
    }
  }
  static T Load(const abi::Slot* slots) {
    const std::uint32_t number = Base::Number(slots);
    if (number != 0) return ErrorFromNumber<T>(number);
    if constexpr (std::is_void_v<typename T::value_type>) {
      return T();
    } else {
      return T(Value::Load(slots + 1));
    }
  }
};

/// The negative form: V is an integer, or void, which counts as a 0.
template <class T>
struct NegativeValues {
  using Whole = typename T::value_type;
  using Value = std::remove_const_t<std::conditional_t<std::is_void_v<Whole>, std::int32_t, Whole>>;
  static constexpr WireKind kWire = Scalar<Value>::kWire;
  using Signed = std::conditional_t<kWire == WireKind::I64, std::int64_t, std::int32_t>;
  static constexpr std::uint32_t kCount = 1;
  static constexpr std::uint32_t kSlots = 1;
  static constexpr WireList<1> kWires = {{kWire}};

  static bool Store(abi::InstanceHeader* caller, abi::Slot* slots, T&& value) {
    if (!value.has_value()) {
      const std::uint32_t number = ErrorNumber(caller, static_cast<T&&>(value));
      ToSlot(slots, static_cast<Native<kWire>>(-static_cast<Signed>(number)));
      return number != 0;
    }
    Native<kWire> native = 0;
    if constexpr (!std::is_void_v<Whole>) native = Scalar<Value>::To(*static_cast<T&&>(value));
    ToSlot(slots, native);
    if (static_cast<Signed>(native) >= 0) return true;
    FailResult(caller, "a value that would be taken for an error");
    return false;
  }
  static Native<kWire> At(const abi::Slot* slots) noexcept {
    return FromSlot<Native<kWire>>(slots);
  }
  static bool Fit(const abi::Slot* slots) noexcept {
    const auto value = static_cast<Signed>(At(slots));
    if (value >= 0) return Scalar<Value>::Fits(At(slots));
    return value >= -std::int64_t{0x7FFFFFFF} &&
           Scalar<typename T::error_type>::Fits(static_cast<std::uint32_t>(-value));
  }
  static T Load(const abi::Slot* slots) {
    const auto value = static_cast<Signed>(At(slots));
    // Of the lowest value, which Fit refuses, no negative exists.
    if (value < 0) return ErrorFromNumber<T>(0u - static_cast<std::uint32_t>(value));
    if constexpr (std::is_void_v<Whole>) {
      return T();
    } else {
      return T(Scalar<Value>::From(At(slots)));
    }
  }
};

template <class T>
struct Values<T, ResultKind::Expected>
    : std::conditional_t<kErrorForm<typename T::error_type> == ErrorForm::Negative,
                         NegativeValues<T>, LeadingValues<T>> {};

template <class T>
struct Values<T, ResultKind::Ending> : Values<std::remove_const_t<typename T::value_type>> {
  using Value = Values<std::remove_const_t<typename T::value_type>>;
  static bool Store(abi::InstanceHeader* caller, [[maybe_unused]] abi::Slot* slots, T&& value) {
    if (!value.has_value()) {
      EndGuest(caller, static_cast<T&&>(value).error());
      return false;
    }
    if constexpr (!std::is_void_v<typename T::value_type>) {
      return Value::Store(caller, slots, *static_cast<T&&>(value));
    } else {
      return true;
    }
  }
};

template <class T>
struct Values<T, ResultKind::Mapped> : Values<std::remove_const_t<typename WasmResult<T>::Values>> {
  using Mapping = WasmResult<T>;
  using Base = Values<std::remove_const_t<typename Mapping::Values>>;
  static bool Store(abi::InstanceHeader* caller, [[maybe_unused]] abi::Slot* slots, T&& value) {
    if constexpr (std::is_void_v<typename Mapping::Values>) {
      Mapping::ToWasm(static_cast<T&&>(value));
      return true;
    } else {
      std::remove_const_t<typename Mapping::Values> values =
          Mapping::ToWasm(static_cast<T&&>(value));
      return Base::Store(caller, slots, std::move(values));
    }
  }
  static T Load(const abi::Slot* slots) { return Mapping::FromWasm(Base::Load(slots)); }
};

template <class V, std::size_t... I>
consteval const ValueType* TypesOf(std::index_sequence<I...>) {
  return ValueTypes<V::kWires.kinds[I]...>();
}

}  // namespace detail

/// Gives back a result of type T, which is not const:
/// - `NativeResult`: what the thunk returns, void for none and for several;
/// - `kHasArea`: whether the thunk takes a `Slot*` behind its operands;
/// - `Return(caller, value, area...)`: the conversion. Only user types throw. Zero if something is
///   pending afterwards.
template <class T, ResultKind kKind = kResultFacts<T>.kind>
struct Result {
  using Values = detail::Values<T>;
  static constexpr std::uint32_t kCount = Values::kCount;
  static constexpr bool kHasArea = kCount > 1;

  static consteval const ValueType* Types() {
    return detail::TypesOf<Values>(std::make_index_sequence<kCount>{});
  }
  static auto Empty() {
    if constexpr (kCount == 1) {
      return ExtendedNative<Values::kWires.kinds[0]>();
    }
  }
  using NativeResult = decltype(Empty());

  static NativeResult Return(abi::InstanceHeader* caller, T&& value) {
    abi::Slot slots[2] = {0, 0};
    const bool is_stored = Values::Store(caller, slots, static_cast<T&&>(value));
    if constexpr (kCount == 1) {
      // Slots may have anything in the upper half.
      return is_stored ? FromSlot<Native<Values::kWires.kinds[0]>>(slots) : NativeResult();
    }
  }
  static void Return(abi::InstanceHeader* caller, T&& value, abi::Slot* area) {
    Values::Store(caller, area, static_cast<T&&>(value));
  }
};

template <class T>
struct Result<T, ResultKind::Void> {
  using NativeResult = void;
  static constexpr bool kHasArea = false;
  static constexpr std::uint32_t kCount = 0;
  static consteval const ValueType* Types() { return nullptr; }
};

// The common case needs no slots.
template <class T>
struct Result<T, ResultKind::Scalar> {
  using Mapping = Scalar<T>;
  using NativeResult = ExtendedNative<Mapping::kWire>;
  static constexpr bool kHasArea = false;
  static constexpr std::uint32_t kCount = 1;
  static consteval const ValueType* Types() { return ValueTypes<Mapping::kWire>(); }
  static NativeResult Return([[maybe_unused]] abi::InstanceHeader* caller, T&& value) {
    NativeResult native = Mapping::To(static_cast<T&&>(value));
    if constexpr (Mapping::kWire == WireKind::FuncRef) {
      if (!detail::CheckFunction(caller, native)) native = 0;
    }
    return native;
  }
};

}  // namespace tenon::inline TENON_ABI::bind
