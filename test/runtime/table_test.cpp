// SPDX-License-Identifier: Apache-2.0
/// @file
/// Table: elements, growth, calls through tables, and sharing between instances.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/vm/instance.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

std::int32_t CallElement(const tenon::Module& module, std::int32_t index) {
  return module.ExportedFunction<std::int32_t(std::int32_t)>("call")(index);
}

tenon::TrapCode TrapOfElement(const tenon::Module& module, std::int32_t index) {
  return Thrown<tenon::Trap>([&] { CallElement(module, index); }).Code();
}

}  // namespace

TEST_CASE("a table's size and elements are visible to the host") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Tables());
  const tenon::Table table = guest.ExportedTable("table");
  REQUIRE(table);
  CHECK(table.Size() == 4);
  REQUIRE(table.Get(0).has_value());
  CHECK(table.Get(0)->Type() == tenon::ValueType::FuncRef);
  CHECK(table.Get(0)->Func() == guest.ExportedFunction("one").Reference());
  CHECK(table.Get(3)->Func().IsNull());
  CHECK_FALSE(table.Get(4).has_value());
  CHECK_FALSE(table.Get(UINT64_MAX).has_value());
  CHECK(table == guest.ExportedTable("table"));
  const tenon::TableDefinition definition = table.Definition();
  CHECK(definition.minimum == 4);
  CHECK(definition.maximum == 8);
  CHECK(definition.element_type == tenon::ValueType::FuncRef);
}

TEST_CASE("LookupFunction gives a callable handle, or an empty one") {
  const tenon::Runtime runtime;
  tenon::Function two;
  {
    const tenon::Module guest = runtime.Instantiate(guests::Tables());
    const tenon::Table table = guest.ExportedTable("table");
    two = table.LookupFunction(1);
    CHECK_FALSE(table.LookupFunction(3));
    CHECK_FALSE(table.LookupFunction(4));
    CHECK(two == guest.ExportedFunction("two"));
  }
  CHECK(two.As<std::int32_t()>()() == 2);
}

TEST_CASE("the guest calls what the host sets, and host changes are seen at once") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Tables());
  tenon::Table table = guest.ExportedTable("table");
  CHECK(CallElement(guest, 0) == 1);
  CHECK(table.Set(3, tenon::Value{guest.ExportedFunction("two").Reference()}));
  CHECK(CallElement(guest, 3) == 2);
  CHECK(table.Set(0, tenon::Value{tenon::FuncRef{}}));
  CHECK(TrapOfElement(guest, 0) == tenon::TrapCode::UninitializedElement);
  CHECK_FALSE(table.Set(4, tenon::Value{tenon::FuncRef{}}));
  CHECK_FALSE(table.Set(0, tenon::Value{1}));
  CHECK_FALSE(table.Set(0, tenon::Value{tenon::ExternRef{}}));
}

TEST_CASE("calls through a table trap for missing, null and differently typed elements") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Tables());
  CHECK(CallElement(guest, 1) == 2);
  CHECK(TrapOfElement(guest, 3) == tenon::TrapCode::UninitializedElement);
  CHECK(TrapOfElement(guest, 4) == tenon::TrapCode::UndefinedElement);
  CHECK(TrapOfElement(guest, -1) == tenon::TrapCode::UndefinedElement);
  CHECK(TrapOfElement(guest, 2) == tenon::TrapCode::IndirectCallTypeMismatch);
}

TEST_CASE("a function of another linkage group is refused by Set") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Tables());
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module first = runtime.InstantiateModule(compiled, anonymous);
  const tenon::Module second = runtime.InstantiateModule(compiled, anonymous);
  tenon::Table table = first.ExportedTable("table");
  CHECK_FALSE(table.Set(0, tenon::Value{second.ExportedFunction("two").Reference()}));
  CHECK(CallElement(first, 0) == 1);
  CHECK_FALSE(table.Grow(1, tenon::Value{second.ExportedFunction("two").Reference()}).has_value());
  CHECK(table.Size() == 4);
}

TEST_CASE("growing a table gives its former size and fills new elements") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Tables());
  tenon::Table table = guest.ExportedTable("table");
  CHECK(table.Grow(2, tenon::Value{guest.ExportedFunction("two").Reference()}) == 4);
  CHECK(table.Size() == 6);
  CHECK(CallElement(guest, 0) == 1);
  CHECK(CallElement(guest, 5) == 2);
  CHECK(table.Grow(0, tenon::Value{tenon::FuncRef{}}) == 6);
  CHECK_FALSE(table.Grow(3, tenon::Value{tenon::FuncRef{}}).has_value());
  CHECK_FALSE(table.Grow(UINT64_MAX, tenon::Value{tenon::FuncRef{}}).has_value());
  CHECK_FALSE(table.Grow(1, tenon::Value{tenon::ExternRef{}}).has_value());
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(2) == 6);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == -1);
  CHECK(guest.ExportedFunction<std::int32_t()>("size")() == 8);
  CHECK(table.Size() == 8);
}

