// SPDX-License-Identifier: Apache-2.0
/// @file
/// Classifies the rows of the opcode table.
#include "operations.hpp"

#include <cstddef>
#include <string_view>

namespace differential {

namespace {

using tenon::ValueType;
using tenon::wasm::Immediate;
using tenon::wasm::Opcode;
using tenon::wasm::OpcodeInfo;

ValueType TypeOf(char code) {
  switch (code) {
    case 'l':
      return ValueType::I64;
    case 'f':
      return ValueType::F32;
    case 'd':
      return ValueType::F64;
    case 'v':
      return ValueType::V128;
    default:
      return ValueType::I32;
  }
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Lanes LanesOf(std::string_view text) {
  if (text.starts_with("f32x4.")) return Lanes::F32;
  if (text.starts_with("f64x2.")) return Lanes::F64;
  return Lanes::None;
}

/// Float arithmetic: may compute a NaN. What copies bits is not in it.
bool IsArithmetic(std::string_view name) {
  for (const std::string_view one :
       {"add", "sub", "mul", "div", "sqrt", "min", "max", "ceil", "floor", "trunc", "nearest"}) {
    if (name == one) return true;
  }
  return false;
}

bool IsCompare(std::string_view name) {
  for (const std::string_view one : {"eq", "ne", "lt", "gt", "le", "ge"}) {
    if (name == one) return true;
  }
  return false;
}

void SetNanRules(const OpcodeInfo& info, Operation& operation) {
  const std::string_view text = info.text;
  const std::string_view name = text.substr(text.find('.') + 1);
  const Lanes lanes = LanesOf(text);
  if (lanes != Lanes::None && IsArithmetic(name)) {
    operation.nan_result = operation.nan_operands = lanes;
  } else if (lanes != Lanes::None && (IsCompare(name) || name == "extract_lane")) {
    operation.nan_operands = lanes;
  } else if (name == "demote_f64x2_zero") {
    operation.nan_result = Lanes::F32;
    operation.nan_operands = Lanes::F64;
  } else if (name == "promote_low_f32x4") {
    operation.nan_result = Lanes::F64;
    operation.nan_operands = Lanes::F32;
  } else if (Contains(name, "trunc_sat_f32x4")) {
    operation.nan_operands = Lanes::F32;
  } else if (Contains(name, "trunc_sat_f64x2")) {
    operation.nan_operands = Lanes::F64;
  }
  switch (info.opcode) {
    case Opcode::I32ReinterpretF32:
    case Opcode::I64ReinterpretF64:
    case Opcode::F32x4Splat:
    case Opcode::F64x2Splat:
      operation.observed_operands = 1;
      break;
    case Opcode::F32Copysign:
    case Opcode::F64Copysign:
    case Opcode::F32Store:
    case Opcode::F64Store:
    case Opcode::F32x4ReplaceLane:
    case Opcode::F64x2ReplaceLane:
      operation.observed_operands = 2;
      break;
    default:
      break;
  }
}

Hazard HazardOf(std::string_view text) {
  if (text.starts_with("i32.div") || text.starts_with("i64.div") || text.starts_with("i32.rem") ||
      text.starts_with("i64.rem")) {
    return Hazard::Divide;
  }
  if (text.starts_with("i32.trunc_f") || text.starts_with("i64.trunc_f")) return Hazard::Truncate;
  return Hazard::None;
}

struct Tables {
  std::array<std::vector<Operation>, 5> by_result;  // i32, i64, f32, f64, v128
  std::vector<Operation> stores;
  std::array<std::vector<Operation>, 2> nan;  // F32, F64

  Tables() {
    for (std::uint32_t code = 0; code < tenon::wasm::kOpcodeLimit; ++code) {
      const OpcodeInfo& info = tenon::wasm::FindOpcode(code);
      if (info.IsValid() && info.signature != "*") Add(info);
    }
  }

  void Add(const OpcodeInfo& info) {
    const std::size_t colon = info.signature.find(':');
    if (colon == 0) return;  // constants
    Operation operation;
    operation.opcode = info.opcode;
    operation.immediate = info.immediate;
    operation.width = info.width;
    operation.operand_count = static_cast<std::uint8_t>(colon);
    for (std::size_t i = 0; i < colon; ++i) operation.operands[i] = TypeOf(info.signature[i]);
    operation.has_address = info.signature[0] == 'a';
    operation.hazard = HazardOf(info.text);
    SetNanRules(info, operation);
    if (colon + 1 == info.signature.size()) {
      stores.push_back(operation);
      return;
    }
    const ValueType result = TypeOf(info.signature[colon + 1]);
    by_result[0x7F - result.Code()].push_back(operation);
    if (operation.nan_result != Lanes::None) {
      nan[operation.nan_result == Lanes::F32 ? 0 : 1].push_back(operation);
    }
  }
};

const Tables& GetTables() {
  static const Tables kTables;
  return kTables;
}

}  // namespace

const std::vector<Operation>& OperationsOf(tenon::ValueType type) {
  return GetTables().by_result[0x7F - type.Code()];
}

const std::vector<Operation>& Stores() { return GetTables().stores; }

const std::vector<Operation>& NanOperations(Lanes lanes) {
  return GetTables().nan[lanes == Lanes::F32 ? 0 : 1];
}

}  // namespace differential
