// SPDX-License-Identifier: Apache-2.0
/// @file
/// Function listeners: order of events, what they see, and the logging listener.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// Writes every event as text.
class Recorder : public tenon::FunctionListener {
 public:
  void Before(tenon::Module& module, const tenon::FunctionDefinition& function,
              std::span<const tenon::Value> arguments, tenon::StackIterator& stack) override {
    std::string text = "before " + function.name;
    for (const tenon::Value& argument : arguments) text += " " + std::to_string(argument.I32());
    events.push_back(text);
    modules.push_back(module.Name());
    last_stack.clear();
    while (stack.Next()) last_stack.push_back(stack.Function().name);
    std::size_t again = 0;
    stack.Reset();
    while (stack.Next()) ++again;
    if (again != last_stack.size()) last_stack.emplace_back("not the same after Reset");
  }
  void After(tenon::Module&, const tenon::FunctionDefinition& function,
             std::span<const tenon::Value> results) override {
    std::string text = "after " + function.name;
    for (const tenon::Value& result : results) text += " " + std::to_string(result.I32());
    events.push_back(text);
  }
  void Abort(tenon::Module&, const tenon::FunctionDefinition& function,
             const std::exception_ptr& error) override {
    std::string text = "abort " + function.name;
    try {
      std::rethrow_exception(error);
    } catch (const tenon::Trap& trap) {
      text += " trap " + std::to_string(static_cast<int>(trap.Code()));
    } catch (const tenon::ExitError& exit) {
      text += " exit " + std::to_string(exit.ExitCode());
    } catch (const std::exception& other) {
      text += std::string{" "} + other.what();
    }
    events.push_back(text);
  }

  std::vector<std::string> events;
  std::vector<std::string> modules;
  std::vector<std::string> last_stack;
};

tenon::RuntimeConfig Listening(const std::shared_ptr<tenon::FunctionListener>& listener) {
  return tenon::RuntimeConfig{}.WithFunctionListenerFactory(
      [listener](const tenon::FunctionDefinition&) { return listener; });
}

std::string Code(tenon::TrapCode code) { return std::to_string(static_cast<int>(code)); }

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("listeners hear every call with its arguments and results, in order") {
  const auto recorder = std::make_shared<Recorder>();
  const tenon::Runtime runtime{Listening(recorder)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) { return value * 10; })
      .Export("host")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Deep("env", "host"));
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("outer")(4) == 40);
  CHECK(recorder->events == Events{"before outer 4", "before middle 4", "before inner 4",
                                   "before host 4", "after host 40", "after inner 40",
                                   "after middle 40", "after outer 40"});
}

TEST_CASE("the stack iterator walks from the function being entered outwards, as often as asked") {
  const auto recorder = std::make_shared<Recorder>();
  const tenon::Runtime runtime{Listening(recorder)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) { return value; })
      .Export("host")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Deep("env", "host"));
  guest.ExportedFunction<std::int32_t(std::int32_t)>("outer")(1);
  // Seen from "host", the last function that was entered.
  CHECK(recorder->last_stack == Events{"host", "inner", "middle", "outer"});
}

TEST_CASE("a trap is heard as Abort by every function that it leaves") {
  const auto recorder = std::make_shared<Recorder>();
  const tenon::Runtime runtime{Listening(recorder)};
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("deep_trap")(), tenon::Trap);
  const std::string trap = " trap " + Code(tenon::TrapCode::Unreachable);
  CHECK(recorder->events == Events{"before deep_trap", "before middle", "before trap",
                                   "abort trap" + trap, "abort middle" + trap,
                                   "abort deep_trap" + trap});
}

TEST_CASE("a listener changes neither the backtrace of a trap nor its text") {
  const auto what = [](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
    return TextOf<tenon::Trap>([&] { guest.ExportedFunction<void()>("deep_trap")(); });
  };
  CHECK(what(Listening(std::make_shared<Recorder>())) == what({}));
}

TEST_CASE("exceptions and exits of host functions are heard as Abort with their own type") {
  const auto recorder = std::make_shared<Recorder>();
  const tenon::Runtime runtime{Listening(recorder)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) -> std::int32_t {
        if (value == 0) throw std::runtime_error{"boom"};
        throw tenon::ExitError{static_cast<std::uint32_t>(value)};
      })
      .Export("host")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::Forwarder("env", "host", {{guests::kI32}, {guests::kI32}}));
  const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
  CHECK_THROWS_AS(run(0), std::runtime_error);
  CHECK(recorder->events ==
        Events{"before run 0", "before host 0", "abort host boom", "abort run boom"});
  recorder->events.clear();
  CHECK_THROWS_AS(run(3), tenon::ExitError);
  CHECK(recorder->events ==
        Events{"before run 3", "before host 3", "abort host exit 3", "abort run exit 3"});
}

TEST_CASE("the factory chooses functions, and is asked once for each") {
  const auto recorder = std::make_shared<Recorder>();
  std::vector<std::string> asked;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
      [&](const tenon::FunctionDefinition& function) -> std::shared_ptr<tenon::FunctionListener> {
        asked.push_back(function.name);
        return function.name == "middle" ? recorder : nullptr;
      })};
  const auto compiled = runtime.CompileModule(guests::Arithmetic());
  const std::size_t count = asked.size();
  CHECK(std::count(asked.begin(), asked.end(), "middle") == 1);
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("deep_trap")(), tenon::Trap);
  CHECK(asked.size() == count);
  CHECK(recorder->events ==
        Events{"before middle", "abort middle trap " + Code(tenon::TrapCode::Unreachable)});
}

