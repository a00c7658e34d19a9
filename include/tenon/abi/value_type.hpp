// SPDX-License-Identifier: Apache-2.0
/// @file
/// Value types of WebAssembly 3.0 in one word.
#pragma once

#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// What a reference refers to: one of the abstract heap types, or a type index of the module in
/// which it stands (core specification 3.0, section 2.3.3).
class HeapType {
 public:
  static const HeapType Func, Extern, Any, Eq, I31, Struct, Array, None, NoFunc, NoExtern, Exn,
      NoExn;

  /// The heap type that refers to type `index` (below 0xFFFF00) of the module.
  static constexpr HeapType Concrete(std::uint32_t index) { return HeapType{index}; }
  /// The abstract heap type with this one-byte code of the binary format (0x69 to 0x74).
  static constexpr HeapType Abstract(std::uint8_t code) { return HeapType{kAbstract | code}; }

  constexpr bool IsConcrete() const { return bits_ < kAbstract; }
  /// Type index; meaningful only if IsConcrete().
  constexpr std::uint32_t Index() const { return bits_; }
  /// One-byte code of the binary format; meaningful only if not IsConcrete().
  constexpr std::uint8_t Code() const { return static_cast<std::uint8_t>(bits_ & 0xFF); }
  constexpr std::uint32_t Bits() const { return bits_; }

  friend constexpr bool operator==(HeapType, HeapType) = default;

 private:
  friend class ValueType;
  static constexpr std::uint32_t kAbstract = 0xFFFF00;
  explicit constexpr HeapType(std::uint32_t bits) : bits_{bits} {}
  std::uint32_t bits_;
};

inline constexpr HeapType HeapType::NoExn = Abstract(0x74), HeapType::NoFunc = Abstract(0x73),
                          HeapType::NoExtern = Abstract(0x72), HeapType::None = Abstract(0x71),
                          HeapType::Func = Abstract(0x70), HeapType::Extern = Abstract(0x6F),
                          HeapType::Any = Abstract(0x6E), HeapType::Eq = Abstract(0x6D),
                          HeapType::I31 = Abstract(0x6C), HeapType::Struct = Abstract(0x6B),
                          HeapType::Array = Abstract(0x6A), HeapType::Exn = Abstract(0x69);

/// A WebAssembly value type (core specification 3.0, section 2.3.4): a number, a vector or a
/// reference. A plain value of one word; cheap to copy, usable in constant expressions.
class ValueType {
 public:
  static const ValueType I32, I64, F32, F64, V128, FuncRef, ExternRef;

  /// `(ref null heap)` if nullable, else `(ref heap)`. Nullable `func` and `extern` are
  /// FuncRef and ExternRef.
  static constexpr ValueType Reference(HeapType heap, bool nullable) {
    return ValueType{(heap.bits_ << 8) | (nullable ? kNullable : kNonNullable)};
  }

  /// i32. Exists so that arrays of value types can be made before they are filled.
  constexpr ValueType() : bits_{0x7F} {}

  constexpr bool IsNumber() const { return Code() >= 0x7C && Code() <= 0x7F; }
  constexpr bool IsVector() const { return Code() == 0x7B; }
  constexpr bool IsReference() const { return Code() == kNullable || Code() == kNonNullable; }
  /// Whether null is a value of this reference type.
  constexpr bool IsNullable() const { return Code() == kNullable; }
  /// Meaningful only if IsReference().
  constexpr HeapType Heap() const { return HeapType{bits_ >> 8}; }
  /// Whether the type has a default value (zero or null).
  constexpr bool IsDefaultable() const { return Code() != kNonNullable; }
  /// Slots a value takes: 2 for v128, else 1.
  constexpr std::uint32_t SlotCount() const { return IsVector() ? 2 : 1; }
  /// 0x7F i32, 0x7E i64, 0x7D f32, 0x7C f64, 0x7B v128, 0x63 nullable and 0x64 non-nullable
  /// reference, whichever form the module used.
  constexpr std::uint8_t Code() const { return static_cast<std::uint8_t>(bits_ & 0xFF); }
  /// The whole word; equal types of one module have equal words.
  constexpr std::uint32_t Bits() const { return bits_; }
  static constexpr ValueType FromBits(std::uint32_t bits) { return ValueType{bits}; }

  friend constexpr bool operator==(ValueType, ValueType) = default;

 private:
  static constexpr std::uint8_t kNullable = 0x63, kNonNullable = 0x64;
  explicit constexpr ValueType(std::uint32_t bits) : bits_{bits} {}
  std::uint32_t bits_;
};

inline constexpr ValueType ValueType::I32 = FromBits(0x7F), ValueType::I64 = FromBits(0x7E),
                           ValueType::F32 = FromBits(0x7D), ValueType::F64 = FromBits(0x7C),
                           ValueType::V128 = FromBits(0x7B),
                           ValueType::FuncRef = Reference(HeapType::Func, true),
                           ValueType::ExternRef = Reference(HeapType::Extern, true);

/// How the text format abbreviates a type: "i32", "funcref"; "" for references without
/// abbreviation.
constexpr std::string_view ShortTypeName(ValueType type) {
  if (type == ValueType::I32) return "i32";
  if (type == ValueType::I64) return "i64";
  if (type == ValueType::F32) return "f32";
  if (type == ValueType::F64) return "f64";
  if (type == ValueType::V128) return "v128";
  if (type == ValueType::FuncRef) return "funcref";
  if (type == ValueType::ExternRef) return "externref";
  return "";
}

/// Kinds of import and export, with the codes of the binary format.
enum class ExternKind : std::uint8_t { Func = 0, Table = 1, Memory = 2, Global = 3, Tag = 4 };

}  // namespace tenon::inline TENON_ABI
