// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which machine instructions are selected for what.
#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include <tenon/jit/dead_code.hpp>
#include <tenon/jit/loop_invariants.hpp>
#include <tenon/jit/machine_opcode.hpp>
#include <tenon/jit/selection.hpp>

#include "front_end_support.hpp"

using namespace tenon::wasm;
using namespace tenon::jit;
using tenon::CpuFeatures;
using tenon::ValueType;
using tenon_test::BuildIr;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64, F64 = ValueType::F64,
                    V128 = ValueType::V128;

MachineFunction Selected(tenon::wasm::ValueTypeList parameters, tenon::wasm::ValueTypeList results,
                         tenon::wasm::ValueTypeList locals, const CodeBuilder& code,
                         CpuFeatures cpu = CpuFeatures::All()) {
  ModuleBuilder builder;
  builder.Memory(1);
  builder.Function(builder.Type(parameters, results), locals, code);
  const ModuleForJit module{builder.Build()};
  CompileOptions options;
  options.cpu = cpu;
  Function function = BuildIr(module, options);
  LoopInvariants{}.Run(function);
  DeadCode{}.Run(function);
  MachineFunction selected;
  Selector{module.validated.module, options}.Run(function, selected);
  return selected;
}

MachineOpcode OpcodeOf(const MachineInstruction& instruction) {
  return static_cast<MachineOpcode>(instruction.opcode);
}

std::size_t Count(const MachineFunction& function, MachineOpcode opcode) {
  std::size_t count = 0;
  for (const MachineInstruction& instruction : function.instructions) {
    count += OpcodeOf(instruction) == opcode ? 1u : 0u;
  }
  return count;
}
std::size_t Count(const MachineFunction& function, IrOpcode opcode) {
  return Count(function, ToMachine(opcode));
}

std::size_t Count(const MachineFunction& function, const MachineBlock& block,
                  MachineOpcode opcode) {
  std::size_t count = 0;
  for (std::uint32_t i = block.first; i != block.end; ++i) {
    count += OpcodeOf(function.instructions[i]) == opcode ? 1u : 0u;
  }
  return count;
}

const MachineInstruction* Find(const MachineFunction& function, MachineOpcode opcode) {
  for (const MachineInstruction& instruction : function.instructions) {
    if (OpcodeOf(instruction) == opcode) return &instruction;
  }
  return nullptr;
}

/// Whether local 0, of which a byte counts, compares with `number`.
MachineFunction ByteCompared(Opcode comparison, std::int32_t number) {
  const auto code = CodeBuilder{}
                        .LocalGet(0)
                        .I32Const(255)
                        .Emit(Opcode::I32And)
                        .I32Const(number)
                        .Emit(comparison)
                        .If(
                            I32, [](CodeBuilder& then) { then.I32Const(3); },
                            [](CodeBuilder& otherwise) { otherwise.LocalGet(0); });
  return Selected({I32}, {I32}, {}, code);
}

}  // namespace

TEST_CASE("a low byte is compared as a byte", "[jit][selection]") {
  const auto expect = [](Opcode comparison, Condition condition) {
    const MachineFunction function = ByteCompared(comparison, 9);
    const MachineInstruction* branch = Find(function, MachineOpcode::CompareBranch);
    if (branch == nullptr) branch = Find(function, MachineOpcode::CompareSelect);
    REQUIRE(branch != nullptr);
    CHECK(branch->size == 1);
    CHECK(static_cast<OperandForm>(branch->form) == OperandForm::Immediate);
    const auto found = static_cast<Condition>(branch->condition);
    CHECK((found == condition || found == Invert(condition)));
    CHECK(Count(function, MachineOpcode::ZeroExtend8) == 0);
  };
  expect(Opcode::I32GtU, Condition::Above);
  expect(Opcode::I32Eq, Condition::Equal);
  // Neither number is negative.
  expect(Opcode::I32GtS, Condition::Above);
  expect(Opcode::I32LtS, Condition::Below);
}

TEST_CASE("a low byte is compared whole with what is none", "[jit][selection]") {
  const MachineFunction function = ByteCompared(Opcode::I32LtS, -1);
  for (const MachineInstruction& instruction : function.instructions) CHECK(instruction.size != 1);
}

TEST_CASE("given AVX, a load becomes the second operand of float arithmetic", "[jit][selection]") {
  const auto code = [](bool first) {
    CodeBuilder made;
    if (!first) made.LocalGet(1);
    made.LocalGet(0).Memory(Opcode::F64Load);
    if (first) made.LocalGet(1);
    return made.Emit(Opcode::F64Div);
  };
  const MachineFunction fused = Selected({I32, F64}, {F64}, {}, code(false));
  CHECK(Count(fused, IrOpcode::F64Load) == 0);
  const MachineInstruction* division = Find(fused, ToMachine(IrOpcode::F64Div));
  REQUIRE(division != nullptr);
  CHECK(static_cast<OperandForm>(division->form) == OperandForm::Memory);
  CHECK(division->wasm_offset != 0);
  CHECK(Count(Selected({I32, F64}, {F64}, {}, code(true)), IrOpcode::F64Load) == 1);
  CHECK(Count(Selected({I32, F64}, {F64}, {}, code(false), CpuFeatures::Floor()),
              IrOpcode::F64Load) == 1);
}

