// SPDX-License-Identifier: Apache-2.0
/// @file
/// Linking: exact types, texts that name both sides, and what a failed instantiation leaves behind.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

using guests::kI32;
using guests::kI64;

struct Refused {
  tenon::ErrorCode id;
  std::string text;
};

Refused LinkFault(const tenon::Runtime& runtime, const std::vector<std::uint8_t>& bytes,
                  const tenon::ModuleConfig& config = {}) {
  const auto error = Thrown<tenon::LinkError>([&] { runtime.Instantiate(bytes, config); });
  return {error.Id(), error.what()};
}

tenon::Module Env(const tenon::Runtime& runtime) {
  return runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t a, std::int32_t b) { return a + b; })
      .Export("add")
      .ExportMemory("memory", 1, 2)
      .ExportTable("table", tenon::ValueType::FuncRef, 4, 8)
      .ExportGlobal("global", tenon::Value{1})
      .ExportGlobal("variable", tenon::Value{1}, true)
      .Instantiate();
}

}  // namespace

TEST_CASE("a module that is not there is named") {
  const tenon::Runtime runtime;
  const Refused refused = LinkFault(runtime, guests::Forwarder("env", "add", {}));
  CHECK(refused.id == tenon::ErrorCode::ModuleNotInstantiated);
  CHECK_THAT(refused.text, Catch::StartsWith("module[env] not instantiated"));
}

TEST_CASE("an export that is not there is named with its kind and module") {
  const tenon::Runtime runtime;
  Env(runtime);
  const Refused refused = LinkFault(runtime, guests::Forwarder("env", "sub", {}));
  CHECK(refused.id == tenon::ErrorCode::ImportNotFound);
  CHECK(refused.text == "import func \"env\".\"sub\": module \"env\" exports no func of this name");
}

TEST_CASE("all missing imports are named at once") {
  const tenon::Runtime runtime;
  Env(runtime);
  const Refused refused =
      LinkFault(runtime, guests::TwoImports({"env", "first"}, {"env", "second"}));
  CHECK_THAT(refused.text, Catch::Contains("import func \"env\".\"first\""));
  CHECK_THAT(refused.text, Catch::Contains("import func \"env\".\"second\""));
}

TEST_CASE("an export of another kind is named with what it is") {
  const tenon::Runtime runtime;
  Env(runtime);
  const Refused refused = LinkFault(runtime, guests::Forwarder("env", "memory", {}));
  CHECK(refused.id == tenon::ErrorCode::ImportKindMismatch);
  CHECK(refused.text ==
        "import func \"env\".\"memory\": module \"env\" exports a memory of this name");
}

TEST_CASE("a function import of another type names both signatures") {
  const tenon::Runtime runtime;
  Env(runtime);
  const Refused refused =
      LinkFault(runtime, guests::Forwarder("env", "add", {{kI32, kI64}, {kI32}}));
  CHECK(refused.id == tenon::ErrorCode::ImportTypeMismatch);
  CHECK(refused.text ==
        "import func \"env\".\"add\": signature mismatch: guest wants (i32, i64) -> i32, module "
        "\"env\" has (i32, i32) -> i32, in C++ int(int, int); parameter 1: guest i64, module i32");
}

TEST_CASE("function imports match exactly: no parameter or result more or less") {
  const tenon::Runtime runtime;
  Env(runtime);
  for (const guests::Signature& type :
       std::vector<guests::Signature>{{{kI32}, {kI32}},
                                      {{kI32, kI32, kI32}, {kI32}},
                                      {{kI32, kI32}, {}},
                                      {{kI32, kI32}, {kI32, kI32}},
                                      {{kI32, kI32}, {tenon::ValueType::F32}}}) {
    CHECK(LinkFault(runtime, guests::Forwarder("env", "add", type)).id ==
          tenon::ErrorCode::ImportTypeMismatch);
  }
  CHECK_NOTHROW(runtime.Instantiate(guests::Forwarder("env", "add", {{kI32, kI32}, {kI32}})));
}

