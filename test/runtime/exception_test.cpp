// SPDX-License-Identifier: Apache-2.0
/// @file
/// Exceptions of host functions: they cross guest frames with their own type.
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// An exception with contents, derived from nothing.
struct Payload {
  std::shared_ptr<int> value;
  std::string text;
};

tenon::Module DeepGuest(const tenon::Runtime& runtime) {
  return runtime.Instantiate(guests::Deep("env", "host"));
}

}  // namespace

TEST_CASE("a host function's exception leaves the call with its type and contents") {
  const tenon::Runtime runtime;
  const auto value = std::make_shared<int>(5);
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t) -> std::int32_t { throw Payload{value, "contents"}; })
      .Export("host")
      .Instantiate();
  const tenon::Module guest = DeepGuest(runtime);
  const auto outer = guest.ExportedFunction<std::int32_t(std::int32_t)>("outer");
  for (int i = 0; i < 3; ++i) {
    try {
      outer(1);
      FAIL("threw nothing");
    } catch (const Payload& payload) {
      CHECK(payload.value == value);
      CHECK(payload.text == "contents");
    }
  }
  CHECK(value.use_count() == 1);  // no exception object is kept
}

TEST_CASE("the instance stays usable after an exception, and its frames are gone") {
  const tenon::Runtime runtime;
  bool fail = true;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t value) -> std::int32_t {
        if (fail) throw std::out_of_range{"host"};
        return value + 1;
      })
      .Export("host")
      .Instantiate();
  const tenon::Module guest = DeepGuest(runtime);
  const auto outer = guest.ExportedFunction<std::int32_t(std::int32_t)>("outer");
  for (int i = 0; i < 1000; ++i) CHECK_THROWS_AS(outer(1), std::out_of_range);
  fail = false;
  CHECK(outer(41) == 42);
  CHECK(guest.ExportedGlobal("entered").Get<std::int32_t>() == 1001);
  CHECK(guest.ExportedGlobal("left").Get<std::int32_t>() == 1);
}

TEST_CASE("a host function may catch what a guest that it called let through") {
  const tenon::Runtime runtime;
  tenon::Module guest;
  std::vector<std::string> caught;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t value) -> std::int32_t {
        try {
          return guest.ExportedFunction<std::int32_t(std::int32_t)>("callback")(value);
        } catch (const std::out_of_range& error) {
          caught.emplace_back(error.what());
          return -1;
        }
      })
      .Export("outer")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t value) -> std::int32_t {
        if (value == 1) throw std::out_of_range{"inner"};
        if (value == 2) throw std::logic_error{"not caught"};
        return value * 2;
      })
      .Export("inner")
      .Instantiate();
  guest = runtime.Instantiate(guests::Nested("env", "outer", "inner"));
  const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  CHECK(run(1) == -1);
  CHECK(caught == std::vector<std::string>{"inner"});
  CHECK(run(5) == 10);
  CHECK_THROWS_AS(run(2), std::logic_error);
  CHECK(run(5) == 10);
}

TEST_CASE("a host function may catch a trap of a guest that it called") {
  const tenon::Runtime runtime;
  tenon::Module guest;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t) -> std::int32_t {
        try {
          guest.ExportedFunction<void()>("trap")();
        } catch (const tenon::Trap& trap) {
          return static_cast<std::int32_t>(trap.Code());
        }
        return 0;
      })
      .Export("up")
      .Instantiate();
  guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("down")(1) ==
        static_cast<std::int32_t>(tenon::TrapCode::Unreachable) + 1);
}

TEST_CASE("exceptions cross frames of several modules") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t) -> std::int32_t { throw std::length_error{"host"}; })
      .Export("f")
      .Instantiate();
  const guests::Signature type{{guests::kI32}, {guests::kI32}};
  runtime.Instantiate(guests::Forwarder("env", "f", type), tenon::ModuleConfig{}.WithName("a"));
  runtime.Instantiate(guests::Forwarder("a", "run", type), tenon::ModuleConfig{}.WithName("b"));
  const tenon::Module c = runtime.Instantiate(guests::Forwarder("b", "run", type));
  CHECK_THROWS_AS(c.ExportedFunction<std::int32_t(std::int32_t)>("run")(1), std::length_error);
}

TEST_CASE("an exception of a host function called by the host itself is not wrapped either") {
  const tenon::Runtime runtime;
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc([]() { throw std::length_error{"host"}; })
                                .Export("f")
                                .Instantiate();
  CHECK_THROWS_AS(env.ExportedFunction<void()>("f")(), std::length_error);
}

TEST_CASE("exceptions of untyped host functions cross the guest too") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithHostFunction([](std::span<tenon::abi::Slot>) { throw std::length_error{"host"}; }, {},
                        {})
      .Export("f")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "f", {}));
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("run")(), std::length_error);
}

TEST_CASE("an exit that a host function swallows is raised again when it returns") {
  const tenon::Runtime runtime;
  tenon::Module guest;
  int swallowed = 0;
  int inner_calls = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t value) -> std::int32_t {
        try {
          return guest.ExportedFunction<std::int32_t(std::int32_t)>("callback")(value);
        } catch (...) {
          ++swallowed;
          return 0;
        }
      })
      .Export("outer")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t value) -> std::int32_t {
        ++inner_calls;
        caller.CloseWithExitCode(static_cast<std::uint32_t>(value));
        throw tenon::ExitError{static_cast<std::uint32_t>(value)};
      })
      .Export("inner")
      .Instantiate();
  guest = runtime.Instantiate(guests::Nested("env", "outer", "inner"));
  const auto error = Thrown<tenon::ExitError>(
      [&] { guest.ExportedFunction<std::int32_t(std::int32_t)>("run_then_inner")(9); });
  CHECK(error.ExitCode() == 9);
  CHECK(swallowed == 1);
  CHECK(inner_calls == 1);
}
