// SPDX-License-Identifier: Apache-2.0
/// @file
/// Definitions: every field of what a module says of itself, and the names of types.
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

tenon::FunctionDefinition Exported(const tenon::CompiledModule& compiled, const std::string& name) {
  for (const tenon::FunctionDefinition& function : compiled.ExportedFunctions()) {
    for (const std::string& exported : function.export_names) {
      if (exported == name) return function;
    }
  }
  FAIL("no function is exported as " << name);
  return {};
}

}  // namespace

TEST_CASE("value types and extern kinds have the names of the text format") {
  CHECK(tenon::ValueTypeName(tenon::ValueType::I32) == "i32");
  CHECK(tenon::ValueTypeName(tenon::ValueType::I64) == "i64");
  CHECK(tenon::ValueTypeName(tenon::ValueType::F32) == "f32");
  CHECK(tenon::ValueTypeName(tenon::ValueType::F64) == "f64");
  CHECK(tenon::ValueTypeName(tenon::ValueType::V128) == "v128");
  CHECK(tenon::ValueTypeName(tenon::ValueType::FuncRef) == "funcref");
  CHECK(tenon::ValueTypeName(tenon::ValueType::ExternRef) == "externref");
  CHECK(tenon::ExternKindName(tenon::ExternKind::Func) == "func");
  CHECK(tenon::ExternKindName(tenon::ExternKind::Table) == "table");
  CHECK(tenon::ExternKindName(tenon::ExternKind::Memory) == "memory");
  CHECK(tenon::ExternKindName(tenon::ExternKind::Global) == "global");
  CHECK(tenon::ExternKindName(tenon::ExternKind::Tag) == "tag");
}

TEST_CASE("a guest function's definition has its types, and names from the name section") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Arithmetic());
  const tenon::FunctionDefinition swap = Exported(compiled, "swap");
  CHECK(swap.module_name == "guest");
  CHECK(swap.name == "swap");
  CHECK(swap.export_names == std::vector<std::string>{"swap"});
  CHECK_FALSE(swap.import.has_value());
  CHECK_FALSE(swap.is_host_function);
  CHECK(swap.parameter_types ==
        std::vector<tenon::ValueType>{tenon::ValueType::I32, tenon::ValueType::I64});
  CHECK(swap.result_types ==
        std::vector<tenon::ValueType>{tenon::ValueType::I64, tenon::ValueType::I32});
  CHECK(swap.result_names.empty());
  CHECK(swap.Signature() == "(i32, i64) -> (i64, i32)");
  CHECK(swap.DebugName() == "guest.swap");
  const tenon::FunctionDefinition add = Exported(compiled, "add");
  CHECK(add.index == 0);
  CHECK(add.parameter_names == std::vector<std::string>{"x", "y"});
  CHECK(Exported(compiled, "nothing").Signature() == "() -> ()");
}

TEST_CASE("functions without a name are known by index") {
  tenon::FunctionDefinition function;
  function.module_name = "m";
  function.index = 7;
  CHECK(function.DebugName() == "m.$7");
  function.name = "f";
  CHECK(function.DebugName() == "m.f");
  function.module_name.clear();
  CHECK(function.DebugName() == ".f");
}

TEST_CASE("signatures are written with one result bare and several in parentheses") {
  tenon::FunctionDefinition function;
  CHECK(function.Signature() == "() -> ()");
  function.parameter_types = {tenon::ValueType::I32, tenon::ValueType::V128};
  function.result_types = {tenon::ValueType::I64};
  CHECK(function.Signature() == "(i32, v128) -> i64");
  function.result_types = {tenon::ValueType::FuncRef, tenon::ValueType::ExternRef};
  CHECK(function.Signature() == "(i32, v128) -> (funcref, externref)");
}

