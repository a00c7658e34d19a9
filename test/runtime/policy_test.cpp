// SPDX-License-Identifier: Apache-2.0
/// @file
/// Policies of host functions: budgets, preconditions, traces.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

using guests::kI32;

const guests::Signature kToI32{{}, {kI32}};

/// env.work costs 3 and counts its calls, env.free costs nothing.
void DefineEnv(const tenon::Runtime& runtime, int& calls) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&calls] { return ++calls; })
      .WithCost(3)
      .Export("work")
      .NewFunctionBuilder()
      .WithFunc([] { return 0; })
      .Export("free")
      .Instantiate();
}

/// "run" calls env.work, "indirect" does so through a table.
guests::Bytes Worker(std::string_view module = "env", std::string_view name = "work") {
  guests::Guest guest;
  const std::uint32_t work = guest.AddImport(module, name, kToI32);
  const std::uint32_t table = guest.Table(tenon::ValueType::FuncRef, 1, 1);
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({work}));
  guest.Add("run", kToI32, [&](guests::CodeBuilder& code) { code.Call(work); });
  const std::uint32_t type = guest.TypeOf(kToI32);
  guest.Add("indirect", kToI32, [&](guests::CodeBuilder& code) {
    code.I32Const(0);
    code.CallIndirect(type, table);
  });
  return guest.Build();
}

tenon::ModuleConfig Anonymous() { return tenon::ModuleConfig{}.WithName(""); }

void CheckExhausted(const tenon::Function& function, std::string_view rest) {
  const auto trap = Thrown<tenon::Trap>([&] { function.Call(); });
  CHECK(trap.Code() == tenon::TrapCode::BudgetExhausted);
  CHECK(trap.Message() == "budget exhausted: env.work costs 3, " + std::string{rest} + " left");
  REQUIRE_FALSE(trap.Backtrace().empty());
  CHECK(trap.Backtrace().front().function == "env.work");
}

}  // namespace

