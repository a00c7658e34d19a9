// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the passes between front end and selection do to the IR.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include <tenon/jit/dead_code.hpp>
#include <tenon/jit/ir_printer.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/jit/loop_invariants.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon::jit::Function;
using tenon_test::BuildIr;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32, F64 = ValueType::F64;

/// A module with a memory, a mutable global and one function (i32, i32) -> i32 with locals
/// i32, f64.
ModuleForJit ModuleOf(const CodeBuilder& code) {
  ModuleBuilder builder;
  builder.Memory(1);
  builder.Global({I32, true}, ConstantExpression::I32(7));
  builder.Function(builder.Type({I32, I32}, {I32}), {I32, F64}, code);
  return ModuleForJit{builder.Build()};
}

template <class... Pass>
std::string TextAfter(const CodeBuilder& code, Pass... passes) {
  const ModuleForJit module = ModuleOf(code);
  Function function = BuildIr(module);
  (passes.Run(function), ...);
  CHECK(VerifyIr(function, module.validated.module) == "");
  return PrintIr(function);
}

/// Lines of block `name` of a printed function.
std::string BlockText(const std::string& text, std::string_view name) {
  const std::size_t begin = text.find("\n" + std::string{name});
  const std::size_t end = text.find("\nb", begin + 1);
  return text.substr(begin, end - begin);
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t Count(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// loop { body; local 2 += 1; br_if (local 2 < parameter 0) } local 2
CodeBuilder LoopAround(const CodeBuilder& body) {
  return CodeBuilder{}
      .Begin(Opcode::Loop)
      .Append(body)
      .LocalGet(2)
      .I32Const(1)
      .Emit(Opcode::I32Add)
      .LocalTee(2)
      .LocalGet(0)
      .Emit(Opcode::I32LtS)
      .BrIf(0)
      .End()
      .LocalGet(2);
}

CodeBuilder Store(const CodeBuilder& value) {
  return CodeBuilder{}.LocalGet(2).Append(value).Memory(Opcode::I32Store);
}

}  // namespace

TEST_CASE("what a loop computes from outside values alone leaves it") {
  const auto code = LoopAround(Store(CodeBuilder{}.LocalGet(0).LocalGet(1).Emit(Opcode::I32Xor)));
  const std::string before = TextAfter(code);
  const std::string after = TextAfter(code, tenon::jit::LoopInvariants{});
  CHECK(Contains(BlockText(before, "b1(loop)"), "i32.xor"));
  CHECK_FALSE(Contains(BlockText(after, "b1(loop)"), "i32.xor"));
  CHECK(Contains(after.substr(0, after.find("\nb1")), "i32.xor"));
}

TEST_CASE("what leaves one loop leaves those around it") {
  const auto inner = CodeBuilder{}
                         .Begin(Opcode::Loop)
                         .Append(Store(CodeBuilder{}.LocalGet(0).LocalGet(1).Emit(Opcode::I32Mul)))
                         .LocalGet(1)
                         .BrIf(0)
                         .End();
  const std::string after = TextAfter(LoopAround(inner), tenon::jit::LoopInvariants{});
  CHECK(Contains(after.substr(0, after.find("\nb1")), "i32.mul"));
}

TEST_CASE("what both arms of a branch in a loop compute alike is one value before it") {
  const auto sum = CodeBuilder{}.LocalGet(0).LocalGet(1).Emit(Opcode::I32Xor);
  const auto more = CodeBuilder{}.Append(sum).I32Const(5).Emit(Opcode::I32Mul);
  const auto arms = CodeBuilder{}
                        .LocalGet(2)
                        .Begin(Opcode::If)
                        .Append(Store(sum))
                        .Append(Store(more))
                        .Emit(Opcode::Else)
                        .Append(Store(more))
                        .End();
  const std::string after = TextAfter(LoopAround(arms), tenon::jit::LoopInvariants{});
  const std::string entry = after.substr(0, after.find("\nb1"));
  CHECK(Count(after, "i32.xor") == 1);
  CHECK(Count(after, "i32.mul") == 1);
  CHECK(Contains(entry, "i32.xor"));
  CHECK(Contains(entry, "i32.mul"));
}

TEST_CASE("equal values before two loops stay apart") {
  const auto loop = [](Opcode store) {
    return CodeBuilder{}
        .Begin(Opcode::Loop)
        .LocalGet(2)
        .Begin(Opcode::If)
        .LocalGet(2)
        .LocalGet(0)
        .LocalGet(1)
        .Emit(Opcode::I32Xor)
        .Memory(store)
        .End()
        .LocalGet(2)
        .I32Const(1)
        .Emit(Opcode::I32Add)
        .LocalTee(2)
        .BrIf(0)
        .End();
  };
  const auto code = CodeBuilder{}
                        .LocalGet(0)
                        .Begin(Opcode::If)
                        .Append(loop(Opcode::I32Store))
                        .Emit(Opcode::Else)
                        .Append(loop(Opcode::I32Store8))
                        .End()
                        .LocalGet(2);
  const std::string after = TextAfter(code, tenon::jit::LoopInvariants{});
  CHECK(Count(after, "i32.xor") == 2);
}

TEST_CASE("what depends on the loop, loads and divisions stay") {
  const auto varying =
      LoopAround(Store(CodeBuilder{}.LocalGet(2).LocalGet(1).Emit(Opcode::I32Xor)));
  CHECK(
      Contains(BlockText(TextAfter(varying, tenon::jit::LoopInvariants{}), "b1(loop)"), "i32.xor"));
  // Both may trap, and the loop's first store must be seen before.
  const auto load = LoopAround(Store(CodeBuilder{}.LocalGet(1).Memory(Opcode::I32Load)));
  CHECK(Contains(BlockText(TextAfter(load, tenon::jit::LoopInvariants{}), "b1(loop)"), "i32.load"));
  const auto division =
      LoopAround(Store(CodeBuilder{}.LocalGet(0).LocalGet(1).Emit(Opcode::I32DivU)));
  CHECK(Contains(BlockText(TextAfter(division, tenon::jit::LoopInvariants{}), "b1(loop)"),
                 "i32.div_u"));
}

TEST_CASE("a global is read before a loop that does not set it, and only then") {
  const auto reading = LoopAround(Store(CodeBuilder{}.GlobalGet(0)));
  CHECK_FALSE(Contains(BlockText(TextAfter(reading, tenon::jit::LoopInvariants{}), "b1(loop)"),
                       "load.global"));
  const auto setting = LoopAround(Store(CodeBuilder{}.GlobalGet(0)).LocalGet(2).GlobalSet(0));
  CHECK(Contains(BlockText(TextAfter(setting, tenon::jit::LoopInvariants{}), "b1(loop)"),
                 "load.global"));
}

TEST_CASE("instructions whose values nobody needs go") {
  const auto code = CodeBuilder{}
                        .LocalGet(0)
                        .LocalGet(1)
                        .Emit(Opcode::I32Mul)
                        .Drop()
                        .LocalGet(0)
                        .LocalGet(1)
                        .Emit(Opcode::I32Sub);
  const std::string after = TextAfter(code, tenon::jit::DeadCode{});
  CHECK_FALSE(Contains(after, "i32.mul"));
  CHECK(Contains(after, "i32.sub"));
}

TEST_CASE("a local that only a loop looks at goes with its phi") {
  const auto body = CodeBuilder{}.LocalGet(3).F64Const(1).Emit(Opcode::F64Add).LocalSet(3);
  CHECK(Contains(TextAfter(LoopAround(body)), "f64.add"));
  const std::string after = TextAfter(LoopAround(body), tenon::jit::DeadCode{});
  CHECK_FALSE(Contains(after, "f64.add"));
  CHECK_FALSE(Contains(after, ":f64 = phi"));
}

TEST_CASE("what may trap stays though nobody needs its value") {
  const auto code = CodeBuilder{}
                        .LocalGet(0)
                        .Memory(Opcode::I32Load)
                        .Drop()
                        .LocalGet(0)
                        .LocalGet(1)
                        .Emit(Opcode::I32RemS)
                        .Drop()
                        .LocalGet(0);
  const std::string after = TextAfter(code, tenon::jit::DeadCode{});
  CHECK(Contains(after, "i32.load"));
  CHECK(Contains(after, "i32.rem_s"));
}
