// SPDX-License-Identifier: Apache-2.0
/// @file
/// TypedFunction: handles whose C++ signature was checked once.
#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

static_assert(sizeof(tenon::TypedFunction<void()>) == sizeof(void*));

namespace {

enum class Level : std::int32_t { Low = 1, High = 2 };

}  // namespace

TEST_CASE("a typed function is called like a C++ function") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto add = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add");
  CHECK(add(40, 2) == 42);
  CHECK(guest.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>("add")(0xFFFFFFFF, 2) ==
        1);
  CHECK(guest.ExportedFunction<std::int64_t(std::int64_t, std::int64_t)>("add64")(
            -1, std::int64_t{1} << 40) == (std::int64_t{1} << 40) - 1);
  CHECK(guest.ExportedFunction<float(float, float)>("addf")(1.5f, 2.0f) == 3.5f);
  CHECK(guest.ExportedFunction<double(double, double)>("addd")(0.25, 0.5) == 0.75);
  CHECK_NOTHROW(guest.ExportedFunction<void()>("nothing")());
}

TEST_CASE("types that map to i32 can stand in a typed signature") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK(guest.ExportedFunction<Level(Level, std::int32_t)>("add")(Level::Low, 1) == Level::High);
  CHECK(guest.ExportedFunction<bool(bool, bool)>("add")(true, false));
  CHECK(guest.ExportedFunction<std::int8_t(std::int8_t, std::int8_t)>("add")(-100, -28) == -128);
  CHECK(guest.ExportedFunction<char32_t(char32_t, std::uint16_t)>("add")(U'a', 1) == U'b');
}

TEST_CASE("a result that the C++ type cannot hold is a trap, not another value") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto add = guest.ExportedFunction<std::int8_t(std::int8_t, std::int8_t)>("add");
  CHECK(Thrown<tenon::Trap>([&] { add(127, 1); }).Code() == tenon::TrapCode::ValueOutOfRange);
  CHECK(add(126, 1) == 127);
}

TEST_CASE("a typed lookup with another signature names both") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto error = Thrown<tenon::ConfigError>([&] {
    static_cast<void>(guest.ExportedFunction<std::int32_t(std::int64_t, std::int32_t)>("add"));
  });
  CHECK(error.Id() == tenon::ErrorCode::SignatureMismatch);
  CHECK(std::string{error.what()} ==
        "function guest.add: signature mismatch: called as (i64, i32) -> i32, but it is "
        "(i32, i32) -> i32");
  CHECK_THROWS_AS((guest.ExportedFunction<void(std::int32_t, std::int32_t)>("add")),
                  tenon::ConfigError);
  CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t(std::int32_t)>("add"), tenon::ConfigError);
  CHECK_THROWS_AS((guest.ExportedFunction<float(std::int32_t, std::int32_t)>("add")),
                  tenon::ConfigError);
}

TEST_CASE("As gives an untyped function a signature, and Untyped gives it back") {
  const tenon::Runtime runtime;
  const tenon::Function add = runtime.Instantiate(guests::Arithmetic()).ExportedFunction("add");
  const auto typed = add.As<std::int32_t(std::int32_t, std::int32_t)>();
  CHECK(typed(1, 2) == 3);
  CHECK(typed.Untyped() == add);
  CHECK_THROWS_AS(add.As<void()>(), tenon::ConfigError);
}

TEST_CASE("several results arrive as tuple, pair or array") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto as_tuple =
      guest.ExportedFunction<std::tuple<std::int64_t, std::int32_t>(std::int32_t, std::int64_t)>(
          "swap");
  CHECK(as_tuple(1, 2) == std::tuple<std::int64_t, std::int32_t>{2, 1});
  const auto as_pair =
      guest.ExportedFunction<std::pair<std::int64_t, std::int32_t>(std::int32_t, std::int64_t)>(
          "swap");
  CHECK(as_pair(1, 2) == std::pair<std::int64_t, std::int32_t>{2, 1});
  const auto as_array = guest.ExportedFunction<std::array<std::int32_t, 3>(std::int32_t)>("triple");
  CHECK(as_array(7) == std::array<std::int32_t, 3>{7, 14, 21});
}

TEST_CASE("an empty typed function throws when called") {
  const tenon::TypedFunction<void()> empty;
  CHECK_FALSE(empty);
  const auto error = Thrown<tenon::ConfigError>([&] { empty(); });
  CHECK(error.Id() == tenon::ErrorCode::EmptyHandle);
  CHECK(std::string{error.what()} == "TypedFunction: the handle is empty");
}

TEST_CASE("a typed function keeps its instance alive") {
  const tenon::Runtime runtime;
  tenon::TypedFunction<std::int32_t()> increment;
  increment = runtime.Instantiate(guests::Counter()).ExportedFunction<std::int32_t()>("increment");
  CHECK(increment() == 1);
  const auto copy = increment;
  increment = {};
  CHECK(copy() == 2);
}

