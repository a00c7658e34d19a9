// SPDX-License-Identifier: Apache-2.0
/// @file
/// Stop tokens and deadlines, as far as one thread can show them.
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using namespace std::chrono_literals;

namespace {

const tenon::RuntimeConfig kInterruptible = tenon::RuntimeConfig{}.WithCloseOnContextDone(true);

}  // namespace

TEST_CASE("a call context is a value whose With returns a changed copy") {
  const tenon::CallContext base;
  CHECK_FALSE(base.StopToken().stop_possible());
  CHECK_FALSE(base.Deadline().has_value());
  CHECK(base.UserData() == nullptr);
  std::stop_source source;
  int data = 0;
  const auto time = tenon::CallContext::Clock::now();
  const auto changed =
      base.WithStopToken(source.get_token()).WithDeadline(time).WithUserData(&data);
  CHECK(changed.StopToken().stop_possible());
  CHECK(changed.Deadline() == time);
  CHECK(changed.UserData() == &data);
  CHECK_FALSE(base.Deadline().has_value());
  const auto later = base.WithTimeout(1h);
  CHECK(later.Deadline() > time + 59min);
  CHECK(later.Deadline() < time + 61min);
}

TEST_CASE("a stop that was requested before the call ends it before the guest runs") {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Counter());
  std::stop_source source;
  source.request_stop();
  const auto context = tenon::CallContext{}.WithStopToken(source.get_token());
  const auto increment = guest.ExportedFunction<std::int32_t()>("increment");
  const auto error = Thrown<tenon::ExitError>([&] { increment(context); });
  CHECK(error.ExitCode() == tenon::ExitError::kContextCanceled);
  CHECK(guest.IsClosed());
  CHECK(Thrown<tenon::ExitError>([&] { increment(); }).ExitCode() ==
        tenon::ExitError::kContextCanceled);
}

TEST_CASE("a deadline in the past ends the call before the guest runs") {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto context = tenon::CallContext{}.WithDeadline(tenon::CallContext::Clock::now() - 1s);
  const auto error =
      Thrown<tenon::ExitError>([&] { guest.ExportedFunction<void()>("spin")(context); });
  CHECK(error.ExitCode() == tenon::ExitError::kDeadlineExceeded);
  CHECK(guest.IsClosed());
}

TEST_CASE("without CloseOnContextDone tokens and deadlines are carried but end nothing") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Counter());
  std::stop_source source;
  source.request_stop();
  const auto context = tenon::CallContext{}
                           .WithStopToken(source.get_token())
                           .WithDeadline(tenon::CallContext::Clock::now() - 1s);
  CHECK(guest.ExportedFunction<std::int32_t()>("increment")(context) == 1);
  CHECK_FALSE(guest.IsClosed());
}

TEST_CASE("a deadline that is not reached ends nothing, now or later") {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Counter());
  const auto increment = guest.ExportedFunction<std::int32_t()>("increment");
  for (std::int32_t i = 1; i <= 100; ++i) {
    CHECK(increment(tenon::CallContext{}.WithTimeout(1h)) == i);
  }
  CHECK_FALSE(guest.IsClosed());
}

TEST_CASE("a host function sees stop token and deadline, and may stop its own call") {
  const tenon::Runtime runtime{kInterruptible};
  std::stop_source source;
  std::optional<tenon::CallContext::Clock::time_point> deadline;
  bool stop_possible = false;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::CallContext& context) {
        stop_possible = context.StopToken().stop_possible();
        deadline = context.Deadline();
        source.request_stop();
      })
      .Export("stop")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsThenSpins("env", "stop"));
  const auto limit = tenon::CallContext::Clock::now() + 1h;
  const auto context = tenon::CallContext{}.WithStopToken(source.get_token()).WithDeadline(limit);
  const auto error =
      Thrown<tenon::ExitError>([&] { guest.ExportedFunction<void()>("run")(context); });
  CHECK(error.ExitCode() == tenon::ExitError::kContextCanceled);
  CHECK(stop_possible);
  CHECK(deadline == limit);
}

TEST_CASE("an interruption that a host function swallows is raised again") {
  const tenon::Runtime runtime{kInterruptible};
  std::stop_source source;
  tenon::Module guest;
  bool swallowed = false;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t) -> std::int32_t {
        source.request_stop();
        try {
          return guest.ExportedFunction<std::int32_t(std::int32_t)>("spin_in")(1);
        } catch (...) {
          swallowed = true;
          return 0;
        }
      })
      .Export("outer")
      .Instantiate();
  guest = runtime.Instantiate(guests::CallsOrSpins("env", "outer"));
  const auto context = tenon::CallContext{}.WithStopToken(source.get_token());
  const auto error = Thrown<tenon::ExitError>(
      [&] { guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(context, 1); });
  CHECK(error.ExitCode() == tenon::ExitError::kContextCanceled);
  CHECK(swallowed);
}

TEST_CASE("with CloseOnContextDone a closed guest makes no further host calls") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  int calls = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller) {
        ++calls;
        caller.CloseWithExitCode(7);
      })
      .Export("close")
      .Instantiate();
  guests::Guest guest;
  const std::uint32_t close = guest.AddImport("env", "close", {});
  guest.Add("run", {}, [&](guests::CodeBuilder& code) { code.Call(close).Call(close); });
  const tenon::Module module = runtime.Instantiate(guest.Build());
  CHECK(Thrown<tenon::ExitError>([&] { module.ExportedFunction<void()>("run")(); }).ExitCode() ==
        7);
  CHECK(calls == 1);
}

TEST_CASE("a deadline closes the module also if a host function throws something else for it") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        try {
          return caller.ExportedFunction<std::int32_t(std::int32_t)>("run")(depth - 1);
        } catch (const tenon::ExitError&) {
          throw std::runtime_error{"the inner call failed"};
        }
      })
      .Export("outer")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsOrSpins("env", "outer"));
  const auto context = tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{10});
  CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(context, 1),
                  std::runtime_error);
  CHECK(guest.IsClosed());
  CHECK(Thrown<tenon::ExitError>([&] {
          guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(0);
        }).ExitCode() == tenon::ExitError::kDeadlineExceeded);
}

TEST_CASE("a timeout beyond what the clock can say never passes") {
  using Clock = tenon::CallContext::Clock;
  const auto endless = tenon::CallContext{}.WithTimeout(Clock::duration::max());
  CHECK(endless.Deadline() == Clock::time_point::max());
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("fib")(endless, 10) == 55);
}

TEST_CASE("what a host function writes to its call context ends with the call") {
  const tenon::Runtime runtime;
  int object = 0;
  std::vector<void*> seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::CallContext& context) {
        seen.push_back(context.UserData());
        context = context.WithUserData(&object);
      })
      .Export("f")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "f", {}));
  const auto run = guest.ExportedFunction<void()>("run");
  const tenon::CallContext context;
  run();
  run();
  run(context);
  CHECK(seen == std::vector<void*>{nullptr, nullptr, nullptr});
  CHECK(context.UserData() == nullptr);
}
