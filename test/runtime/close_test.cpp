// SPDX-License-Identifier: Apache-2.0
/// @file
/// Closing modules and runtimes: exit codes, order, notifiers.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

TEST_CASE("handles used after Close throw ExitError with the code") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto add = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add");
  const tenon::Function untyped = guest.ExportedFunction("nothing");
  CHECK_FALSE(guest.IsClosed());
  guest.CloseWithExitCode(7);
  CHECK(guest.IsClosed());
  const auto error = Thrown<tenon::ExitError>([&] { add(1, 2); });
  CHECK(error.ExitCode() == 7);
  CHECK(error.Id() == tenon::ErrorCode::ModuleClosed);
  CHECK(std::string{error.what()} == "module closed with exit_code(7)");
  CHECK(Thrown<tenon::ExitError>([&] { untyped.Call(); }).ExitCode() == 7);
  CHECK(Thrown<tenon::ExitError>([&] { untyped.CallWithStack({}); }).ExitCode() == 7);
}

TEST_CASE("the first exit code stays") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const tenon::Function nothing = guest.ExportedFunction("nothing");
  guest.CloseWithExitCode(1);
  guest.CloseWithExitCode(2);
  guest.Close();
  CHECK(Thrown<tenon::ExitError>([&] { nothing.Call(); }).ExitCode() == 1);
}

TEST_CASE("a closed module's functions do not run") {
  const tenon::Runtime runtime;
  int calls = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] { ++calls; })
      .Export("f")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "f", {}),
                                                  tenon::ModuleConfig{}.WithName("guest"));
  const auto run = guest.ExportedFunction<void()>("run");
  run();
  const tenon::Module outer = runtime.Instantiate(guests::Forwarder("guest", "run", {}));
  guest.CloseWithExitCode(4);
  CHECK_THROWS_AS(run(), tenon::ExitError);
  CHECK(calls == 1);

  SECTION("nor when another guest that imported them calls") {
    CHECK(Thrown<tenon::ExitError>([&] { outer.ExportedFunction<void()>("run")(); }).ExitCode() ==
          4);
    CHECK(calls == 1);
  }
}

TEST_CASE("functions of a closed host module do not run") {
  const tenon::Runtime runtime;
  int calls = 0;
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc([&] { ++calls; })
                                .Export("f")
                                .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "f", {}));
  const auto run = guest.ExportedFunction<void()>("run");
  run();
  env.CloseWithExitCode(5);
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 5);
  CHECK(calls == 1);
}

TEST_CASE("a closed module's functions in a shared table do not run") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user = runtime.Instantiate(guests::ImportsTable({.offset = 3}));
  const auto call = owner.ExportedFunction<std::int32_t(std::int32_t)>("call");
  CHECK(call(3) == 3);
  user.CloseWithExitCode(6);
  CHECK(Thrown<tenon::ExitError>([&] { call(3); }).ExitCode() == 6);
  CHECK(call(0) == 1);
}

TEST_CASE("a module may be closed by a host function that it calls") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller) {
        caller.CloseWithExitCode(3);
        throw tenon::ExitError{3};
      })
      .Export("exit")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "exit", {}, true));
  const auto run = guest.ExportedFunction<void()>("run");
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 3);
  CHECK(guest.IsClosed());
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 3);
}

TEST_CASE("a call that closes its module keeps its memory until it returns") {
  const tenon::Runtime runtime;
  std::string seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::string_view text) {
        caller.CloseWithExitCode(3);
        seen = text;
        throw tenon::ExitError{3};
      })
      .Export("exit")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(
      guests::Forwarder("env", "exit", {{guests::kI32, guests::kI32}, {}}, true));
  guest.DefaultMemory().WriteString(8, "last words");
  CHECK_THROWS_AS((guest.ExportedFunction<void(std::uint32_t, std::uint32_t)>("run")(8, 10)),
                  tenon::ExitError);
  CHECK(seen == "last words");
}

TEST_CASE("with CloseOnContextDone a call ends when its own host function closes the module") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller) { caller.CloseWithExitCode(8); })
      .Export("close")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsThenSpins("env", "close"));
  CHECK(Thrown<tenon::ExitError>([&] { guest.ExportedFunction<void()>("run")(); }).ExitCode() == 8);
}

TEST_CASE("an exit error without Close ends the call and leaves the module open") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([] { throw tenon::ExitError{2}; })
      .Export("exit")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "exit", {}));
  const auto run = guest.ExportedFunction<void()>("run");
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 2);
  CHECK_FALSE(guest.IsClosed());
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 2);
}

