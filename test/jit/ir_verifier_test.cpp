// SPDX-License-Identifier: Apache-2.0
/// @file
/// Faults of the intermediate representation, and that the front end makes none.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../wasm/spec_files.hpp"
#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon::jit::CompileOptions;
using tenon::jit::Function;
using tenon::jit::Instruction;
using tenon::jit::IrOpcode;
using tenon::jit::MemoryStyle;
using tenon::jit::Type;
using tenon::jit::ValueId;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64;

/// A function with a loop, an if and several instructions:
///
///     b0: v0, v1 = param; jump b1
///     b1(loop): phi; i32.add; branch b2, b3
///     b2: jump b3
///     b3: phi; branch b1, b4
///     b4: return
class Sample {
 public:
  Sample() : module_{Bytes()}, function{BuildIr(module_)} {}

  std::string Fault() const { return VerifyIr(function, module_.validated.module); }

  /// The first instruction with an opcode.
  ValueId Find(IrOpcode opcode) const {
    for (const auto block : function.order) {
      for (ValueId value = function.blocks[block].first; value != tenon::jit::kNone;
           value = function.next[value]) {
        if (function[value].opcode == opcode) return value;
      }
    }
    FAIL("no such instruction");
    return 0;
  }
  Instruction& At(IrOpcode opcode) { return function[Find(opcode)]; }

 private:
  static std::vector<std::uint8_t> Bytes() {
    ModuleBuilder builder;
    builder.Function(builder.Type({I32, I64}, {I32}), {I32}, [](CodeBuilder& code) {
      code.Loop({}, [](CodeBuilder& loop) {
        loop.LocalGet(2).LocalGet(0).Emit(Opcode::I32Add).LocalTee(2);
        loop.If({}, [](CodeBuilder& then) { then.I32Const(3).LocalSet(2); });
        loop.LocalGet(2).BrIf(0);
      });
      code.LocalGet(2);
    });
    return builder.Build();
  }

  ModuleForJit module_;

 public:
  Function function;
};

}  // namespace

TEST_CASE("the verifier finds what is broken") {
  Sample sample;
  Function& function = sample.function;
  REQUIRE(sample.Fault() == "");
  REQUIRE(function.blocks.size() == 5);
  const auto names = [&](const char* what) {
    const std::string fault = sample.Fault();
    INFO(fault);
    CHECK(fault.starts_with(what));
  };
  const ValueId add = sample.Find(IrOpcode::I32Add);

  SECTION("operand of the wrong type") {
    function[add].operands[0] = 1;
    names("operand of the wrong type in b1 at instruction");
  }
  SECTION("operand that does not exist") {
    function[add].operands[1] = 1000;
    names("operand that does not exist");
  }
  SECTION("operand missing") {
    function[add].operands[1] = tenon::jit::kNone;
    names("operand that does not exist");
  }
  SECTION("operand too many") {
    function[add].operands[2] = 0;
    names("operand too many");
  }
  SECTION("use before definition") {
    function[add].operands[0] = add;
    names("operand defined behind its use");
  }
  SECTION("use that is not dominated") {
    Instruction instruction;
    instruction.opcode = IrOpcode::I32Eqz;
    instruction.type = Type::I32;
    instruction.operands[0] = 0;
    const ValueId value = function.Add(instruction, 0);
    function.InsertBefore(2, function.blocks[2].first, value);
    REQUIRE(sample.Fault() == "");
    function.List(sample.At(IrOpcode::Return))[0] = value;
    names("operand that does not dominate its use");
  }
  SECTION("result type") {
    function[add].type = Type::I64;
    names("wrong result type");
  }
  SECTION("a replaced value") {
    function[add].opcode = IrOpcode::Forward;
    names("opcode that cannot stand in a block");
  }
  SECTION("phi with too few arguments") {
    sample.At(IrOpcode::Phi).operands[1] = 1;
    names("phi without an argument for each edge");
  }
  SECTION("phi behind others") {
    const ValueId phi = sample.Find(IrOpcode::Phi);
    const auto block = function.block_of[phi];
    function.Remove(phi);
    function.InsertBefore(block, function.blocks[block].last, phi);
    names("phi behind others");
  }
  SECTION("no terminator") {
    function.Remove(function.blocks[2].last);
    names("block without terminator");
  }
  SECTION("terminator in the middle") {
    Instruction instruction;
    instruction.opcode = IrOpcode::Trap;
    const ValueId trap = function.Add(instruction, 0);
    function.InsertBefore(2, function.blocks[2].last, trap);
    names("terminator missing or not last");
  }
  SECTION("edge of one side") {
    function.blocks[3].predecessors.pop_back();
    names("successors and predecessors do not agree");
  }
  SECTION("wrong number of successors") {
    function.blocks[2].successors.push_back(4);
    names("wrong number of successors");
  }
  SECTION("wrong dominator") {
    function.blocks[3].dominator = 2;
    names("wrong dominator");
  }
  SECTION("wrong order") {
    std::swap(function.order[2], function.order[3]);
    names("order is not a reverse post-order");
  }
  SECTION("block left out") {
    function.order.pop_back();
    names("successor that is not in the order");
  }
  SECTION("header not marked") {
    function.blocks[1].is_loop_header = false;
    names("wrong loop header");
  }
  SECTION("broken links") {
    function.previous[add] = tenon::jit::kNone;
    names("links do not fit");
  }
}

TEST_CASE("the front end's functions of the whole test suite are well-formed") {
  const std::filesystem::path folder = tenon_test::SpecDirectory();
  if (folder.empty()) {
    WARN("no specification tests: set TENON_SPEC_DIR");
    return;
  }
  tenon::jit::FrontEnd front_end;
  Function function;
  std::size_t functions = 0;
  for (const tenon_test::SpecModule& file : tenon_test::FindSpecModules(folder / "core2")) {
    const ModuleForJit module{tenon_test::ReadBytes(file.path)};
    if (!module.validated.fault.IsNone()) continue;
    for (const MemoryStyle style : {MemoryStyle::Guarded, MemoryStyle::Checked}) {
      for (const bool is_plain : {true, false}) {
        CompileOptions options;
        options.memory = style;
        options.interruptible = options.canonical_nan = !is_plain;
        for (std::uint32_t i = 0; i < module.facts.functions.size(); ++i) {
          const bool is_built = front_end.Build(
              {module.validated.module, module.validated.context, module.facts, options}, i,
              function);
          const std::string fault =
              is_built ? VerifyIr(function, module.validated.module) : "too many phis";
          if (fault.empty()) continue;
          INFO(file.path << ", function " << i);
          FAIL_CHECK(fault);
        }
        functions += module.facts.functions.size();
      }
    }
  }
  CHECK(functions > 20'000);
}