TEST_CASE("typed user context") {
  const tenon::Runtime runtime;
  std::vector<void*> seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::CallContext& context) { seen.push_back(context.UserData()); })
      .Export("see")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "see", {}));
  int data = 0;
  const auto context = tenon::CallContext{}.WithUserData(&data);
  guest.ExportedFunction<void()>("run")(context);
  guest.ExportedFunction<void()>("run")();
  guest.ExportedFunction("run").Call(context);
  guest.ExportedFunction("run").Call(context, std::vector<tenon::Value>{});
  guest.ExportedFunction("run").CallWithStack({}, &context);
  CHECK(seen == std::vector<void*>{&data, nullptr, &data, &data, &data});
}

TEST_CASE("a typed call among others of its kind begins and ends as the first one") {
  const tenon::Runtime runtime;
  std::vector<void*> seen;
  tenon::TypedFunction<std::int32_t(std::int32_t)> again;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::CallContext& context, std::int32_t n) {
        seen.push_back(context.UserData());
        context = tenon::CallContext{}.WithUserData(&seen);
        if (n == 99) throw std::runtime_error{"99"};
        return n > 10 ? again(n - 10) : n;
      })
      .Export("step")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::StepAndAnswer());
  const tenon::Module other =
      runtime.Instantiate(guests::StepAndAnswer(), tenon::ModuleConfig{}.WithName("other"));
  again = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  const auto answer = guest.ExportedFunction<std::int32_t()>("answer");
  const auto run_other = other.ExportedFunction<std::int32_t(std::int32_t)>("run");
  SECTION("nested in each other, and after an exception") {
    for (std::int32_t i = 0; i < 3; ++i) {
      CHECK(again(35) == 5);
      CHECK(answer() == 42);
      CHECK_THROWS_AS(again(99), std::runtime_error);
      CHECK(run_other(7) == 7);
      CHECK_THROWS_AS(again(109), std::runtime_error);
    }
  }
  SECTION("a context does not outlast its call") {
    int data = 0;
    for (int i = 0; i < 3; ++i) {
      again(1);
      again(1);
      again(tenon::CallContext{}.WithUserData(&data), 1);
      answer();
    }
    CHECK(seen == std::vector<void*>{nullptr, nullptr, &data, nullptr, nullptr, &data, nullptr,
                                     nullptr, &data});
  }
  SECTION("from one thread after the other") {
    for (int i = 0; i < 3; ++i) {
      CHECK(answer() == 42);
      std::thread{[&] {
        CHECK(again(21) == 1);
        CHECK(answer() == 42);
      }}.join();
    }
  }
  SECTION("a module that is closed between two calls is closed for the second") {
    CHECK(answer() == 42);
    CHECK(answer() == 42);
    CHECK(run_other(1) == 1);
    guest.CloseWithExitCode(5);
    for (int i = 0; i < 2; ++i) {
      CHECK(Thrown<tenon::ExitError>([&] { answer(); }).ExitCode() == 5);
      CHECK(Thrown<tenon::ExitError>([&] { again(1); }).ExitCode() == 5);
      CHECK(run_other(1) == 1);
    }
  }
  SECTION("a module that is closed by its call is closed for the next") {
    runtime.NewHostModuleBuilder("closer")
        .NewFunctionBuilder()
        .WithFunc([](tenon::Module& caller) { caller.CloseWithExitCode(6); })
        .Export("close")
        .Instantiate();
    const tenon::Module closing = runtime.Instantiate(guests::Forwarder("closer", "close", {}));
    const auto run = closing.ExportedFunction<void()>("run");
    static_cast<void>(run.TryCall());
    for (int i = 0; i < 2; ++i) {
      CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 6);
    }
  }
}

TEST_CASE("TryCall gives the results, or what the call ended with, and throws nothing") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto divide = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("divide");
  STATIC_REQUIRE(noexcept(divide.TryCall(6, 3)));
  const auto good = divide.TryCall(6, 3);
  REQUIRE(good);
  CHECK(good.Value() == 2);
  const auto bad = divide.TryCall(tenon::CallContext{}, 6, 0);
  REQUIRE_FALSE(bad);
  CHECK_THROWS_AS(std::rethrow_exception(bad.Error()), tenon::Trap);
  CHECK(guest.ExportedFunction<void()>("nothing").TryCall());
  CHECK_FALSE(guest.ExportedFunction<void()>("trap").TryCall());
  const auto narrow = guest.ExportedFunction<std::int8_t(std::int8_t, std::int8_t)>("add");
  CHECK_FALSE(narrow.TryCall(127, 1));
  guest.CloseWithExitCode(3);
  const auto closed = divide.TryCall(6, 3);
  REQUIRE_FALSE(closed);
  CHECK_THROWS_AS(std::rethrow_exception(closed.Error()), tenon::ExitError);
  const tenon::TypedFunction<void()> empty;
  const auto refused = empty.TryCall();
  REQUIRE_FALSE(refused);
  CHECK_THROWS_AS(std::rethrow_exception(refused.Error()), tenon::ConfigError);
}

TEST_CASE("equal typed functions hash alike") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Counter());
  const auto first = guest.ExportedFunction<std::int32_t()>("increment");
  const auto second = guest.ExportedFunction<std::int32_t()>("increment");
  CHECK(first == second);
  CHECK(std::hash<tenon::TypedFunction<std::int32_t()>>{}(first) ==
        std::hash<tenon::TypedFunction<std::int32_t()>>{}(second));
}
