// SPDX-License-Identifier: Apache-2.0
/// @file
/// What any thread may do at the same time, per class.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/vm/instance.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

constexpr int kThreads = 4;
const tenon::ModuleConfig kAnonymous = tenon::ModuleConfig{}.WithName("");

/// Runs `body(thread)` on several threads at once; the number of threads whose body was false or
/// threw.
int Failures(const std::function<bool(int thread)>& body) {
  std::atomic<int> failures = 0;
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      ++ready;
      while (ready.load() < kThreads) std::this_thread::yield();
      try {
        if (!body(thread)) ++failures;
      } catch (...) {
        ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

}  // namespace

TEST_CASE("one compiled module runs on many threads, each with an instance of its own") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Loops());
  CHECK(Failures([&](int) {
          for (int i = 0; i < 20; ++i) {
            const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
            if (guest.ExportedFunction<std::int32_t(std::int32_t)>("fib")(12) != 144) return false;
          }
          return true;
        }) == 0);
}

TEST_CASE("many threads compile, instantiate, find and close in one runtime") {
  const tenon::Runtime runtime;
  CHECK(Failures([&](int thread) {
          const std::string name = "guest" + std::to_string(thread);
          for (int i = 0; i < 20; ++i) {
            const auto compiled = runtime.CompileModule(guests::Counter());
            const tenon::Module guest =
                runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(name));
            if (runtime.FindModule(name) != guest) return false;
            if (guest.ExportedFunction<std::int32_t()>("increment")() != 1) return false;
            guest.Close();
            if (runtime.FindModule(name)) return false;
          }
          return true;
        }) == 0);
}

TEST_CASE("of many threads that instantiate under one name, one wins") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Counter());
  std::atomic<int> winners = 0;
  CHECK(Failures([&](int) {
          try {
            runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("one"));
            ++winners;
          } catch (const tenon::LinkError& error) {
            return error.Id() == tenon::ErrorCode::ModuleAlreadyInstantiated;
          }
          return true;
        }) == 0);
  CHECK(winners == 1);
}

TEST_CASE("one callable is entered by several instances on several threads at once") {
  const tenon::Runtime runtime;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<std::int64_t> sum = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(
          [&](tenon::Module& caller, tenon::Memory& memory, std::int32_t value) -> std::int32_t {
            const int now = ++inside;
            int seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            memory.WriteUint32Le(0, static_cast<std::uint32_t>(value));
            std::this_thread::yield();
            sum += value;
            --inside;
            const tenon::Module copy = caller;
            return static_cast<std::int32_t>(copy.DefaultMemory().ReadUint32Le(0).value_or(0));
          })
      .Export("f")
      .Instantiate();
  const auto compiled =
      runtime.CompileModule(guests::Forwarder("env", "f", {{guests::kI32}, {guests::kI32}}, true));
  CHECK(Failures([&](int thread) {
          const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
          const auto run = guest.ExportedFunction<std::int32_t(std::int32_t)>("run");
          for (int i = 0; i < 500; ++i) {
            if (run(thread) != thread) return false;
          }
          return true;
        }) == 0);
  CHECK(sum == 500 * (0 + 1 + 2 + 3));
}

TEST_CASE("one compiled host module serves several threads and runtimes' worth of instances") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  CHECK(Failures([&](int thread) {
          for (int i = 0; i < 10; ++i) {
            const tenon::Runtime runtime{config};
            std::int32_t state = thread * 1000;
            runtime.NewHostModuleBuilder("env")
                .NewFunctionBuilder()
                .WithFunc([&state] { return ++state; })
                .Export("next")
                .Instantiate();
            const tenon::Module guest =
                runtime.Instantiate(guests::Forwarder("env", "next", {{}, {guests::kI32}}));
            const auto run = guest.ExportedFunction<std::int32_t()>("run");
            if (run() != thread * 1000 + 1 || run() != thread * 1000 + 2) return false;
          }
          return true;
        }) == 0);
}

TEST_CASE("a module is compiled once however many threads ask at the same time") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  const auto bytes = guests::ManyFunctions(2000);
  CHECK(Failures([&](int) {
          const tenon::Runtime runtime{config};
          const tenon::Module guest = runtime.Instantiate(bytes);
          return guest.ExportedFunction<std::int32_t()>("last")() == 1999;
        }) == 0);
  CHECK(cache.Statistics().misses == 1);
  CHECK(cache.Statistics().hits == kThreads - 1);
  CHECK(cache.Statistics().entries == 1);
}

