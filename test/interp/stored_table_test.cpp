// SPDX-License-Identifier: Apache-2.0
/// @file
/// Side tables as bytes.
#include <cstdint>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/interp/side_table.hpp>
#include <tenon/interp/stored_table.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/sha256.hpp>

#include "../support/validated_module.hpp"

using namespace tenon::wasm;
using tenon::ValueType;
using tenon::interp::BuildSideTable;
using tenon::interp::kSideTableRevision;
using tenon::interp::ReadSideTable;
using tenon::interp::SideTable;
using tenon::interp::WriteSideTable;
using tenon_test::ValidatedModule;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr ValueType I32 = ValueType::I32, V128 = ValueType::V128;

/// Branches of every kind, a loop, and wide functions with many locals.
Bytes BranchingModule() {
  ModuleBuilder module;
  const std::uint32_t unary = module.Type({I32}, {I32});
  module.Function(unary, {}, [](CodeBuilder& code) {
    code.Block({}, [](CodeBuilder& inner) {
      inner.Loop({}, [](CodeBuilder& loop) {
        loop.LocalGet(0).I32Const(-1).Emit(Opcode::I32Add).LocalTee(0).BrIf(0);
        loop.LocalGet(0).BrTable({0, 1}, 1);
      });
    });
    code.LocalGet(0).If(
        {}, [](CodeBuilder& then) { then.I32Const(1).Return(); },
        [](CodeBuilder& otherwise) { otherwise.Emit(Opcode::Nop); });
    code.LocalGet(0);
  });
  const std::vector<ValueType> wide(60, V128);
  module.Function(unary, wide, [](CodeBuilder& code) {
    code.LocalGet(50).LocalSet(3).LocalGet(59).Drop().LocalGet(0);
  });
  return module.Build();
}

Bytes TableOf(const ValidatedModule& module) {
  SideTable table;
  REQUIRE(BuildSideTable(module.context, table).IsNone());
  return WriteSideTable(table);
}

}  // namespace

TEST_CASE("a stored side table reads as what it was") {
  const ValidatedModule module{BranchingModule()};
  REQUIRE(module.Text() == "");
  const Bytes bytes = TableOf(module);
  SideTable table;
  REQUIRE(ReadSideTable(bytes, module.module, table));
  CHECK(table.functions.size() == 2);
  CHECK(table.entries.size() >= 6);
  CHECK(table.searches.size() == 1);
  CHECK(table.functions[1].is_wide);
  CHECK(WriteSideTable(table) == bytes);
}

TEST_CASE("a side table of a module without functions is stored too") {
  const ValidatedModule module{ModuleBuilder{}.Build()};
  SideTable table;
  CHECK(ReadSideTable(TableOf(module), module.module, table));
  CHECK(table.functions.empty());
}

TEST_CASE("truncated, extended and other modules' side tables are refused") {
  const ValidatedModule module{BranchingModule()};
  Bytes bytes = TableOf(module);
  const std::span<const std::uint8_t> all{bytes};
  SideTable table;
  std::size_t taken = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    taken += ReadSideTable(all.first(size), module.module, table) ? 1 : 0;
  }
  const ValidatedModule other{ModuleBuilder{}.Build()};
  taken += ReadSideTable(bytes, other.module, table) ? 1 : 0;
  bytes.push_back(0);
  taken += ReadSideTable(bytes, module.module, table) ? 1 : 0;
  CHECK(taken == 0);
}

TEST_CASE("side tables whose positions are out of bounds are refused") {
  const ValidatedModule module{BranchingModule()};
  SideTable good;
  REQUIRE(BuildSideTable(module.context, good).IsNone());
  const auto is_taken = [&](auto change) {
    SideTable bad = good;
    change(bad);
    SideTable read;
    return ReadSideTable(WriteSideTable(bad), module.module, read);
  };
  CHECK(is_taken([](SideTable&) {}));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].pc_delta = 1000; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].pc_delta = -1000; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].table_delta = 1000; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].table_delta = -1; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].code_offset = 0; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].code_end += 1; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].first_entry = 1000; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].parameter_slots = 9; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].parameter_slots = 0; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].local_slots = 0; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].local_slots = 0x7FFFFFFF; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].max_stack_slots = 0xFFFFFFFF; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[0].result_slots = 2; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].arity = 100; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].arity = 0xFFFFFFFF; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.entries[0].drop = 100; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.places[0] = {0x7FFFFFFF, true}; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.places[0] = {x.functions[1].local_slots - 1, true}; }));
  CHECK(is_taken([](SideTable& x) { x.places[0] = {x.functions[1].local_slots - 1, false}; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[1].place_count += 1; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[1].first_place = 0xFFFFFFFF; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions[1].search = 1; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.searches[0].end_run += 1; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.searches[0].first_run = 100; }));
  CHECK_FALSE(is_taken([](SideTable& x) { x.functions.pop_back(); }));
}

// When this fails because tables changed on purpose: count kSideTableRevision up, so that caches do
// not give away old ones, and put the new digest here.
TEST_CASE("side tables change only together with their revision") {
  CHECK(kSideTableRevision == 1);
  const ValidatedModule module{BranchingModule()};
  const Sha256Digest digest = HashSha256(TableOf(module));
  std::uint32_t first = 0;
  for (int i = 0; i < 4; ++i) first = first << 8 | digest[static_cast<std::size_t>(i)];
  CHECK(first == 0xF745AA0B);
}
