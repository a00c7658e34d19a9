// SPDX-License-Identifier: Apache-2.0
/// @file
/// Close, stop and deadline at every moment of a call: what comes too late never hits the next
/// call, and what comes in time ends every kind of guest.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

using namespace tenon_test;
using namespace std::chrono_literals;
using guests::CodeBuilder;
using guests::Guest;
using guests::kI32;
using guests::Opcode;
using guests::Signature;
using Clock = std::chrono::steady_clock;

namespace {

const Signature kUnary{{kI32}, {kI32}};

/// Endless guests: "loop", "loop_body" (with work), "nested_loop", "recursion" (bounded, but for
/// ages), "indirect", "host_calls" (a loop of calls of env.nop), "host_recursion".
guests::Bytes Endless() {
  Guest guest;
  const std::uint32_t nop = guest.AddImport("env", "nop", kUnary);
  guest.Memory(1, 1);
  const std::uint32_t type = guest.TypeOf(kUnary);
  const std::uint32_t table = guest.Table(tenon::ValueType::FuncRef, 1);
  guest.Add("loop", kUnary, [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& loop) { loop.Br(0); }).Unreachable();
  });
  guest.Add("loop_body", kUnary, [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& loop) {
      loop.I32Const(4).I32Const(4).Memory(Opcode::I32Load).I32Const(3).Emit(Opcode::I32Add);
      loop.Memory(Opcode::I32Store).Br(0);
    });
    code.Unreachable();
  });
  guest.Add("nested_loop", kUnary, [](CodeBuilder& code) {
    code.Loop({}, [](CodeBuilder& outer) {
      outer.I32Const(1000).LocalSet(0);
      outer.Loop({}, [](CodeBuilder& inner) {
        inner.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
      });
      outer.Br(0);
    });
    code.Unreachable();
  });
  const auto ages = [&](std::string_view name, auto call) {
    const std::uint32_t function = guest.DeclareFunction(type);
    guest.NameFunction(function, name);
    guest.Export(name, guests::Kind::Func, function);
    guest.DefineFunction(function, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).I32Const(60).Emit(Opcode::I32GtS).Begin(Opcode::If);
      code.I32Const(0).Return().End();
      for (int i = 0; i < 2; ++i) {
        code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add);
        call(code, function);
      }
      code.Emit(Opcode::I32Add);
    });
    return function;
  };
  ages("recursion", [](CodeBuilder& code, std::uint32_t function) { code.Call(function); });
  const std::uint32_t indirect = ages("indirect", [&](CodeBuilder& code, std::uint32_t) {
    code.I32Const(0).CallIndirect(type, table);
  });
  ages("host_recursion",
       [&](CodeBuilder& code, std::uint32_t function) { code.Call(nop).Call(function); });
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({indirect}));
  guest.Add("host_calls", kUnary, [&](CodeBuilder& code) {
    code.Loop({}, [&](CodeBuilder& loop) { loop.LocalGet(0).Call(nop).LocalSet(0).Br(0); });
    code.Unreachable();
  });
  return guest.Build();
}

constexpr const char* kEndless[] = {"loop",     "loop_body",  "nested_loop",   "recursion",
                                    "indirect", "host_calls", "host_recursion"};

void AddNop(const Runtime& runtime) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) -> std::int32_t { return value; })
      .Export("nop")
      .Instantiate();
}

/// The exit code of a call; nullopt if it returned.
template <class Call>
std::optional<std::uint32_t> ExitOf(Call&& call) {
  try {
    call();
  } catch (const tenon::ExitError& error) {
    return error.ExitCode();
  }
  return std::nullopt;
}

RuntimeConfig Interruptible(const Setup& setup) {
  return setup.config.WithCloseOnContextDone(true);
}

}  // namespace

