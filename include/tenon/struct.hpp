// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs of which the fields are known: listed with tenon::Fields, or found by Boost.PFR, for
/// which <tenon/aggregate.hpp> is included instead of this header.
///
/// A struct crosses by a guest's pointer, in the layout that C for wasm32 gives it, in In<S>,
/// Out<S>, InOut<S>, View<S>, spans in the first three, and Indirect<S>; or as one value for each
/// of its fields, in Flat<S>.
///
/// Fields are integers of 8 to 64 bits, bool, enums with a fixed underlying type, float, double,
/// V128, GuestPtr, GuestSize, std::array, std::optional and structs of these. On 64-bit Linux
/// std::int64_t is `long`: long, size_t and their like count as the 64-bit integers that they are
/// here, so declare a guest's long as std::int32_t and its size_t as GuestSize.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>
// What it needs itself.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind.hpp>
#include <tenon/bind/field_refusal.hpp>
#include <tenon/bind/flat_layout.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/bind/spelling.hpp>
#include <tenon/bind/struct_layout.hpp>
#include <tenon/bind/thunk.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI {

/// The fields of a struct, in order, as a base class of Fields<S>. C arrays are fields as well.
template <auto... kMembers>
struct FieldList {
 private:
  template <class S, class T>
  static T TypeOf(T S::*);
  template <class Pointer>
  struct Member;
  template <class S, class T>
  struct Member<T S::*> {
    using Type = T;
  };
  template <auto kMember>
  struct Constant {
    static constexpr auto kValue = kMember;
    using Type = typename Member<std::remove_const_t<decltype(kMember)>>::Type;
  };

 public:
  static constexpr std::size_t kCount = sizeof...(kMembers);
  static constexpr bool kIsComplete = false;  ///< nobody knows what is not listed
  template <std::size_t kIndex>
  using Type = typename std::tuple_element_t<kIndex, std::tuple<Constant<kMembers>...>>::Type;

  template <std::size_t kIndex, class S>
  static constexpr auto& Get(S& value) noexcept {
    return value.*std::tuple_element_t<kIndex, std::tuple<Constant<kMembers>...>>::kValue;
  }
};

namespace bind::detail {

/// A struct, used like a pointer to it.
template <class S>
class StructValue {
 public:
  StructValue(const S& value) : value_{value} {}
  StructValue(S&& value) noexcept : value_{static_cast<S&&>(value)} {}

  S& operator*() noexcept { return value_; }
  const S& operator*() const noexcept { return value_; }
  S* operator->() noexcept { return &value_; }
  const S* operator->() const noexcept { return &value_; }
  operator S() const { return value_; }

 private:
  S value_;
};

}  // namespace bind::detail

/// A struct as several values, one for each field: as parameter so many operands, as result so many
/// results. Fields that are structs or std::array are taken apart too; a std::optional is a number
/// that says whether there is a value, and the value (0 if there is none). Numbers are converted,
/// and checked, as parameters of their types are.
template <class S>
class Flat : public bind::detail::StructValue<S> {
 public:
  using bind::detail::StructValue<S>::StructValue;
  /// From the values of all fields.
  template <class... Leaves>
    requires(sizeof...(Leaves) > 1 && sizeof...(Leaves) == bind::FlatLayout<S>::kCount)
  explicit Flat(Leaves... leaves)
      : bind::detail::StructValue<S>{
            bind::FlatLayout<S>::template FromLeaves<0>(std::tuple<Leaves...>{leaves...})} {}
};
template <class S>
Flat(S) -> Flat<S>;

/// A struct through a pointer, as C for wasm32 passes it by value: as parameter a pointer to it,
/// which is copied from as In does; as result a pointer to where it is written, which the guest
/// passes in front of all other operands.
template <class S>
class Indirect : public bind::detail::StructValue<S> {
 public:
  using bind::detail::StructValue<S>::StructValue;
};
template <class S>
Indirect(S) -> Indirect<S>;

/// One value of a Flat, for the tuple protocol.
template <std::size_t kIndex, class S>
auto get(const Flat<S>& flat) {
  return bind::FlatLayout<S>::template Get<kIndex>(*flat);
}

}  // namespace tenon::inline TENON_ABI

template <class S>
  requires(tenon::bind::FlatLayout<S>::kCount > 0)
struct std::tuple_size<tenon::Flat<S>>
    : std::integral_constant<std::size_t, tenon::bind::FlatLayout<S>::kCount> {};
template <std::size_t kIndex, class S>
struct std::tuple_element<kIndex, tenon::Flat<S>> {
  using type = typename tenon::bind::FlatLayout<S>::template Leaf<kIndex>;
};

