// SPDX-License-Identifier: Apache-2.0
/// @file
/// C++ types that are one WebAssembly value, and their range rules.
///
/// | C++ type | wasm | as parameter | as result |
/// |---|---|---|---|
/// | integers of 32 and 64 bits, whatever their name | i32, i64 | every value | every value |
/// | signed ones of 8 and 16 bits, `char` | i32 | read as signed, must fit | sign-extended |
/// | unsigned ones, char8_t, char16_t | i32 | read as unsigned, must fit | zero-extended |
/// | char32_t, wchar_t | i32 | every value; no check for Unicode | every value |
/// | bool | i32 | 0 is false, anything else is true | 0 or 1 |
/// | enums with a fixed underlying type, std::byte | as that type | as that type | as that type |
/// | float, double | f32, f64 | the bits, NaN payloads included | the bits |
/// | V128 | v128 | the bytes | the bytes |
/// | ExternRef, FuncRef | externref, funcref | null included | null included |
/// | a type with WasmType<T> | its Wire's | Wire's rules, Accepts, FromWasm | ToWasm |
///
/// `char` is signed on every platform, as it is in C for wasm32. A parameter out of range ends the
/// call with TrapCode::ValueOutOfRange before the host function is entered.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/bind/operand.hpp>
#include <tenon/fwd.hpp>
#include <tenon/reference.hpp>

namespace tenon::inline TENON_ABI::bind {

enum class ScalarKind : std::uint8_t {
  None,
  Bool,
  Integer,
  Enum,
  F32,
  F64,
  V128,
  FuncRef,
  ExternRef,
  User,
};

namespace detail {

template <class T>
concept HasWasmType = requires { typename WasmType<T>::Wire; };

/// Whether every value of the underlying type is a value of the enum: only such an enum can be
/// initialised from a number in braces.
template <class T>
concept FixedEnum = std::is_enum_v<T> && requires { T{0}; };

template <class T>
consteval ScalarKind ScalarKindOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return ScalarKind::Bool;
  } else if constexpr (std::is_integral_v<T>) {
    return sizeof(T) <= 8 && !std::is_const_v<T> && !std::is_volatile_v<T> ? ScalarKind::Integer
                                                                           : ScalarKind::None;
  } else if constexpr (std::is_same_v<T, float>) {
    return ScalarKind::F32;
  } else if constexpr (std::is_same_v<T, double>) {
    return ScalarKind::F64;
  } else if constexpr (std::is_class_v<T> || std::is_enum_v<T> || std::is_union_v<T>) {
    if constexpr (HasWasmType<T>) {
      return ScalarKind::User;
    } else if constexpr (std::is_same_v<T, V128>) {
      return ScalarKind::V128;
    } else if constexpr (std::is_same_v<T, FuncRef>) {
      return ScalarKind::FuncRef;
    } else if constexpr (std::is_same_v<T, ExternRef>) {
      return ScalarKind::ExternRef;
    } else {
      return FixedEnum<T> ? ScalarKind::Enum : ScalarKind::None;
    }
  } else {
    return ScalarKind::None;
  }
}

}  // namespace detail

template <class T>
inline constexpr ScalarKind kScalarKind = detail::ScalarKindOf<T>();

/// Conversions of a type that is one value:
/// - `kWire`: its wire kind; `kNeedsCheck`: whether `Fits` can be false;
/// - `Fits(native)`: whether a value is in range; never throws;
/// - `From(native)`, `To(value)`: the conversions; only those of User types can throw.
template <class T, ScalarKind kKind = kScalarKind<T>>
struct Scalar;

template <class T>
struct Scalar<T, ScalarKind::Integer> {
  static constexpr WireKind kWire = sizeof(T) == 8 ? WireKind::I64 : WireKind::I32;
  static constexpr bool kNeedsCheck = sizeof(T) < 4;
  static constexpr bool kIsSigned = std::is_signed_v<T> || std::is_same_v<T, char>;

  static constexpr bool Fits(Native<kWire> native) noexcept {
    if constexpr (!kNeedsCheck) {
      return true;
    } else if constexpr (kIsSigned) {
      constexpr std::int32_t kLimit = 1 << (sizeof(T) * 8 - 1);
      const auto value = static_cast<std::int32_t>(native);
      return value >= -kLimit && value < kLimit;
    } else {
      return (native >> (sizeof(T) * 8)) == 0;
    }
  }
  static constexpr T From(Native<kWire> native) noexcept { return static_cast<T>(native); }
  static constexpr Native<kWire> To(T value) noexcept {
    if constexpr (kNeedsCheck && kIsSigned) {
      // Through the signed type of the width: char may be unsigned here.
      if constexpr (sizeof(T) == 1) {
        return static_cast<std::uint32_t>(std::int32_t{static_cast<std::int8_t>(value)});
      } else {
        return static_cast<std::uint32_t>(std::int32_t{static_cast<std::int16_t>(value)});
      }
    } else {
      return static_cast<Native<kWire>>(value);
    }
  }
};