TEST_CASE("the texts of exits say why") {
  CHECK(std::string{tenon::ExitError{0}.what()} == "module closed with exit_code(0)");
  const tenon::ExitError canceled{tenon::ExitError::kContextCanceled};
  CHECK(std::string{canceled.what()} == "module closed with context canceled");
  CHECK(canceled.Id() == tenon::ErrorCode::ContextCanceled);
  const tenon::ExitError late{tenon::ExitError::kDeadlineExceeded};
  CHECK(std::string{late.what()} == "module closed with context deadline exceeded");
  CHECK(late.Id() == tenon::ErrorCode::DeadlineExceeded);
}

TEST_CASE("a runtime closes its modules newest first with its exit code") {
  std::vector<std::pair<std::string, std::uint32_t>> closed;
  tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseNotifier(
      [&](const std::string& name, std::uint32_t code) { closed.emplace_back(name, code); })};
  runtime.NewHostModuleBuilder("env").Instantiate();
  const auto compiled = runtime.CompileModule(guests::Counter());
  const auto named = [&](const char* name) {
    return runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(name));
  };
  const tenon::Module a = named("a");
  const tenon::Module b = named("b");
  const tenon::Module c = named("c");
  b.CloseWithExitCode(1);
  runtime.CloseWithExitCode(9);
  const std::vector<std::pair<std::string, std::uint32_t>> expected = {
      {"b", 1}, {"c", 9}, {"a", 9}, {"env", 9}};
  CHECK(closed == expected);
}

TEST_CASE("a close notifier is told once for each module, while its memory is still there") {
  std::vector<std::string> told;
  tenon::Memory memory;
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithCloseNotifier([&](const std::string& name, std::uint32_t code) {
        told.push_back(name + ":" + std::to_string(code) + ":" +
                       std::to_string(memory.ReadByte(0).value_or(0)));
      })};
  const tenon::Module guest =
      runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("guest"));
  memory = guest.DefaultMemory();
  memory.WriteByte(0, 42);
  guest.CloseWithExitCode(3);
  guest.CloseWithExitCode(4);
  CHECK(told == std::vector<std::string>{"guest:3:42"});
}

TEST_CASE("an anonymous module is closed, and its notifier told, when its last handle goes") {
  int told = 0;
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithCloseNotifier([&](const std::string&, std::uint32_t) { ++told; })};
  {
    const tenon::Module guest = runtime.Instantiate(guests::Counter());
    const tenon::Function increment = guest.ExportedFunction("increment");
    CHECK(told == 0);
  }
  CHECK(told == 1);
}

TEST_CASE("a host function may close the runtime in the middle of a call") {
  const tenon::Runtime runtime;
  std::string seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Memory& memory) {
        runtime.CloseWithExitCode(6);
        seen = memory.ViewString(0, 4).value_or("gone");
        throw tenon::ExitError{6};
      })
      .Export("close")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "close", {}, true));
  guest.DefaultMemory().WriteString(0, "data");
  const auto run = guest.ExportedFunction<void()>("run");
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 6);
  CHECK(seen == "data");
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 6);
}

TEST_CASE("a runtime may be destroyed in the middle of a call") {
  std::optional<tenon::Runtime> runtime{std::in_place};
  auto state = std::make_shared<int>(3);
  const std::weak_ptr<int> capture = state;
  std::int32_t seen = 0;
  runtime->NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&runtime, &seen, state = std::move(state)](tenon::Module& caller) {
        runtime.reset();
        seen = *state;
        throw tenon::ExitError{caller.IsClosed() ? 1u : 2u};
      })
      .Export("destroy")
      .Instantiate();
  {
    const tenon::Module guest = runtime->Instantiate(guests::Forwarder("env", "destroy", {}, true));
    const auto run = guest.ExportedFunction<void()>("run");
    CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 1);
    CHECK_THROWS_AS(run(), tenon::Error);
  }
  CHECK(seen == 3);
  CHECK(capture.expired());
}

TEST_CASE("a host module may be closed by one of its own functions") {
  const tenon::Runtime runtime;
  auto state = std::make_shared<std::int32_t>(3);
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&runtime, state]() -> std::int32_t {
        runtime.FindModule("env").CloseWithExitCode(9);
        return *state;
      })
      .Export("close")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::Forwarder("env", "close", {{}, {guests::kI32}}));
  const auto run = guest.ExportedFunction<std::int32_t()>("run");
  CHECK(run() == 3);
  CHECK(Thrown<tenon::ExitError>([&] { run(); }).ExitCode() == 9);
  CHECK_FALSE(runtime.FindModule("env"));
}

TEST_CASE("a close notifier may look at the runtime and the module's name is free by then") {
  const tenon::Runtime* seen = nullptr;
  bool found = true;
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithCloseNotifier([&](const std::string& name, std::uint32_t) {
        if (seen != nullptr) found = static_cast<bool>(seen->FindModule(name));
      })};
  seen = &runtime;
  runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("guest")).Close();
  CHECK_FALSE(found);
  seen = nullptr;
}