TEST_CASE("memory imports match by limits: at least the minimum, at most the maximum") {
  const tenon::Runtime runtime;
  Env(runtime);
  const auto memory = [](std::uint32_t minimum, std::optional<std::uint32_t> maximum) {
    return guests::MemoryUser({minimum, maximum, guests::Import{"env", "memory"}});
  };
  CHECK_NOTHROW(runtime.Instantiate(memory(1, 2)));
  CHECK_NOTHROW(runtime.Instantiate(memory(0, 3)));
  CHECK_NOTHROW(runtime.Instantiate(memory(1, std::nullopt)));
  const Refused refused = LinkFault(runtime, memory(2, 2));
  CHECK(refused.id == tenon::ErrorCode::ImportTypeMismatch);
  CHECK_THAT(refused.text, Catch::StartsWith("import memory \"env\".\"memory\": "));
  CHECK(LinkFault(runtime, memory(1, 1)).id == tenon::ErrorCode::ImportTypeMismatch);

  SECTION("the size at the time counts as the minimum") {
    runtime.FindModule("env").ExportedMemory("memory").Grow(1);
    CHECK_NOTHROW(runtime.Instantiate(memory(2, 2)));
  }
}

TEST_CASE("table imports match by element type and limits") {
  const tenon::Runtime runtime;
  Env(runtime);
  const auto table = [](std::uint32_t minimum, std::optional<std::uint32_t> maximum,
                        tenon::ValueType element = tenon::ValueType::FuncRef) {
    return guests::OnlyImportsTable("env", "table", element, minimum, maximum);
  };
  CHECK_NOTHROW(runtime.Instantiate(table(4, 8)));
  CHECK_NOTHROW(runtime.Instantiate(table(2, std::nullopt)));
  const Refused refused = LinkFault(runtime, table(5, 8));
  CHECK(refused.id == tenon::ErrorCode::ImportTypeMismatch);
  CHECK_THAT(refused.text, Catch::StartsWith("import table \"env\".\"table\": "));
  CHECK(LinkFault(runtime, table(4, 7)).id == tenon::ErrorCode::ImportTypeMismatch);
  CHECK(LinkFault(runtime, table(4, 8, tenon::ValueType::ExternRef)).id ==
        tenon::ErrorCode::ImportTypeMismatch);
}

TEST_CASE("global imports match by type and mutability") {
  const tenon::Runtime runtime;
  Env(runtime);
  CHECK_NOTHROW(runtime.Instantiate(guests::ImportsGlobal("env", "global", kI32, false)));
  CHECK_NOTHROW(runtime.Instantiate(guests::ImportsGlobal("env", "variable", kI32, true)));
  const Refused refused = LinkFault(runtime, guests::ImportsGlobal("env", "global", kI64, false));
  CHECK(refused.id == tenon::ErrorCode::ImportTypeMismatch);
  CHECK_THAT(refused.text, Catch::StartsWith("import global \"env\".\"global\": "));
  CHECK_THAT(refused.text, Catch::Contains("i64"));
  CHECK_THAT(refused.text, Catch::Contains("i32"));
  CHECK(LinkFault(runtime, guests::ImportsGlobal("env", "global", kI32, true)).id ==
        tenon::ErrorCode::ImportTypeMismatch);
  CHECK(LinkFault(runtime, guests::ImportsGlobal("env", "variable", kI32, false)).id ==
        tenon::ErrorCode::ImportTypeMismatch);
}

TEST_CASE("a host function that uses the caller's memory needs a caller that has one") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Memory&) {})
      .Export("memory_user")
      .NewFunctionBuilder()
      .WithFunc([](std::string_view) {})
      .Export("view_user")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module&) {})
      .Export("module_user")
      .Instantiate();
  const Refused refused = LinkFault(runtime, guests::Forwarder("env", "memory_user", {}));
  CHECK(refused.id == tenon::ErrorCode::ImportNeedsMemory);
  CHECK(refused.text ==
        "import func \"env\".\"memory_user\": the host function uses the caller's memory, but "
        "this module has none");
  CHECK(LinkFault(runtime, guests::Forwarder("env", "view_user", {{kI32, kI32}, {}})).id ==
        tenon::ErrorCode::ImportNeedsMemory);
  CHECK_NOTHROW(runtime.Instantiate(guests::Forwarder("env", "memory_user", {}, true)));
  CHECK_NOTHROW(runtime.Instantiate(guests::Forwarder("env", "module_user", {})));
}

TEST_CASE("a module of another runtime is refused") {
  const tenon::Runtime runtime;
  const tenon::Runtime other;
  const tenon::Module foreign = Env(other);
  const Refused refused =
      LinkFault(runtime, guests::Forwarder("env", "add", {{kI32, kI32}, {kI32}}),
                tenon::ModuleConfig{}.WithImport("env", foreign));
  CHECK(refused.id == tenon::ErrorCode::ImportForeignRuntime);
  CHECK(refused.text == "import \"env\".\"add\" belongs to another runtime");
}

