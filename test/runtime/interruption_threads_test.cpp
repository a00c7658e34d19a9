// SPDX-License-Identifier: Apache-2.0
/// @file
/// Interruption from other threads: at loops, at calls, and never of the next call.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using namespace std::chrono_literals;

namespace {

const tenon::RuntimeConfig kInterruptible = tenon::RuntimeConfig{}.WithCloseOnContextDone(true);
using Clock = std::chrono::steady_clock;

/// The exit code of spinning functions that another thread ends after a moment.
template <class Stop>
std::uint32_t CodeOfSpinning(const std::string& function, const tenon::CallContext& context,
                             Stop&& stop) {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto spin = guest.ExportedFunction<void()>(function);
  std::thread stopper{[&] {
    std::this_thread::sleep_for(20ms);
    stop(guest);
  }};
  std::uint32_t code = 0;
  try {
    spin(context);
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  stopper.join();
  CHECK(guest.IsClosed());
  return code;
}

}  // namespace

TEST_CASE("a stop request from another thread ends loops and recursion") {
  for (const char* function : {"spin", "spin_calls", "spin_br_table"}) {
    INFO(function);
    std::stop_source source;
    CHECK(CodeOfSpinning(function, tenon::CallContext{}.WithStopToken(source.get_token()),
                         [&](const tenon::Module&) { source.request_stop(); }) ==
          tenon::ExitError::kContextCanceled);
  }
}

TEST_CASE("Close from another thread ends a running call with its code") {
  for (const char* function : {"spin", "spin_calls", "spin_br_table"}) {
    INFO(function);
    CHECK(CodeOfSpinning(function, {},
                         [](const tenon::Module& guest) { guest.CloseWithExitCode(77); }) == 77);
  }
}

TEST_CASE("a deadline ends loops and recursion soon after it passes") {
  for (const char* function : {"spin", "spin_calls", "spin_br_table"}) {
    INFO(function);
    const tenon::Runtime runtime{kInterruptible};
    const tenon::Module guest = runtime.Instantiate(guests::Loops());
    const auto begin = Clock::now();
    const auto error = Thrown<tenon::ExitError>(
        [&] { guest.ExportedFunction<void()>(function)(tenon::CallContext{}.WithTimeout(30ms)); });
    CHECK(error.ExitCode() == tenon::ExitError::kDeadlineExceeded);
    CHECK(Clock::now() - begin >= 30ms);
    CHECK(Clock::now() - begin < 5s);
    CHECK(guest.IsClosed());
  }
}

TEST_CASE("closing the runtime from another thread ends a running call") {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto spin = guest.ExportedFunction<void()>("spin");
  std::thread closer{[&] {
    std::this_thread::sleep_for(20ms);
    runtime.CloseWithExitCode(5);
  }};
  std::uint32_t code = 0;
  try {
    spin();
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  closer.join();
  CHECK(code == 5);
}

TEST_CASE("a stop ends all frames of a call that goes back and forth") {
  const tenon::Runtime runtime{kInterruptible};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        return caller.ExportedFunction<std::int32_t(std::int32_t)>("run")(depth - 1);
      })
      .Export("outer")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsOrSpins("env", "outer"));
  std::stop_source source;
  std::thread stopper{[&] {
    std::this_thread::sleep_for(20ms);
    source.request_stop();
  }};
  std::uint32_t code = 0;
  try {
    guest.ExportedFunction<std::int32_t(std::int32_t)>("run")(
        tenon::CallContext{}.WithStopToken(source.get_token()), 10);
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  stopper.join();
  CHECK(code == tenon::ExitError::kContextCanceled);
}

TEST_CASE("a stop of one module does not end another's call") {
  const tenon::Runtime runtime{kInterruptible};
  const auto compiled = runtime.CompileModule(guests::Loops());
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module stopped = runtime.InstantiateModule(compiled, anonymous);
  const tenon::Module other = runtime.InstantiateModule(compiled, anonymous);
  std::atomic<std::int32_t> result = 0;
  std::thread worker{
      [&] { result = other.ExportedFunction<std::int32_t(std::int32_t)>("fib")(18); }};
  CHECK_THROWS_AS(stopped.ExportedFunction<void()>("spin")(tenon::CallContext{}.WithTimeout(10ms)),
                  tenon::ExitError);
  worker.join();
  CHECK(result == 2584);
  CHECK_FALSE(other.IsClosed());
}