TEST_CASE("a forked child runs its parent's guests, and their deadlines end them") {
  // Threads after a fork are beyond the thread sanitizer.
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    std::optional<Runtime> runtime{setup.config.WithCloseOnContextDone(true)};
    AddNop(*runtime);
    const auto compiled = runtime->CompileModule(Endless());
    const auto loop = [&] {
      return runtime->InstantiateModule(compiled, kAnonymous).ExportedFunction<Unary>("loop");
    };
    const auto soon = tenon::CallContext{}.WithTimeout(std::chrono::milliseconds{5});
    const auto is_ended = [&] {
      return ExitOf([&] { loop()(soon, 0); }) == tenon::ExitError::kDeadlineExceeded;
    };
    // From here on there is a thread that children do not have.
    REQUIRE(is_ended());
    const int in_a_child = RunInChild([&] {
      if (!is_ended()) return 1;
      // A grandchild's parent has a timer too.
      if (RunInChild([&] { return is_ended() ? kGood : 1; }) != kGood) return 2;
      runtime->Close();
      runtime.reset();
      return kGood;
    });
    CHECK(in_a_child == kGood);
    // In the middle of a call that has a deadline.
    int in_a_call = 0;
    runtime->NewHostModuleBuilder("forking")
        .NewFunctionBuilder()
        .WithFunc([&] { in_a_call = RunInChild([&] { return is_ended() ? kGood : 1; }); })
        .Export("fork")
        .Instantiate();
    const tenon::Module forking = runtime->Instantiate(guests::Forwarder("forking", "fork", {}));
    forking.ExportedFunction<void()>("run")(
        tenon::CallContext{}.WithTimeout(std::chrono::seconds{60}));
    CHECK(in_a_call == kGood);
    CHECK(is_ended());
  });
}

TEST_CASE("every kind of endless guest is ended by Close, a stop and a deadline") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{Interruptible(setup)};
    AddNop(runtime);
    const auto compiled = runtime.CompileModule(Endless());
    for (const char* name : kEndless) {
      INFO(name);
      for (int way = 0; way < 3; ++way) {
        const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
        const auto function = guest.ExportedFunction<Unary>(name);
        std::stop_source source;
        auto context = tenon::CallContext{}.WithStopToken(source.get_token());
        if (way == 2) context = context.WithTimeout(5ms);
        std::thread stopper{[&] {
          std::this_thread::sleep_for(3ms);
          if (way == 0) guest.CloseWithExitCode(33);
          if (way == 1) source.request_stop();
        }};
        const auto begin = Clock::now();
        const auto code = ExitOf([&] { function(context, 0); });
        stopper.join();
        const std::uint32_t expected[] = {33, tenon::ExitError::kContextCanceled,
                                          tenon::ExitError::kDeadlineExceeded};
        CHECK(code == expected[way]);
        CHECK(Clock::now() - begin < 10s);
        CHECK(guest.IsClosed());
      }
    }
  });
}

TEST_CASE("a stop or deadline at any moment ends its own call or none") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{Interruptible(setup)};
    const auto compiled = runtime.CompileModule(guests::Loops());
    std::mt19937 random{1};
    int ended = 0;
    int wrong = 0;
    tenon::Module guest;
    tenon::TypedFunction<Unary> fib;
    const int rounds = kIsSanitized ? 300 : 3000;
    // Some tens of microseconds.
    const std::int32_t number = setup.is_compiled ? 19 : 11;
    const std::int32_t result = setup.is_compiled ? 4181 : 89;
    // One stopper for all, which stops whatever is there, early and late.
    std::atomic<std::stop_source*> target = nullptr;
    std::atomic<bool> done = false;
    std::thread stopper{[&] {
      std::mt19937 own{2};
      while (!done.load()) {
        std::stop_source* source = target.exchange(nullptr);
        if (source == nullptr) {
          std::this_thread::yield();
          continue;
        }
        for (auto spin = own() % 2000; spin != 0; --spin) {
          std::atomic_signal_fence(std::memory_order_seq_cst);
        }
        source->request_stop();
        delete source;
      }
    }};
    int i = 0;
    // Until both happened, on a busy machine.
    const auto is_done = [&] {
      return i >= 20 * rounds || (i >= rounds && ended != 0 && ended != i);
    };
    for (; !is_done(); ++i) {
      if (!guest || guest.IsClosed()) {
        guest = runtime.InstantiateModule(compiled, kAnonymous);
        fib = guest.ExportedFunction<Unary>("fib");
      }
      auto context = tenon::CallContext{};
      if (i % 2 == 0) {
        auto* source = new std::stop_source;
        context = context.WithStopToken(source->get_token());
        delete target.exchange(source);
      } else {
        context = context.WithDeadline(
            Clock::now() + std::chrono::microseconds{random() % (i % 8 == 1 ? 5000 : 60)});
      }
      bool was_ended = false;
      try {
        if (fib(context, number) != result) ++wrong;
      } catch (const tenon::ExitError& error) {
        was_ended = true;
        if (error.ExitCode() != (i % 2 == 0 ? tenon::ExitError::kContextCanceled
                                            : tenon::ExitError::kDeadlineExceeded)) {
          ++wrong;
        }
      }
      if (was_ended != guest.IsClosed()) ++wrong;
      if (was_ended) {
        ++ended;
        continue;
      }
      // Calls that nobody may end.
      for (int call = 0; call < 4; ++call) {
        if (ExitOf([&] {
              if (fib(8) != 21) ++wrong;
            }).has_value()) {
          ++wrong;
        }
      }
    }
    done = true;
    stopper.join();
    delete target.exchange(nullptr);
    CHECK(wrong == 0);
    CHECK(ended > 0);
    CHECK(ended < i);
  });
}

