// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instructions with a fixed type, as a generator sees them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/opcode.hpp>

namespace differential {

/// Of which float type the lanes of a value are, where NaNs make a difference.
enum class Lanes : std::uint8_t { None, F32, F64 };

/// When an instruction traps.
enum class Hazard : std::uint8_t { None, Divide, Truncate };

struct Operation {
  tenon::wasm::Opcode opcode{};
  tenon::wasm::Immediate immediate{};
  std::uint8_t width = 0;
  std::uint8_t operand_count = 0;
  std::array<tenon::ValueType, 3> operands{};
  bool has_address = false;  ///< operand 0 is an address
  Hazard hazard = Hazard::None;
  /// The result is a vector in which these lanes may be computed NaNs: sign and payload are up to
  /// the engine.
  Lanes nan_result = Lanes::None;
  /// Vector operands are only read as floats of this type: such a NaN does no harm there.
  Lanes nan_operands = Lanes::None;
  /// Operands (one bit each) that are f32 or f64 and whose bits get out: must be no computed NaN.
  std::uint8_t observed_operands = 0;
};

/// All operations that give a value of `type`, which may not be a reference.
const std::vector<Operation>& OperationsOf(tenon::ValueType type);
/// All operations without a result.
const std::vector<Operation>& Stores();
/// All operations with that `nan_result`.
const std::vector<Operation>& NanOperations(Lanes lanes);

}  // namespace differential
