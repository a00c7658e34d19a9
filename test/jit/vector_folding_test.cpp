// SPDX-License-Identifier: Apache-2.0
/// @file
/// Vector instructions that the front end replaces by ones of which the processor needs fewer.
#include <array>
#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon_test::IrText;

namespace {

constexpr ValueType V128 = ValueType::V128;

using Lanes = std::array<std::uint8_t, 16>;

Lanes Filled(std::uint8_t byte) {
  Lanes value;
  value.fill(byte);
  return value;
}

std::string Compared(Opcode opcode, const Lanes& constant, bool is_first = false) {
  CodeBuilder code;
  if (is_first) code.V128Const(constant).LocalGet(0);
  if (!is_first) code.LocalGet(0).V128Const(constant);
  return IrText({V128}, {V128}, {}, code.Emit(opcode));
}

std::string Selected(const CodeBuilder& operands) {
  return IrText({V128, V128}, {V128}, {}, CodeBuilder{operands}.Emit(Opcode::V128Bitselect));
}

}  // namespace

TEST_CASE("lanes below a constant are at most the number before it", "[jit][folding]") {
  CHECK_THAT(Compared(Opcode::I8x16LtU, Filled(26)),
             Catch::Contains("i8x16.le_u v0, v128:19191919191919191919191919191919"));
  CHECK_THAT(Compared(Opcode::I8x16GtU, Filled(26)),
             Catch::Contains("i8x16.ge_u v0, v128:1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b"));
  CHECK_THAT(Compared(Opcode::I32x4LtU, Filled(0x10)), Catch::Contains("i32x4.le_u v0"));
  CHECK_THAT(Compared(Opcode::I8x16LeS, Filled(5)),
             Catch::Contains("i8x16.lt_s v0, v128:06060606060606060606060606060606"));
  CHECK_THAT(Compared(Opcode::I8x16GeS, Filled(0)),
             Catch::Contains("i8x16.gt_s v0, v128:ffffffffffffffffffffffffffffffff"));
  CHECK_THAT(Compared(Opcode::I16x8LeS, Filled(0xFF)),
             Catch::Contains("i16x8.lt_s v0, v128:00000000000000000000000000000000"));
}

TEST_CASE("a constant on the left of a comparison of lanes comes to the right", "[jit][folding]") {
  CHECK_THAT(Compared(Opcode::I8x16LtU, Filled(26), true),
             Catch::Contains("i8x16.ge_u v0, v128:1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b"));
}

TEST_CASE("comparisons of lanes with numbers at the end of their range stay", "[jit][folding]") {
  CHECK_THAT(Compared(Opcode::I8x16LtU, Filled(0)), Catch::Contains("i8x16.lt_u"));
  CHECK_THAT(Compared(Opcode::I8x16GtU, Filled(255)), Catch::Contains("i8x16.gt_u"));
  CHECK_THAT(Compared(Opcode::I8x16LeS, Filled(127)), Catch::Contains("i8x16.le_s"));
  CHECK_THAT(Compared(Opcode::I8x16GeS, Filled(128)), Catch::Contains("i8x16.ge_s"));
  Lanes one_zero = Filled(9);
  one_zero[7] = 0;
  CHECK_THAT(Compared(Opcode::I8x16LtU, one_zero), Catch::Contains("i8x16.lt_u"));
  CHECK_THAT(Compared(Opcode::I32x4LtU, one_zero), Catch::Contains("i32x4.le_u"));
}

TEST_CASE("a selection of bits between a vector and zero is a mask", "[jit][folding]") {
  CHECK_THAT(Selected(CodeBuilder{}.LocalGet(0).V128Const(Filled(0)).LocalGet(1)),
             Catch::Contains("v128.and v0, v1"));
  CHECK_THAT(Selected(CodeBuilder{}.V128Const(Filled(0)).LocalGet(0).LocalGet(1)),
             Catch::Contains("v128.andnot v0, v1"));
  CHECK_THAT(Selected(CodeBuilder{}.LocalGet(0).LocalGet(0).LocalGet(1)),
             Catch::Contains("return v0"));
}
