// SPDX-License-Identifier: Apache-2.0
/// @file
/// How values of C++ types lie in guest memory: as C for wasm32 lays them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/bind/diagnostics.hpp>

namespace tenon::inline TENON_ABI::bind {

namespace detail {

/// Types for which every bit pattern is a value and whose layout is the guest's.
template <class T>
consteval bool IsViewElement() {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_volatile_v<T>) {
    return false;
  } else if constexpr (std::is_enum_v<Plain>) {
    return !std::is_same_v<std::underlying_type_t<Plain>, bool> && requires { Plain{0}; };
  } else if constexpr (std::is_integral_v<Plain>) {
    return !std::is_same_v<Plain, bool> && sizeof(Plain) <= 8;
  } else {
    return std::is_same_v<Plain, float> || std::is_same_v<Plain, double> ||
           std::is_same_v<Plain, V128>;
  }
}

template <class T>
consteval bool IsBool() {
  if constexpr (std::is_enum_v<T> && requires { T{0}; }) {
    return std::is_same_v<std::underlying_type_t<T>, bool>;
  } else {
    return std::is_same_v<T, bool>;
  }
}

}  // namespace detail

/// The layout of T in guest memory, as C for wasm32 has it. Types without one have no members here.
/// Specialised for numbers, enums and bool below, for GuestPtr and GuestSize beside them, for
/// structs with a list of fields by fields.hpp, and for all plain structs by aggregate.hpp.
///
/// - `kSize`, `kAlignment`: in bytes, of the guest;
/// - `kReadsWhole`: the host's layout is the guest's, and every bit pattern is a value: bytes may
/// be
///   copied to the host as a whole;
/// - `kWritesWhole`: the same, and there is no padding, through which the host's memory would leak;
/// - `Load(from)`: the value at an address of any alignment; throws only what the
///   default constructor of a struct in it throws;
/// - `Store(to, value)`: writes the value, and nothing to padding; never throws.
template <class T>
struct GuestLayout {};

/// The fields of a struct, see struct_layout.hpp; no members for what has none. Whether all of them
/// can cross is another question.
template <class S>
struct FieldsOf {};

template <class S>
concept HasFields = requires { FieldsOf<S>::kCount; };

/// Whether values of T can lie in guest memory.
template <class T>
concept HasGuestLayout = requires { GuestLayout<T>::kSize; };

namespace detail {

/// Why a type without layout is refused.
template <class T>
consteval Refusal RefusalOfLayout() {
  return HasFields<T> ? Refusal::BadField : Refusal::NoLayout;
}

/// Of types whose bytes are the same on both sides.
template <class T>
struct SameLayout {
  static constexpr std::uint32_t kSize = sizeof(T);
  static constexpr std::uint32_t kAlignment = sizeof(T) < 16 ? sizeof(T) : 16;
  static constexpr bool kReadsWhole = true;
  static constexpr bool kWritesWhole = true;

  static T Load(const std::uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
  }
  static void Store(std::uint8_t* to, const T& value) noexcept {
    std::memcpy(to, &value, sizeof(T));
  }
};

}  // namespace detail

template <class T>
  requires(detail::IsViewElement<T>() && !std::is_const_v<T>)
struct GuestLayout<T> : detail::SameLayout<T> {};

/// bool, and enums of it: one byte; whatever is not 0 is true, as for parameters.
template <class T>
  requires(detail::IsBool<T>())
struct GuestLayout<T> {
  static constexpr std::uint32_t kSize = 1;
  static constexpr std::uint32_t kAlignment = 1;
  static constexpr bool kReadsWhole = false;
  static constexpr bool kWritesWhole = true;

  static T Load(const std::uint8_t* from) noexcept { return static_cast<T>(*from != 0); }
  static void Store(std::uint8_t* to, T value) noexcept { *to = static_cast<bool>(value) ? 1 : 0; }
};

}  // namespace tenon::inline TENON_ABI::bind
