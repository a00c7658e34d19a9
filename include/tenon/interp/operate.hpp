// SPDX-License-Identifier: Apache-2.0
/// @file
/// Applies the numeric and vector functions to the operand stack, as the opcode table's signatures
/// say.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/numeric.hpp>
#include <tenon/interp/simd.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

// Float operands arrive as their bits; a function takes them as bits or as a float, whichever its
// parameter says.
struct F32Operand {
  std::uint32_t bits;
  operator std::uint32_t() const { return bits; }
  operator float() const { return std::bit_cast<float>(bits); }
};
struct F64Operand {
  std::uint64_t bits;
  operator std::uint64_t() const { return bits; }
  operator double() const { return std::bit_cast<double>(bits); }
};

template <char kType>
inline auto OperandFrom(abi::Slot slot) {
  if constexpr (kType == 'i') {
    return static_cast<std::uint32_t>(slot);
  } else if constexpr (kType == 'l') {
    return static_cast<std::uint64_t>(slot);
  } else if constexpr (kType == 'f') {
    return F32Operand{static_cast<std::uint32_t>(slot)};
  } else {
    static_assert(kType == 'd');
    return F64Operand{slot};
  }
}

/// A result in a slot. What comes back as a float was computed; its NaN may have to be canonical.
template <class R>
inline abi::Slot SlotFrom(R result, bool canonical_nan) {
  if constexpr (std::is_same_v<R, float>) {
    const auto bits = std::bit_cast<std::uint32_t>(result);
    return canonical_nan && result != result ? 0x7FC00000u : bits;
  } else if constexpr (std::is_same_v<R, double>) {
    const auto bits = std::bit_cast<std::uint64_t>(result);
    return canonical_nan && result != result ? 0x7FF8000000000000u : bits;
  } else {
    static_assert(std::is_same_v<R, std::uint32_t> || std::is_same_v<R, std::uint64_t>);
    return result;
  }
}

inline V128 LoadVector(const abi::Slot* slots) {
  V128 value;
  std::memcpy(&value, slots, sizeof(value));
  return value;
}
inline void StoreVector(abi::Slot* slots, const V128& value) {
  std::memcpy(slots, &value, sizeof(value));
}

/// Whether a vector instruction computes floats, so that its NaNs may have to be canonical.
constexpr bool ComputesFloats(std::string_view text) {
  if (!text.starts_with("f32x4.") && !text.starts_with("f64x2.")) return false;
  const std::string_view name = text.substr(6);
  for (const std::string_view computed :
       {"ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max",
        "demote_f64x2_zero", "promote_low_f32x4"}) {
    if (name == computed) return true;
  }
  return false;
}

inline V128 CanonicalLanes(V128 value, bool is_f32) {
  if (is_f32) {
    auto lanes = std::bit_cast<std::array<std::uint32_t, 4>>(value);
    for (std::uint32_t& lane : lanes) {
      if ((lane & 0x7FFFFFFF) > 0x7F800000) lane = 0x7FC00000;
    }
    return std::bit_cast<V128>(lanes);
  }
  auto lanes = std::bit_cast<std::array<std::uint64_t, 2>>(value);
  for (std::uint64_t& lane : lanes) {
    if ((lane & 0x7FFFFFFFFFFFFFFF) > 0x7FF0000000000000) lane = 0x7FF8000000000000;
  }
  return std::bit_cast<V128>(lanes);
}

/// Whether the row is a function of its operands alone.
constexpr bool IsPure(const wasm::OpcodeInfo& info) {
  return info.immediate == wasm::Immediate::None && info.signature != "*";
}
constexpr bool IsScalar(const wasm::OpcodeInfo& info) {
  return IsPure(info) && info.signature.find('v') == std::string_view::npos;
}
constexpr bool IsVector(const wasm::OpcodeInfo& info) { return IsPure(info) && !IsScalar(info); }
constexpr bool IsLane(const wasm::OpcodeInfo& info) {
  return info.immediate == wasm::Immediate::Lane;
}

/// An instruction of TENON_SCALAR_OPCODES. `top` is the top of the stack, the rest lies below `sp`.
template <wasm::Opcode kOpcode, class F>
[[gnu::always_inline]] inline void ApplyScalar(abi::Slot*& sp, abi::Slot& top, bool canonical_nan,
                                               TrapCode& trap, F function) {
  constexpr std::string_view kSignature = wasm::Info(kOpcode).signature;
  const auto call = [&](auto... operands) {
    if constexpr (requires { function(operands..., trap); }) {
      return function(operands..., trap);
    } else {
      return function(operands...);
    }
  };
  if constexpr (kSignature[1] == ':') {
    top = SlotFrom(call(OperandFrom<kSignature[0]>(top)), canonical_nan);
  } else {
    static_assert(kSignature[2] == ':');
    const abi::Slot second = top;
    const abi::Slot first = *--sp;
    top = SlotFrom(call(OperandFrom<kSignature[0]>(first), OperandFrom<kSignature[1]>(second)),
                   canonical_nan);
  }
}

