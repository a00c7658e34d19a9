// SPDX-License-Identifier: Apache-2.0
/// @file
/// Module: looking up exports, identity, and empty handles.
#include <cstdint>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

static_assert(sizeof(tenon::Module) == sizeof(void*));
static_assert(sizeof(tenon::CompiledModule) <= 2 * sizeof(void*));

TEST_CASE("an empty module handle is false and its members name the fault") {
  const tenon::Module empty;
  CHECK_FALSE(empty);
  CHECK(empty == tenon::Module{});
  const auto error = Thrown<tenon::ConfigError>([&] { static_cast<void>(empty.Name()); });
  CHECK(error.Id() == tenon::ErrorCode::EmptyHandle);
  CHECK(std::string{error.what()} == "Module: the handle is empty");
  CHECK_THROWS_AS(empty.String(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedFunction("f"), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedFunction<void()>("f"), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedFunctionDefinitions(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.DefaultMemory(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedMemory("m"), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedTable("t"), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedGlobal("g"), tenon::ConfigError);
  CHECK_THROWS_AS(empty.ExportedMemoryDefinitions(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.Close(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.IsClosed(), tenon::ConfigError);
  CHECK_THROWS_AS(empty.System(), tenon::ConfigError);
}

TEST_CASE("a module writes itself as Module[name]") {
  const tenon::Runtime runtime;
  CHECK(runtime.Instantiate(guests::Arithmetic()).String() == "Module[guest]");
  CHECK(runtime.Instantiate(guests::Counter()).String() == "Module[]");
}

TEST_CASE("copies of a module handle are equal and hash alike") {
  const tenon::Runtime runtime;
  const tenon::Module first = runtime.Instantiate(guests::Counter());
  const tenon::Module copy = first;
  const tenon::Module second = runtime.Instantiate(guests::Counter());
  CHECK(copy == first);
  CHECK(first != second);
  const std::unordered_set<tenon::Module> set{first, copy, second};
  CHECK(set.size() == 2);
}

TEST_CASE("handles of other kinds are equal, and hash alike, if they mean the same thing") {
  const auto count = [](const auto&... handles) {
    using Handle = std::common_type_t<std::remove_cvref_t<decltype(handles)>...>;
    return std::unordered_set<Handle>{handles...}.size();
  };
  const tenon::CompilationCache cache, other_cache, same_cache = cache;
  CHECK(count(cache, other_cache, same_cache) == 2);
  const tenon::Runtime runtime;
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::ExportsAllKinds());
  const tenon::CompiledModule other_compiled = runtime.CompileModule(guests::Counter());
  CHECK(count(compiled, other_compiled, tenon::CompiledModule{compiled}) == 2);
  const tenon::ModuleConfig anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module first = runtime.InstantiateModule(compiled, anonymous);
  const tenon::Module second = runtime.InstantiateModule(compiled, anonymous);
  CHECK(count(first.ExportedMemory("memory"), second.ExportedMemory("memory"),
              first.ExportedMemory("memory")) == 2);
  const tenon::Module counter = runtime.InstantiateModule(other_compiled, anonymous);
  const tenon::Module other_counter = runtime.InstantiateModule(other_compiled, anonymous);
  const auto increment = counter.ExportedFunction<std::int32_t()>("increment");
  CHECK(count(increment, other_counter.ExportedFunction<std::int32_t()>("increment"),
              counter.ExportedFunction<std::int32_t()>("increment")) == 2);
}

TEST_CASE("exports of each kind are found by name, and others give empty handles") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::ExportsAllKinds());
  CHECK(guest.ExportedFunction("function"));
  CHECK(guest.ExportedFunction("function") == guest.ExportedFunction("alias"));
  CHECK(guest.ExportedTable("table"));
  CHECK(guest.ExportedMemory("memory"));
  CHECK(guest.ExportedGlobal("global"));
  CHECK_FALSE(guest.ExportedFunction("memory"));
  CHECK_FALSE(guest.ExportedTable("function"));
  CHECK_FALSE(guest.ExportedMemory("table"));
  CHECK_FALSE(guest.ExportedGlobal("function"));
  CHECK_FALSE(guest.ExportedFunction(""));
  CHECK(guest.ExportedMemory("memory") == guest.DefaultMemory());
  CHECK(guest.ExportedFunctionDefinitions().size() == 1);
  CHECK(guest.ExportedMemoryDefinitions().size() == 1);
}

TEST_CASE("DefaultMemory is memory 0 even when it is not exported") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::HiddenMemory());
  CHECK_FALSE(guest.ExportedMemory("memory"));
  REQUIRE(guest.DefaultMemory());
  CHECK(guest.DefaultMemory().Size() == 65536);
  CHECK_FALSE(runtime.Instantiate(guests::Counter()).DefaultMemory());
}

TEST_CASE("a typed lookup of a missing export names module and export") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto error = Thrown<tenon::ConfigError>(
      [&] { static_cast<void>(guest.ExportedFunction<void()>("subtract")); });
  CHECK(error.Id() == tenon::ErrorCode::ExportNotFound);
  CHECK_THAT(error.what(), Catch::StartsWith("module[guest] exports no func"));
  CHECK_THAT(error.what(), Catch::Contains("named \"subtract\""));
}

TEST_CASE("a host module's functions that need a caller cannot be looked up by the host") {
  const tenon::Runtime runtime;
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc([](tenon::Module&, std::int32_t) {})
                                .Export("with_module")
                                .NewFunctionBuilder()
                                .WithFunc([](tenon::Memory&, std::int32_t) {})
                                .Export("with_memory")
                                .NewFunctionBuilder()
                                .WithFunc([](std::int32_t value) { return value + 1; })
                                .Export("plain")
                                .Instantiate();
  const auto error =
      Thrown<tenon::ConfigError>([&] { static_cast<void>(env.ExportedFunction("with_module")); });
  CHECK(error.Id() == tenon::ErrorCode::HostFunctionNeedsCaller);
  CHECK(std::string{error.what()} ==
        "host function env.with_module needs a calling guest; it cannot be called from the host");
  CHECK_THROWS_AS(env.ExportedFunction<void(std::int32_t)>("with_memory"), tenon::ConfigError);
  CHECK(env.ExportedFunction<std::int32_t(std::int32_t)>("plain")(1) == 2);
}

TEST_CASE("a named module lives without handles; a guest keeps what it imports") {
  tenon::Runtime runtime;
  runtime.Instantiate(guests::Arithmetic());
  CHECK(runtime.FindModule("guest"));

  tenon::Module user;
  {
    const tenon::Module counter = runtime.Instantiate(guests::Counter());
    user = runtime.Instantiate(guests::Forwarder("counter", "increment", {{}, {guests::kI32}}),
                               tenon::ModuleConfig{}.WithImport("counter", counter));
  }
  CHECK(user.ExportedFunction<std::int32_t()>("run")() == 1);
}

TEST_CASE("System is the outside world the module was instantiated with") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(
      guests::Counter(),
      tenon::ModuleConfig{}.WithSystem(
          tenon::SystemConfig{}.WithArgs({"program", "x"}).WithEnv("KEY", "value")));
  CHECK(guest.System().Args() == std::vector<std::string>{"program", "x"});
  CHECK(guest.System().Environ() == std::vector<std::string>{"KEY=value"});
}