TEST_CASE("gas cost per host call") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    int calls = 0;
    const tenon::Runtime runtime{engine};
    DefineEnv(runtime, calls);

    SECTION("an instance spends its budget, is refused what is too dear, and can be given more") {
      const tenon::Module guest = runtime.Instantiate(Worker(), Anonymous().WithBudget(7));
      const tenon::Function run = guest.ExportedFunction("run");
      CHECK(guest.Budget().Left() == 7);
      run.Call();
      run.Call();
      CHECK(guest.Budget().Left() == 1);
      CheckExhausted(run, "1");
      CHECK(guest.Budget().Left() == 1);
      CHECK(calls == 2);
      guest.Budget().Add(2);
      run.Call();
      CHECK(guest.Budget().Left() == 0);
    }
    SECTION("without a budget nothing is limited, and functions without a cost never are") {
      const tenon::Module guest = runtime.Instantiate(Worker(), Anonymous());
      CHECK_FALSE(guest.Budget());
      for (int i = 0; i < 10; ++i) guest.ExportedFunction("run").Call();
      const tenon::Module poor =
          runtime.Instantiate(Worker("env", "free"), Anonymous().WithBudget(0));
      CHECK_NOTHROW(poor.ExportedFunction("run").Call());
    }
    SECTION("an indirect call costs the same") {
      const tenon::Module guest = runtime.Instantiate(Worker(), Anonymous().WithBudget(3));
      guest.ExportedFunction("indirect").Call();
      CheckExhausted(guest.ExportedFunction("indirect"), "0");
    }
    SECTION("each instance has its own, unless one is shared") {
      const auto own = Anonymous().WithBudget(3);
      const tenon::Module first = runtime.Instantiate(Worker(), own);
      const tenon::Module second = runtime.Instantiate(Worker(), own);
      first.ExportedFunction("run").Call();
      CHECK_NOTHROW(second.ExportedFunction("run").Call());
      const tenon::Budget budget{3};
      const auto shared = Anonymous().WithBudget(budget);
      const tenon::Module third = runtime.Instantiate(Worker(), shared);
      const tenon::Module fourth = runtime.Instantiate(Worker(), shared);
      third.ExportedFunction("run").Call();
      CheckExhausted(fourth.ExportedFunction("run"), "0");
      CHECK(budget.Left() == 0);
    }
    SECTION("a call's budget ends with the call") {
      const tenon::Module guest = runtime.Instantiate(Worker(), Anonymous().WithBudget(100));
      const tenon::Function run = guest.ExportedFunction("run");
      const tenon::Budget budget{4};
      const auto context = tenon::CallContext{}.WithBudget(budget);
      run.Call(context);
      CHECK(budget.Left() == 1);
      CHECK(Thrown<tenon::Trap>([&] { run.Call(context); }).Code() ==
            tenon::TrapCode::BudgetExhausted);
      // What one of two budgets cannot pay is taken from neither.
      CHECK(guest.Budget().Left() == 97);
      CHECK_NOTHROW(run.Call());
      const auto typed = guest.ExportedFunction<std::int32_t()>("run");
      CHECK(typed() == 3);
      CHECK(guest.Budget().Left() == 91);
    }
    SECTION("another instance of the group is no way around it") {
      runtime.Instantiate(Worker(), tenon::ModuleConfig{}.WithName("helper"));
      const tenon::Module guest =
          runtime.Instantiate(Worker("helper", "run"), Anonymous().WithBudget(5));
      guest.ExportedFunction("run").Call();
      CHECK(guest.Budget().Left() == 2);
      CheckExhausted(guest.ExportedFunction("run"), "2");
      CheckExhausted(guest.ExportedFunction("indirect"), "2");
      // The helper's own calls are not the guest's.
      const tenon::Module helper = runtime.FindModule("helper");
      CHECK_NOTHROW(helper.ExportedFunction("run").Call());
      CHECK(guest.Budget().Left() == 2);
    }
    SECTION("an instance between two others pays for what it makes them do") {
      runtime.Instantiate(Worker(), tenon::ModuleConfig{}.WithName("helper"));
      const tenon::Module middle = runtime.Instantiate(
          Worker("helper", "run"), tenon::ModuleConfig{}.WithName("middle").WithBudget(3));
      const tenon::Module outer = runtime.Instantiate(Worker("middle", "run"), Anonymous());
      outer.ExportedFunction("run").Call();
      CHECK(middle.Budget().Left() == 0);
      CheckExhausted(outer.ExportedFunction("run"), "0");
    }
    SECTION("a listener changes nothing, and hears what is refused as Abort") {
      std::vector<std::string> lines;
      const tenon::Runtime listening{
          engine.WithFunctionListenerFactory(tenon::NewLoggingListenerFactory(
              [&](const std::string& line) { lines.push_back(line); }, true))};
      DefineEnv(listening, calls);
      const tenon::Module guest = listening.Instantiate(Worker(), Anonymous().WithBudget(3));
      guest.ExportedFunction("run").Call();
      CheckExhausted(guest.ExportedFunction("run"), "0");
      REQUIRE(lines.size() == 4);
      CHECK_THAT(lines[3], Catch::Contains("budget exhausted"));
    }
    SECTION("functions of dynamic type cost, too") {
      runtime.NewHostModuleBuilder("dynamic")
          .NewFunctionBuilder()
          .WithHostFunction([](std::span<tenon::abi::Slot> slots) { slots[0] = 5; }, {},
                            {tenon::ValueType::I32})
          .WithCost(2)
          .Export("work")
          .Instantiate();
      const tenon::Module guest =
          runtime.Instantiate(Worker("dynamic", "work"), Anonymous().WithBudget(3));
      CHECK(guest.ExportedFunction<std::int32_t()>("run")() == 5);
      CHECK_THROWS_AS(guest.ExportedFunction("run").Call(), tenon::Trap);
    }
  });
}

TEST_CASE("a call back into the guest is charged for the calls around it") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    int calls = 0;
    const tenon::Runtime runtime{engine};
    DefineEnv(runtime, calls);
    tenon::CallContext inner;
    tenon::Module target;
    runtime.NewHostModuleBuilder("host")
        .NewFunctionBuilder()
        .WithFunc([&] { return target.ExportedFunction("run").Call(inner).front().I32(); })
        .Export("call")
        .Instantiate();
    const tenon::Module helper =
        runtime.Instantiate(Worker(), tenon::ModuleConfig{}.WithName("helper"));
    guests::Guest builder;
    const std::uint32_t call = builder.AddImport("host", "call", kToI32);
    builder.AddImport("helper", "run", kToI32);
    builder.Add("outer", kToI32, [&](guests::CodeBuilder& code) { code.Call(call); });
    const tenon::Module guest = runtime.Instantiate(builder.Build(), Anonymous().WithBudget(10));
    target = helper;
    const tenon::Function outer = guest.ExportedFunction("outer");
    const tenon::Budget around{7};
    const tenon::Budget within{4};
    inner = inner.WithBudget(within);
    outer.Call(tenon::CallContext{}.WithBudget(around));
    CHECK(around.Left() == 4);
    CHECK(within.Left() == 1);
    CHECK(guest.Budget().Left() == 7);
    CheckExhausted(outer, "1");
    inner = {};
    outer.Call();
    CHECK(guest.Budget().Left() == 4);
    CHECK(around.Left() == 4);
    target = {};
  });
}