TEST_CASE("a stop that comes too late for one call never ends the next") {
  const tenon::Runtime runtime{kInterruptible};
  const auto compiled = runtime.CompileModule(guests::Loops());
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  int finished = 0;
  int stopped = 0;
  int wrong = 0;
  for (int i = 0; i < 150; ++i) {
    const tenon::Module guest = runtime.InstantiateModule(compiled, anonymous);
    const auto fib = guest.ExportedFunction<std::int32_t(std::int32_t)>("fib");
    std::stop_source source;
    std::atomic<bool> go = false;
    std::thread stopper{[&] {
      while (!go.load(std::memory_order_acquire)) std::this_thread::yield();
      if (i % 3 == 1) std::this_thread::sleep_for(std::chrono::microseconds{i});
      source.request_stop();
    }};
    go.store(true, std::memory_order_release);
    bool ended = false;
    try {
      fib(tenon::CallContext{}.WithStopToken(source.get_token()), 8);
      ++finished;
    } catch (const tenon::ExitError&) {
      ++stopped;
      ended = true;
    }
    if (!ended) {
      // The token is requested during or after these calls, which do not carry it.
      for (int call = 0; call < 5; ++call) {
        try {
          if (fib(9) != 34) ++wrong;
        } catch (const tenon::Error&) {
          ++wrong;
        }
      }
    }
    stopper.join();
    if (guest.IsClosed() != ended) ++wrong;
  }
  CHECK(finished + stopped == 150);
  CHECK(wrong == 0);
}

TEST_CASE("a deadline that passes after its call never ends the next") {
  const tenon::Runtime runtime{kInterruptible};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto fib = guest.ExportedFunction<std::int32_t(std::int32_t)>("fib");
  for (int i = 0; i < 5; ++i) {
    CHECK(fib(tenon::CallContext{}.WithTimeout(50ms), 5) == 5);
    const auto until = Clock::now() + 70ms;
    while (Clock::now() < until) CHECK(fib(8) == 21);
  }
  CHECK_FALSE(guest.IsClosed());
}

TEST_CASE("a host function that waits on the stop token is woken by it") {
  const tenon::Runtime runtime{kInterruptible};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::CallContext& context) {
        while (!context.StopToken().stop_requested()) std::this_thread::sleep_for(1ms);
      })
      .Export("wait")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsThenSpins("env", "wait"));
  std::stop_source source;
  std::thread stopper{[&] {
    std::this_thread::sleep_for(10ms);
    source.request_stop();
  }};
  std::uint32_t code = 0;
  try {
    guest.ExportedFunction<void()>("run")(tenon::CallContext{}.WithStopToken(source.get_token()));
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  stopper.join();
  CHECK(code == tenon::ExitError::kContextCanceled);
}

TEST_CASE("a start function is ended by Close of its module from another thread") {
  const tenon::Runtime runtime{kInterruptible};
  std::thread closer{[&] {
    tenon::Module guest;
    while (!guest) {
      std::this_thread::sleep_for(5ms);
      guest = runtime.FindModule("spinner");
    }
    guest.CloseWithExitCode(12);
  }};
  std::uint32_t code = 0;
  try {
    runtime.Instantiate(guests::Loops(),
                        tenon::ModuleConfig{}.WithName("spinner").WithStartFunctions({"spin"}));
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  closer.join();
  CHECK(code == 12);
  CHECK_FALSE(runtime.FindModule("spinner"));
}

TEST_CASE("a stop between a host function's calls ends the guest that called it") {
  const tenon::Runtime runtime{kInterruptible};
  std::stop_source source;
  int calls = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        ++calls;
        if (depth > 1) caller.ExportedFunction<std::int32_t(std::int32_t)>("down")(depth - 2);
        std::thread{[&] { source.request_stop(); }}.join();
        return 0;
      })
      .Export("up")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  const auto context = tenon::CallContext{}.WithStopToken(source.get_token());
  std::uint32_t code = 0;
  try {
    guest.ExportedFunction<std::int32_t(std::int32_t)>("down")(context, 4);
  } catch (const tenon::ExitError& error) {
    code = error.ExitCode();
  }
  // Guest code may end without a loop or call after the stop; then the call returns.
  CHECK((code == 0 || code == tenon::ExitError::kContextCanceled));
  CHECK(calls >= 1);
  CHECK(guest.IsClosed() == (code != 0));
}