TEST_CASE("a function handle's definition is that of its module") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const tenon::FunctionDefinition add = guest.ExportedFunction("add").Definition();
  CHECK(add.DebugName() == "guest.add");
  CHECK(add.Signature() == "(i32, i32) -> i32");
  CHECK(add.index == 0);
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc([](std::int64_t value) { return value; })
                                .WithName("identity")
                                .WithParameterNames("value")
                                .WithResultNames("same")
                                .Export("id")
                                .Instantiate();
  const tenon::FunctionDefinition identity = env.ExportedFunction("id").Definition();
  CHECK(identity.is_host_function);
  CHECK(identity.DebugName() == "env.identity");
  CHECK(identity.export_names == std::vector<std::string>{"id"});
  CHECK(identity.parameter_names == std::vector<std::string>{"value"});
  CHECK(identity.result_names == std::vector<std::string>{"same"});
}

TEST_CASE("definitions outlive the module that they describe") {
  tenon::FunctionDefinition function;
  tenon::MemoryDefinition memory;
  {
    const tenon::Runtime runtime;
    const tenon::Module guest = runtime.Instantiate(guests::ExportsAllKinds());
    function = guest.ExportedFunctionDefinitions().at(0);
    memory = guest.ExportedMemoryDefinitions().at(0);
  }
  CHECK(function.export_names == std::vector<std::string>{"function", "alias"});
  CHECK(memory.minimum == 1);
  CHECK(memory.maximum == 3);
}

TEST_CASE("an imported function's definition has the import and what exports it again") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Reexport("env", "add"));
  const auto imported = compiled.ImportedFunctions();
  REQUIRE(imported.size() == 1);
  CHECK(imported[0].import == tenon::ImportName{"env", "add"});
  CHECK(imported[0].export_names == std::vector<std::string>{"add"});
  const auto exported = compiled.ExportedFunctions();
  REQUIRE(exported.size() == 1);
  CHECK(exported[0].import == tenon::ImportName{"env", "add"});
}

TEST_CASE("broken name sections cost names, not the module") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::BrokenNameSection());
  CHECK(compiled.Name().empty());
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 42);
}

TEST_CASE("definitions of a module with very many exports are quick to get") {
  // A walk over all exports for each of them would be 1e10 steps.
  constexpr std::uint32_t kFunctions = 100'000;
  guests::Guest guest;
  const std::uint32_t imported = guest.AddImport("env", "f", {{}, {}});
  const std::uint32_t type = guest.TypeOf({{}, {}});
  for (std::uint32_t i = 0; i < kFunctions; ++i) guest.Function(type, {}, [](auto&) {});
  const auto export_as = [&](const std::string& prefix, std::uint32_t function) {
    guest.Export(prefix + std::to_string(function), guests::Kind::Func, function);
  };
  for (std::uint32_t i = kFunctions; i > 0; --i) export_as("z", i);
  for (std::uint32_t i = 0; i <= kFunctions; ++i) export_as("a", i);

  std::uint32_t asked = 0;
  const auto config = tenon::RuntimeConfig{}.WithFunctionListenerFactory(
      [&](const tenon::FunctionDefinition& function) {
        asked += function.export_names.size() == 2 ? 1 : 0;
        return std::shared_ptr<tenon::FunctionListener>{};
      });
  const tenon::Runtime runtime{config};
  const auto compiled = runtime.CompileModule(guest.Build());
  CHECK(asked == kFunctions);

  const auto exports = compiled.ExportedFunctions();
  REQUIRE(exports.size() == kFunctions + 1);
  CHECK(exports.front().index == kFunctions);
  const std::string last = std::to_string(kFunctions);
  CHECK(exports.front().export_names == std::vector<std::string>{"z" + last, "a" + last});
  CHECK(exports.back().index == imported);
  CHECK(exports.back().export_names == std::vector<std::string>{"a0"});
  CHECK(exports.back().import == tenon::ImportName{"env", "f"});

  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([] {})
      .Export("f")
      .Instantiate();
  const auto module = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("many"));
  for (std::uint32_t i = 1; i <= kFunctions; i += 1'000) {
    CHECK(module.ExportedFunction("z" + std::to_string(i)).Definition().index == i);
  }
  CHECK_FALSE(module.ExportedFunction("z0"));

  // And as many imports, found by name.
  guests::Guest importer;
  for (std::uint32_t i = 1; i <= kFunctions; ++i) {
    importer.ImportFunction("many", "z" + std::to_string(i), importer.TypeOf({{}, {}}));
  }
  CHECK_NOTHROW(runtime.Instantiate(importer.Build()));
}
