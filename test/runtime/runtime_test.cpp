// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runtime: compiling, instantiating, finding and closing modules.
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

std::uint32_t Mix(std::uint32_t a, std::uint32_t b) { return a * 31 + b; }

}  // namespace

static_assert(!std::is_copy_constructible_v<tenon::Runtime>);
static_assert(std::is_nothrow_move_constructible_v<tenon::Runtime>);

TEST_CASE("the version is that of the macros") {
  static_assert(std::string_view{tenon::Version()}.size() >= 5);
  CHECK(tenon::Version() == std::to_string(TENON_VERSION_MAJOR) + "." +
                                std::to_string(TENON_VERSION_MINOR) + "." +
                                std::to_string(TENON_VERSION_PATCH));
}

TEST_CASE("a runtime compiles and instantiates a guest that calls a host function") {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(Mix)
      .Export("mix")
      .Instantiate();
  const tenon::CompiledModule compiled = runtime.CompileModule(
      guests::Forwarder("env", "mix", {{guests::kI32, guests::kI32}, {guests::kI32}}));
  tenon::Module guest = runtime.InstantiateModule(compiled);
  auto run = guest.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>("run");
  CHECK(run(2, 3) == 65);
}

TEST_CASE("Instantiate compiles and instantiates in one step") {
  tenon::Runtime runtime;
  tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(40, 2) == 42);
  CHECK(guest.Name() == "guest");
}

TEST_CASE("the bytes of a module are not needed after CompileModule") {
  tenon::Runtime runtime;
  std::vector<std::uint8_t> bytes = guests::Arithmetic();
  const tenon::CompiledModule compiled = runtime.CompileModule(bytes);
  bytes.assign(bytes.size(), 0xFF);
  tenon::Module guest = runtime.InstantiateModule(compiled);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(1, 2) == 3);
}

TEST_CASE("FindModule gives open modules by name and an empty handle otherwise") {
  tenon::Runtime runtime;
  CHECK_FALSE(runtime.FindModule("guest"));
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK(runtime.FindModule("guest") == guest);
  CHECK_FALSE(runtime.FindModule(""));
  guest.Close();
  CHECK_FALSE(runtime.FindModule("guest"));
}

TEST_CASE("FindModule finds host modules, whose functions can be called from the host") {
  tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(Mix)
      .Export("mix")
      .Instantiate();
  const tenon::Module env = runtime.FindModule("env");
  REQUIRE(env);
  CHECK(env.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>("mix")(1, 1) == 32);
}

TEST_CASE("a name that is taken is refused with a text that says how to get another instance") {
  tenon::Runtime runtime;
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::Arithmetic());
  const tenon::Module first = runtime.InstantiateModule(compiled);
  const auto error =
      Thrown<tenon::LinkError>([&] { static_cast<void>(runtime.InstantiateModule(compiled)); });
  CHECK(error.Id() == tenon::ErrorCode::ModuleAlreadyInstantiated);
  CHECK(std::string{error.what()} ==
        "module[guest] has already been instantiated; use WithName(\"\") for an anonymous instance "
        "or give each a name of its own");

  SECTION("anonymous instances do not collide") {
    const auto anonymous = tenon::ModuleConfig{}.WithName("");
    const tenon::Module second = runtime.InstantiateModule(compiled, anonymous);
    const tenon::Module third = runtime.InstantiateModule(compiled, anonymous);
    CHECK(second != third);
    CHECK(second.Name().empty());
    CHECK(runtime.FindModule("guest") == first);
  }
  SECTION("the name is free again once the module is closed") {
    first.Close();
    const tenon::Module second = runtime.InstantiateModule(compiled);
    CHECK(runtime.FindModule("guest") == second);
  }
}

TEST_CASE("a failed instantiation leaves its name free") {
  tenon::Runtime runtime;
  CHECK_THROWS_AS(runtime.Instantiate(guests::StartTraps(), tenon::ModuleConfig{}.WithName("g")),
                  tenon::Trap);
  CHECK_FALSE(runtime.FindModule("g"));
  const tenon::Module second =
      runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithName("g"));
  CHECK(runtime.FindModule("g") == second);
}

TEST_CASE("a runtime that was moved keeps its modules, handles and builders") {
  tenon::Runtime first;
  tenon::HostModuleBuilder builder = first.NewHostModuleBuilder("env");
  tenon::Module guest = first.Instantiate(guests::Arithmetic());
  tenon::Runtime second{std::move(first)};
  CHECK(second.FindModule("guest") == guest);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(1, 2) == 3);
  builder.NewFunctionBuilder().WithFunc(Mix).Export("mix").Instantiate();
  CHECK(second.FindModule("env"));

  SECTION("assignment closes what the target held") {
    tenon::Runtime third;
    const tenon::Module old = third.Instantiate(guests::Arithmetic());
    third = std::move(second);
    CHECK(old.IsClosed());
    CHECK_FALSE(guest.IsClosed());
    CHECK(third.FindModule("guest") == guest);
  }
}

TEST_CASE("a runtime that was moved from is refused, not dereferenced") {
  tenon::Runtime first;
  const tenon::Runtime second{std::move(first)};
  CHECK_THROWS_AS(first.CompileModule(guests::Empty()), tenon::ConfigError);
  CHECK_THROWS_AS(first.NewHostModuleBuilder("env"), tenon::ConfigError);
}

TEST_CASE("a closed runtime refuses work and names its exit code") {
  tenon::Runtime runtime;
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::Arithmetic());
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  runtime.CloseWithExitCode(3);
  CHECK(guest.IsClosed());
  const auto error = Thrown<tenon::ConfigError>(
      [&] { static_cast<void>(runtime.CompileModule(guests::Arithmetic())); });
  CHECK(error.Id() == tenon::ErrorCode::RuntimeClosed);
  CHECK(std::string{error.what()} == "runtime closed with exit_code(3)");
  CHECK_THROWS_AS(runtime.InstantiateModule(compiled), tenon::ConfigError);
  CHECK_THROWS_AS(runtime.NewHostModuleBuilder("env").Instantiate(), tenon::ConfigError);

  SECTION("closing again changes nothing") {
    runtime.CloseWithExitCode(4);
    CHECK(TextOf<tenon::ConfigError>([&] {
            static_cast<void>(runtime.CompileModule(guests::Empty()));
          }) == "runtime closed with exit_code(3)");
  }
}

TEST_CASE("EngineName says which engine runs the guests") {
  CHECK(tenon::Runtime{tenon::RuntimeConfig{}.WithEngine(tenon::EngineKind::Interpreter)}
            .EngineName() == "interpreter");
  CHECK_FALSE(tenon::Runtime{}.EngineName().empty());
}

TEST_CASE("ReadFile gives the bytes of a file") {
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(__FILE__);
  const std::string begin{bytes.begin(), bytes.begin() + 17};
  CHECK(begin == "// SPDX-License-I");
}

TEST_CASE("ReadFile names the file that it cannot read") {
  const auto error = Thrown<tenon::ConfigError>(
      [] { static_cast<void>(tenon::ReadFile("/nonexistent/guest.wasm")); });
  CHECK(error.Id() == tenon::ErrorCode::FileRead);
  CHECK_THAT(error.what(), Catch::StartsWith("cannot read file \"/nonexistent/guest.wasm\": "));
}