TEST_CASE("preconditions / guards per binding") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    std::vector<std::string> log;
    const tenon::Runtime runtime{engine};
    struct Counter {
      int Add(int amount) { return value += amount; }
      int value = 0;
    };
    Counter counter;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](tenon::Module&, std::uint32_t count, std::string_view text) {
          log.push_back("called " + std::string{text});
          return count;
        })
        .WithPrecondition([](std::uint32_t count, std::string_view) { return count < 10; })
        .WithPrecondition([&](const tenon::Module& caller, std::uint32_t,
                              std::string_view text) -> std::optional<std::string> {
          log.push_back("asked by " + caller.Name());
          if (text == "bad") return "no " + std::string{text} + " words";
          return std::nullopt;
        })
        .WithParameterNames("count", "text")
        .Export("say")
        .NewFunctionBuilder()
        .WithFunc(&Counter::Add, counter)
        .WithPrecondition([](auto amount) { return amount > 0 ? "" : "amounts are positive"; })
        .WithCost(1)
        .Export("add")
        .NewFunctionBuilder()
        .WithFunc([] { return 1; })
        .WithPrecondition([quota = std::make_unique<int>(2)] { return (*quota)-- > 0; })
        .Export("twice")
        .Instantiate();

    guests::Guest builder;
    const guests::Signature say_type{{kI32, kI32, kI32}, {kI32}};
    const guests::Signature add_type{{kI32}, {kI32}};
    const std::uint32_t say = builder.AddImport("env", "say", say_type);
    const std::uint32_t add = builder.AddImport("env", "add", add_type);
    const std::uint32_t twice = builder.AddImport("env", "twice", kToI32);
    builder.Export("memory", guests::Kind::Memory, builder.Memory(1, 1));
    builder.Add("say", say_type, [&](guests::CodeBuilder& code) {
      guests::GetAll(code, 3);
      code.Call(say);
    });
    builder.Add("add", add_type, [&](guests::CodeBuilder& code) {
      guests::GetAll(code, 1);
      code.Call(add);
    });
    builder.Add("twice", kToI32, [&](guests::CodeBuilder& code) { code.Call(twice); });
    const tenon::Module guest = runtime.Instantiate(
        builder.Build(), tenon::ModuleConfig{}.WithName("speaker").WithBudget(10));
    guest.DefaultMemory().WriteString(0, "goodbad");
    const tenon::Function function = guest.ExportedFunction("say");

    CHECK(function.Call({9, 0, 4}).front().I32() == 9);
    CHECK(log == std::vector<std::string>{"asked by speaker", "called good"});
    log.clear();
    const auto refused = Thrown<tenon::Trap>([&] { function.Call({1, 4, 3}); });
    CHECK(refused.Code() == tenon::TrapCode::PreconditionFailed);
    CHECK(refused.Message() == "precondition of a host function failed: no bad words");
    REQUIRE(refused.Backtrace().size() == 2);
    CHECK(refused.Backtrace()[0].function == "env.say");
    CHECK(log == std::vector<std::string>{"asked by speaker"});
    CHECK(Thrown<tenon::Trap>([&] { function.Call({10, 0, 4}); }).Message() ==
          "precondition of a host function failed");
    // What does not convert is refused before anybody is asked.
    log.clear();
    CHECK(Thrown<tenon::Trap>([&] { function.Call({1, 65536, 1}); }).Code() ==
          tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(log.empty());

    const auto typed_add = guest.ExportedFunction<std::int32_t(std::int32_t)>("add");
    CHECK(typed_add(2) == 2);
    CHECK(Thrown<tenon::Trap>([&] { typed_add(-2); }).Message() ==
          "precondition of a host function failed: amounts are positive");
    CHECK(counter.value == 2);
    // The charge comes first: a refused call has cost.
    CHECK(guest.Budget().Left() == 8);

    const auto typed_twice = guest.ExportedFunction<std::int32_t()>("twice");
    typed_twice();
    typed_twice();
    CHECK_THROWS_AS(typed_twice(), tenon::Trap);
  });
}