TEST_CASE("a listener hears the instance in which the function runs") {
  const auto recorder = std::make_shared<Recorder>();
  const tenon::Runtime runtime{Listening(recorder)};
  const auto compiled = runtime.CompileModule(guests::Arithmetic());
  const tenon::Module a = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("a"));
  const tenon::Module b = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("b"));
  a.ExportedFunction<void()>("nothing")();
  b.ExportedFunction<void()>("nothing")();
  CHECK(recorder->modules == Events{"a", "b"});
}

TEST_CASE("an exception of a listener leaves the guest and the instance stays usable") {
  struct Thrower : tenon::FunctionListener {
    void Before(tenon::Module&, const tenon::FunctionDefinition& function,
                std::span<const tenon::Value>, tenon::StackIterator&) override {
      if (function.name == "middle" && armed) throw std::out_of_range{"listener"};
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               std::span<const tenon::Value>) override {}
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {}
    bool armed = true;
  };
  const auto thrower = std::make_shared<Thrower>();
  const tenon::Runtime runtime{Listening(thrower)};
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("deep_trap")(), std::out_of_range);
  thrower->armed = false;
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("deep_trap")(), tenon::Trap);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(1, 2) == 3);
}

TEST_CASE("several factories' listeners hear each call in order") {
  std::vector<std::string> log;
  struct Named : tenon::FunctionListener {
    Named(std::vector<std::string>* events, std::string own) : log{events}, name{std::move(own)} {}
    void Before(tenon::Module&, const tenon::FunctionDefinition&, std::span<const tenon::Value>,
                tenon::StackIterator& stack) override {
      log->push_back(name + (stack.Next() ? " before" : " before without stack"));
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               std::span<const tenon::Value>) override {
      log->push_back(name + " after");
    }
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {
      log->push_back(name + " abort");
    }
    std::vector<std::string>* log;
    std::string name;
  };
  const auto factory = [&](const std::string& name, const std::string& only) {
    return
        [&log, name, only](
            const tenon::FunctionDefinition& function) -> std::shared_ptr<tenon::FunctionListener> {
          if (!only.empty() && function.name != only) return nullptr;
          return std::make_shared<Named>(&log, name);
        };
  };
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
      tenon::MultiFunctionListenerFactory({factory("a", ""), factory("b", "nothing")}))};
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  guest.ExportedFunction<void()>("nothing")();
  CHECK_THROWS_AS(guest.ExportedFunction<void()>("trap")(), tenon::Trap);
  REQUIRE(log.size() == 6);
  CHECK(Events(log.begin(), log.begin() + 2) == Events{"a before", "b before"});
  std::sort(log.begin() + 2, log.begin() + 4);
  CHECK(Events(log.begin() + 2, log.end()) == Events{"a after", "b after", "a before", "a abort"});
}

TEST_CASE("the logging listener writes calls with names and values, indented by depth") {
  std::vector<std::string> lines;
  const auto write = [&](const std::string& line) { lines.push_back(line); };
  const auto define = [](const tenon::Runtime& runtime) {
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([](std::int32_t x, std::int32_t y) { return x + y; })
        .WithParameterNames("x", "y")
        .Export("add")
        .Instantiate();
    return runtime.Instantiate(
        guests::Forwarder("env", "add", {{guests::kI32, guests::kI32}, {guests::kI32}}));
  };
  const auto indent = [](const std::string& line) { return line.find_first_not_of(" \t"); };

  SECTION("of all functions") {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
        tenon::NewLoggingListenerFactory(write))};
    define(runtime).ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("run")(1, 2);
    REQUIRE(lines.size() == 4);
    CHECK_THAT(lines[0], Catch::StartsWith("--> ") && Catch::Contains("run("));
    CHECK(lines[1].substr(indent(lines[1])) == "--> env.add(x=1,y=2)");
    CHECK(lines[2].substr(indent(lines[2])) == "<-- 3");
    CHECK(lines[3] == "<-- 3");
    CHECK(indent(lines[0]) == 0);
    CHECK(indent(lines[1]) > 0);
    CHECK(indent(lines[2]) == indent(lines[1]));
  }
  SECTION("of host functions only") {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
        tenon::NewLoggingListenerFactory(write, true))};
    define(runtime).ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("run")(-1, 2);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].substr(indent(lines[0])) == "--> env.add(x=-1,y=2)");
    CHECK(lines[1].substr(indent(lines[1])) == "<-- 1");
  }
  SECTION("of a call that ends with a trap, and depth starts anew") {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithFunctionListenerFactory(
        tenon::NewLoggingListenerFactory(write))};
    const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
    CHECK_THROWS_AS(guest.ExportedFunction<void()>("deep_trap")(), tenon::Trap);
    REQUIRE(lines.size() == 6);
    CHECK(lines[0] == "--> guest.deep_trap()");
    CHECK_THAT(lines[5], Catch::StartsWith("<--") && Catch::Contains("unreachable"));
    lines.clear();
    guest.ExportedFunction<void()>("nothing")();
    CHECK(lines[0] == "--> guest.nothing()");
  }
}
