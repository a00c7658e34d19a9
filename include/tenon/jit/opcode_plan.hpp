// SPDX-License-Identifier: Apache-2.0
/// @file
/// The opcode table in the form in which the front end reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/interp/operate.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_opcode.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

/// `address`: of the memory's addresses.
constexpr Type TypeOfLetter(char letter, Type address = Type::I32) {
  switch (letter) {
    case 'a':
      return address;
    case 'l':
      return Type::I64;
    case 'f':
      return Type::F32;
    case 'd':
      return Type::F64;
    case 'v':
      return Type::V128;
    default:
      return Type::I32;
  }
}

/// How the front end treats an instruction.
enum class PlanKind : std::uint8_t {
  Special,  ///< by itself
  Unary,    ///< scalar, without immediate
  Binary,   ///< scalar, without immediate
  Vector,   ///< a function of its operands and, for lanes, its immediate
  Shuffle,
  Load,
  Store,
};

struct OpcodePlan {
  PlanKind kind = PlanKind::Special;
  wasm::Immediate immediate = wasm::Immediate::None;
  Type result = Type::None;
  std::uint8_t operands = 0;
  std::uint8_t bytes = 0;  ///< loads and stores: of the access
  /// What makes the result's NaNs canonical; Forward: it has none that are not.
  IrOpcode canonical = IrOpcode::Forward;
};

/// Whether a scalar instruction computes floats, so that its NaNs may have to be canonical.
constexpr bool ComputesScalarFloats(std::string_view text) {
  if (!text.starts_with("f32.") && !text.starts_with("f64.")) return false;
  const std::string_view name = text.substr(4);
  for (const std::string_view computed :
       {"ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max",
        "demote_f64", "promote_f32"}) {
    if (name == computed) return true;
  }
  return false;
}

constexpr OpcodePlan MakeOpcodePlan(const wasm::OpcodeInfo& info) {
  OpcodePlan plan;
  plan.immediate = info.immediate;
  if (!info.IsValid() || info.signature == "*") return plan;
  const std::size_t colon = info.signature.find(':');
  plan.operands = static_cast<std::uint8_t>(colon);
  if (colon + 1 < info.signature.size()) plan.result = TypeOfLetter(info.signature[colon + 1]);
  switch (info.immediate) {
    case wasm::Immediate::Memory:
    case wasm::Immediate::MemoryLane:
      plan.kind = plan.result == Type::None ? PlanKind::Store : PlanKind::Load;
      plan.bytes = static_cast<std::uint8_t>(1u << info.width);
      break;
    case wasm::Immediate::Shuffle:
      plan.kind = PlanKind::Shuffle;
      break;
    case wasm::Immediate::Lane:
      plan.kind = PlanKind::Vector;
      break;
    case wasm::Immediate::None:
      if (info.signature.find('v') != std::string_view::npos) {
        plan.kind = PlanKind::Vector;
        if (interp::detail::ComputesFloats(info.text)) {
          plan.canonical = info.text.starts_with("f32x4.") ? IrOpcode::CanonicalNan32x4
                                                           : IrOpcode::CanonicalNan64x2;
        }
      } else {
        plan.kind = colon == 1 ? PlanKind::Unary : PlanKind::Binary;
        if (ComputesScalarFloats(info.text)) plan.canonical = IrOpcode::CanonicalNan;
      }
      break;
    default:
      break;
  }
  return plan;
}

struct OpcodePlanTable {
  OpcodePlan rows[wasm::kOpcodeLimit];
  constexpr OpcodePlanTable() : rows{} {
    for (std::uint32_t code = 0; code < wasm::kOpcodeLimit; ++code) {
      rows[code] = MakeOpcodePlan(wasm::FindOpcode(code));
    }
  }
};

inline constexpr OpcodePlanTable kOpcodePlans{};

}  // namespace tenon::inline TENON_ABI::jit