TEST_CASE("a closed module cannot be imported, by name or by handle") {
  const tenon::Runtime runtime;
  const tenon::Module env = Env(runtime);
  const auto bytes = guests::Forwarder("env", "add", {{kI32, kI32}, {kI32}});
  env.Close();
  CHECK(LinkFault(runtime, bytes).id == tenon::ErrorCode::ModuleNotInstantiated);
  CHECK_THROWS_AS(runtime.Instantiate(bytes, tenon::ModuleConfig{}.WithImport("env", env)),
                  tenon::Error);
}

TEST_CASE("a guest imports what another guest imports and exports again") {
  const tenon::Runtime runtime;
  Env(runtime);
  runtime.Instantiate(guests::Forwarder("env", "add", {{kI32, kI32}, {kI32}}),
                      tenon::ModuleConfig{}.WithName("middle"));
  const tenon::Module outer =
      runtime.Instantiate(guests::Forwarder("middle", "run", {{kI32, kI32}, {kI32}}));
  CHECK(outer.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("run")(1, 2) == 3);
}

TEST_CASE("an imported function that is exported again is the same function") {
  const tenon::Runtime runtime;
  const tenon::Module env = Env(runtime);
  const tenon::Module guest = runtime.Instantiate(guests::Reexport("env", "add"));
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(1, 2) == 3);
  CHECK(guest.ExportedFunction("add").Reference() == env.ExportedFunction("add").Reference());
}

TEST_CASE("element segments before one that is out of bounds stay written") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  const auto error = Thrown<tenon::Trap>(
      [&] { runtime.Instantiate(guests::ImportsTable({.offset = 2, .second_offset = 99})); });
  CHECK(error.Code() == tenon::TrapCode::OutOfBoundsTableAccess);
  const auto call = owner.ExportedFunction<std::int32_t(std::int32_t)>("call");
  CHECK(call(2) == 3);
  CHECK(call(0) == 1);
}

TEST_CASE("an element segment that does not fit writes none of its elements") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  CHECK_THROWS_AS(runtime.Instantiate(guests::ImportsTable({.offset = 3, .count = 2})),
                  tenon::Trap);
  CHECK(owner.ExportedTable("table").Get(3)->Func().IsNull());
}

TEST_CASE("functions that a failed instantiation wrote into a shared table stay callable") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  CHECK_THROWS_AS(runtime.Instantiate(guests::ImportsTable({.offset = 3, .start_traps = true})),
                  tenon::Trap);
  const auto call = owner.ExportedFunction<std::int32_t(std::int32_t)>("call");
  for (int i = 0; i < 3; ++i) CHECK(call(3) == 3);
}

TEST_CASE("data segments before one that is out of bounds stay written") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("owner"));
  const auto error = Thrown<tenon::Trap>([&] {
    runtime.Instantiate(guests::DataSegments("owner", {{100, "first"}, {65534, "second"}}));
  });
  CHECK(error.Code() == tenon::TrapCode::OutOfBoundsMemoryAccess);
  CHECK(owner.DefaultMemory().ViewString(100, 5) == "first");
  CHECK(owner.DefaultMemory().ReadByte(65534) == 0);
  CHECK(owner.DefaultMemory().ReadByte(65535) == 0);
}

TEST_CASE("data segments may reach exactly the end of the memory") {
  const tenon::Runtime runtime;
  runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("owner"));
  CHECK_NOTHROW(
      runtime.Instantiate(guests::DataSegments("owner", {{65531, "12345"}, {65536, ""}})));
  CHECK_THROWS_AS(runtime.Instantiate(guests::DataSegments("owner", {{65537, ""}})), tenon::Trap);
  CHECK_THROWS_AS(runtime.Instantiate(guests::DataSegments("owner", {{-1, "x"}})), tenon::Trap);
}

TEST_CASE("a failed link runs no guest code and writes nothing") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("owner"));
  CHECK_THROWS_AS(runtime.Instantiate(guests::DataSegmentsAndMissingImport("owner", {{0, "data"}})),
                  tenon::LinkError);
  CHECK(owner.DefaultMemory().ReadByte(0) == 0);
}

TEST_CASE("two groups that are both executing cannot be linked") {
  const tenon::Runtime runtime;
  std::string text;
  tenon::ErrorCode id = tenon::ErrorCode::None;
  tenon::Module b;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t step) -> std::int32_t {
        if (step == 0) return b.ExportedFunction<std::int32_t(std::int32_t)>("run")(1);
        const auto error = Thrown<tenon::LinkError>(
            [&] { runtime.Instantiate(guests::TwoImports({"a", "answer"}, {"b", "answer"})); });
        id = error.Id();
        text = error.what();
        return 7;
      })
      .Export("step")
      .Instantiate();
  const auto compiled = runtime.CompileModule(guests::StepAndAnswer());
  const tenon::Module a = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("a"));
  b = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("b"));
  CHECK(a.ExportedFunction<std::int32_t(std::int32_t)>("run")(0) == 7);
  CHECK(id == tenon::ErrorCode::GroupsBusy);
  CHECK(text == "cannot link instances of two groups that are both executing");

  const tenon::Module both =
      runtime.Instantiate(guests::TwoImports({"a", "answer"}, {"b", "answer"}));
  CHECK(both.ExportedFunction<std::int32_t()>("first")() == 42);
}

