// SPDX-License-Identifier: Apache-2.0
/// @file
/// CompiledModule: introspection, sharing and closing.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

const tenon::ModuleConfig kAnonymous = tenon::ModuleConfig{}.WithName("");

}  // namespace

TEST_CASE("a compiled module knows its name and that it is no host module") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Arithmetic());
  CHECK(compiled);
  CHECK(compiled.Name() == "guest");
  CHECK_FALSE(compiled.IsHostModule());
  CHECK(runtime.CompileModule(guests::Counter()).Name().empty());
}

TEST_CASE("a compiled host module has its builder's name") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env").Compile();
  CHECK(compiled.Name() == "env");
  CHECK(compiled.IsHostModule());
}

TEST_CASE("all kinds of imports are listed with module, name and type") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::ImportsAllKinds());
  REQUIRE(compiled.ImportedFunctions().size() == 1);
  const tenon::FunctionDefinition function = compiled.ImportedFunctions()[0];
  CHECK(function.import == tenon::ImportName{"env", "function"});
  CHECK(function.Signature() == "(i32, i64) -> f32");
  CHECK(function.index == 0);

  REQUIRE(compiled.ImportedTables().size() == 1);
  const tenon::TableDefinition table = compiled.ImportedTables()[0];
  CHECK(table.import == tenon::ImportName{"env", "table"});
  CHECK(table.element_type == tenon::ValueType::FuncRef);
  CHECK(table.minimum == 2);
  CHECK(table.maximum == 5);

  REQUIRE(compiled.ImportedMemories().size() == 1);
  const tenon::MemoryDefinition memory = compiled.ImportedMemories()[0];
  CHECK(memory.import == tenon::ImportName{"env", "memory"});
  CHECK(memory.minimum == 1);
  CHECK_FALSE(memory.maximum.has_value());

  REQUIRE(compiled.ImportedGlobals().size() == 1);
  const tenon::GlobalDefinition global = compiled.ImportedGlobals()[0];
  CHECK(global.import == tenon::ImportName{"env", "global"});
  CHECK(global.type == tenon::ValueType::F64);
  CHECK(global.is_mutable);

  CHECK(compiled.ExportedFunctions().empty());
  CHECK(compiled.ExportedTables().empty());
  CHECK(compiled.ExportedMemories().empty());
  CHECK(compiled.ExportedGlobals().empty());
}

TEST_CASE("all kinds of exports are listed with their names and types") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::ExportsAllKinds());
  REQUIRE(compiled.ExportedFunctions().size() == 1);
  CHECK(compiled.ExportedFunctions()[0].export_names ==
        std::vector<std::string>{"function", "alias"});
  CHECK_FALSE(compiled.ExportedFunctions()[0].import.has_value());
  REQUIRE(compiled.ExportedTables().size() == 1);
  CHECK(compiled.ExportedTables()[0].export_names == std::vector<std::string>{"table"});
  CHECK(compiled.ExportedTables()[0].minimum == 2);
  CHECK(compiled.ExportedTables()[0].maximum == 5);
  REQUIRE(compiled.ExportedMemories().size() == 1);
  CHECK(compiled.ExportedMemories()[0].export_names == std::vector<std::string>{"memory"});
  CHECK(compiled.ExportedMemories()[0].minimum == 1);
  CHECK(compiled.ExportedMemories()[0].maximum == 3);
  REQUIRE(compiled.ExportedGlobals().size() == 1);
  CHECK(compiled.ExportedGlobals()[0].export_names == std::vector<std::string>{"global"});
  CHECK(compiled.ExportedGlobals()[0].type == tenon::ValueType::F64);
  CHECK(compiled.ExportedGlobals()[0].is_mutable);
  CHECK(compiled.ImportedFunctions().empty());
}

TEST_CASE("custom sections are kept when the configuration asks for them") {
  const auto bytes = guests::CustomSections();
  CHECK(tenon::Runtime{}.CompileModule(bytes).CustomSections().empty());
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCustomSections(true)};
  const auto sections = runtime.CompileModule(bytes).CustomSections();
  REQUIRE(sections.size() == 2);
  CHECK(sections[0].name == "meta");
  CHECK(sections[0].data == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(sections[1].name == "empty");
  CHECK(sections[1].data.empty());
}