TEST_CASE("a load does not move over a store to become an operand", "[jit][selection]") {
  const auto code = CodeBuilder{}
                        .LocalGet(1)
                        .LocalGet(0)
                        .Memory(Opcode::F64Load)
                        .LocalGet(0)
                        .LocalGet(1)
                        .Memory(Opcode::F64Store)
                        .Emit(Opcode::F64Mul);
  CHECK(Count(Selected({I32, F64}, {F64}, {}, code), IrOpcode::F64Load) == 1);
}

TEST_CASE("vectors that commute take the load from either side", "[jit][selection]") {
  const auto code = [](Opcode opcode) {
    return CodeBuilder{}.LocalGet(0).Memory(Opcode::V128Load).LocalGet(1).Emit(opcode);
  };
  CHECK(Count(Selected({I32, V128}, {V128}, {}, code(Opcode::I32x4Add)), IrOpcode::V128Load) == 0);
  CHECK(Count(Selected({I32, V128}, {V128}, {}, code(Opcode::I32x4Sub)), IrOpcode::V128Load) == 1);
  // Which NaN comes out depends on the order.
  CHECK(Count(Selected({I32, V128}, {V128}, {}, code(Opcode::F32x4Add)), IrOpcode::V128Load) == 1);
}

TEST_CASE("a constant of eight bytes is made before the loop that needs it", "[jit][selection]") {
  const auto loop = [](std::int64_t number) {
    return CodeBuilder{}
        .Begin(Opcode::Loop)
        .LocalGet(0)
        .I64Const(number)
        .Emit(Opcode::I64Mul)
        .LocalTee(0)
        .I64Const(1)
        .Emit(Opcode::I64And)
        .Emit(Opcode::I64Eqz)
        .BrIf(0)
        .End()
        .LocalGet(0);
  };
  const MachineFunction function = Selected({I64}, {I64}, {}, loop(0x123456789ABCDEF));
  REQUIRE(Count(function, MachineOpcode::Immediate) == 1);
  CHECK(Count(function, function.blocks[0], MachineOpcode::Immediate) == 1);
}

TEST_CASE("a sum that only the next round needs is made on the way there", "[jit][selection]") {
  // The loop's way out needs the number without the 4.
  const auto code = CodeBuilder{}
                        .Begin(Opcode::Loop)
                        .LocalGet(0)
                        .Memory(Opcode::I32Load)
                        .If({},
                            [](CodeBuilder& then) {
                              then.LocalGet(0).I32Const(4).Emit(Opcode::I32Add).LocalSet(0).Br(1);
                            })
                        .End()
                        .LocalGet(0);
  const MachineFunction function = Selected({I32}, {I32}, {}, code);
  for (const MachineBlock& block : function.blocks) {
    const bool leaves = block.successors.size() == 2;
    if (leaves) CHECK(Count(function, block, MachineOpcode::Add) == 0);
  }
  CHECK(Count(function, MachineOpcode::Add) == 1);
}

TEST_CASE("blocks of edges out of a loop stand behind it", "[jit][selection]") {
  // Three ways lead out of the loop to where a value meets another.
  const auto code = CodeBuilder{}
                        .Begin(Opcode::Block)
                        .Begin(Opcode::Loop)
                        .LocalGet(0)
                        .Memory(Opcode::I32Load)
                        .LocalTee(1)
                        .BrIf(1)
                        .LocalGet(0)
                        .Memory(Opcode::I32Load8U)
                        .LocalTee(1)
                        .BrIf(1)
                        .LocalGet(0)
                        .I32Const(4)
                        .Emit(Opcode::I32Add)
                        .LocalTee(0)
                        .BrIf(0)
                        .End()
                        .End()
                        .LocalGet(1);
  const MachineFunction function = Selected({I32}, {I32}, {I32}, code);
  bool has_loop = false;
  for (std::uint32_t i = 0; i != function.blocks.size(); ++i) {
    const MachineBlock& header = function.blocks[i];
    if (header.loop_end == 0) continue;
    has_loop = true;
    for (std::uint32_t k = i; k != header.loop_end; ++k) {
      CHECK(function.blocks[k].loop_depth == header.loop_depth);
    }
  }
  CHECK(has_loop);
}

TEST_CASE("an entry that may return at once has a return of its own", "[jit][selection]") {
  const auto code = CodeBuilder{}.LocalGet(0).If(
      I32, [](CodeBuilder& then) { then.LocalGet(0).Memory(Opcode::I32Load); },
      [](CodeBuilder& otherwise) { otherwise.I32Const(1); });
  const MachineFunction function = Selected({I32}, {I32}, {}, code);
  CHECK(Count(function, MachineOpcode::Return) == 2);
  // What only the other way needs is made there.
  CHECK(Count(function, function.blocks[0], MachineOpcode::LoadField) == 0);
  CHECK(Count(function, MachineOpcode::LoadField) == 1);
}

TEST_CASE("a way through a block that stores has no return of its own", "[jit][selection]") {
  const auto code = CodeBuilder{}.LocalGet(0).If(
      I32, [](CodeBuilder& then) { then.LocalGet(0).Memory(Opcode::I32Load); },
      [](CodeBuilder& otherwise) {
        otherwise.LocalGet(0).LocalGet(0).Memory(Opcode::I32Store).I32Const(1);
      });
  CHECK(Count(Selected({I32}, {I32}, {}, code), MachineOpcode::Return) == 1);
}
