// SPDX-License-Identifier: Apache-2.0
/// @file
/// Many threads that compile, instantiate, call, interrupt and close on one runtime and one cache.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kI32;
using guests::Opcode;

namespace {

constexpr int kThreads = 6;

/// The number of threads on which `body(thread)` was false or threw.
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
      } catch (const std::exception& error) {
        ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

/// Guest number `seed`: "run"(n) mixes n through `functions` functions and its memory, and calls
/// env.mix; "trap"(n) loads from beyond its memory.
guests::Bytes Mixer(std::uint32_t seed, int functions) {
  Guest guest;
  std::mt19937 random{seed};
  const guests::Signature unary{{kI32}, {kI32}};
  const std::uint32_t mix = guest.AddImport("env", "mix", unary);
  guest.Memory(1, 4);
  const std::uint32_t table = guest.Table(tenon::ValueType::FuncRef, 1);
  constexpr Opcode kOperations[] = {Opcode::I32Add, Opcode::I32Xor, Opcode::I32Mul, Opcode::I32Rotl,
                                    Opcode::I32Sub};
  std::uint32_t last = mix;
  for (int i = 0; i < functions; ++i) {
    last = guest.AddHidden("f" + std::to_string(i), unary, [&](CodeBuilder& code) {
      const auto address = static_cast<std::int32_t>(random() % 1000 * 4);
      code.I32Const(address).LocalGet(0).Memory(Opcode::I32Store);
      code.LocalGet(0);
      for (int operation = 0; operation < 20; ++operation) {
        code.I32Const(static_cast<std::int32_t>(random())).Emit(kOperations[random() % 5]);
      }
      if (i % 16 == 3) {
        code.I32Const(0).CallIndirect(guest.TypeOf(unary), table);
      } else {
        code.Call(last);
      }
      code.I32Const(address).Memory(Opcode::I32Load).Emit(Opcode::I32Add);
    });
  }
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({mix}));
  guest.Add("run", unary, [&](CodeBuilder& code) { code.LocalGet(0).Call(last); });
  guest.Add("trap", unary, [&](CodeBuilder& code) {
    code.LocalGet(0).Call(last).Drop().I32Const(-8).Memory(Opcode::I32Load);
  });
  return guest.Build();
}

void AddMix(const Runtime& runtime) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) -> std::int32_t {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) * 2654435761u);
      })
      .Export("mix")
      .Instantiate();
}

constexpr std::uint32_t kGuests = 8;
constexpr int kArguments = 16;

struct Expected {
  std::vector<guests::Bytes> modules;
  std::int32_t results[kGuests][kArguments];
};

/// What the interpreter computes on one thread.
const Expected& Precomputed() {
  static const Expected expected = [] {
    Expected found;
    const Runtime runtime{Setups()[0].config};
    AddMix(runtime);
    for (std::uint32_t guest = 0; guest < kGuests; ++guest) {
      found.modules.push_back(Mixer(guest, kIsSanitized ? 30 : 60));
      const auto run =
          runtime.Instantiate(found.modules.back(), kAnonymous).ExportedFunction<Unary>("run");
      for (int i = 0; i < kArguments; ++i) found.results[guest][i] = run(i * 77);
    }
    return found;
  }();
  return expected;
}

}  // namespace

TEST_CASE("many threads compile, instantiate, call and close on one runtime and one cache") {
  const Expected& expected = Precomputed();
  InEverySetup([&](const Setup& setup) {
    for (const bool interruptible : {false, true}) {
      const tenon::CompilationCache cache;
      const Runtime runtime{
          setup.config.WithCompilationCache(cache).WithCompilationThreads(2).WithCloseOnContextDone(
              interruptible)};
      AddMix(runtime);
      CHECK(Failures([&](int thread) {
              std::mt19937 random{static_cast<std::uint32_t>(thread)};
              for (int round = 0; round < (kIsSanitized ? 8 : 25); ++round) {
                const std::uint32_t number = random() % kGuests;
                const auto compiled = runtime.CompileModule(expected.modules[number]);
                const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
                const auto run = guest.ExportedFunction<Unary>("run");
                const auto trap = guest.ExportedFunction<Unary>("trap");
                for (int i = 0; i < kArguments; ++i) {
                  if (run(i * 77) != expected.results[number][i]) return false;
                  if (i % 4 == 0 && trap.TryCall(i)) return false;
                }
                if (random() % 4 == 0) cache.Clear();
                if (random() % 2 == 0) guest.Close();
              }
              return true;
            }) == 0);
    }
  });
}

