// SPDX-License-Identifier: Apache-2.0
/// @file
/// The side table that validation makes for the interpreter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/interp/side_table.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/validated_module.hpp"

using namespace tenon::wasm;
using tenon::ErrorCode;
using tenon::ValueType;
using tenon::interp::BranchEntry;
using tenon::interp::BuildSideTable;
using tenon::interp::FindLocal;
using tenon::interp::FunctionCode;
using tenon::interp::LocalPlace;
using tenon::interp::SideTable;
using tenon_test::ValidatedModule;

namespace {

constexpr ValueType I32 = ValueType::I32, I64 = ValueType::I64, V128 = ValueType::V128;

/// An entry with its ends in absolute terms: offsets from the first instruction, and the entry's
/// number in its function.
struct Edge {
  std::uint32_t from;  ///< offset of the branch's opcode
  std::uint32_t to;
  std::uint32_t next_entry;
  std::uint32_t arity;
  std::uint32_t drop;

  friend bool operator==(const Edge&, const Edge&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Edge& edge) {
    return out << '{' << edge.from << ", " << edge.to << ", " << edge.next_entry << ", "
               << edge.arity << ", " << edge.drop << '}';
  }
};

struct Built {
  SideTable table;
  std::vector<std::uint8_t> code;  ///< of function 0 with its final `end`

  const FunctionCode& Function() const { return table.functions[0]; }

  /// Whether the table has exactly these entries. `from` of each says where its branch stands.
  void CheckEdges(const std::vector<Edge>& expected) const {
    REQUIRE(table.entries.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const BranchEntry& entry = table.entries[i];
      const std::int64_t to = std::int64_t{expected[i].from} + entry.pc_delta;
      const std::int64_t next = static_cast<std::int64_t>(i) + entry.table_delta;
      const Edge found{expected[i].from, static_cast<std::uint32_t>(to),
                       static_cast<std::uint32_t>(next), entry.arity, entry.drop};
      CHECK(found == expected[i]);
    }
  }
};

Built Build(const ModuleBuilder& builder) {
  const ValidatedModule checked{builder.Build()};
  REQUIRE(checked.Text() == "");
  Built built;
  REQUIRE(BuildSideTable(checked.context, built.table).IsNone());
  REQUIRE(built.table.functions.size() == checked.module.bodies.size());
  const FunctionCode& code = built.table.functions[0];
  CHECK(code.code_end == checked.module.bodies[0].End());
  built.code.assign(checked.bytes.begin() + code.code_offset,
                    checked.bytes.begin() + code.code_end);
  return built;
}

Built Build(ValueTypeList parameters, ValueTypeList results, ValueTypeList locals,
            const CodeBuilder& code) {
  ModuleBuilder module;
  module.Function(module.Type(parameters, results), locals, code);
  return Build(module);
}

CodeBuilder Code() { return {}; }

}  // namespace

TEST_CASE("straight code has no entries and a known stack") {
  const Built built = Build({I32, I32}, {I32}, {I64, I32},
                            Code().LocalGet(0).LocalGet(1).LocalGet(0).Drop().Emit(Opcode::I32Add));
  CHECK(built.table.entries.empty());
  CHECK(built.table.places.empty());
  CHECK(built.Function().parameter_slots == 2);
  CHECK(built.Function().local_slots == 4);
  CHECK(built.Function().result_slots == 1);
  CHECK(built.Function().max_stack_slots == 3);
  CHECK_FALSE(built.Function().is_wide);
  CHECK(built.code.size() == 9);
  CHECK(built.code.front() == 0x20);
  CHECK(built.code.back() == 0x0B);
}

TEST_CASE("a branch out of a block leads behind its end and keeps its results") {
  // 0 block i32; 2 i32.const 1; 4 i32.const 2; 6 i32.const 3; 8 br 0; 10 end; 11 drop; 12 end
  const Built built = Build(
      {}, {}, {},
      Code().Begin(Opcode::Block, I32).I32Const(1).I32Const(2).I32Const(3).Br(0).End().Drop());
  CHECK(built.code.at(8) == 0x0C);
  built.CheckEdges({{8, 11, 1, 1, 2}});
  CHECK(built.Function().max_stack_slots == 3);
}

