// SPDX-License-Identifier: Apache-2.0
/// @file
/// Results and errors of host functions, seen by guests and by the callers of guests.
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using tenon::Errno;

namespace {

constexpr auto kI32 = guests::kI32;
constexpr auto kF64 = guests::kF64;

/// A guest whose "run" calls a host function of this type.
template <class F>
tenon::Module Guest(const tenon::Runtime& runtime, const guests::Signature& type, F&& function) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(std::forward<F>(function))
      .Export("f")
      .Instantiate();
  return runtime.Instantiate(guests::Forwarder("env", "f", type));
}

/// An exception of the host's own, with contents.
struct DeviceGone : std::runtime_error {
  explicit DeviceGone(int chosen) : std::runtime_error{"device gone"}, device{chosen} {}
  int device;
};

}  // namespace

TEST_CASE("tuples of results, nested, are several values") {
  const tenon::Runtime runtime = MakeRuntime();
  const tenon::Module guest = Guest(runtime, {{kI32}, {kI32, kF64, kI32}}, [](std::int32_t n) {
    return std::tuple{n + 1, n / 2.0, std::int8_t{-1}};
  });
  const auto tuple =
      guest.ExportedFunction<std::tuple<std::int32_t, double, std::int8_t>(std::int32_t)>("run");
  CHECK(tuple(5) == std::tuple{6, 2.5, std::int8_t{-1}});
}

TEST_CASE("optional/expected/variant result") {
  const tenon::Runtime runtime = MakeRuntime();
  SECTION("optional") {
    const tenon::Module guest =
        Guest(runtime, {{kI32}, {kI32, kF64}}, [](std::int32_t n) -> std::optional<double> {
          if (n < 0) return std::nullopt;
          return n * 0.5;
        });
    const auto run = guest.ExportedFunction<std::optional<double>(std::int32_t)>("run");
    CHECK(run(3) == 1.5);
    CHECK(run(-1) == std::nullopt);
    const auto raw = guest.ExportedFunction<std::pair<std::uint32_t, double>(std::int32_t)>("run");
    CHECK(raw(3) == std::pair{1u, 1.5});
    CHECK(raw(-1) == std::pair{0u, 0.0});
  }
  SECTION("expected, leading form") {
    const tenon::Module guest =
        Guest(runtime, {{kI32}, {kI32, kI32}}, [](std::int32_t n) -> tenon::Result<std::uint32_t> {
          if (n < 0) return Errno{EINVAL};
          return static_cast<std::uint32_t>(n);
        });
    const auto run = guest.ExportedFunction<tenon::Result<std::uint32_t>(std::int32_t)>("run");
    CHECK(*run(7) == 7);
    CHECK(run(-1).error() == Errno{EINVAL});
    CHECK(run.TryCall(-1).Value().error() == Errno{EINVAL});
    const auto raw = guest.ExportedFunction<std::array<std::int32_t, 2>(std::int32_t)>("run");
    CHECK(raw(7) == std::array{0, 7});
    CHECK(raw(-1) == std::array{EINVAL, 0});
  }
  SECTION("expected, negative form") {
    using Size = tenon::Result<std::int32_t, tenon::NegativeErrno>;
    const tenon::Module guest = Guest(runtime, {{kI32}, {kI32}}, [](std::int32_t n) -> Size {
      if (n < 0) return tenon::NegativeErrno{EAGAIN};
      return n;
    });
    CHECK(*guest.ExportedFunction<Size(std::int32_t)>("run")(9) == 9);
    CHECK(guest.ExportedFunction<Size(std::int32_t)>("run")(-9).error() ==
          tenon::NegativeErrno{EAGAIN});
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(-9) == -EAGAIN);
  }
  SECTION("an error that reads as success traps with its text") {
    const tenon::Module guest =
        Guest(runtime, {{}, {kI32}}, []() -> tenon::Result<void> { return Errno{}; });
    const auto trap = Thrown<tenon::Trap>([&] { guest.ExportedFunction<std::int32_t()>("run")(); });
    CHECK(trap.Code() == tenon::TrapCode::ResultOutOfRange);
    CHECK(trap.Message().find("an error whose number is 0") != std::string::npos);
  }
}

