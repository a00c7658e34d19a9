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

/// Takes the last operand of a vector instruction from the stack in memory.
template <char kType>
[[gnu::always_inline]] inline auto PopOperand(abi::Slot*& sp) {
  if constexpr (kType == 'v') {
    sp -= 2;
    return LoadVector(sp);
  } else {
    return OperandFrom<kType>(*--sp);
  }
}

/// A vector instruction without immediate, or with a lane number at `pc`. The whole stack lies
/// below `sp`; returns the new `sp`.
template <wasm::Opcode kOpcode, class F>
inline abi::Slot* ApplyVector(abi::Slot* sp, const std::uint8_t* pc, bool canonical_nan,
                              F function) {
  constexpr wasm::OpcodeInfo kInfo = wasm::Info(kOpcode);
  constexpr std::string_view kSignature = kInfo.signature;
  constexpr std::size_t kOperands = kSignature.find(':');
  const auto push = [&](auto result) {
    if constexpr (std::is_same_v<decltype(result), V128>) {
      if constexpr (ComputesFloats(kInfo.text)) {
        if (canonical_nan) result = CanonicalLanes(result, kInfo.text.starts_with("f32x4."));
      }
      StoreVector(sp, result);
      return sp + 2;
    } else {
      *sp = SlotFrom(result, canonical_nan);
      return sp + 1;
    }
  };
  static_cast<void>(pc);
  if constexpr (IsVector(kInfo)) {
    if constexpr (kOperands == 1) {
      const auto a = PopOperand<kSignature[0]>(sp);
      return push(function(a));
    } else if constexpr (kOperands == 2) {
      const auto b = PopOperand<kSignature[1]>(sp);
      const auto a = PopOperand<kSignature[0]>(sp);
      return push(function(a, b));
    } else {
      static_assert(kOperands == 3);
      const auto c = PopOperand<kSignature[2]>(sp);
      const auto b = PopOperand<kSignature[1]>(sp);
      const auto a = PopOperand<kSignature[0]>(sp);
      return push(function(a, b, c));
    }
  } else if constexpr (IsLane(kInfo)) {
    const std::uint32_t lane = *pc;
    if constexpr (kOperands == 1) {
      const V128 vector = PopOperand<'v'>(sp);
      return push(function(vector, lane));
    } else {
      const auto scalar = PopOperand<kSignature[1]>(sp);
      const V128 vector = PopOperand<'v'>(sp);
      return push(function(vector, scalar, lane));
    }
  } else {
    return sp;
  }
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