TEST_CASE("a host function may link a module to the guest that is calling it") {
  const tenon::Runtime runtime;
  std::vector<std::int32_t> seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t step) -> std::int32_t {
        if (step == 0) return 100;
        const tenon::Module idle =
            runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("idle"));
        const tenon::Module both =
            runtime.Instantiate(guests::TwoImports({"caller", "answer"}, {"idle", "increment"}),
                                tenon::ModuleConfig{}.WithImport("caller", caller));
        seen.push_back(both.ExportedFunction<std::int32_t()>("first")());
        seen.push_back(both.ExportedFunction<std::int32_t()>("second")());
        seen.push_back(caller.ExportedFunction<std::int32_t(std::int32_t)>("run")(0));
        return 7;
      })
      .Export("step")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::StepAndAnswer());
  const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  CHECK(run(1) == 7);
  CHECK(seen == std::vector<std::int32_t>{42, 1, 100});
  CHECK(run(0) == 100);
}

TEST_CASE("linking that traps inside a host function leaves the running guest intact") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t) -> std::int32_t {
        try {
          runtime.Instantiate(guests::StartTraps());
          runtime.Instantiate(guests::TwoImports({"caller", "answer"}, {"caller", "answer"}),
                              tenon::ModuleConfig{}.WithImport("caller", caller));
        } catch (const tenon::Trap&) {
          return 5;
        }
        return 0;
      })
      .Export("step")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::StepAndAnswer());
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(1) == 5);
}

TEST_CASE("a module that imports from itself by an older instance links to that instance") {
  const tenon::Runtime runtime;
  const tenon::Module counter = runtime.Instantiate(guests::Counter());
  tenon::Module last = counter;
  const auto compiled =
      runtime.CompileModule(guests::Forwarder("previous", "increment", {{}, {kI32}}));
  const auto further = runtime.CompileModule(guests::Forwarder("previous", "run", {{}, {kI32}}));
  last = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithImport("previous", last));
  for (int i = 0; i < 50; ++i) {
    last = runtime.InstantiateModule(further, tenon::ModuleConfig{}.WithImport("previous", last));
  }
  CHECK(last.ExportedFunction<std::int32_t()>("run")() == 1);
  CHECK(counter.ExportedFunction<std::int32_t()>("increment")() == 2);
}

TEST_CASE("of many imports that do not link, the first are shown and the others counted") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env").Instantiate();
  guests::Guest guest;
  for (int i = 0; i < 1000; ++i) guest.AddImport("missing", "f" + std::to_string(i), {});
  for (int i = 0; i < 1000; ++i) guest.AddImport("env", "f" + std::to_string(i), {});
  const std::string text = TextOf<tenon::LinkError>([&] { runtime.Instantiate(guest.Build()); });
  CHECK(std::count(text.begin(), text.end(), '\n') == 20);
  CHECK_THAT(text,
             Catch::StartsWith("module[missing] not instantiated; wanted for func \"f0\", ") &&
                 Catch::Contains("\nimport func \"env\".\"f0\""));
  CHECK_THAT(text, Catch::EndsWith("\nand 981 more imports that do not link"));
}

TEST_CASE("every one of many exports is found by its name") {
  const tenon::Runtime runtime;
  guests::Guest library;
  library.NameModule("library");
  guests::Guest user;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "f" + std::to_string(i * 7919 % 500);
    library.Add(name, {{}, {guests::kI32}}, [&](auto& code) { code.I32Const(i); });
    user.Export(name, guests::Kind::Func, user.AddImport("library", name, {{}, {guests::kI32}}));
  }
  const tenon::Module exporter = runtime.Instantiate(library.Build());
  const tenon::Module importer = runtime.Instantiate(user.Build());
  for (int i = 0; i < 500; ++i) {
    const std::string name = "f" + std::to_string(i * 7919 % 500);
    CHECK(importer.ExportedFunction<std::int32_t()>(name)() == i);
  }
  CHECK_FALSE(exporter.ExportedFunction("f500"));
  CHECK_FALSE(exporter.ExportedFunction(""));
}