TEST_CASE("Close at any moment of a call ends it with its code or comes after it") {
  InEverySetup([](const Setup& setup) {
    for (const bool interruptible : {true, false}) {
      const Runtime runtime{setup.config.WithCloseOnContextDone(interruptible)};
      const auto compiled = runtime.CompileModule(guests::Loops());
      int wrong = 0;
      for (int i = 0; i < (kIsSanitized ? 30 : 100); ++i) {
        const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
        const tenon::Module neighbour = runtime.InstantiateModule(compiled, kAnonymous);
        const auto fib = guest.ExportedFunction<Unary>("fib");
        std::atomic<bool> go = false;
        std::thread closer{[&] {
          while (!go.load()) std::this_thread::yield();
          for (int spin = 0; spin < i * 30; ++spin) {
            std::atomic_signal_fence(std::memory_order_seq_cst);
          }
          guest.CloseWithExitCode(9);
        }};
        go = true;
        for (bool closed = false; !closed;) {
          try {
            if (fib(10) != 55) ++wrong;
          } catch (const tenon::ExitError& error) {
            closed = true;
            if (error.ExitCode() != 9) ++wrong;
          }
        }
        // Of another group.
        if (neighbour.ExportedFunction<Unary>("fib")(10) != 55) ++wrong;
        closer.join();
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("a start function that is closed or stopped while it runs ends its instantiation only") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{Interruptible(setup)};
    std::string name;
    const Runtime* const host = &runtime;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&name, host] { host->FindModule(name).CloseWithExitCode(4); })
        .Export("close")
        .Instantiate();
    Guest builder;
    const std::uint32_t close = builder.AddImport("env", "close", {});
    builder.Start(builder.AddHidden("start", {}, [&](CodeBuilder& code) {
      code.Call(close).Loop({}, [](CodeBuilder& loop) { loop.Br(0); });
    }));
    const auto closes = runtime.CompileModule(builder.Build());
    const auto good = runtime.CompileModule(guests::Loops());
    for (int i = 0; i < 50; ++i) {
      name = "guest" + std::to_string(i);
      CHECK(ExitOf([&] { runtime.InstantiateModule(closes, ModuleConfig{}.WithName(name)); }) ==
            4u);
      CHECK_FALSE(runtime.FindModule(name));
      // Its name is free again, and nothing ends what takes it.
      const tenon::Module next = runtime.InstantiateModule(good, ModuleConfig{}.WithName(name));
      CHECK(next.ExportedFunction<Unary>("fib")(8) == 21);
    }
  });
}

TEST_CASE("Close during a host call ends the guest when the host function returns") {
  InEverySetup([](const Setup& setup) {
    for (const bool interruptible : {true, false}) {
      const Runtime runtime{setup.config.WithCloseOnContextDone(interruptible)};
      int after = 0;
      runtime.NewHostModuleBuilder("env")
          .NewFunctionBuilder()
          .WithFunc([](tenon::Module& caller) { caller.CloseWithExitCode(8); })
          .Export("close")
          .NewFunctionBuilder()
          .WithFunc([&] { ++after; })
          .Export("after")
          .Instantiate();
      Guest builder;
      const std::uint32_t close = builder.AddImport("env", "close", {});
      const std::uint32_t note = builder.AddImport("env", "after", {});
      builder.Add("run", {}, [&](CodeBuilder& code) {
        code.Call(close).Loop({}, [&](CodeBuilder& loop) { loop.Call(note); });
      });
      const auto compiled = runtime.CompileModule(builder.Build());
      for (int i = 0; i < 20; ++i) {
        const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
        const auto run = guest.ExportedFunction<void()>("run");
        const auto code = ExitOf([&] { run(); });
        if (interruptible) CHECK(code == 8u);
        CHECK(ExitOf([&] { run(); }) == 8u);
      }
      if (interruptible) CHECK(after == 0);
    }
  });
}

TEST_CASE("code is larger only if it can be interrupted") {
  InEverySetup([](const Setup& setup) {
    if (!setup.is_compiled) return;
    const auto size = [&](bool interruptible) {
      const tenon::CompilationCache cache;
      const Runtime runtime{
          setup.config.WithCloseOnContextDone(interruptible).WithCompilationCache(cache)};
      const auto compiled = runtime.CompileModule(guests::Loops());
      return cache.Statistics().bytes;
    };
    CHECK(size(true) > size(false));
  });
}
