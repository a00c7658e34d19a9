// SPDX-License-Identifier: Apache-2.0
/// @file
/// Start functions: the module's own and those of the configuration.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// A runtime whose env.log collects numbers, and what happens on one of them.
struct Logged {
  Logged() {
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([this](tenon::Module& caller, std::int32_t value) {
          log.push_back(value);
          if (value == exit_at) {
            caller.CloseWithExitCode(exit_code);
            throw tenon::ExitError{exit_code};
          }
          if (value == throw_at) throw std::out_of_range{"start"};
        })
        .Export("log")
        .Instantiate();
  }
  Logged(const Logged&) = delete;
  Logged& operator=(const Logged&) = delete;

  std::vector<std::int32_t> log;
  std::int32_t exit_at = -1;
  std::uint32_t exit_code = 0;
  std::int32_t throw_at = -1;
  tenon::Runtime runtime;
};

using Log = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("the module's start function runs first, then _start") {
  Logged logged;
  logged.runtime.Instantiate(guests::Starts());
  CHECK(logged.log == Log{0, 1});
}

TEST_CASE("start functions of the configuration run in its order, and missing ones are skipped") {
  Logged logged;
  logged.runtime.Instantiate(guests::Starts(),
                             tenon::ModuleConfig{}.WithStartFunctions({"b", "missing", "a", "b"}));
  CHECK(logged.log == Log{0, 3, 2, 3});
}

TEST_CASE("with no start functions only the module's own runs") {
  Logged logged;
  logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithStartFunctions({}));
  CHECK(logged.log == Log{0});
}

TEST_CASE("a start function may use the module that is being instantiated") {
  Logged logged;
  tenon::Module seen;
  logged.runtime.NewHostModuleBuilder("other").Instantiate();
  const tenon::Module guest =
      logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest"));
  CHECK(logged.runtime.FindModule("guest") == guest);
  guest.ExportedFunction<void()>("a")();
  CHECK(logged.log == Log{0, 1, 2});
}

TEST_CASE("a start function that exits with code 0 gives a closed module and no error") {
  Logged logged;
  logged.exit_at = 1;
  const tenon::Module guest =
      logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest"));
  REQUIRE(guest);
  CHECK(guest.IsClosed());
  CHECK(logged.log == Log{0, 1});
  CHECK_FALSE(logged.runtime.FindModule("guest"));
}

TEST_CASE("start functions after one that exited do not run") {
  Logged logged;
  logged.exit_at = 2;
  const tenon::Module guest = logged.runtime.Instantiate(
      guests::Starts(), tenon::ModuleConfig{}.WithStartFunctions({"a", "b"}));
  CHECK(guest.IsClosed());
  CHECK(logged.log == Log{0, 2});
}

TEST_CASE("a start function that exits with another code is an error with that code") {
  Logged logged;
  logged.exit_at = 1;
  logged.exit_code = 3;
  const auto error = Thrown<tenon::ExitError>([&] {
    logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest"));
  });
  CHECK(error.ExitCode() == 3);
  CHECK_FALSE(logged.runtime.FindModule("guest"));
}

TEST_CASE("an exception in a start function keeps its type and leaves no module") {
  for (const std::int32_t at : {0, 1}) {
    Logged logged;
    logged.throw_at = at;
    CHECK_THROWS_AS(
        logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest")),
        std::out_of_range);
    CHECK_FALSE(logged.runtime.FindModule("guest"));
    logged.throw_at = -1;
    CHECK_NOTHROW(
        logged.runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest")));
  }
}

TEST_CASE("a trap in a start function is a Trap with its code") {
  const tenon::Runtime runtime;
  const auto error = Thrown<tenon::Trap>([&] { runtime.Instantiate(guests::StartTraps()); });
  CHECK(error.Code() == tenon::TrapCode::Unreachable);
  CHECK_THAT(error.what(), Catch::Contains("unreachable"));
}

TEST_CASE("a start function that takes parameters is refused with its name") {
  const tenon::Runtime runtime;
  const auto error = Thrown<tenon::LinkError>([&] {
    runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithStartFunctions({"add"}));
  });
  CHECK(error.Id() == tenon::ErrorCode::StartFunctionParameters);
  CHECK(std::string{error.what()} ==
        "module[guest] start function \"add\" takes 2 parameters, but start functions take none");
  CHECK_FALSE(runtime.FindModule("guest"));
}

TEST_CASE("memory and tables are initialised before the start function runs") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::StartReadsData());
  CHECK(guest.ExportedGlobal("seen").Get<std::int32_t>() == 'x');
}

TEST_CASE("a start function may instantiate another module, and not another under its own name") {
  const tenon::Runtime runtime;
  std::vector<std::string> outcome;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t value) {
        if (value != 1) return;
        try {
          runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("guest"));
          outcome.emplace_back("twice");
        } catch (const tenon::LinkError&) {
          outcome.emplace_back("refused");
        }
        runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("other"));
        outcome.emplace_back(runtime.FindModule("other") ? "other" : "nothing");
      })
      .Export("log")
      .Instantiate();
  runtime.Instantiate(guests::Starts(), tenon::ModuleConfig{}.WithName("guest"));
  CHECK(outcome == std::vector<std::string>{"refused", "other"});
  CHECK(runtime.FindModule("guest"));
}

TEST_CASE("a start function that throws an exit with code 0 without Close gives a closed module") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([] { throw tenon::ExitError{0}; })
      .Export("exit")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(
      guests::Forwarder("env", "exit", {}), tenon::ModuleConfig{}.WithStartFunctions({"run"}));
  REQUIRE(guest);
  CHECK(guest.IsClosed());
}