TEST_CASE("a branch to a loop leads behind its block type and keeps its parameters") {
  ModuleBuilder module;
  const std::uint32_t type = module.Type({}, {});
  const std::uint32_t unary = module.Type({I32}, {I32});
  // 0 i32.const 1; 2 i32.const 2; 4 loop (type 1); 6 i32.const 3; 8 local.get 0; 10 br_if 0;
  // 12 drop; 13 end; 14 drop; 15 drop; 16 end
  module.Function(type, {I32}, [&](CodeBuilder& c) {
    c.I32Const(1).I32Const(2).Begin(Opcode::Loop, BlockType::Index(unary));
    c.I32Const(3).LocalGet(0).BrIf(0).Drop().End().Drop().Drop();
  });
  const Built built = Build(module);
  built.CheckEdges({{10, 6, 0, 1, 1}});
  CHECK(built.Function().max_stack_slots == 4);
}

TEST_CASE("a branch out of the function leads to its final end") {
  // 0 i32.const 1; 2 i32.const 2; 4 block; 6 i32.const 3; 8 i32.const 0; 10 br_if 1; 12 drop;
  // 13 end; 14 br 0; 16 end
  const Built built = Build({}, {I32}, {},
                            Code()
                                .I32Const(1)
                                .I32Const(2)
                                .Begin(Opcode::Block)
                                .I32Const(3)
                                .I32Const(0)
                                .BrIf(1)
                                .Drop()
                                .End()
                                .Br(0));
  built.CheckEdges({{10, 16, 2, 1, 2}, {14, 16, 2, 1, 1}});
  CHECK(built.code.size() == 17);
}

TEST_CASE("a false if leads behind its else, and the first arm over the second") {
  // 0 i32.const 9; 2 local.get 0; 4 if i32; 6 i32.const 1; 8 else; 9 i32.const 2; 11 end; 12 drop;
  // 13 drop; 14 end
  const Built built = Build({I32}, {}, {},
                            Code()
                                .I32Const(9)
                                .LocalGet(0)
                                .Begin(Opcode::If, I32)
                                .I32Const(1)
                                .Emit(Opcode::Else)
                                .I32Const(2)
                                .End()
                                .Drop()
                                .Drop());
  built.CheckEdges({{4, 9, 2, 0, 0}, {8, 12, 2, 1, 0}});
  CHECK(built.Function().max_stack_slots == 2);
}

TEST_CASE("a false if without else leads behind its end") {
  // 0 local.get 0; 2 if; 4 local.get 0; 6 br_if 0; 8 end; 9 end
  const Built built =
      Build({I32}, {}, {}, Code().LocalGet(0).Begin(Opcode::If).LocalGet(0).BrIf(0).End());
  built.CheckEdges({{2, 9, 2, 0, 0}, {6, 9, 2, 0, 0}});
}

TEST_CASE("nested ifs and branches to outer labels find their entries") {
  // 0 block; 2 loop; 4 local.get 0; 6 if; 8 local.get 0; 10 if; 12 br 3; 14 else; 15 br 2; 17 end;
  // 18 br 1; 20 end; 21 br 0; 23 end; 24 end; 25 end
  CodeBuilder code;
  code.Begin(Opcode::Block).Begin(Opcode::Loop).LocalGet(0).Begin(Opcode::If).LocalGet(0);
  code.Begin(Opcode::If).Br(3).Emit(Opcode::Else).Br(2).End().Br(1).End().Br(0).End().End();
  const Built built = Build({I32}, {}, {}, code);
  built.CheckEdges({
      {6, 21, 5, 0, 0},   // outer if, behind its end
      {10, 15, 3, 0, 0},  // inner if; its first arm cannot reach the else, which has no entry
      {12, 25, 6, 0, 0},
      {15, 4, 0, 0, 0},
      {18, 4, 0, 0, 0},
      {21, 4, 0, 0, 0},
  });
}