TEST_CASE("a deadline ends start functions too") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::CompiledModule compiled = runtime.CompileModule(guests::Loops());
  const auto config = tenon::ModuleConfig{}.WithStartFunctions({"spin"});
  const auto context = tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{10});
  const auto error =
      Thrown<tenon::ExitError>([&] { runtime.InstantiateModule(compiled, config, context); });
  CHECK(error.ExitCode() == tenon::ExitError::kDeadlineExceeded);
}

TEST_CASE("a deadline holds while an older one that passed waits for its host function") {
  const tenon::Runtime runtime{kInterruptible};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([] { std::this_thread::sleep_for(200ms); })
      .Export("slow")
      .Instantiate();
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module slow = runtime.Instantiate(guests::CallsThenSpins("env", "slow"), anonymous);
  const tenon::Module spinning = runtime.Instantiate(guests::Loops(), anonymous);
  bool older_ended = false;
  std::thread older{[&] {
    try {
      slow.ExportedFunction<void()>("run")(tenon::CallContext{}.WithTimeout(5ms));
    } catch (const tenon::ExitError&) {
      older_ended = true;
    }
  }};
  std::this_thread::sleep_for(50ms);
  std::thread rescue{[&] {
    for (int i = 0; i < 500 && !spinning.IsClosed(); ++i) std::this_thread::sleep_for(10ms);
    spinning.CloseWithExitCode(1);
  }};
  CHECK(Thrown<tenon::ExitError>([&] {
          spinning.ExportedFunction<void()>("spin")(tenon::CallContext{}.WithTimeout(20ms));
        }).ExitCode() == tenon::ExitError::kDeadlineExceeded);
  older.join();
  rescue.join();
  CHECK(older_ended);
}

TEST_CASE("a stop request is not lost beside Close of another module of the group") {
  guests::Guest deep;
  deep.NameModule("deep");
  deep.Add("nothing", {}, [](guests::CodeBuilder&) {});
  const std::uint32_t down = deep.DeclareFunction(deep.TypeOf({{guests::kI32}, {}}));
  deep.DefineFunction(down, {}, [&](guests::CodeBuilder& code) {
    code.LocalGet(0).If(
        {},
        [&](guests::CodeBuilder& then) {
          then.LocalGet(0).I32Const(1).Emit(guests::Opcode::I32Sub).Call(down);
        },
        [](guests::CodeBuilder& otherwise) {
          otherwise.Loop({}, [](guests::CodeBuilder& loop) { loop.Br(0); });
        });
  });
  deep.Export("down", guests::Kind::Func, down);
  const auto bytes = deep.Build();
  for (int i = 0; i < 12; ++i) {
    // Looking through many frames takes a moment, in which the request comes.
    const tenon::Runtime runtime{kInterruptible.WithStackLimit(1u << 27)};
    const tenon::Module running = runtime.Instantiate(bytes);
    const tenon::Module other = runtime.Instantiate(guests::Forwarder("deep", "nothing", {}));
    std::stop_source source;
    std::atomic<bool> ended = false;
    std::atomic<std::uint32_t> code = 0;
    std::thread caller{[&] {
      try {
        running.ExportedFunction<void(std::int32_t)>("down")(
            tenon::CallContext{}.WithStopToken(source.get_token()), 300'000);
      } catch (const tenon::ExitError& error) {
        code = error.ExitCode();
      }
      ended = true;
    }};
    std::this_thread::sleep_for(30ms);
    other.Close();
    const auto until = Clock::now() + std::chrono::microseconds{i * 100};
    while (Clock::now() < until) {
    }
    source.request_stop();
    for (int wait = 0; wait < 3000 && !ended; ++wait) std::this_thread::sleep_for(1ms);
    running.CloseWithExitCode(1);
    caller.join();
    CHECK(code == tenon::ExitError::kContextCanceled);
  }
}