TEST_CASE("a compilation that fails fails for every thread that waited, and harms no other") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  auto broken = guests::ManyFunctions(500);
  broken.back() = 0xFF;
  const auto good = guests::Counter();
  CHECK(Failures([&](int) {
          const tenon::Runtime runtime{config};
          for (int i = 0; i < 5; ++i) {
            try {
              runtime.CompileModule(broken);
              return false;
            } catch (const tenon::Error&) {
            }
            runtime.CompileModule(good);
          }
          return true;
        }) == 0);
  CHECK(cache.Statistics().entries == 1);
}

TEST_CASE("statistics and Clear are safe beside compilations") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  CHECK(Failures([&](int thread) {
          if (thread == 0) {
            for (int i = 0; i < 50; ++i) {
              cache.Clear();
              if (cache.Statistics().entries > 2) return false;
            }
            return true;
          }
          const tenon::Runtime runtime{config};
          for (int i = 0; i < 30; ++i) {
            const tenon::Module guest = runtime.Instantiate(guests::Counter());
            if (guest.ExportedFunction<std::int32_t()>("increment")() != 1) return false;
          }
          return true;
        }) == 0);
}

TEST_CASE("Close and IsClosed are safe from any thread beside a running call") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Loops());
  for (int i = 0; i < 20; ++i) {
    const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
    const auto fib = guest.ExportedFunction<std::int32_t(std::int32_t)>("fib");
    CHECK(Failures([&](int thread) {
            if (thread == 0) {
              try {
                const std::int32_t result = fib(15);
                return result == 610;
              } catch (const tenon::ExitError& error) {
                return error.ExitCode() >= 1 && error.ExitCode() < kThreads;
              }
            }
            static_cast<void>(guest.IsClosed());
            guest.CloseWithExitCode(static_cast<std::uint32_t>(thread));
            return guest.IsClosed();
          }) == 0);
  }
}

TEST_CASE("closing a runtime beside instantiations ends in closed modules or errors") {
  for (int i = 0; i < 100; ++i) {
    const tenon::Runtime runtime;
    const auto compiled = runtime.CompileModule(guests::Counter());
    CHECK(Failures([&](int thread) {
            if (thread == 0) {
              runtime.CloseWithExitCode(3);
              return true;
            }
            for (int n = 0; n < 20; ++n) {
              try {
                const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
                guest.ExportedFunction<std::int32_t()>("increment")();
              } catch (const tenon::Error&) {
              }
            }
            return true;
          }) == 0);
    CHECK_THROWS_AS(runtime.InstantiateModule(compiled), tenon::ConfigError);
  }
}

TEST_CASE("references end once, whichever thread closes the last module or ends the last call") {
  struct Counted {
    explicit Counted(std::atomic<int>& chosen_count) : count{chosen_count} {}
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { ++count; }
    std::atomic<int>& count;
  };
  constexpr int kObjects = 200;
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> ended{0};
    const tenon::Runtime runtime;
    const tenon::Module a =
        runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithName("a"));
    const tenon::Module b = runtime.Instantiate(guests::Forwarder("a", "nothing", {}), kAnonymous);
    for (int n = 0; n < kObjects; ++n) {
      (n % 2 == 0 ? a : b).Issue(tenon::Ref<Counted>::Own(std::make_unique<Counted>(ended)));
    }
    const auto run = b.ExportedFunction<void()>("run");
    CHECK(Failures([&](int thread) {
            if (thread == 0) {
              try {
                for (int n = 0; n < 200; ++n) run();
              } catch (const tenon::ExitError&) {
              }
            } else {
              (thread == 1 ? a : b).Close();
            }
            return true;
          }) == 0);
    CHECK(ended == kObjects);
  }
}

TEST_CASE("handles may go beside calls of other modules that they are linked with") {
  for (int i = 0; i < 50; ++i) {
    const tenon::Runtime runtime;
    const tenon::Module a =
        runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("a"));
    std::vector<tenon::Module> importers;
    for (int n = 0; n < kThreads; ++n) {
      importers.push_back(
          runtime.Instantiate(guests::Forwarder("a", "increment", {{}, {guests::kI32}}),
                              tenon::ModuleConfig{}.WithName("")));
      importers.back().Close();
    }
    const auto increment = a.ExportedFunction<std::int32_t()>("increment");
    CHECK(Failures([&](int thread) {
            if (thread != 0) {
              importers[static_cast<std::size_t>(thread)] = {};
              return true;
            }
            for (std::int32_t n = 1; n <= 200; ++n) {
              if (increment() != n) return false;
            }
            return true;
          }) == 0);
  }
}