TEST_CASE("br_table has an entry for each target, the default last") {
  // 0 block i32; 2 i32.const 5; 4 block i32; 6 i32.const 6; 8 i32.const 7; 10 local.get 0;
  // 12 br_table 0 1 1 (default 0); 18 end; 19 drop; 20 end; 21 drop; 22 end
  const Built built = Build({I32}, {}, {},
                            Code()
                                .Begin(Opcode::Block, I32)
                                .I32Const(5)
                                .Begin(Opcode::Block, I32)
                                .I32Const(6)
                                .I32Const(7)
                                .LocalGet(0)
                                .BrTable({0, 1, 1}, 0)
                                .End()
                                .Drop()
                                .End()
                                .Drop());
  CHECK(built.code.at(12) == 0x0E);
  built.CheckEdges({{12, 19, 4, 1, 1}, {12, 21, 4, 1, 2}, {12, 21, 4, 1, 2}, {12, 19, 4, 1, 1}});
}

TEST_CASE("br_table may lead backwards and forwards at once") {
  // 0 loop; 2 block; 4 local.get 0; 6 br_table 0 1 (default 2); 11 end; 12 end; 13 end
  const Built built = Build(
      {I32}, {}, {},
      Code().Begin(Opcode::Loop).Begin(Opcode::Block).LocalGet(0).BrTable({0, 1}, 2).End().End());
  built.CheckEdges({{6, 12, 3, 0, 0}, {6, 2, 0, 0, 0}, {6, 13, 3, 0, 0}});
}

TEST_CASE("code that cannot be reached has no entries, and does not count for the stack") {
  // 0 block; 2 br 0; 4 local.get 0; 6 br_if 0; 8 block; 10 br 0; 12 end; 13 i32.const 0 ...
  CodeBuilder code;
  code.Begin(Opcode::Block).Br(0).LocalGet(0).BrIf(0).Begin(Opcode::Block).Br(0).End();
  for (int i = 0; i < 100; ++i) code.I32Const(0);
  code.LocalGet(0).BrTable({0, 0}, 0).Begin(Opcode::If).Emit(Opcode::Else).End();
  code.Unreachable().Emit(Opcode::Select).Drop().End();
  const auto end = static_cast<std::uint32_t>(code.Bytes().size());
  code.LocalGet(0).BrIf(0);
  const Built built = Build({I32}, {}, {}, code);
  built.CheckEdges({{2, end, 1, 0, 0}, {end + 2, end + 4, 2, 0, 0}});
  CHECK(built.Function().max_stack_slots == 1);
}

TEST_CASE("the second arm is reachable although the first ends in a trap") {
  // 0 local.get 0; 2 if i32; 4 unreachable; 5 else; 6 i32.const 1; 8 br 0; 10 end; 11 drop; 12 end
  const Built built = Build({I32}, {}, {},
                            Code()
                                .LocalGet(0)
                                .Begin(Opcode::If, I32)
                                .Unreachable()
                                .Emit(Opcode::Else)
                                .I32Const(1)
                                .Br(0)
                                .End()
                                .Drop());
  built.CheckEdges({{2, 6, 1, 0, 0}, {8, 11, 2, 1, 0}});
}

TEST_CASE("parameters of an if stay on the stack for both arms") {
  ModuleBuilder module;
  const std::uint32_t type = module.Type({}, {});
  const std::uint32_t unary = module.Type({I32}, {I32});
  // 0 i32.const 1; 2 i32.const 0; 4 if (type 1); 6 drop; 7 i32.const 2; 9 else; 10 end; 11 drop
  module.Function(type, {}, [&](CodeBuilder& c) {
    c.I32Const(1).I32Const(0).Begin(Opcode::If, BlockType::Index(unary)).Drop().I32Const(2);
    c.Emit(Opcode::Else).End().Drop();
  });
  Build(module).CheckEdges({{4, 10, 2, 1, 0}, {9, 11, 2, 1, 0}});
}