namespace {

/// Counts how often it is made of a number.
struct Counted {
  std::int32_t value = 0;
  static inline int conversions = 0;
};

}  // namespace

template <>
struct tenon::WasmType<Counted> {
  using Wire = std::int32_t;
  static Counted FromWasm(std::int32_t value) {
    ++Counted::conversions;
    return {value};
  }
};

TEST_CASE("taint types / TOCTOU discipline") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    const Counted* asked = nullptr;
    bool is_same = false;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](Counted value) { return value.value; })
        .WithPrecondition([&](const Counted& value) {
          asked = &value;
          is_same = value.value == 5;
          return true;
        })
        .Export("f")
        .Instantiate();
    const tenon::Module guest =
        runtime.Instantiate(guests::Forwarder("env", "f", {{kI32}, {kI32}}), Anonymous());
    Counted::conversions = 0;
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(5) == 5);
    CHECK(Counted::conversions == 1);
    CHECK(asked != nullptr);
    CHECK(is_same);
  });
}

TEST_CASE("an exception of a precondition leaves the guest with its own type") {
  struct Objection {};
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([] { return 1; })
        .WithPrecondition([]() -> bool { throw Objection{}; })
        .Export("f")
        .Instantiate();
    const tenon::Module guest =
        runtime.Instantiate(guests::Forwarder("env", "f", kToI32), Anonymous());
    CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t()>("run")(), Objection);
  });
}

TEST_CASE("a traced listener hears the functions that were marked") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    std::vector<std::string> lines;
    const tenon::Runtime runtime{engine.WithFunctionListenerFactory(
        tenon::TracedFunctionListenerFactory(tenon::NewLoggingListenerFactory(
            [&](const std::string& line) { lines.push_back(line); })))};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([] { return 1; })
        .WithTrace()
        .Export("traced")
        .NewFunctionBuilder()
        .WithFunc([] { return 2; })
        .Export("silent")
        .Instantiate();
    const tenon::Module guest =
        runtime.Instantiate(guests::TwoImports({"env", "traced"}, {"env", "silent"}));
    guest.ExportedFunction<std::int32_t()>("first")();
    guest.ExportedFunction<std::int32_t()>("second")();
    CHECK(lines == std::vector<std::string>{"--> env.traced()", "<-- 1"});
  });
}

TEST_CASE("policies are each runtime's own, though the code is shared") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::CompilationCache cache;
    const auto config = engine.WithCompilationCache(cache);
    const auto define = [](const tenon::Runtime& runtime, std::uint64_t cost,
                           const std::string& capability) {
      auto function =
          runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc([] { return 1; });
      if (!capability.empty()) function.WithCapability(capability);
      function.WithCost(cost).Export("work").Instantiate();
    };
    const tenon::Runtime free{config};
    const tenon::Runtime dear{config};
    const tenon::Runtime labelled{config};
    define(free, 0, "");
    define(dear, 5, "");
    define(labelled, 0, "net");
    CHECK(cache.Statistics().misses == 1);
    const auto poor = Anonymous().WithBudget(4);
    CHECK_NOTHROW(free.Instantiate(Worker(), poor).ExportedFunction("run").Call());
    CHECK_THROWS_AS(dear.Instantiate(Worker(), poor).ExportedFunction("run").Call(), tenon::Trap);
    CHECK_THROWS_AS(labelled.Instantiate(Worker(), poor), tenon::LinkError);
    CHECK(cache.Statistics().misses == 2);
  });
}

TEST_CASE("guests in several threads draw on one budget, and no unit is spent twice") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    constexpr int kThreads = 4;
    constexpr int kCalls = 300;
    const tenon::CompilationCache cache;
    const auto config = engine.WithCompilationCache(cache);
    const tenon::Budget budget{3 * 1000};
    std::atomic<int> calls = 0;
    std::atomic<int> traps = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        const tenon::Runtime runtime{config};
        runtime.NewHostModuleBuilder("env")
            .NewFunctionBuilder()
            .WithFunc([&calls] { return ++calls; })
            .WithCost(3)
            .Export("work")
            .Instantiate();
        const tenon::Module guest = runtime.Instantiate(Worker(), Anonymous().WithBudget(budget));
        const tenon::Function run = guest.ExportedFunction("run");
        for (int i = 0; i < kCalls; ++i) {
          try {
            run.Call();
          } catch (const tenon::Trap&) {
            ++traps;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(calls.load() == 1000);
    CHECK(traps.load() == kThreads * kCalls - 1000);
    CHECK(budget.Left() == 0);
  });
}