TEST_CASE("host exception → caller of guest") {
  const tenon::Runtime runtime = MakeRuntime();
  bool fail = true;
  const tenon::Module guest =
      Guest(runtime, {{kI32}, {kI32, kI32}}, [&](std::int32_t n) -> tenon::Result<std::int32_t> {
        if (fail) throw DeviceGone{n};
        return n;
      });
  const auto run = guest.ExportedFunction<tenon::Result<std::int32_t>(std::int32_t)>("run");
  CHECK(Thrown<DeviceGone>([&] { static_cast<void>(run(4)); }).device == 4);
  fail = false;
  CHECK(*run(4) == 4);
}

TEST_CASE("trap with message from host") {
  const tenon::Runtime runtime = MakeRuntime();
  const tenon::Module guest =
      Guest(runtime, {{kI32}, {kI32}}, [](std::int32_t n) -> tenon::Result<int, tenon::HostTrap> {
        if (n == 1) return tenon::HostTrap{"the device is on fire"};
        if (n == 2) throw tenon::Trap{"the device is on fire"};
        if (n == 3) return tenon::HostTrap{nullptr};
        return n;
      });
  const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  CHECK(run(4) == 4);
  // Returned or thrown, the caller sees the same.
  for (const std::int32_t form : {1, 2}) {
    const auto trap = Thrown<tenon::Trap>([&] { run(form); });
    CHECK(trap.Code() == tenon::TrapCode::HostTrap);
    CHECK(trap.Message() == "the device is on fire");
    REQUIRE(trap.Backtrace().size() == 2);
    CHECK(trap.Backtrace()[0].function == "env.f");
    CHECK(trap.Backtrace()[1].function.find("run") != std::string::npos);
  }
  CHECK(Thrown<tenon::Trap>([&] { run(3); }).Message() == TrapText(tenon::TrapCode::HostTrap));
  CHECK(run(5) == 5);
}

TEST_CASE("typed payload / exit code kept") {
  const tenon::Runtime runtime = MakeRuntime();
  const tenon::Module guest =
      Guest(runtime, {{kI32}, {kI32}},
            [](tenon::Module& caller, std::int32_t n) -> tenon::Result<int, tenon::Ending> {
              if (n == 1) return tenon::Exit{41};
              if (n == 2) throw tenon::ExitError{42};
              if (n == 3) {
                caller.CloseWithExitCode(43);
                return tenon::Exit{43};
              }
              return n;
            });
  const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  CHECK(Thrown<tenon::ExitError>([&] { run(1); }).ExitCode() == 41);
  CHECK(Thrown<tenon::ExitError>([&] { run(2); }).ExitCode() == 42);
  // The guest itself was not closed.
  CHECK(run(7) == 7);
  CHECK(Thrown<tenon::ExitError>([&] { run(3); }).ExitCode() == 43);
  CHECK(guest.IsClosed());
  CHECK(Thrown<tenon::ExitError>([&] { run(7); }).ExitCode() == 43);
}

TEST_CASE("names of several results are in the definition") {
  const tenon::Runtime runtime = MakeRuntime();
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc([]() -> tenon::Result<double> { return 1.0; })
                                .WithResultNames("error", "level")
                                .Export("level")
                                .Instantiate();
  const tenon::FunctionDefinition definition = env.ExportedFunctionDefinitions().at(0);
  CHECK(definition.result_names == std::vector<std::string>{"error", "level"});
  // One name for each wasm result, as everywhere.
  const std::string text = TextOf<tenon::ConfigError>([&] {
    runtime.NewHostModuleBuilder("other")
        .NewFunctionBuilder()
        .WithFunc([]() -> std::optional<double> { return 1.0; })
        .WithResultNames("level")
        .Export("level")
        .Compile();
  });
  CHECK(text.find("has 2 results, but 1 results names") != std::string::npos);
}