TEST_CASE("vectors take two slots in branches, locals and the stack") {
  // 0 block v128; 2 local.get 1; 4 local.get 0; 6 local.get 1; 8 br 0; 10 end; 11 drop; 12 end
  const Built built = Build(
      {I32, V128, I32}, {}, {V128, V128, I64},
      Code().Begin(Opcode::Block, V128).LocalGet(1).LocalGet(0).LocalGet(1).Br(0).End().Drop());
  CHECK(built.Function().is_wide);
  CHECK(built.Function().parameter_slots == 4);
  CHECK(built.Function().local_slots == 9);
  CHECK(built.Function().max_stack_slots == 5);
  CHECK(built.Function().first_place == 0);
  CHECK(built.Function().place_count == 6);
  CHECK(built.table.places ==
        tenon::wasm::FlatArray<LocalPlace>{
            {0, false}, {1, true}, {3, false}, {4, true}, {6, true}, {8, false}});
  REQUIRE(built.table.entries.size() == 2);
  const BranchEntry& branch = built.table.entries[0];
  CHECK(branch.pc_delta == 3);
  CHECK(branch.table_delta == 1);
  CHECK(branch.arity == 2);
  CHECK(branch.drop == 3);
  CHECK(built.table.entries[1].arity == 2);
}

TEST_CASE("in wide functions drop and select without type say the width of their operand") {
  const CodeBuilder code = Code()
                               .LocalGet(0)
                               .LocalGet(0)
                               .LocalGet(1)
                               .Select()
                               .Drop()
                               .LocalGet(1)
                               .LocalGet(1)
                               .LocalGet(1)
                               .Select()
                               .Drop()
                               .LocalGet(0)
                               .LocalGet(0)
                               .LocalGet(1)
                               .Select({V128})
                               .Drop();
  const Built wide = Build({V128, I32}, {}, {}, code);
  REQUIRE(wide.table.entries.size() == 5);
  const std::uint32_t widths[] = {2, 2, 1, 1, 2};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(wide.table.entries[i].arity == widths[i]);
    CHECK(wide.table.entries[i].drop == 0);
    CHECK(wide.table.entries[i].pc_delta == 0);
    CHECK(wide.table.entries[i].table_delta == 0);
  }
}

TEST_CASE("a vector that comes late makes the whole function wide") {
  // 0 block; 2 i32.const 1; 4 drop; 5 local.get 0; 7 br_if 0; 9 i32.const 0; 11 i32x4.splat;
  // 13 drop; 14 end; 15 end
  const Built built = Build({I32}, {}, {I64},
                            Code()
                                .Begin(Opcode::Block)
                                .I32Const(1)
                                .Drop()
                                .LocalGet(0)
                                .BrIf(0)
                                .I32Const(0)
                                .Emit(Opcode::I32x4Splat)
                                .Drop()
                                .End());
  CHECK(built.Function().is_wide);
  CHECK(built.table.places == tenon::wasm::FlatArray<LocalPlace>{{0, false}, {1, false}});
  REQUIRE(built.table.entries.size() == 3);
  CHECK(built.table.entries[0].arity == 1);
  CHECK(built.table.entries[1].pc_delta == 15 - 7);
  CHECK(built.table.entries[1].table_delta == 2);
  CHECK(built.table.entries[2].arity == 2);
}

TEST_CASE("functions without vectors have no entries for drop and select") {
  const Built built =
      Build({I32}, {}, {}, Code().LocalGet(0).LocalGet(0).LocalGet(0).Select().Drop());
  CHECK(built.table.entries.empty());
  CHECK_FALSE(built.Function().is_wide);
}

TEST_CASE("a vector in the signature alone makes a function wide") {
  const Built result = Build({}, {V128}, {}, Code().Unreachable());
  CHECK(result.Function().is_wide);
  CHECK(result.Function().result_slots == 2);
  CHECK(Build({V128}, {}, {}, Code()).Function().is_wide);
  CHECK(Build({}, {}, {V128}, Code()).Function().is_wide);
}

