// SPDX-License-Identifier: Apache-2.0
/// @file
/// A WebAssembly value with its type, for untyped calls and globals.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/reference.hpp>

namespace tenon::inline TENON_ABI {

/// A value and its type. A plain value; reading it as another type than it has is a programming
/// error that debug builds assert and release builds answer with reinterpreted bits.
class Value {
 public:
  /// i32 0.
  constexpr Value() = default;
  /// i32 for integers of up to 32 bits, bool and characters; i64 for wider ones.
  template <std::integral T>
  constexpr Value(T value)
      : type_{sizeof(T) <= 4 ? ValueType::I32 : ValueType::I64},
        slots_{sizeof(T) <= 4 ? static_cast<std::uint64_t>(static_cast<std::uint32_t>(value))
                              : static_cast<std::uint64_t>(value),
               0} {}
  constexpr Value(float value)
      : type_{ValueType::F32}, slots_{std::bit_cast<std::uint32_t>(value), 0} {}
  constexpr Value(double value)
      : type_{ValueType::F64}, slots_{std::bit_cast<std::uint64_t>(value), 0} {}
  Value(const V128& value) : type_{ValueType::V128} { std::memcpy(slots_, &value, 16); }
  Value(tenon::ExternRef value) : type_{ValueType::ExternRef}, slots_{value.Value(), 0} {}
  Value(tenon::FuncRef value)
      : type_{ValueType::FuncRef}, slots_{reinterpret_cast<std::uintptr_t>(value.Record()), 0} {}

  /// A value from its slots, as engines carry it. `slots` holds type.SlotCount() slots.
  static Value FromSlots(ValueType type, const abi::Slot* slots) {
    Value value;
    value.type_ = type;
    value.slots_[0] =
        type == ValueType::I32 || type == ValueType::F32 ? slots[0] & 0xFFFFFFFF : slots[0];
    if (type.IsVector()) value.slots_[1] = slots[1];
    return value;
  }
  /// The opposite of FromSlots.
  void ToSlots(abi::Slot* slots) const {
    slots[0] = slots_[0];
    if (type_.IsVector()) slots[1] = slots_[1];
  }

  ValueType Type() const { return type_; }
  std::int32_t I32() const { return static_cast<std::int32_t>(slots_[0]); }
  std::uint32_t U32() const { return static_cast<std::uint32_t>(slots_[0]); }
  std::int64_t I64() const { return static_cast<std::int64_t>(slots_[0]); }
  std::uint64_t U64() const { return slots_[0]; }
  float F32() const { return std::bit_cast<float>(U32()); }
  double F64() const { return std::bit_cast<double>(slots_[0]); }
  tenon::V128 Vector() const {
    tenon::V128 value;
    std::memcpy(&value, slots_, 16);
    return value;
  }
  tenon::ExternRef Extern() const {
    return tenon::ExternRef{static_cast<std::uintptr_t>(slots_[0])};
  }
  tenon::FuncRef Func() const {
    return tenon::FuncRef{reinterpret_cast<const abi::FunctionRecord*>(slots_[0])};
  }

  /// Same type and same bits.
  friend bool operator==(const Value& a, const Value& b) {
    return a.type_ == b.type_ && a.slots_[0] == b.slots_[0] && a.slots_[1] == b.slots_[1];
  }

 private:
  ValueType type_;
  abi::Slot slots_[2] = {0, 0};
};

}  // namespace tenon::inline TENON_ABI