TEST_CASE("a table of externref holds host values") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::References());
  tenon::Table table = guest.ExportedTable("externs");
  CHECK(table.Definition().element_type == tenon::ValueType::ExternRef);
  CHECK(table.Get(0)->Extern().IsNull());
  CHECK(table.Set(0, tenon::Value{tenon::ExternRef{std::uintptr_t{11}}}));
  CHECK(guest.ExportedFunction<tenon::ExternRef(std::int32_t)>("fetch")(0).Value() == 11);
  guest.ExportedFunction<void(std::int32_t, tenon::ExternRef)>("store")(
      1, tenon::ExternRef{std::uintptr_t{12}});
  CHECK(table.Get(1)->Extern().Value() == 12);
  CHECK_FALSE(table.Set(0, tenon::Value{tenon::FuncRef{}}));
  CHECK_FALSE(table.LookupFunction(0));
  CHECK(table.Grow(1, tenon::Value{tenon::ExternRef{std::uintptr_t{13}}}) == 4);
  CHECK(table.Get(4)->Extern().Value() == 13);
}

TEST_CASE("an imported table is the exporter's table") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user = runtime.Instantiate(guests::ImportsTable({.offset = 3}));
  CHECK(user.ExportedTable("table") == owner.ExportedTable("table"));
  CHECK(CallElement(owner, 3) == 3);
  CHECK(CallElement(user, 0) == 1);
  CHECK(owner.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == 4);
  CHECK(user.ExportedTable("table").Size() == 5);
}

TEST_CASE("functions in a shared table live on when their module's handles go") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  runtime.Instantiate(guests::ImportsTable({.offset = 3}), tenon::ModuleConfig{}.WithName(""));
  CHECK(CallElement(owner, 3) == 3);
}

TEST_CASE("table.init takes as long as what it copies, wherever in its segment that is") {
  // A walk from the segment's first item to each that is copied would be 5e9 steps.
  constexpr std::uint32_t kItems = 100'000;
  guests::Guest guest;
  const std::uint32_t one =
      guest.AddHidden("one", {{}, {guests::kI32}}, [](auto& code) { code.I32Const(1); });
  const std::uint32_t two =
      guest.AddHidden("two", {{}, {guests::kI32}}, [](auto& code) { code.I32Const(2); });
  std::vector<std::uint32_t> items(kItems, one);
  items.back() = two;
  guest.Table(tenon::ValueType::FuncRef, 1);
  const std::uint32_t segment = guest.PassiveElement(guests::ElementItems::Functions(items));
  guest.Add("init", {{guests::kI32}, {}},
            [&](auto& code) { code.I32Const(0).LocalGet(0).I32Const(1).TableInit(segment); });
  guest.Add(
      "init_all", {{}, {}},
      [&](auto& code) {
        code.Begin(guests::Opcode::Loop).I32Const(0).LocalGet(0).I32Const(1).TableInit(segment);
        code.LocalGet(0).I32Const(1).Emit(guests::Opcode::I32Add).LocalTee(0);
        code.I32Const(kItems).Emit(guests::Opcode::I32LtU).BrIf(0).End();
      },
      {guests::kI32});
  const std::uint32_t type = guest.TypeOf({{}, {guests::kI32}});
  guest.Add("call", {{guests::kI32}, {guests::kI32}},
            [&](auto& code) { code.LocalGet(0).CallIndirect(type); });
  guest.Add("drop", {{}, {}}, [&](auto& code) { code.ElemDrop(segment); });

  const tenon::Runtime runtime;
  const tenon::Module module = runtime.Instantiate(guest.Build());
  module.ExportedFunction<void()>("init_all")();
  CHECK(CallElement(module, 0) == 2);
  const auto init = module.ExportedFunction<void(std::uint32_t)>("init");
  init(kItems - 2);
  CHECK(CallElement(module, 0) == 1);
  CHECK(Thrown<tenon::Trap>([&] { init(kItems); }).Code() ==
        tenon::TrapCode::OutOfBoundsTableAccess);
  module.ExportedFunction<void()>("drop")();
  CHECK(Thrown<tenon::Trap>([&] { init(0); }).Code() == tenon::TrapCode::OutOfBoundsTableAccess);
}

TEST_CASE("an empty table handle is a table without elements") {
  tenon::Table empty;
  CHECK_FALSE(empty);
  CHECK(empty == tenon::Table{});
  CHECK(empty.Size() == 0);
  CHECK_FALSE(empty.Get(0).has_value());
  CHECK_FALSE(empty.Set(0, tenon::Value{tenon::FuncRef{}}));
  CHECK_FALSE(empty.Grow(0, tenon::Value{tenon::FuncRef{}}).has_value());
  CHECK_FALSE(empty.LookupFunction(0));
}

TEST_CASE("the elements of a table go with the last open module that uses it") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user = runtime.Instantiate(guests::ImportsTable({.offset = 3}));
  const auto table = owner.Get()->tables[0];
  owner.Close();
  CHECK(table->Size() == 4);
  user.Close();
  CHECK(table->Size() == 0);
}