TEST_CASE("many threads with a runtime each share one cache") {
  const Expected& expected = Precomputed();
  InEverySetup([&](const Setup& setup) {
    const tenon::CompilationCache cache;
    CHECK(Failures([&](int thread) {
            for (std::uint32_t round = 0; round < kGuests; ++round) {
              const std::uint32_t number = (round + static_cast<std::uint32_t>(thread)) % kGuests;
              const Runtime runtime{setup.config.WithCompilationCache(cache)};
              AddMix(runtime);
              const tenon::Module guest = runtime.Instantiate(expected.modules[number]);
              const auto run = guest.ExportedFunction<Unary>("run");
              for (int i = 0; i < kArguments; ++i) {
                if (run(i * 77) != expected.results[number][i]) return false;
              }
            }
            return true;
          }) == 0);
    CHECK(cache.Statistics().misses == kGuests + 1);
  });
}

TEST_CASE("one compiled module gets both ways of bounds checks at the same time") {
  if (Setups().size() < 3 || kIsSanitized) return;
  const Expected& expected = Precomputed();
  const tenon::CompilationCache cache;
  const Runtime guarded{Setups()[1].config.WithCompilationCache(cache)};
  const Runtime checked{Setups()[2].config.WithCompilationCache(cache)};
  AddMix(guarded);
  AddMix(checked);
  CHECK(Failures([&](int thread) {
          const Runtime& runtime = thread % 2 == 0 ? guarded : checked;
          for (int round = 0; round < 10; ++round) {
            const tenon::Module guest = runtime.Instantiate(expected.modules[0], kAnonymous);
            if (guest.ExportedFunction<Unary>("run")(77) != expected.results[0][1]) return false;
            if (guest.ExportedFunction<Unary>("trap").TryCall(1)) return false;
          }
          return true;
        }) == 0);
}

TEST_CASE("code is as large whether one thread compiles it or eight") {
  InEverySetup([](const Setup& setup) {
    const auto bytes = Mixer(99, 4000);
    const auto size = [&](std::uint32_t threads) {
      const tenon::CompilationCache cache;
      const Runtime runtime{
          setup.config.WithCompilationCache(cache).WithCompilationThreads(threads)};
      const auto compiled = runtime.CompileModule(bytes);
      return cache.Statistics().bytes;
    };
    const auto alone = size(1);
    CHECK(alone > 0);
    for (int i = 0; i < 3; ++i) CHECK(size(8) == alone);
  });
}

TEST_CASE("threads stop, close and outrun one another's calls") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config.WithCloseOnContextDone(true)};
    const auto compiled = runtime.CompileModule(guests::Loops());
    CHECK(Failures([&](int thread) {
            for (int round = 0; round < 15; ++round) {
              const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
              const auto spin = guest.ExportedFunction<void()>("spin");
              std::stop_source source;
              std::thread other{[&] {
                if (round % 3 == 0) guest.CloseWithExitCode(5);
                if (round % 3 == 1) source.request_stop();
              }};
              std::uint32_t code = 0;
              try {
                auto context = tenon::CallContext{}.WithStopToken(source.get_token());
                if (round % 3 == 2) context = context.WithTimeout(std::chrono::milliseconds{1});
                spin(context);
              } catch (const tenon::ExitError& error) {
                code = error.ExitCode();
              }
              other.join();
              const std::uint32_t expected[] = {5, tenon::ExitError::kContextCanceled,
                                                tenon::ExitError::kDeadlineExceeded};
              if (code != expected[round % 3] || !guest.IsClosed()) return false;
              static_cast<void>(thread);
            }
            return true;
          }) == 0);
  });
}