namespace tenon::inline TENON_ABI::bind {

template <class S>
  requires requires { tenon::Fields<S>::kCount; }
struct FieldsOf<S> : tenon::Fields<S> {
  static constexpr FieldFault kFault =
      tenon::Fields<S>::kCount == 0 ? FieldFault::TooManyFields : FieldFault::None;
};

namespace detail {

/// What a struct cannot cross for, as a type: FieldRefused, or void.
template <class S>
consteval auto FaultOf();

template <class T>
struct ElementOf : TypeTag<T> {};
template <class T, std::size_t kCount>
struct ElementOf<std::array<T, kCount>> : ElementOf<T> {};
template <class T, std::size_t kCount>
struct ElementOf<T[kCount]> : ElementOf<T> {};
template <class T>
struct ElementOf<std::optional<T>> : ElementOf<T> {};

/// A std::array of none, also within others.
template <class T>
inline constexpr bool kIsEmptyArray = false;
template <class T, std::size_t kCount>
inline constexpr bool kIsEmptyArray<std::array<T, kCount>> = kCount == 0 || kIsEmptyArray<T>;
template <class T, std::size_t kCount>
inline constexpr bool kIsEmptyArray<T[kCount]> = kIsEmptyArray<T>;
template <class T>
inline constexpr bool kIsEmptyArray<std::optional<T>> = kIsEmptyArray<T>;

template <class T>
consteval FieldFault FaultOfField() {
  using Element = typename ElementOf<T>::Type;
  if constexpr (std::is_reference_v<T>) {
    return FieldFault::Reference;
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return FieldFault::Constant;
  } else if constexpr (HasGuestLayout<T>) {
    return FieldFault::None;
  } else if constexpr (kIsEmptyArray<T>) {
    return FieldFault::EmptyArray;
  } else if constexpr (std::is_pointer_v<Element> || std::is_member_pointer_v<Element> ||
                       std::is_null_pointer_v<Element>) {
    return FieldFault::HostPointer;
  } else if constexpr (std::is_same_v<Element, long double>) {
    return FieldFault::LongDouble;
  } else if constexpr (std::is_enum_v<Element>) {
    return FieldFault::UnfixedEnum;
  } else if constexpr (std::is_class_v<Element> &&
                       (ViewTraits<Element>::kIsView || Container<Element>)) {
    return FieldFault::Container;
  } else {
    return FieldFault::Unmapped;
  }
}

template <class S, std::size_t kIndex>
consteval auto FaultFrom() {
  if constexpr (kIndex == FieldsOf<S>::kCount) {
    if constexpr (std::is_default_constructible_v<S>) {
      return TypeTag<void>{};
    } else {
      return TypeTag<FieldRefused<FieldFault::NoDefault, 0, S, void>>{};
    }
  } else {
    using Field = typename FieldsOf<S>::template Type<kIndex>;
    constexpr FieldFault kFault = FaultOfField<Field>();
    if constexpr (alignof(S) < alignof(std::remove_reference_t<Field>)) {
      return TypeTag<FieldRefused<FieldFault::PackedStruct, 0, S, void>>{};
    } else if constexpr (kFault == FieldFault::None) {
      return FaultFrom<S, kIndex + 1>();
    } else if constexpr (kFault != FieldFault::EmptyArray &&
                         HasFields<typename ElementOf<Field>::Type>) {
      return FaultOf<typename ElementOf<Field>::Type>();
    } else {
      return TypeTag<FieldRefused<kFault, kIndex, S, Field>>{};
    }
  }
}

template <class S>
consteval auto FaultOf() {
  if constexpr (FieldsOf<S>::kFault != FieldFault::None) {
    return TypeTag<FieldRefused<FieldsOf<S>::kFault, 0, S, void>>{};
  } else {
    return FaultFrom<S, 0>();
  }
}

template <class S>
using Fault = typename decltype(FaultOf<S>())::Type;

/// The struct that a parameter or result type is about.
template <class T>
struct StructIn : TypeTag<T> {};
template <class T>
struct StructIn<const T> : StructIn<T> {};
template <class T>
struct StructIn<tenon::In<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::Out<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::InOut<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::View<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::Flat<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::Indirect<T>> : StructIn<T> {};
template <class T>
struct StructIn<tenon::GuestObject<T>> : StructIn<T> {};
template <class T>
struct StructIn<std::optional<T>> : StructIn<T> {};
template <class S>
consteval Refusal ResultRefusalOf() {
  return HasFields<S> ? Refusal::BadField : Refusal::ResultUnmapped;
}

template <class T, std::size_t kExtent>
struct StructIn<std::span<T, kExtent>> : StructIn<T> {};

}  // namespace detail

template <std::size_t kPosition, class Type>
struct Refused<Refusal::BadField, kPosition, Type>
    : detail::Fault<typename detail::StructIn<Type>::Type> {};
template <std::size_t kPosition, class StructType>
struct detail::LastStep<Refused<Refusal::BadField, kPosition, StructType>> {
  using Type = Fault<typename StructIn<StructType>::Type>;
};

template <class S>
  requires(HasFields<S> && std::is_void_v<detail::Fault<S>>)
struct GuestLayout<S> : detail::StructLayout<S, FieldsOf<S>> {};

template <class S>
  requires(HasFields<S> && HasGuestLayout<S>)
struct FlatLayout<S> : detail::FlatStruct<S, FieldsOf<S>> {};

namespace detail {

/// Names of fields whose names are not known. Names of parameters never begin with a digit.
inline constexpr const char* kFieldNumbers[kMostLeaves] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
    "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47",
    "48", "49", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63"};

/// Parameters of type Flat<S>.
template <class S>
struct FlatMarshaller {
  using Layout = FlatLayout<S>;

