// SPDX-License-Identifier: Apache-2.0
/// @file
/// The front end's time on functions of unusual size and shape.
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32;

using Shape = CodeBuilder (*)(std::uint32_t size);

/// Processor time in nanoseconds per byte of code.
double CostOf(const char* name, Shape shape, std::uint32_t size, std::uint32_t locals) {
  ModuleBuilder builder;
  builder.Memory(1);
  const CodeBuilder code = shape(size);
  builder.Function(builder.Type({I32, I32}, {I32}), std::vector<ValueType>(locals - 2, I32), code);
  const ModuleForJit module{builder.Build()};
  REQUIRE(module.validated.Text() == "");
  tenon::jit::FrontEnd front_end;
  tenon::jit::Function function;
  double best = 1e12;
  for (int round = 0; round < 2; ++round) {
    const std::clock_t start = std::clock();
    REQUIRE(front_end.Build({module.validated.module, module.validated.context, module.facts, {}},
                            0, function));
    best = std::min(best, 1e9 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  CHECK(VerifyIr(function, module.validated.module) == "");
  const double bytes = static_cast<double>(code.Bytes().size());
  WARN(name << ", size " << size << ": " << bytes << " bytes, " << function.instructions.size()
            << " instructions, " << function.pool.size() << " in lists, " << best / 1e6 << " ms, "
            << best / bytes << " ns per byte");
  return best / bytes;
}

/// Cost per byte must not grow with size, but for caches.
void CheckNearLinear(const char* name, Shape shape, std::uint32_t size, std::uint32_t locals) {
  const double small = CostOf(name, shape, size / 4, std::min(locals, 50'000u));
  const double large = CostOf(name, shape, size, std::min(locals, 50'000u));
  CHECK(large < 4 * small + 20);
}

CodeBuilder Straight(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size / 4; ++i) {
    code.LocalGet(i % 7).I32Const(static_cast<std::int32_t>(i)).Emit(Opcode::I32Xor);
    code.LocalSet((i + 3) % 7);
  }
  return code.LocalGet(0);
}

CodeBuilder NestedBlocks(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) code.Begin(Opcode::Block);
  for (std::uint32_t i = 0; i < size; ++i) {
    code.LocalGet(0).BrIf(i % (size - i)).End();
    code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add).LocalSet(0);
    if (i + 1 < size) code.LocalGet(0).BrIf((size - 2 - i) / 2);
  }
  return code.LocalGet(0);
}

CodeBuilder SequentialIfs(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) {
    code.LocalGet(i % 100).Begin(Opcode::If).LocalGet((i * 7) % 100).LocalSet((i * 13) % 100).End();
  }
  return code.LocalGet(0);
}

CodeBuilder SequentialIfsWithManyLocals(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) {
    code.LocalGet(1).Begin(Opcode::If).LocalGet(0).LocalSet(i).End();
  }
  code.I32Const(0);
  for (std::uint32_t i = 0; i < size; ++i) code.LocalGet(i).Emit(Opcode::I32Add);
  return code;
}

/// Sets every local, goes through a chain of conditional branches, reads every local.
CodeBuilder LocalsAcrossChain(std::uint32_t size) {
  CodeBuilder code;
  code.Begin(Opcode::Block);
  for (std::uint32_t i = 0; i < size; ++i) code.LocalGet(1).LocalSet(i).LocalGet(0).BrIf(0);
  for (std::uint32_t i = 0; i < size; ++i) code.LocalGet(i).Emit(Opcode::Drop);
  return code.End().LocalGet(0);
}

/// Every local is set where its set does not lead on: each end has one way in, from before.
CodeBuilder DetoursThatReturn(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) {
    code.Begin(Opcode::Block).Begin(Opcode::Block).LocalGet(0).BrIf(0).Br(1).End();
    code.LocalGet(1).LocalSet(i % 5000).LocalGet(1).Return().End();
  }
  code.I32Const(0);
  for (std::uint32_t i = 0; i < 5000; ++i) code.LocalGet(i).Emit(Opcode::I32Add);
  return code;
}

CodeBuilder NestedLoops(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) code.Begin(Opcode::Loop);
  code.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalSet(0);
  for (std::uint32_t i = 0; i < size; ++i) code.LocalGet(0).BrIf(0).End();
  return code.LocalGet(0);
}

CodeBuilder SequentialLoops(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) {
    code.Begin(Opcode::Loop).LocalGet(i % 50).I32Const(1).Emit(Opcode::I32Sub);
    code.LocalTee(i % 50).BrIf(0).End();
  }
  return code.LocalGet(0);
}

CodeBuilder LargeTable(std::uint32_t size) {
  CodeBuilder code;
  constexpr std::uint32_t kDepth = 1000;
  for (std::uint32_t i = 0; i < kDepth; ++i) code.Begin(Opcode::Block);
  std::vector<std::uint32_t> labels(size);
  for (std::uint32_t i = 0; i < size; ++i) labels[i] = i * 31 % kDepth;
  code.LocalGet(0).BrTable(labels, 0);
  for (std::uint32_t i = 0; i < kDepth; ++i) {
    code.End().LocalGet(0).I32Const(3).Emit(Opcode::I32Add).LocalSet(0);
  }
  return code.LocalGet(0);
}

CodeBuilder ReturnsOutOfLoops(std::uint32_t size) {
  CodeBuilder code;
  for (std::uint32_t i = 0; i < size; ++i) {
    code.LocalGet(0).Begin(Opcode::If).LocalGet(i % 60).Return().End();
    code.LocalGet(i % 60).LocalGet(1).Emit(Opcode::I32Add).LocalSet(2 + i % 58);
  }
  return code.LocalGet(0);
}

CodeBuilder UnreachedBlocks(std::uint32_t size) {
  CodeBuilder code;
  code.Begin(Opcode::Block).Br(0);
  for (std::uint32_t i = 0; i < size; ++i) code.Begin(Opcode::Loop).I32Const(1).LocalSet(0);
  for (std::uint32_t i = 0; i < size; ++i) code.End();
  return code.End().LocalGet(0);
}

}  // namespace

TEST_CASE("the front end's time is near-linear", "[one_thread][long]") {
  CheckNearLinear("straight code", Straight, 1'000'000, 7);
  CheckNearLinear("nested blocks", NestedBlocks, 100'000, 2);
  CheckNearLinear("sequential ifs", SequentialIfs, 100'000, 100);
  CheckNearLinear("ifs and locals", SequentialIfsWithManyLocals, 50'000, 50'000);
  CheckNearLinear("locals across a chain", LocalsAcrossChain, 50'000, 50'000);
  CheckNearLinear("detours that return", DetoursThatReturn, 50'000, 5'000);
  CheckNearLinear("nested loops", NestedLoops, 100'000, 2);
  CheckNearLinear("sequential loops", SequentialLoops, 100'000, 50);
  CheckNearLinear("br_table", LargeTable, 64'000, 2);
  CheckNearLinear("returns", ReturnsOutOfLoops, 100'000, 60);
  CheckNearLinear("unreached blocks", UnreachedBlocks, 100'000, 2);
}
