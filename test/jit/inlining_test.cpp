// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies that stand for calls of them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/inlining_policy.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/expect_error.hpp"
#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::EngineKind;
using tenon::ValueType;
using tenon::jit::BodyFacts;
using tenon::jit::CompileOptions;
using tenon::jit::InliningBudget;
using tenon::jit::InliningQuestion;
using tenon_test::IrText;
using tenon_test::Thrown;

namespace {

constexpr ValueType I32 = ValueType::I32;

CodeBuilder Code() { return {}; }

/// Function 1 calls function 0 with its parameter.
std::string Caller(ValueTypeList locals, const CodeBuilder& callee,
                   const CompileOptions& options = {}) {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({I32}, {I32});
  const std::uint32_t function = builder.Function(type, locals, callee);
  builder.Function(type, {}, Code().LocalGet(0).Call(function));
  return IrText(builder, options, 1);
}

bool Takes(const BodyFacts& callee, InliningQuestion question) {
  InliningBudget budget;
  BodyFacts caller;
  caller.code_end = 10'000;
  budget.Begin(caller);
  return budget.Take({callee, question.call_sites, question.depth, question.recursion,
                      question.is_in_loop, question.is_cold});
}

BodyFacts OfSize(std::uint32_t bytes, std::uint32_t calls = 0) {
  BodyFacts facts;
  facts.code_end = bytes;
  facts.calls = calls;
  return facts;
}

}  // namespace

TEST_CASE("a small body stands for the call, with parameters and locals of its own") {
  CHECK(Caller({I32}, Code()
                          .LocalGet(0)
                          .LocalGet(1)
                          .I32Const(3)
                          .Emit(Opcode::I32Add)
                          .LocalTee(0)
                          .LocalGet(0)
                          .Emit(Opcode::I32Mul)
                          .Emit(Opcode::I32Sub)) == R"(b0:
  v0:i32 = param[0]
  v1:i32 = i32.add v0, -9
  return v1
)");
}

TEST_CASE("returns of an inlined body lead to a block that takes the results") {
  CHECK(Caller({}, Code()
                       .LocalGet(0)
                       .Begin(Opcode::If)
                       .LocalGet(0)
                       .I32Const(5)
                       .Emit(Opcode::I32ShrU)
                       .Return()
                       .End()
                       .I32Const(8)) == R"(b0:
  v0:i32 = param[0]
  branch v0, b1, b2
b1 <- b0:
  v1:i32 = i32.shr_u v0, 5
  jump b3
b2 <- b0:
  jump b3
b3 <- b1, b2:
  v2:i32 = phi b1:v1, b2:8
  return v2
)");
}

TEST_CASE("locals of a body that is inlined in a loop begin anew each time") {
  ModuleBuilder builder;
  const std::uint32_t type = builder.Type({I32}, {I32});
  const std::uint32_t function = builder.Function(type, {I32},
                                                  Code()
                                                      .LocalGet(1)
                                                      .LocalGet(0)
                                                      .Emit(Opcode::I32Sub)
                                                      .LocalSet(1)
                                                      .Begin(Opcode::Loop)
                                                      .LocalGet(1)
                                                      .I32Const(7)
                                                      .Emit(Opcode::I32Mul)
                                                      .LocalTee(1)
                                                      .BrIf(0)
                                                      .End()
                                                      .LocalGet(1));
  builder.Function(
      type, {},
      Code().Begin(Opcode::Loop).LocalGet(0).Call(function).LocalTee(0).BrIf(0).End().LocalGet(0));
  CHECK(IrText(builder, {}, 1) == R"(b0:
  v0:i32 = param[0]
  jump b1
b1(loop) <- b0, b3:
  v1:i32 = phi b0:v0, b3:v4
  v2:i32 = i32.sub 0, v1
  jump b2
b2(loop) <- b1, b2:
  v3:i32 = phi b1:v2, b2:v4
  v4:i32 = i32.mul v3, 7
  branch v4, b2, b3
b3 <- b2:
  branch v4, b1, b4
b4 <- b3:
  return v4
)");
}

TEST_CASE("what must not be inlined is called") {
  const CodeBuilder body = Code().LocalGet(0);
  const char* const called = "b0:\n  v0:i32 = param[0]\n  v1:i32 = call[0] v0\n  return v1\n";
  CHECK(Caller({}, body) == "b0:\n  v0:i32 = param[0]\n  return v0\n");
  CompileOptions options;
  options.optimize = false;
  CHECK(Caller({}, body, options) == called);
  options = {};
  options.listeners = {true, false};
  CHECK(Caller({}, body, options) == called);
  options.listeners = {false, true};
  CHECK(Caller({}, body, options) != called);
}

