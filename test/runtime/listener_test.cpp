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
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

/// Writes every event as text.
class Recorder : public tenon::FunctionListener {
 public:
  void Before(tenon::Module& module, const tenon::FunctionDefinition& function,
              const tenon::TypedValues& arguments, tenon::StackIterator& stack) override {
    std::string text = "before " + function.name;
    for (const tenon::TypedValue argument : arguments) text += " " + std::to_string(argument.I32());
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
             const tenon::TypedValues& results) override {
    std::string text = "after " + function.name;
    for (const tenon::TypedValue result : results) text += " " + std::to_string(result.I32());
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

TEST_CASE("a trap of another module's function stops the caller, whatever Abort does") {
  struct Caller : tenon::FunctionListener {
    void Before(tenon::Module&, const tenon::FunctionDefinition&, const tenon::TypedValues&,
                tenon::StackIterator&) override {}
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {}
    void Abort(tenon::Module&, const tenon::FunctionDefinition& function,
               const std::exception_ptr&) override {
      aborted.push_back(function.name);
      if (calls_back) calls_back();
    }
    std::vector<std::string> aborted;
    tenon::TypedFunction<void()> calls_back;
  };
  const auto listener = std::make_shared<Caller>();
  const tenon::Runtime runtime{Listening(listener)};
  int reached = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] { ++reached; })
      .Export("reach")
      .Instantiate();
  const tenon::Module callee =
      runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithName("callee"));
  guests::Guest guest;
  const std::uint32_t trap = guest.AddImport("callee", "deep_trap", {});
  const std::uint32_t reach = guest.AddImport("env", "reach", {});
  guest.Add("run", {}, [&](guests::CodeBuilder& code) { code.Call(trap).Call(reach); });
  const tenon::Module caller = runtime.Instantiate(guest.Build());
  const auto run = caller.ExportedFunction<void()>("run");
  for (const bool calls_back : {false, true}) {
    listener->aborted.clear();
    if (calls_back) listener->calls_back = callee.ExportedFunction<void()>("nothing");
    CHECK(Thrown<tenon::Trap>(run).Code() == tenon::TrapCode::Unreachable);
    CHECK(listener->aborted == Events{"trap", "middle", "deep_trap", "run"});
    CHECK(reached == 0);
  }
  // It would keep its own runtime.
  listener->calls_back = {};
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
                const tenon::TypedValues&, tenon::StackIterator&) override {
      if (function.name == "middle" && armed) throw std::out_of_range{"listener"};
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {}
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
    void Before(tenon::Module&, const tenon::FunctionDefinition&, const tenon::TypedValues&,
                tenon::StackIterator& stack) override {
      log->push_back(name + (stack.Next() ? " before" : " before without stack"));
    }
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {
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

TEST_CASE("tracing hook with args") {
  struct Typed : tenon::FunctionListener {
    void Before(tenon::Module&, const tenon::FunctionDefinition& function,
                const tenon::TypedValues& arguments, tenon::StackIterator&) override {
      if (!function.is_host_function) return;
      texts.push_back(arguments.Text());
      for (const tenon::TypedValue argument : arguments) {
        types.push_back(std::string{argument.CppType()});
        is_typed = is_typed && argument.Type() == argument.Get().Type();
      }
      if (const auto ratio = arguments.Find("ratio")) found = ratio->F64();
    }
    void After(tenon::Module&, const tenon::FunctionDefinition& function,
               const tenon::TypedValues& results) override {
      if (function.is_host_function) texts.push_back(results.Text());
    }
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {}
    std::vector<std::string> texts;
    std::vector<std::string> types;
    double found = 0;
    bool is_typed = true;
  };
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const auto listener = std::make_shared<Typed>();
    const tenon::Runtime runtime{engine.WithFunctionListenerFactory(
        [&](const tenon::FunctionDefinition&) { return listener; })};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc(
            [](tenon::Module&, bool is_on, std::uint32_t count, double ratio, int delta,
               std::string_view) { return count + (is_on ? 1u : 0u) + unsigned(ratio + delta); })
        .WithParameterNames("is_on", "count", "ratio", "delta", "text")
        .WithResultNames("total")
        .Export("f")
        .Instantiate();
    using guests::kF64;
    using guests::kI32;
    const guests::Signature type{{kI32, kI32, kF64, kI32, kI32, kI32}, {kI32}};
    const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "f", type, true));
    guest.ExportedFunction("run").Call({1, -2, 0.5, -1, 16, 3});
    REQUIRE(listener->texts.size() == 2);
    CHECK(listener->texts[0] ==
          "is_on=true,count=4294967294,ratio=0.5,delta=-1,text=16,text_len=3");
    CHECK(listener->texts[1] == "total=4294967295");
    CHECK(listener->found == 0.5);
    CHECK(listener->is_typed);
    CHECK(listener->types ==
          Events{"bool", "unsigned int", "double", "int", "std::string_view", "std::string_view"});
  });
}