TEST_CASE("code size is that of the side tables and code") {
  const tenon::Runtime runtime;
  const auto small = runtime.CompileModule(guests::Counter());
  const auto large = runtime.CompileModule(guests::ManyFunctions(200));
  CHECK(large.CodeSize() > small.CodeSize());
}

TEST_CASE("a compiled module instantiates any number of times and its instances share no state") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Counter());
  const tenon::Module first = runtime.InstantiateModule(compiled);
  const tenon::Module second = runtime.InstantiateModule(compiled);
  auto increment = first.ExportedFunction<std::int32_t()>("increment");
  CHECK(increment() == 1);
  CHECK(increment() == 2);
  CHECK(second.ExportedFunction<std::int32_t()>("increment")() == 1);
}

TEST_CASE("an empty compiled module is refused") {
  const tenon::CompiledModule empty;
  CHECK_FALSE(empty);
  CHECK(empty == tenon::CompiledModule{});
  const auto error = Thrown<tenon::ConfigError>([&] { static_cast<void>(empty.Name()); });
  CHECK(error.Id() == tenon::ErrorCode::EmptyHandle);
  CHECK(std::string{error.what()} == "CompiledModule: the handle is empty");
  CHECK_THROWS_AS(empty.ExportedFunctions(), tenon::ConfigError);
  const tenon::Runtime runtime;
  const auto refused = Thrown<tenon::Error>([&] { runtime.InstantiateModule(empty); });
  CHECK(refused.Id() == tenon::ErrorCode::SourceNotCompiled);
  CHECK(std::string{refused.what()} == "source module must be compiled before instantiation");
}

TEST_CASE("closing a compiled module makes all its handles unusable and leaves instances alive") {
  const tenon::Runtime runtime;
  tenon::CompiledModule compiled = runtime.CompileModule(guests::Counter());
  const tenon::CompiledModule copy = compiled;
  CHECK(copy == compiled);
  CHECK(std::hash<tenon::CompiledModule>{}(copy) == std::hash<tenon::CompiledModule>{}(compiled));
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  compiled.Close();
  CHECK(guest.ExportedFunction<std::int32_t()>("increment")() == 1);
  const auto error = Thrown<tenon::ConfigError>([&] { static_cast<void>(copy.Name()); });
  CHECK(error.Id() == tenon::ErrorCode::AlreadyClosed);
  CHECK(std::string{error.what()} == "already closed");
  CHECK(Thrown<tenon::Error>([&] { runtime.InstantiateModule(copy); }).Id() ==
        tenon::ErrorCode::SourceNotCompiled);
  CHECK_NOTHROW(compiled.Close());
}

TEST_CASE("closing a compiled module harms no other compilation that shares its code") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const tenon::Runtime first{config};
  const tenon::Runtime second{config};
  tenon::CompiledModule mine = first.CompileModule(guests::Counter());
  const tenon::CompiledModule same = first.CompileModule(guests::Counter());
  const tenon::CompiledModule other = second.CompileModule(guests::Counter());
  mine.Close();
  CHECK(first.InstantiateModule(same, kAnonymous).ExportedFunction<std::int32_t()>("increment")() ==
        1);
  CHECK(
      second.InstantiateModule(other, kAnonymous).ExportedFunction<std::int32_t()>("increment")() ==
      1);
}

TEST_CASE("a compiled module belongs to its runtime; another one compiles it from the cache") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const tenon::Runtime first{config};
  const tenon::Runtime second{config};
  const auto compiled = first.CompileModule(guests::Tables());
  const auto error = Thrown<tenon::Error>([&] { second.InstantiateModule(compiled); });
  CHECK(error.Id() == tenon::ErrorCode::CompiledElsewhere);
  CHECK(std::string{error.what()} ==
        "the module was compiled by another runtime; share a CompilationCache and compile it here");
  const tenon::Module guest = second.InstantiateModule(second.CompileModule(guests::Tables()));
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("call")(1) == 2);
  CHECK(cache.Statistics().misses == 1);
  CHECK(second.FindModule("guest") == guest);
  CHECK_FALSE(first.FindModule("guest"));
}
