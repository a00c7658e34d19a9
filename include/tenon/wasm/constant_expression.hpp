// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds the end of a constant expression.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/type_reader.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Whether an instruction may stand in a constant expression (core specification 2.0,
/// section 3.3.10). `end` is one of them: it closes the expression.
constexpr bool IsConstantInstruction(Opcode opcode) {
  switch (opcode) {
    case Opcode::I32Const:
    case Opcode::I64Const:
    case Opcode::F32Const:
    case Opcode::F64Const:
    case Opcode::V128Const:
    case Opcode::RefNull:
    case Opcode::RefFunc:
    case Opcode::GlobalGet:
    case Opcode::End:
      return true;
    default:
      return false;
  }
}

/// Skips the immediates of a constant instruction whose opcode has just been read.
constexpr bool SkipConstantImmediate(ByteReader& reader, Immediate immediate) {
  switch (immediate) {
    case Immediate::I32: {
      std::int32_t value = 0;
      return reader.ReadS32(value);
    }
    case Immediate::I64: {
      std::int64_t value = 0;
      return reader.ReadS64(value);
    }
    case Immediate::F32:
      return reader.Skip(4);
    case Immediate::F64:
      return reader.Skip(8);
    case Immediate::V128:
      return reader.Skip(16);
    case Immediate::HeapType: {
      HeapType type = HeapType::Func;
      return ReadHeapType(reader, type);
    }
    case Immediate::Function:
    case Immediate::Global: {
      std::uint32_t index = 0;
      return reader.ReadU32(index);
    }
    default:
      return true;
  }
}

/// Reads a constant expression to its `end`, which `range` includes. Types and indices are left to
/// validation. Faults: IllegalOpcode, ConstantExpressionRequired, FeatureDisabled, and those of the
/// immediates; they are kept in the reader.
constexpr bool ReadConstantExpression(ByteReader& reader, CoreFeatures features, ByteRange& range) {
  const std::uint32_t begin = reader.Offset();
  while (true) {
    const std::uint32_t offset = reader.Offset();
    std::uint32_t code = 0;
    if (!reader.ReadOpcode(code)) return false;
    const OpcodeInfo& info = FindOpcode(code);
    if (!info.IsValid()) return reader.Fail(ErrorCode::IllegalOpcode, offset, OpcodeBytes(code));
    if (!IsConstantInstruction(info.opcode)) {
      return reader.Fail(ErrorCode::ConstantExpressionRequired, offset);
    }
    if (!detail::RequireFeature(reader, offset, features, info.feature, info.opcode)) return false;
    if (info.opcode == Opcode::End) break;
    if (!SkipConstantImmediate(reader, info.immediate)) return false;
  }
  range = reader.Since(begin);
  return true;
}

}  // namespace tenon::inline TENON_ABI::wasm
