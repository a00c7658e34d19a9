// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host -> guest -> host -> guest to any depth within the stack limit.
#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// A guest whose down(n) calls env.up(n), which calls down(n - 1) until `floor`.
struct Ladder {
  explicit Ladder(const tenon::RuntimeConfig& config = {}) : runtime{config} {
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([this](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
          ++host_calls;
          return caller.ExportedFunction<std::int32_t(std::int32_t)>("down")(depth - 1);
        })
        .Export("up")
        .Instantiate();
    guest = runtime.Instantiate(guests::Reentrant("env", "up"));
    down = guest.ExportedFunction<std::int32_t(std::int32_t)>("down");
  }
  Ladder(const Ladder&) = delete;
  Ladder& operator=(const Ladder&) = delete;

  std::int64_t host_calls = 0;
  tenon::Runtime runtime;
  tenon::Module guest;
  tenon::TypedFunction<std::int32_t(std::int32_t)> down;
};

}  // namespace

TEST_CASE("calls go back and forth between host and guest") {
  Ladder ladder;
  CHECK(ladder.down(0) == 0);
  CHECK(ladder.down(1) == 1);
  CHECK(ladder.down(50) == 50);
  CHECK(ladder.host_calls == 51);
}

TEST_CASE("endless re-entrancy ends with a trap, and the next call works") {
  Ladder ladder;
  for (int round = 0; round < 3; ++round) {
    const auto error = Thrown<tenon::Trap>([&] { ladder.down(-1); });
    CHECK(error.Code() == tenon::TrapCode::StackOverflow);
    CHECK(ladder.down(20) == 20);
  }
}

TEST_CASE("a larger stack limit admits deeper re-entrancy") {
  const auto depth_of = [](std::uint64_t bytes) {
    Ladder ladder{tenon::RuntimeConfig{}.WithStackLimit(bytes)};
    CHECK_THROWS_AS(ladder.down(-1), tenon::Trap);
    return ladder.host_calls;
  };
  const std::int64_t shallow = depth_of(std::uint64_t{64} << 10);
  const std::int64_t deep = depth_of(std::uint64_t{256} << 10);
  CHECK(shallow > 5);
  CHECK(deep > shallow + shallow / 2);
}

TEST_CASE("re-entrant calls see the user data of the innermost call that was given some") {
  tenon::Runtime runtime;
  std::string seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, tenon::CallContext& context,
                    std::int32_t depth) -> std::int32_t {
        seen += *static_cast<const char*>(context.UserData());
        char other = 'b';
        return caller.ExportedFunction<std::int32_t(std::int32_t)>("down")(
            tenon::CallContext{}.WithUserData(&other), depth - 1);
      })
      .Export("up")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  char data = 'a';
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("down")(
            tenon::CallContext{}.WithUserData(&data), 3) == 3);
  CHECK(seen == "abb");
  seen.clear();
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("down")(
            tenon::CallContext{}.WithUserData(&data), 1) == 1);
  CHECK(seen == "a");
}

TEST_CASE("a callback may call another instance and come back") {
  const tenon::Runtime runtime;
  tenon::Module ping;
  tenon::Module pong;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        const tenon::Module& other = caller == ping ? pong : ping;
        return other.ExportedFunction<std::int32_t(std::int32_t)>("down")(depth - 1);
      })
      .Export("up")
      .Instantiate();
  const auto compiled = runtime.CompileModule(guests::Reentrant("env", "up"));
  ping = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("ping"));
  pong = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("pong"));
  CHECK(ping.ExportedFunction<std::int32_t(std::int32_t)>("down")(30) == 30);
  CHECK(Thrown<tenon::Trap>([&] {
          ping.ExportedFunction<std::int32_t(std::int32_t)>("down")(-1);
        }).Code() == tenon::TrapCode::StackOverflow);
  CHECK(pong.ExportedFunction<std::int32_t(std::int32_t)>("down")(30) == 30);
}