  static consteval ParameterFacts Facts() {
    ParameterFacts facts;
    if constexpr (!HasGuestLayout<S>) {
      facts.refusal = RefusalOfLayout<S>();
    } else if constexpr (Layout::kCount > kMostLeaves) {
      facts.refusal = Refusal::TooManyValues;
    } else {
      facts.kind = ParameterKind::Marshalled;
      facts.width = static_cast<std::uint8_t>(Layout::kCount);
      facts.has_wires = true;
      facts.wires = Layout::kWires.of;
      facts.needs_check = true;
      facts.runs_user_code = Layout::kRunsUserCode || !std::is_trivially_default_constructible_v<S>;
      facts.has_names = true;
      facts.names = kFieldNumbers;
      if constexpr (requires { FieldsOf<S>::kNames; }) {
        if constexpr (std::size(FieldsOf<S>::kNames) == Layout::kCount) {
          facts.names = std::data(FieldsOf<S>::kNames);
        }
      }
    }
    return facts;
  }
  static bool Check(abi::InstanceHeader* caller, const Operand* operands,
                    std::uint32_t parameter) noexcept {
    if (!Layout::Fits(operands)) [[unlikely]] {
      FailParameter(caller, TrapCode::ValueOutOfRange, parameter);
      return false;
    }
    return true;
  }
  static tenon::Flat<S> Make(abi::InstanceHeader*, const Operand* operands) {
    return tenon::Flat<S>{Layout::Load(operands)};
  }
};

/// Where an Indirect<S> goes.
template <class S, WireKind kOffset = kOffsetWire>
class ResultPlace {
 public:
  explicit ResultPlace(S& value) noexcept : value_{&value} {}
  S& operator*() const noexcept { return *value_; }

 private:
  S* value_;
};

}  // namespace detail

template <class S>
struct Marshaller<tenon::Flat<S>> : detail::FlatMarshaller<S> {};

template <class S, WireKind kOffset>
struct MemoryParameter<tenon::Indirect<S>, kOffset>
    : detail::CopyMarshaller<S, detail::Direction::In, tenon::Indirect<S>, kOffset> {};

template <class S>
struct Marshaller<tenon::Indirect<S>> : MemoryParameter<tenon::Indirect<S>, kOffsetWire> {};

template <class S, WireKind kOffset>
struct Marshaller<detail::ResultPlace<S, kOffset>>
    : detail::CopyMarshaller<S, detail::Direction::Out, detail::ResultPlace<S, kOffset>, kOffset> {
  static consteval ParameterFacts Facts() {
    ParameterFacts facts =
        detail::CopyMarshaller<S, detail::Direction::Out, detail::ResultPlace<S, kOffset>,
                               kOffset>::Facts();
    facts.is_result = true;
    return facts;
  }
};

/// Judged like the parameter; what is made of it is another signature, see ThunkOf below.
template <class S>
inline constexpr ResultFacts kResultFacts<tenon::Indirect<S>> = {
    ResultKind::Void, HasGuestLayout<S> ? Refusal::None : detail::ResultRefusalOf<S>()};
template <class S>
inline constexpr ResultFacts kResultFacts<tenon::Wide<tenon::Indirect<S>>> =
    kResultFacts<tenon::Indirect<S>>;
template <class S>
  requires(!HasGuestLayout<S>)
inline constexpr ResultFacts kResultFacts<tenon::Flat<S>> = {ResultKind::Tuple,
                                                             detail::ResultRefusalOf<S>()};

/// The place for a result is no parameter of the C++ signature.
template <class S, class... P>
inline constexpr const char* kSpellings<void, detail::ResultPlace<S>, P...>[] = {
    Spell<tenon::Indirect<S>>(), Spell<P>()...};
template <class S, class... P>
inline constexpr const char* kSpellings<void, detail::ResultPlace<S, WireKind::I64>, P...>[] = {
    Spell<tenon::Wide<tenon::Indirect<S>>>(), Spell<P>()...};

namespace detail {

/// Calls the callable of Target and writes its result to a place.
template <class Target, class S>
struct PlacedTarget {
  struct Callee {
    void* context;
    template <WireKind kOffset, class... A>
    void operator()(ResultPlace<S, kOffset> place, A&&... arguments) const {
      auto&& callee = Target::Get(context);
      *place = static_cast<S>(callee(static_cast<A&&>(arguments)...));
    }
  };
  static Callee Get(void* context) noexcept { return {context}; }
};

template <class Target, class S, class... P>
struct ThunkOf<Target, Signature<tenon::Indirect<S>, P...>>
    : ThunkOf<PlacedTarget<Target, S>, Signature<void, ResultPlace<S>, P...>> {};
template <class Target, class S, class... P>
struct ThunkOf<Target, Signature<tenon::Wide<tenon::Indirect<S>>, P...>>
    : ThunkOf<PlacedTarget<Target, S>, Signature<void, ResultPlace<S, WireKind::I64>, P...>> {};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
