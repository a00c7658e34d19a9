// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of folding.hpp.
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/numeric.hpp>
#include <tenon/interp/operate.hpp>
#include <tenon/jit/folding.hpp>
#include <tenon/jit/ir_opcode.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

consteval bool HasFloats(std::string_view signature) {
  return signature.find_first_of("fd") != std::string_view::npos;
}

inline void ReadOperand(std::uint64_t bits, std::uint32_t& operand) {
  operand = static_cast<std::uint32_t>(bits);
}
inline void ReadOperand(std::uint64_t bits, std::uint64_t& operand) { operand = bits; }
inline void ReadOperand(std::uint64_t bits, float& operand) {
  operand = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}
inline void ReadOperand(std::uint64_t bits, double& operand) {
  operand = std::bit_cast<double>(bits);
}

/// Keeps what was computed, except a NaN: it need not be the one that the instruction makes.
template <class R>
bool Keep(R value, std::uint64_t& result) {
  result = interp::detail::SlotFrom(value, false);
  return value == value;
}

// `function` is what computes the instruction. It is not a parameter of the templates, so that
// there is one of them for each list of operands and not for each instruction.
template <class R, class A>
bool EvaluateWith(R (*function)(A), std::uint64_t first, std::uint64_t, std::uint64_t& result) {
  A a;
  ReadOperand(first, a);
  return Keep(function(a), result);
}
template <class R, class A>
bool EvaluateWith(R (*function)(A, TrapCode&), std::uint64_t first, std::uint64_t,
                  std::uint64_t& result) {
  A a;
  ReadOperand(first, a);
  TrapCode trap = TrapCode::None;
  return Keep(function(a, trap), result) && trap == TrapCode::None;
}
template <class R, class A, class B>
bool EvaluateWith(R (*function)(A, B), std::uint64_t first, std::uint64_t second,
                  std::uint64_t& result) {
  A a;
  B b;
  ReadOperand(first, a);
  ReadOperand(second, b);
  return Keep(function(a, b), result);
}
template <class R, class A, class B>
bool EvaluateWith(R (*function)(A, B, TrapCode&), std::uint64_t first, std::uint64_t second,
                  std::uint64_t& result) {
  A a;
  B b;
  ReadOperand(first, a);
  ReadOperand(second, b);
  TrapCode trap = TrapCode::None;
  return Keep(function(a, b, trap), result) && trap == TrapCode::None;
}

}  // namespace detail

TENON_DECL bool HasDefaultFloatEnvironment() {
  if (std::fegetround() != FE_TONEAREST) return false;
  // Flushing of denormals shows in what comes out of the first and goes into the second.
  volatile double least = 2.2250738585072014e-308;
  volatile double half = least / 2;
  return half != 0 && half * 2 == least;
}

TENON_DECL bool Evaluate(IrOpcode opcode, std::uint64_t first, std::uint64_t second,
                         bool with_floats, std::uint64_t& result) {
  switch (opcode) {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  case IrOpcode::name:                                                           \
    return (with_floats || !detail::HasFloats(signature)) &&                     \
           detail::EvaluateWith(&interp::name, first, second, result);
    TENON_SCALAR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
