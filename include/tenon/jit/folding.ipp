// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of folding.hpp.
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

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

constexpr bool HasFloats(std::string_view signature) {
  return signature.find_first_of("fd") != std::string_view::npos;
}

/// The instruction `kOpcode`, computed by `function`.
template <wasm::Opcode kOpcode, class F>
bool EvaluateWith(std::uint64_t first, std::uint64_t second, bool with_floats,
                  std::uint64_t& result, F function) {
  constexpr wasm::OpcodeInfo kInfo = wasm::Info(kOpcode);
  if (HasFloats(kInfo.signature) && !with_floats) return false;
  TrapCode trap = TrapCode::None;
  const auto call = [&](auto... operands) {
    if constexpr (requires { function(operands..., trap); }) {
      return function(operands..., trap);
    } else {
      return function(operands...);
    }
  };
  const auto keep = [&](auto value) {
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      if (value != value) return false;
    }
    result = interp::detail::SlotFrom(value, false);
    return trap == TrapCode::None;
  };
  using interp::detail::OperandFrom;
  if constexpr (kInfo.signature.find(':') == 1) {
    return keep(call(OperandFrom<kInfo.signature[0]>(first)));
  } else {
    return keep(
        call(OperandFrom<kInfo.signature[0]>(first), OperandFrom<kInfo.signature[1]>(second)));
  }
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
  using namespace interp;
  switch (opcode) {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  case IrOpcode::name:                                                           \
    return detail::EvaluateWith<wasm::Opcode::name>(                             \
        first, second, with_floats, result,                                      \
        [](auto&&... operands) -> decltype(name(operands...)) { return name(operands...); });
    TENON_SCALAR_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      return false;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