TEST_CASE("an instance may be handed from thread to thread") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Counter());
  const auto increment = guest.ExportedFunction<std::int32_t()>("increment");
  for (std::int32_t i = 1; i <= 8; ++i) {
    std::int32_t result = 0;
    std::thread{[&] { result = increment(); }}.join();
    CHECK(result == i);
  }
}

#if !defined(NDEBUG)
TEST_CASE("thread-safety checked") {
  const tenon::Runtime runtime;
  std::atomic<bool> inside = false;
  std::atomic<bool> leave = false;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] {
        inside = true;
        while (!leave) std::this_thread::yield();
      })
      .Export("wait")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", "wait", {}));
  const auto run = guest.ExportedFunction<void()>("run");
  std::thread first{[&] { run(); }};
  while (!inside) std::this_thread::yield();
  std::string text;
  tenon::ErrorCode id = tenon::ErrorCode::None;
  try {
    run();
  } catch (const tenon::ConfigError& error) {
    id = error.Id();
    text = error.what();
  }
  leave = true;
  first.join();
  CHECK(id == tenon::ErrorCode::CrossThreadEntry);
  CHECK(text == "two threads entered the same module at the same time");
}
#endif

TEST_CASE(
    "guests that share a memory or a mutable global of the host do not run at the same time") {
  const tenon::Runtime runtime;
  std::atomic<bool> inside = false;
  std::atomic<bool> leave = false;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] {
        inside = true;
        while (!leave) std::this_thread::yield();
      })
      .Export("wait")
      .Instantiate();
  runtime.NewHostModuleBuilder("shared")
      .ExportMemory("memory", 1, 2)
      .ExportGlobal("level", tenon::Value{1}, true)
      .ExportGlobal("constant", tenon::Value{1}, false)
      .Instantiate();
  const auto make = [&](const char* shared) {
    guests::Guest guest;
    const std::uint32_t wait = guest.AddImport("env", "wait", {});
    const std::string name = shared;
    if (name == "memory") guest.ImportMemory("shared", name, {guests::LimitsOf(1, 2)});
    if (name == "level") guest.ImportGlobal("shared", name, {guests::kI32, true});
    if (name == "constant") guest.ImportGlobal("shared", name, {guests::kI32, false});
    guest.Add("wait", {}, [&](guests::CodeBuilder& code) { code.Call(wait); });
    guest.Add("nothing", {}, [](guests::CodeBuilder&) {});
    return runtime.Instantiate(guest.Build(), tenon::ModuleConfig{}.WithName(""));
  };
  for (const char* shared : {"memory", "level", "constant"}) {
    INFO(shared);
    const tenon::Module first = make(shared);
    const tenon::Module second = make(shared);
    inside = false;
    leave = false;
    std::thread runs{[&] { first.ExportedFunction<void()>("wait")(); }};
    while (!inside) std::this_thread::yield();
    const auto nothing = second.ExportedFunction<void()>("nothing");
    if (std::string{shared} == "constant") {
      CHECK_NOTHROW(nothing());
    } else {
      CHECK(Thrown<tenon::ConfigError>([&] { nothing(); }).Id() ==
            tenon::ErrorCode::CrossThreadEntry);
    }
    leave = true;
    runs.join();
    CHECK_NOTHROW(nothing());
  }
}

TEST_CASE("a module is found only after its data is in place, and by its own start function") {
  const tenon::Runtime runtime;
  bool found = false;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] { found = static_cast<bool>(runtime.FindModule("plugin")); })
      .Export("start")
      .Instantiate();
  guests::Guest guest;
  guest.NameModule("plugin");
  guest.Start(guest.AddImport("env", "start", {}));
  guest.Memory(1, 1);
  for (int i = 0; i < 300; ++i) {
    guest.ActiveData(guests::ConstantExpression::I32(1000), std::string(4000, 'x'));
  }
  guest.ActiveData(guests::ConstantExpression::I32(0), "*");
  const tenon::CompiledModule compiled = runtime.CompileModule(guest.Build());
  std::atomic<bool> stop = false;
  int looked = 0;
  int unfinished = 0;
  std::thread looks{[&] {
    while (!stop) {
      const tenon::Module module = runtime.FindModule("plugin");
      if (!module) continue;
      ++looked;
      if (module.Get()->dropped_data[300] == false) ++unfinished;
    }
  }};
  for (int i = 0; i < 200; ++i) runtime.InstantiateModule(compiled).Close();
  stop = true;
  looks.join();
  CHECK(unfinished == 0);
  CHECK(found);
  CHECK_THROWS_AS(
      [&] {
        const tenon::Module first = runtime.InstantiateModule(compiled);
        runtime.InstantiateModule(compiled);
      }(),
      tenon::LinkError);
}
