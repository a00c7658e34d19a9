// SPDX-License-Identifier: Apache-2.0
/// @file
/// The facts that validation gathers for the compiler.
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/body_facts.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "front_end_support.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon::jit::BodyFacts;
using tenon_test::ModuleForJit;

namespace {

constexpr ValueType I32 = ValueType::I32;

}  // namespace

TEST_CASE("sets are logged in order, loops with their part of the log and ways back") {
  ModuleBuilder builder;
  builder.Memory(1);
  const std::uint32_t type = builder.Type({}, {});
  for (int i = 0; i < 2; ++i) {
    builder.Function(type, {I32, I32, I32}, [](CodeBuilder& code) {
      code.I32Const(1).LocalSet(2);
      code.Loop({}, [](CodeBuilder& outer) {
        outer.I32Const(1).LocalTee(0).Drop();
        outer.Loop({}, [](CodeBuilder& inner) { inner.I32Const(1).LocalSet(1); });
        outer.I32Const(0).BrIf(0).I32Const(1).BrIf(0);
        outer.Br(1).I32Const(1).LocalSet(2);
      });
      code.I32Const(5).MemoryGrow().LocalSet(0);
    });
  }
  const ModuleForJit module{builder.Build()};
  REQUIRE(module.validated.Text() == "");
  REQUIRE(module.facts.functions.size() == 2);
  const BodyFacts& facts = module.facts.Of(1);
  CHECK(facts.first_set == 4);
  const auto sets = module.facts.Sets(facts);
  CHECK(std::vector<std::uint32_t>{sets.begin(), sets.end()} ==
        std::vector<std::uint32_t>{2, 0, 1, 0});
  const auto loops = module.facts.Loops(facts);
  REQUIRE(loops.size() == 2);
  CHECK(loops[0].first_set == 1);
  CHECK(loops[0].set_end == 3);
  CHECK(loops[0].back_edges == 2);
  CHECK(loops[1].first_set == 2);
  CHECK(loops[1].set_end == 3);
  CHECK(loops[1].back_edges == 0);
  CHECK(facts.blocks == 2);
  CHECK(facts.branches == 3);
  CHECK(facts.locals == 3);
  CHECK(facts.memory_uses == 1);
  CHECK(facts.grows_memory);
  CHECK(facts.IsLeaf());
  CHECK_FALSE(facts.calls_itself);
  CHECK(facts.CodeSize() == module.validated.module.bodies[1].End() - facts.code_offset);
}

TEST_CASE("calls are counted") {
  ModuleBuilder builder;
  builder.Table(ValueType::FuncRef, 1);
  const std::uint32_t type = builder.Type({}, {});
  builder.Function(type, {},
                   [](CodeBuilder& code) { code.Call(0).Call(1).I32Const(0).CallIndirect(0); });
  builder.Function(type, {}, [](CodeBuilder& code) { code.Call(0).Return().Call(0); });
  const ModuleForJit module{builder.Build()};
  REQUIRE(module.validated.Text() == "");
  CHECK(module.facts.Of(0).calls == 2);
  CHECK(module.facts.Of(0).indirect_calls == 1);
  CHECK(module.facts.Of(0).calls_itself);
  CHECK(module.facts.Of(1).calls == 1);
  CHECK_FALSE(module.facts.Of(1).calls_itself);
  CHECK_FALSE(module.facts.Of(1).IsLeaf());
}