// Take the last operand of a vector instruction from the stack in memory, and put its result there.
inline void Pop(abi::Slot*& sp, V128& operand) { operand = LoadVector(sp -= 2); }
inline void Pop(abi::Slot*& sp, std::uint64_t& operand) { operand = *--sp; }
inline void Pop(abi::Slot*& sp, std::uint32_t& operand) {
  operand = static_cast<std::uint32_t>(*--sp);
}
inline abi::Slot* Push(abi::Slot* sp, const V128& result) {
  StoreVector(sp, result);
  return sp + 2;
}
inline abi::Slot* Push(abi::Slot* sp, abi::Slot result) {
  *sp = result;
  return sp + 1;
}

/// A vector instruction as a function on the stack, all of which lies below `sp`. A lane number is
/// at `pc`. Returns the new `sp`.
using VectorRow = abi::Slot* (*)(abi::Slot* sp, const std::uint8_t* pc, bool canonical_nan);

/// Width of the float lanes whose NaNs may have to be canonical, 0 if there are none.
constexpr int ComputedFloatBits(std::string_view text) {
  return !ComputesFloats(text) ? 0 : text.starts_with("f32x4.") ? 32 : 64;
}

template <auto kFunction, int kFloatBits, class A>
abi::Slot* ApplyVector(abi::Slot* sp, const std::uint8_t*, bool canonical_nan) {
  A a;
  Pop(sp, a);
  auto result = kFunction(a);
  if constexpr (kFloatBits != 0) {
    if (canonical_nan) result = CanonicalLanes(result, kFloatBits == 32);
  }
  return Push(sp, result);
}
template <auto kFunction, int kFloatBits, class A, class B>
abi::Slot* ApplyVector(abi::Slot* sp, const std::uint8_t*, bool canonical_nan) {
  A a;
  B b;
  Pop(sp, b);
  Pop(sp, a);
  auto result = kFunction(a, b);
  if constexpr (kFloatBits != 0) {
    if (canonical_nan) result = CanonicalLanes(result, kFloatBits == 32);
  }
  return Push(sp, result);
}
template <auto kFunction, int kFloatBits, class A, class B, class C>
abi::Slot* ApplyVector(abi::Slot* sp, const std::uint8_t*, bool) {
  static_assert(kFloatBits == 0);
  A a;
  B b;
  C c;
  Pop(sp, c);
  Pop(sp, b);
  Pop(sp, a);
  return Push(sp, kFunction(a, b, c));
}
template <auto kFunction>
abi::Slot* ApplyLane(abi::Slot* sp, const std::uint8_t* pc, bool) {
  V128 vector;
  Pop(sp, vector);
  return Push(sp, kFunction(vector, *pc));
}
template <auto kFunction, class Value>
abi::Slot* ApplyLane(abi::Slot* sp, const std::uint8_t* pc, bool) {
  V128 vector;
  Value value;
  Pop(sp, value);
  Pop(sp, vector);
  return Push(sp, kFunction(vector, value, *pc));
}

// Rows of instructions without an immediate. The parameter is `kFunction`, for its operands.
template <auto kFunction, int kFloatBits, class R, class... Operands>
consteval VectorRow VectorRowOf(R (*)(Operands...)) {
  return ApplyVector<kFunction, kFloatBits, Operands...>;
}
// Rows of instructions with a lane number.
template <auto kFunction, class R>
consteval VectorRow LaneRowOf(R (*)(V128, std::uint32_t)) {
  return ApplyLane<kFunction>;
}
template <auto kFunction, class R, class Value>
consteval VectorRow LaneRowOf(R (*)(V128, Value, std::uint32_t)) {
  return ApplyLane<kFunction, Value>;
}

/// Whether the function of a scalar instruction reports traps.
template <wasm::Opcode kOpcode, class F>
consteval bool MayTrap(F) {
  constexpr std::string_view kSignature = wasm::Info(kOpcode).signature;
  using First = decltype(OperandFrom<kSignature[0]>(0));
  if constexpr (kSignature[1] == ':') {
    return requires(F function, First first, TrapCode& trap) { function(first, trap); };
  } else {
    using Second = decltype(OperandFrom<kSignature[1]>(0));
    return requires(F function, First first, Second second, TrapCode& trap) {
      function(first, second, trap);
    };
  }
}

}  // namespace tenon::inline TENON_ABI::interp::detail
