// SPDX-License-Identifier: Apache-2.0
/// @file
/// ModuleConfig: values, names, and how imports are chosen.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

tenon::Module HostReturning(const tenon::Runtime& runtime, const std::string& name,
                            std::int32_t value) {
  return runtime.NewHostModuleBuilder(name)
      .NewFunctionBuilder()
      .WithFunc([value] { return value; })
      .Export("value")
      .Instantiate();
}

std::int32_t Run(const tenon::Module& guest) {
  return guest.ExportedFunction<std::int32_t()>("run")();
}

const guests::Signature kToI32{{}, {guests::kI32}};

}  // namespace

TEST_CASE("a module configuration starts with the documented defaults") {
  const tenon::ModuleConfig config;
  CHECK_FALSE(config.Name().has_value());
  CHECK(config.StartFunctions() == std::vector<std::string>{"_start"});
  CHECK_FALSE(config.ImportResolver());
  CHECK(config.Imports().empty());
  CHECK(config.System().Args().empty());
}

TEST_CASE("every With of a module configuration returns a changed copy") {
  const tenon::Runtime runtime;
  const tenon::Module env = HostReturning(runtime, "env", 1);
  const tenon::ModuleConfig base = tenon::ModuleConfig{}.WithImport("first", env);
  const tenon::ModuleConfig changed =
      base.WithName("name")
          .WithStartFunctions({"a", "b"})
          .WithImportResolver([](std::string_view) { return tenon::Module{}; })
          .WithImport("env", env)
          .WithSystem(tenon::SystemConfig{}.WithArgs({"program"}));
  CHECK(changed.Name() == "name");
  CHECK(changed.StartFunctions() == std::vector<std::string>{"a", "b"});
  CHECK(changed.ImportResolver());
  REQUIRE(changed.Imports().size() == 2);
  CHECK(changed.Imports()[1].first == "env");
  CHECK(changed.Imports()[1].second == env);
  CHECK(changed.System().Args() == std::vector<std::string>{"program"});

  CHECK_FALSE(base.Name().has_value());
  CHECK(base.Imports().size() == 1);
  CHECK_FALSE(base.ImportResolver());
}

TEST_CASE("changing an environment variable in a derived configuration leaves the base alone") {
  const auto base = tenon::SystemConfig{}.WithEnv("KEY", "base").WithEnv("OTHER", "x");
  const auto derived = base.WithEnv("KEY", "derived");
  CHECK(base.Env()[0].second == "base");
  REQUIRE(derived.Env().size() == 2);
  CHECK(derived.Env()[0].second == "derived");
}

TEST_CASE("the name of an instance is that of the configuration, or of the module") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Arithmetic());
  CHECK(runtime.InstantiateModule(compiled).Name() == "guest");
  CHECK(runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("other")).Name() ==
        "other");
  CHECK(runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("")).Name().empty());
}

TEST_CASE("a module without a name in its bytes is anonymous by default") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Counter());
  const tenon::Module first = runtime.InstantiateModule(compiled);
  const tenon::Module second = runtime.InstantiateModule(compiled);
  CHECK(first.Name().empty());
  CHECK(first != second);
}

TEST_CASE("an import comes from WithImport, then the resolver, then the runtime's names") {
  const tenon::Runtime runtime;
  const tenon::Module named = HostReturning(runtime, "env", 1);
  const tenon::Module resolved = HostReturning(runtime, "resolved", 2);
  const tenon::Module given = HostReturning(runtime, "given", 3);
  const auto compiled = runtime.CompileModule(guests::Forwarder("env", "value", kToI32));
  const auto anonymous = tenon::ModuleConfig{}.WithName("");

  CHECK(Run(runtime.InstantiateModule(compiled, anonymous)) == 1);

  std::vector<std::string> asked;
  const auto with_resolver = anonymous.WithImportResolver([&](std::string_view name) {
    asked.emplace_back(name);
    return resolved;
  });
  CHECK(Run(runtime.InstantiateModule(compiled, with_resolver)) == 2);
  CHECK(asked == std::vector<std::string>{"env"});

  CHECK(Run(runtime.InstantiateModule(compiled, with_resolver.WithImport("env", given))) == 3);
  CHECK(asked.size() == 1);
}

TEST_CASE("a resolver that gives an empty handle leaves the import to the runtime's names") {
  const tenon::Runtime runtime;
  HostReturning(runtime, "env", 1);
  const auto config =
      tenon::ModuleConfig{}.WithImportResolver([](std::string_view) { return tenon::Module{}; });
  CHECK(Run(runtime.Instantiate(guests::Forwarder("env", "value", kToI32), config)) == 1);
}

TEST_CASE("an anonymous module can be imported by handle though not by name") {
  const tenon::Runtime runtime;
  const tenon::Module counter = runtime.Instantiate(guests::Counter());
  const auto bytes = guests::Forwarder("counter", "increment", kToI32);
  const auto error = Thrown<tenon::LinkError>([&] { runtime.Instantiate(bytes); });
  CHECK(error.Id() == tenon::ErrorCode::ModuleNotInstantiated);
  CHECK_THAT(error.what(), Catch::Contains("module[counter] not instantiated"));

  const tenon::Module guest =
      runtime.Instantiate(bytes, tenon::ModuleConfig{}.WithImport("counter", counter));
  CHECK(Run(guest) == 1);
  CHECK(Run(guest) == 2);
  CHECK(counter.ExportedFunction<std::int32_t()>("increment")() == 3);
}

TEST_CASE("several instances of one module can each import a counter of their own") {
  const tenon::Runtime runtime;
  const auto counter = runtime.CompileModule(guests::Counter());
  const auto user = runtime.CompileModule(guests::Forwarder("counter", "increment", kToI32));
  std::vector<tenon::Module> users;
  for (int i = 0; i < 3; ++i) {
    users.push_back(runtime.InstantiateModule(
        user, tenon::ModuleConfig{}.WithImport("counter", runtime.InstantiateModule(counter))));
  }
  for (const tenon::Module& module : users) CHECK(Run(module) == 1);
  CHECK(Run(users[1]) == 2);
  CHECK(Run(users[2]) == 2);
}

TEST_CASE("system settings that no guest can be given are refused at instantiation") {
  const tenon::Runtime runtime;
  const auto with = [&](const tenon::SystemConfig& system) {
    runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithSystem(system));
  };
  using namespace std::string_literals;
  CHECK_NOTHROW(with(tenon::SystemConfig{}.WithArgs({"a", ""}).WithEnv("KEY", "")));
  CHECK_THROWS_AS(with(tenon::SystemConfig{}.WithArgs({"a\0b"s})), tenon::ConfigError);
  CHECK_THROWS_AS(with(tenon::SystemConfig{}.WithEnv("", "value")), tenon::ConfigError);
  CHECK_THROWS_AS(with(tenon::SystemConfig{}.WithEnv("a=b", "value")), tenon::ConfigError);
  CHECK_THROWS_AS(with(tenon::SystemConfig{}.WithEnv("a", "b\0c"s)), tenon::ConfigError);
}