TEST_CASE("the policy goes by size, place and what is left") {
  const BodyFacts none;
  const InliningQuestion plain{none, 5, 1, 0, false, false};
  const InliningQuestion only{none, 1, 1, 0, false, false};
  const InliningQuestion looped{none, 5, 1, 0, true, false};
  const InliningQuestion only_in_loop{none, 1, 1, 0, true, false};
  CHECK(Takes(OfSize(20, 1), plain));
  CHECK_FALSE(Takes(OfSize(21, 1), plain));
  CHECK(Takes(OfSize(30), plain));
  CHECK_FALSE(Takes(OfSize(31), only));
  CHECK(Takes(OfSize(30, 1), looped));
  CHECK_FALSE(Takes(OfSize(31, 1), looped));
  CHECK(Takes(OfSize(100), looped));
  CHECK_FALSE(Takes(OfSize(101), looped));
  CHECK(Takes(OfSize(31, 1), only_in_loop));
  CHECK(Takes(OfSize(250, 1), only_in_loop));
  CHECK_FALSE(Takes(OfSize(251), only_in_loop));
  CHECK_FALSE(Takes(OfSize(4), {none, 1, 1, 0, true, true}));
  CHECK_FALSE(Takes(OfSize(4), {none, 1, InliningBudget::kMostDepth, 0, true, false}));

  BodyFacts recursive = OfSize(50, 1);
  recursive.calls_itself = true;
  CHECK_FALSE(Takes(recursive, only));
  CHECK(Takes(recursive, {none, 1, 0, 1, false, false}));
  CHECK(Takes(recursive, {none, 1, 0, InliningBudget::kMostRecursion[1], false, false}));
  CHECK_FALSE(Takes(recursive, {none, 1, 0, InliningBudget::kMostRecursion[1] + 1, false, false}));

  InliningBudget budget;
  budget.Begin(OfSize(10));
  const BodyFacts small = OfSize(20);
  std::size_t taken = 0;
  while (budget.Take({small, 5, 1, 0, false, false})) ++taken;
  CHECK(taken == 30);
}

TEST_CASE(
    "traps in inlined bodies have the frames that they have on the "
    "interpreter") {
  ModuleBuilder builder;
  builder.Memory(1);
  const std::uint32_t type = builder.Type({I32}, {I32});
  const auto both = [](std::uint32_t callee) {
    return Code()
        .LocalGet(0)
        .Call(callee)
        .LocalGet(0)
        .I32Const(1)
        .Emit(Opcode::I32Add)
        .Call(callee)
        .Emit(Opcode::I32Add);
  };
  const std::uint32_t traps = builder.Function(type, {},
                                               Code()
                                                   .LocalGet(0)
                                                   .I32Const(1)
                                                   .Emit(Opcode::I32Eq)
                                                   .Begin(Opcode::If)
                                                   .Unreachable()
                                                   .End()
                                                   .LocalGet(0)
                                                   .Memory(Opcode::I32Load, {})
                                                   .I32Const(100)
                                                   .LocalGet(0)
                                                   .Emit(Opcode::I32DivU)
                                                   .Emit(Opcode::I32Add));
  const std::uint32_t middle = builder.Function(type, {}, both(traps));
  const std::uint32_t outer = builder.Function(type, {}, both(middle));
  // Recursion that ends in a trap, and one that does not end.
  const std::uint32_t recursive = builder.DeclareFunction(type);
  builder.DefineFunction(recursive, {},
                         Code()
                             .LocalGet(0)
                             .Emit(Opcode::I32Eqz)
                             .Begin(Opcode::If)
                             .Unreachable()
                             .End()
                             .LocalGet(0)
                             .I32Const(1)
                             .Emit(Opcode::I32Sub)
                             .Call(recursive)
                             .I32Const(1)
                             .Emit(Opcode::I32Add));
  builder.Export("outer", tenon::ExternKind::Func, outer);
  builder.Export("recursive", tenon::ExternKind::Func, recursive);
  const std::vector<std::uint8_t> bytes = builder.Build();

  using Frames = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  const auto run = [&](EngineKind engine, const char* name, std::int32_t argument) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(engine)};
    const tenon::Module guest = runtime.Instantiate(bytes);
    const auto function = guest.ExportedFunction<std::int32_t(std::int32_t)>(name);
    const auto trap = Thrown<tenon::Trap>([&] { function(argument); });
    Frames frames;
    for (const auto& frame : trap.Backtrace()) {
      frames.emplace_back(frame.function_index, frame.module_offset);
    }
    return std::pair{trap.Code(), frames};
  };
  for (const std::int32_t argument : {0, 1, -1, -2, 65532, 65533, 65534}) {
    INFO(argument);
    const auto expected = run(EngineKind::Interpreter, "outer", argument);
    CHECK(expected.second.size() == 3);
    CHECK(run(EngineKind::Jit, "outer", argument) == expected);
  }
  for (const std::int32_t argument : {0, 1, 5, 12, 13, 40}) {
    INFO(argument);
    CHECK(run(EngineKind::Jit, "recursive", argument) ==
          run(EngineKind::Interpreter, "recursive", argument));
  }
  // Recursion without end is unrolled, no more: the stack ends all the same.
  const auto found = run(EngineKind::Jit, "recursive", -1);
  CHECK(found.first == tenon::TrapCode::StackOverflow);
  CHECK(found == run(EngineKind::Interpreter, "recursive", -1));
}