TEST_CASE("the logging listener writes views of characters as the text in memory") {
  std::vector<std::string> lines;
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithFunctionListenerFactory(tenon::NewLoggingListenerFactory(
          [&](const std::string& line) { lines.push_back(line); }, true))};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::string_view, int) {})
      .WithParameterNames("text", "level")
      .Export("log")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(
      guests::Forwarder("env", "log", {{guests::kI32, guests::kI32, guests::kI32}, {}}, true));
  guest.DefaultMemory().WriteString(8, "a \"b\"\n" + std::string(100, 'x'));
  const tenon::Function run = guest.ExportedFunction("run");
  run.Call({8, 6, 1});
  run.Call({20, 80, 2});
  CHECK_THROWS_AS(run.Call({65535, 2, 3}), tenon::Trap);
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] == R"(--> env.log(text="a \"b\".",level=1))");
  CHECK(lines[1] == "<--");
  CHECK(lines[2] == "--> env.log(text=\"" + std::string(64, 'x') + "\"...,level=2)");
  CHECK(lines[4] == "--> env.log(text=65535,text_len=2,level=3)");
}

TEST_CASE("the host logging listener writes the functions of its scopes") {
  using Scopes = tenon::LogScopes;
  const auto heard = [](Scopes scopes) {
    std::vector<std::string> lines;
    const tenon::Runtime runtime{
        tenon::RuntimeConfig{}.WithFunctionListenerFactory(tenon::NewHostLoggingListenerFactory(
            [&](const std::string& line) { lines.push_back(line); }, scopes))};
    const auto define = [&](const std::string& module, const std::vector<std::string>& names) {
      tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder(module);
      for (const std::string& name : names) {
        builder.NewFunctionBuilder().WithFunc([] {}).Export(name);
      }
      return builder;
    };
    const tenon::Module wasi =
        define("wasi_snapshot_preview1", {"clock_time_get", "proc_exit", "fd_write", "path_open",
                                          "poll_oneoff", "random_get", "sock_send", "sched_yield"})
            .Instantiate();
    tenon::HostModuleBuilder builder = define("app", {"fd_write", "other"});
    builder.NewFunctionBuilder().WithFunc([] {}).WithCapability("clock").Export("now");
    const tenon::Module app = builder.Instantiate();
    std::string names;
    for (const tenon::Module& module : {wasi, app}) {
      for (const auto& definition : module.ExportedFunctionDefinitions()) {
        lines.clear();
        module.ExportedFunction(definition.export_names.front()).Call();
        if (!lines.empty()) names += definition.export_names.front() + " ";
      }
    }
    return names;
  };
  CHECK(heard(Scopes::None).empty());
  CHECK(heard(Scopes::Clock) == "clock_time_get now ");
  CHECK(heard(Scopes::Proc) == "proc_exit ");
  CHECK(heard(Scopes::Filesystem) == "fd_write path_open ");
  CHECK(heard(Scopes::Poll) == "poll_oneoff ");
  CHECK(heard(Scopes::Random | Scopes::Sock) == "random_get sock_send ");
  CHECK(heard(Scopes::Memory).empty());
  CHECK(heard(Scopes::All) ==
        "clock_time_get fd_write path_open poll_oneoff proc_exit random_get sched_yield sock_send "
        "fd_write now other ");
}

TEST_CASE("runtimes that share a cache in several threads hear their own calls only") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::CompilationCache cache;
    constexpr int kThreads = 4;
    constexpr int kCalls = 50;
    std::vector<std::vector<std::string>> lines(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        auto& own = lines[static_cast<std::size_t>(t)];
        auto config = engine.WithCompilationCache(cache);
        // Every other thread listens, to a function of its own name.
        if (t % 2 == 0) {
          config = config.WithFunctionListenerFactory(tenon::NewLoggingListenerFactory(
              [&own](const std::string& line) { own.push_back(line); }, true));
        }
        const tenon::Runtime runtime{config};
        runtime.NewHostModuleBuilder("env")
            .NewFunctionBuilder()
            .WithFunc([t](std::int32_t value) { return value + t; })
            .WithParameterNames("value")
            .Export("f")
            .Instantiate();
        const tenon::Module guest =
            runtime.Instantiate(guests::Forwarder("env", "f", {{guests::kI32}, {guests::kI32}}));
        for (int i = 0; i < kCalls; ++i) guest.ExportedFunction("run").Call({i});
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t t = 0; t < kThreads; ++t) {
      REQUIRE(lines[t].size() == (t % 2 == 0 ? 2u * kCalls : 0u));
      if (t % 2 == 0) {
        CHECK(lines[t][2] == "--> env.f(value=1)");
        CHECK(lines[t][3] == "<-- " + std::to_string(1 + t));
      }
    }
  });
}