TEST_CASE("functions of a module share the tables, each from its own first entry") {
  ModuleBuilder module;
  const std::uint32_t type = module.Type({I32}, {});
  const std::uint32_t wide = module.Type({V128, I32}, {});
  module.Function(type, {}, Code().LocalGet(0).BrIf(0).LocalGet(0).Drop());
  module.Function(wide, {}, Code().LocalGet(0).Drop());
  module.Function(type, {}, Code().LocalGet(0).BrIf(0));
  module.Function(wide, {I32}, Code().LocalGet(1).BrIf(0));
  const Built built = Build(module);
  const tenon::wasm::FlatArray<FunctionCode>& functions = built.table.functions;
  REQUIRE(functions.size() == 4);
  CHECK(functions[0].first_entry == 0);
  CHECK(functions[1].first_entry == 1);
  CHECK(functions[2].first_entry == 2);
  CHECK(functions[3].first_entry == 3);
  CHECK(built.table.entries.size() == 4);
  CHECK_FALSE(functions[0].is_wide);
  CHECK_FALSE(functions[2].is_wide);
  CHECK(functions[1].first_place == 0);
  CHECK(functions[1].place_count == 2);
  CHECK(functions[3].first_place == 2);
  CHECK(functions[3].place_count == 3);
  CHECK(built.table.places == tenon::wasm::FlatArray<LocalPlace>{
                                  {0, true}, {2, false}, {0, true}, {2, false}, {3, false}});
  CHECK(built.table.searches.empty());
  CHECK(built.table.entries[2].table_delta == 1);
}

TEST_CASE("an invalid body gives the fault that validation gives") {
  ModuleBuilder module;
  module.Function(module.Type({}, {I32}), {}, Code().Emit(Opcode::Nop).Br(0));
  const ValidatedModule checked{module.Build()};
  SideTable table;
  const Fault fault = BuildSideTable(checked.context, table);
  CHECK(fault.code == ErrorCode::TypeMismatchEmpty);
  CHECK(fault.offset == checked.fault.offset);
  CHECK(fault.function == 0);
}

TEST_CASE("locals of wide functions cost memory for code and declarations, not for each") {
  ModuleBuilder module;
  const std::uint32_t type = module.Type({}, {});
  const std::vector<ValueType> locals(50'000, V128);
  for (int i = 0; i < 300; ++i) module.Function(type, locals, Code());
  const std::uint32_t many = module.Type(std::vector<ValueType>(1'000, V128), {});
  for (int i = 0; i < 300; ++i) module.Function(many, {I32}, Code());
  const Built built = Build(module);
  CHECK(built.table.places.size() <= 600 * 20);
  CHECK(built.table.searches.size() == 600);
  // One for each function's locals, one for the parameters of `many`.
  CHECK(built.table.runs.size() == 601);
}

TEST_CASE("every local of a wide function is found, written out or not") {
  std::vector<ValueType> parameters;
  std::vector<ValueType> locals;
  for (int i = 0; i < 150; ++i) parameters.push_back(i % 7 < 3 ? V128 : i % 2 == 0 ? I32 : I64);
  for (int i = 0; i < 250; ++i) locals.push_back(i % 11 < 6 ? I64 : i % 3 == 0 ? I32 : V128);
  ModuleBuilder module;
  const std::uint32_t type = module.Type(parameters, {});
  const auto nops = static_cast<std::size_t>(GENERATE(0, 20, 133, 134, 200, 382, 383, 384, 500));
  for (int i = 0; i < 2; ++i) {
    module.Function(type, locals, [&](CodeBuilder& code) {
      for (std::size_t n = 0; n < nops; ++n) code.Emit(Opcode::Nop);
    });
  }
  const Built built = Build(module);
  std::vector<ValueType> all = parameters;
  all.insert(all.end(), locals.begin(), locals.end());
  for (const FunctionCode& function : built.table.functions) {
    CHECK(function.place_count == std::min(all.size(), nops + 17));
    std::uint32_t slot = 0;
    std::size_t wrong = 0;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      const LocalPlace expected{slot, all[i].IsVector()};
      const LocalPlace found = i < function.place_count
                                   ? built.table.places[function.first_place + i]
                                   : FindLocal(built.table, function.search, i);
      wrong += found == expected ? 0 : 1;
      slot += all[i].SlotCount();
    }
    CHECK(wrong == 0);
    CHECK(slot == function.local_slots);
  }
}
