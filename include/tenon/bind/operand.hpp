// SPDX-License-Identifier: Apache-2.0
/// @file
/// The forms in which one WebAssembly value crosses a call: native and slot.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::bind {

/// The value types that C++ types map to, and the area that receives several results.
enum class WireKind : std::uint8_t { I32, I64, F32, F64, V128, FuncRef, ExternRef, ResultArea };

/// How a wire kind is passed in the native convention of abi/records.hpp.
template <WireKind>
struct NativeForm;
template <>
struct NativeForm<WireKind::I32> {
  using Type = std::uint32_t;
};
template <>
struct NativeForm<WireKind::I64> {
  using Type = std::uint64_t;
};
template <>
struct NativeForm<WireKind::F32> {
  using Type = float;
};
template <>
struct NativeForm<WireKind::F64> {
  using Type = double;
};
template <>
struct NativeForm<WireKind::V128> {
  using Type = abi::NativeV128;
};
template <>
struct NativeForm<WireKind::FuncRef> {
  using Type = std::uint64_t;
};
template <>
struct NativeForm<WireKind::ExternRef> {
  using Type = std::uint64_t;
};
template <>
struct NativeForm<WireKind::ResultArea> {
  using Type = abi::Slot*;
};
template <WireKind kKind>
using Native = typename NativeForm<kKind>::Type;
/// The same where compiled code is at the other end, which has no junk in upper halves.
template <WireKind kKind>
using ExtendedNative = std::conditional_t<kKind == WireKind::I32, std::uint64_t, Native<kKind>>;

constexpr ValueType ToValueType(WireKind kind) {
  switch (kind) {
    case WireKind::I64:
      return ValueType::I64;
    case WireKind::F32:
      return ValueType::F32;
    case WireKind::F64:
      return ValueType::F64;
    case WireKind::V128:
      return ValueType::V128;
    case WireKind::FuncRef:
      return ValueType::FuncRef;
    case WireKind::ExternRef:
      return ValueType::ExternRef;
    case WireKind::I32:
    case WireKind::ResultArea:
      break;
  }
  return ValueType::I32;
}

constexpr std::uint32_t SlotsOf(WireKind kind) { return kind == WireKind::V128 ? 2 : 1; }

/// One operand of a thunk, whatever its type, so that operands can be picked by position.
union Operand {
  Operand() noexcept : i32{0} {}
  Operand(std::uint32_t value) noexcept : i32{value} {}
  Operand(std::uint64_t value) noexcept : i64{value} {}
  Operand(float value) noexcept : f32{value} {}
  Operand(double value) noexcept : f64{value} {}
  Operand(abi::NativeV128 value) noexcept : v128{value} {}
  Operand(abi::Slot* value) noexcept : results{value} {}

  std::uint32_t i32;
  std::uint64_t i64;
  float f32;
  double f64;
  abi::NativeV128 v128;
  abi::Slot* results;
};

template <WireKind kKind>
inline Native<kKind> Get(const Operand& operand) noexcept {
  if constexpr (kKind == WireKind::I32) {
    return operand.i32;
  } else if constexpr (kKind == WireKind::F32) {
    return operand.f32;
  } else if constexpr (kKind == WireKind::F64) {
    return operand.f64;
  } else if constexpr (kKind == WireKind::V128) {
    return operand.v128;
  } else if constexpr (kKind == WireKind::ResultArea) {
    return operand.results;
  } else {
    return operand.i64;
  }
}

/// Native form of the value in `slot`; the upper half of a 32-bit value's slot is ignored.
inline void ReadSlot(const abi::Slot* slot, std::uint32_t& value) noexcept {
  value = static_cast<std::uint32_t>(*slot);
}
inline void ReadSlot(const abi::Slot* slot, std::uint64_t& value) noexcept { value = *slot; }
inline void ReadSlot(const abi::Slot* slot, float& value) noexcept {
  value = std::bit_cast<float>(static_cast<std::uint32_t>(*slot));
}
inline void ReadSlot(const abi::Slot* slot, double& value) noexcept {
  value = std::bit_cast<double>(*slot);
}
inline void ReadSlot(const abi::Slot* slot, abi::NativeV128& value) noexcept {
  std::memcpy(&value, slot, sizeof(value));
}
template <class T>
inline T FromSlot(const abi::Slot* slot) noexcept {
  T value;
  ReadSlot(slot, value);
  return value;
}

inline void ToSlot(abi::Slot* slot, std::uint32_t value) noexcept { *slot = value; }
inline void ToSlot(abi::Slot* slot, std::uint64_t value) noexcept { *slot = value; }
inline void ToSlot(abi::Slot* slot, float value) noexcept {
  *slot = std::bit_cast<std::uint32_t>(value);
}
inline void ToSlot(abi::Slot* slot, double value) noexcept {
  *slot = std::bit_cast<std::uint64_t>(value);
}
inline void ToSlot(abi::Slot* slot, abi::NativeV128 value) noexcept {
  std::memcpy(slot, &value, sizeof(value));
}

namespace detail {
template <WireKind... kKinds>
inline constexpr ValueType kValueTypes[] = {ToValueType(kKinds)...};
}

/// Static array of the value types, null if there are none.
template <WireKind... kKinds>
consteval const ValueType* ValueTypes() {
  if constexpr (sizeof...(kKinds) == 0) {
    return nullptr;
  } else {
    return detail::kValueTypes<kKinds...>;
  }
}

}  // namespace tenon::inline TENON_ABI::bind
