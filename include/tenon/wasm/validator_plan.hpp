// SPDX-License-Identifier: Apache-2.0
/// @file
/// The opcode table in the form in which body validation reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

/// A row of the opcode table with its signature taken apart. Types are their one-byte codes.
struct InstructionPlan {
  Opcode rule{};  ///< the instruction whose rule this one follows
  Immediate immediate = Immediate::None;
  Feature feature = Feature::Mvp;
  std::uint8_t width = 0;
  std::uint8_t operand_count = 0;
  std::uint8_t operands[3] = {};
  std::uint8_t result = 0;  ///< 0: none
};

// Rules that many instructions share.

/// No immediates, one operand and one result, none of them a vector.
inline constexpr Opcode kUnaryRule = Opcode::I32Eqz;
/// No immediates, two operands and one result, none of them a vector.
inline constexpr Opcode kBinaryRule = Opcode::I32Add;
/// An access to memory.
inline constexpr Opcode kMemoryRule = Opcode::I32Load;
/// Anything else that has a signature.
inline constexpr Opcode kSignatureRule = Opcode::V128Const;
/// Not an instruction.
inline constexpr Opcode kIllegalRule = static_cast<Opcode>(kOpcodeLimit);

/// Stands for an operand of the memory's address type.
inline constexpr std::uint8_t kAddressOperand = 1;

constexpr std::uint8_t SignatureCode(char letter) {
  switch (letter) {
    case 'i':
      return ValueType::I32.Code();
    case 'l':
      return ValueType::I64.Code();
    case 'f':
      return ValueType::F32.Code();
    case 'd':
      return ValueType::F64.Code();
    case 'v':
      return ValueType::V128.Code();
    default:
      return kAddressOperand;
  }
}

constexpr InstructionPlan MakePlan(const OpcodeInfo& info) {
  InstructionPlan plan;
  plan.rule = kIllegalRule;
  if (!info.IsValid()) return plan;
  plan.rule = info.opcode;
  plan.immediate = info.immediate;
  plan.feature = info.feature;
  plan.width = info.width;
  if (info.signature == "*") return plan;
  const std::size_t colon = info.signature.find(':');
  plan.operand_count = static_cast<std::uint8_t>(colon);
  for (std::size_t i = 0; i < colon; ++i) plan.operands[i] = SignatureCode(info.signature[i]);
  if (colon + 1 < info.signature.size()) plan.result = SignatureCode(info.signature[colon + 1]);
  const bool is_plain = info.immediate == Immediate::None && plan.result != 0 &&
                        info.signature.find('v') == std::string_view::npos;
  if (info.immediate == Immediate::Memory || info.immediate == Immediate::MemoryLane ||
      info.immediate == Immediate::Atomic) {
    plan.rule = kMemoryRule;
  } else if (is_plain && colon == 1) {
    plan.rule = kUnaryRule;
  } else if (is_plain && colon == 2) {
    plan.rule = kBinaryRule;
  } else if (info.opcode != Opcode::I32Const) {
    plan.rule = kSignatureRule;
  }
  return plan;
}

/// One more row than there are codes: the last is for those that are out of range.
struct PlanTable {
  InstructionPlan rows[kOpcodeLimit + 1];
  constexpr PlanTable() : rows{} {
    rows[kOpcodeLimit].rule = kIllegalRule;
    for (std::uint32_t code = 0; code < kOpcodeLimit; ++code)
      rows[code] = MakePlan(FindOpcode(code));
  }
};

inline constexpr PlanTable kPlanTable{};

constexpr const InstructionPlan& FindPlan(std::uint32_t code) {
  return kPlanTable.rows[code < kOpcodeLimit ? code : kOpcodeLimit];
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