template <>
struct Scalar<bool, ScalarKind::Bool> {
  static constexpr WireKind kWire = WireKind::I32;
  static constexpr bool kNeedsCheck = false;
  static constexpr bool Fits(std::uint32_t) noexcept { return true; }
  static constexpr bool From(std::uint32_t native) noexcept { return native != 0; }
  static constexpr std::uint32_t To(bool value) noexcept { return value ? 1 : 0; }
};

template <class T>
struct Scalar<T, ScalarKind::Enum> {
  using Underlying = Scalar<std::underlying_type_t<T>>;
  static constexpr WireKind kWire = Underlying::kWire;
  static constexpr bool kNeedsCheck = Underlying::kNeedsCheck;
  static constexpr bool Fits(Native<kWire> native) noexcept { return Underlying::Fits(native); }
  static constexpr T From(Native<kWire> native) noexcept {
    return static_cast<T>(Underlying::From(native));
  }
  static constexpr Native<kWire> To(T value) noexcept {
    return Underlying::To(static_cast<std::underlying_type_t<T>>(value));
  }
};

template <>
struct Scalar<float, ScalarKind::F32> {
  static constexpr WireKind kWire = WireKind::F32;
  static constexpr bool kNeedsCheck = false;
  static constexpr bool Fits(float) noexcept { return true; }
  static constexpr float From(float native) noexcept { return native; }
  static constexpr float To(float value) noexcept { return value; }
};

template <>
struct Scalar<double, ScalarKind::F64> {
  static constexpr WireKind kWire = WireKind::F64;
  static constexpr bool kNeedsCheck = false;
  static constexpr bool Fits(double) noexcept { return true; }
  static constexpr double From(double native) noexcept { return native; }
  static constexpr double To(double value) noexcept { return value; }
};

template <>
struct Scalar<V128, ScalarKind::V128> {
  static constexpr WireKind kWire = WireKind::V128;
  static constexpr bool kNeedsCheck = false;
  static bool Fits(const abi::NativeV128&) noexcept { return true; }
  static V128 From(const abi::NativeV128& native) noexcept { return std::bit_cast<V128>(native); }
  static abi::NativeV128 To(const V128& value) noexcept {
    return std::bit_cast<abi::NativeV128>(value);
  }
};

template <>
struct Scalar<FuncRef, ScalarKind::FuncRef> {
  static constexpr WireKind kWire = WireKind::FuncRef;
  static constexpr bool kNeedsCheck = false;
  static bool Fits(std::uint64_t) noexcept { return true; }
  static FuncRef From(std::uint64_t native) noexcept {
    return FuncRef{
        reinterpret_cast<const abi::FunctionRecord*>(static_cast<std::uintptr_t>(native))};
  }
  static std::uint64_t To(FuncRef value) noexcept {
    return reinterpret_cast<std::uintptr_t>(value.Record());
  }
};

template <>
struct Scalar<ExternRef, ScalarKind::ExternRef> {
  static constexpr WireKind kWire = WireKind::ExternRef;
  static constexpr bool kNeedsCheck = false;
  static bool Fits(std::uint64_t) noexcept { return true; }
  static ExternRef From(std::uint64_t native) noexcept {
    return ExternRef{static_cast<std::uintptr_t>(native)};
  }
  static std::uint64_t To(ExternRef value) noexcept { return value.Value(); }
};

template <class T>
struct Scalar<T, ScalarKind::User> {
  using Mapping = WasmType<T>;
  using Underlying = Scalar<typename Mapping::Wire>;
  static constexpr WireKind kWire = Underlying::kWire;
  static constexpr bool kHasAccepts =
      requires(typename Mapping::Wire wire) { Mapping::Accepts(wire); };
  static constexpr bool kNeedsCheck = Underlying::kNeedsCheck || kHasAccepts;

  static bool Fits(Native<kWire> native) noexcept {
    if constexpr (kHasAccepts) {
      return Underlying::Fits(native) && Mapping::Accepts(Underlying::From(native));
    } else {
      return Underlying::Fits(native);
    }
  }
  static T From(Native<kWire> native) { return Mapping::FromWasm(Underlying::From(native)); }
  template <class U>
  static Native<kWire> To(U&& value) {
    return Underlying::To(Mapping::ToWasm(static_cast<U&&>(value)));
  }
};

}  // namespace tenon::inline TENON_ABI::bind
