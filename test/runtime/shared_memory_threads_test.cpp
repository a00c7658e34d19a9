// SPDX-License-Identifier: Apache-2.0
/// @file
/// Shared memories used by several threads: counting, locks, growth, messages, waiting, and the end
/// of those who wait.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using namespace std::chrono_literals;
using guests::kI32;
using guests::kI64;
using tenon::ExternKind;
using tenon::wasm::CodeBuilder;
using tenon::wasm::MemoryType;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

namespace {

constexpr int kThreads = 4;
constexpr std::uint32_t kPage = 65536;
const tenon::CoreFeatures kFeatures =
    tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Threads, true);
using Clock = std::chrono::steady_clock;

/// A guest that imports the shared memory "env"."memory". Its functions:
/// - add(count): adds 1 to the i32 at 0, `count` times, with i32.atomic.rmw.add
/// - compare(count): the same with cmpxchg, to the i64 at 8
/// - bytes(count): the same with i32.atomic.rmw8.add_u, to the byte at 16
/// - locked(count): the same to the i32 at 24, without atomics, in a lock at 20 of wait and notify
/// - grow() -> i32: one page; reach(page): writes to the page, which must be there
/// - see(pages): returns when memory.size says so
/// - send(count), receive(count) -> i32: numbers at 40, with a flag at 44; how many were wrong
/// - store(mine, other) -> i32: 1 to the place `mine`, then what is at `other`
/// - wait(expected, nanoseconds) -> i32: at 64
/// - notify(count) -> i32: at 64
std::vector<std::uint8_t> Guest() {
  ModuleBuilder module;
  MemoryType memory;
  memory.limits = {.minimum = 1, .maximum = 40, .has_maximum = true, .is_shared = true};
  module.ImportMemory("env", "memory", memory);
  const auto add = [&](const std::string& name, const std::vector<tenon::ValueType>& parameters,
                       const std::vector<tenon::ValueType>& results,
                       const std::function<void(CodeBuilder&)>& body) {
    const std::uint32_t function =
        module.Function(module.Type(parameters, results), {kI32, kI64}, body);
    module.Export(name, ExternKind::Func, function);
  };
  /// Runs `body` as often as parameter 0 says.
  const auto repeat = [](CodeBuilder& code, const std::function<void(CodeBuilder&)>& body) {
    code.Loop({}, [&](CodeBuilder& loop) {
      body(loop);
      loop.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
    });
  };
  add("add", {kI32}, {}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      loop.I32Const(0).I32Const(1).Memory(Opcode::I32AtomicRmwAdd).Drop();
    });
  });
  add("compare", {kI32}, {}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      loop.I32Const(8).Memory(Opcode::I64AtomicLoad).LocalSet(2);
      loop.Loop({}, [](CodeBuilder& again) {
        again.I32Const(8).LocalGet(2).LocalGet(2).I64Const(1).Emit(Opcode::I64Add);
        again.Memory(Opcode::I64AtomicRmwCmpxchg);
        again.LocalGet(2).Emit(Opcode::I64Ne);
        again.I32Const(8).Memory(Opcode::I64AtomicLoad).LocalSet(2).BrIf(0);
      });
    });
  });
  add("bytes", {kI32}, {}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      loop.I32Const(16).I32Const(1).Memory(Opcode::I32AtomicRmw8AddU).Drop();
    });
  });
  add("locked", {kI32}, {}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      // 0: free, 1: taken, 2: taken, and somebody waits.
      loop.I32Const(20).I32Const(0).I32Const(1).Memory(Opcode::I32AtomicRmwCmpxchg);
      loop.If({}, [](CodeBuilder& busy) {
        busy.Loop({}, [](CodeBuilder& again) {
          again.I32Const(20).I32Const(2).Memory(Opcode::I32AtomicRmwXchg);
          again.If({}, [](CodeBuilder& taken) {
            taken.I32Const(20).I32Const(2).I64Const(-1).Memory(Opcode::MemoryAtomicWait32).Drop();
            taken.Br(1);
          });
        });
      });
      loop.I32Const(24).I32Const(24).Memory(Opcode::I32Load).I32Const(1).Emit(Opcode::I32Add);
      loop.Memory(Opcode::I32Store);
      loop.I32Const(20).I32Const(0).Memory(Opcode::I32AtomicRmwXchg).I32Const(2);
      loop.Emit(Opcode::I32Eq).If({}, [](CodeBuilder& waiting) {
        waiting.I32Const(20).I32Const(1).Memory(Opcode::MemoryAtomicNotify).Drop();
      });
    });
  });
  add("grow", {}, {kI32}, [](CodeBuilder& code) { code.I32Const(1).MemoryGrow(); });
  add("reach", {kI32}, {kI32}, [](CodeBuilder& code) {
    code.LocalGet(0).I32Const(16).Emit(Opcode::I32Shl).LocalTee(1);
    code.LocalGet(0).Memory(Opcode::I32Store, {.offset = kPage - 4});
    code.LocalGet(1).Memory(Opcode::I32AtomicLoad, {.offset = kPage - 4});
  });
  add("see", {kI32}, {}, [](CodeBuilder& code) {
    code.Loop(
        {}, [](CodeBuilder& loop) { loop.MemorySize().LocalGet(0).Emit(Opcode::I32LtU).BrIf(0); });
  });
  add("send", {kI32}, {}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      loop.I32Const(40).LocalGet(0).Memory(Opcode::I32Store);
      loop.I32Const(44).I32Const(1).Memory(Opcode::I32AtomicStore);
      loop.Loop(
          {}, [](CodeBuilder& taken) { taken.I32Const(44).Memory(Opcode::I32AtomicLoad).BrIf(0); });
    });
  });
  add("receive", {kI32}, {kI32}, [&](CodeBuilder& code) {
    repeat(code, [](CodeBuilder& loop) {
      loop.Loop({}, [](CodeBuilder& sent) {
        sent.I32Const(44).Memory(Opcode::I32AtomicLoad).Emit(Opcode::I32Eqz).BrIf(0);
      });
      loop.LocalGet(1).I32Const(40).Memory(Opcode::I32Load).LocalGet(0);
      loop.Emit(Opcode::I32Ne).Emit(Opcode::I32Add).LocalSet(1);
      loop.I32Const(44).I32Const(0).Memory(Opcode::I32AtomicStore);
    });
    code.LocalGet(1);
  });
  add("store", {kI32, kI32}, {kI32}, [](CodeBuilder& code) {
    code.LocalGet(0).I32Const(1).Memory(Opcode::I32AtomicStore);
    code.LocalGet(1).Memory(Opcode::I32AtomicLoad);
  });
  add("wait", {kI32, kI64}, {kI32}, [](CodeBuilder& code) {
    code.I32Const(64).LocalGet(0).LocalGet(1).Memory(Opcode::MemoryAtomicWait32);
  });
  add("notify", {kI32}, {kI32},
      [](CodeBuilder& code) { code.I32Const(64).LocalGet(0).Memory(Opcode::MemoryAtomicNotify); });
  return module.Build();
}

/// A runtime with the memory, and instances that share it.
class World {
 public:
  explicit World(const tenon::RuntimeConfig& config)
      : runtime_{config.WithCoreFeatures(kFeatures)},
        memory_{runtime_.NewHostModuleBuilder("env")
                    .ExportSharedMemory("memory", 1, 40)
                    .Instantiate()
                    .ExportedMemory("memory")},
        compiled_{runtime_.CompileModule(Guest())} {}

  tenon::Runtime& Runtime() { return runtime_; }
  tenon::Memory& Memory() { return memory_; }
  tenon::Module Instance() const {
    return runtime_.InstantiateModule(compiled_, tenon::ModuleConfig{}.WithName(""));
  }
  /// Runs `body(instance, number)` on threads with an instance each.
  template <class Body>
  void OnThreads(int count, Body body) const {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([this, &body, i] { body(Instance(), i); });
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  tenon::Runtime runtime_;
  tenon::Memory memory_;
  tenon::CompiledModule compiled_;
};

template <class Body>
void OnEachWorld(Body body) {
  OnEachEngine([&](const tenon::RuntimeConfig& config) {
    body(config);
    if (config.Engine() == tenon::EngineKind::Interpreter) return;
    INFO("explicit checks");
    body(config.WithSignalHandlers(tenon::SignalHandlers::None));
  });
}

/// What a call of "wait" ended with: its result, or 100 + the code that the guest ended with.
std::uint32_t Waited(const tenon::Module& guest, std::uint32_t expected, std::int64_t nanoseconds,
                     const tenon::CallContext& context = {}) {
  try {
    return guest.ExportedFunction<std::uint32_t(std::uint32_t, std::int64_t)>("wait")(
        context, expected, nanoseconds);
  } catch (const tenon::ExitError& exit) {
    return 100 + exit.ExitCode();
  }
}

}  // namespace

TEST_CASE("threads that count together lose nothing") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    constexpr std::uint32_t kCount = 3000;
    world.OnThreads(kThreads, [](const tenon::Module& guest, int) {
      for (const char* name : {"add", "compare", "bytes", "locked"}) {
        guest.ExportedFunction<void(std::uint32_t)>(name)(kCount);
      }
    });
    CHECK(world.Memory().ReadUint32Le(0) == kThreads * kCount);
    CHECK(world.Memory().ReadUint64Le(8) == kThreads * kCount);
    CHECK(world.Memory().ReadUint32Le(16) == (kThreads * kCount & 0xFF));
    CHECK(world.Memory().ReadUint32Le(24) == kThreads * kCount);
  });
}

TEST_CASE("threads that grow a memory get different pages, and reach those of others") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    std::vector<std::vector<std::uint32_t>> grown(kThreads);
    std::atomic<int> wrong = 0;
    world.OnThreads(kThreads, [&](const tenon::Module& guest, int thread) {
      const auto grow = guest.ExportedFunction<std::uint32_t()>("grow");
      const auto reach = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("reach");
      for (std::uint32_t page = 0; (page = grow()) != 0xFFFFFFFF;) {
        grown[static_cast<std::size_t>(thread)].push_back(page);
        for (std::uint32_t known = 0; known <= page; ++known) {
          if (reach(known) != known) ++wrong;
        }
      }
    });
    std::set<std::uint32_t> pages;
    for (const auto& of_thread : grown) pages.insert(of_thread.begin(), of_thread.end());
    CHECK(wrong == 0);
    CHECK(pages.size() == 39);
    CHECK(*pages.begin() == 1);
    CHECK(*pages.rbegin() == 39);
    CHECK(world.Memory().Size() == std::uint64_t{40} * kPage);
  });
}

TEST_CASE("a loop sees the growth of another thread, and plain accesses reach it") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    std::atomic<std::uint32_t> reached = 0;
    std::thread observer{[&, guest = world.Instance()] {
      guest.ExportedFunction<void(std::uint32_t)>("see")(3);
      reached = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("reach")(2);
    }};
    std::this_thread::sleep_for(5ms);
    CHECK(world.Memory().Grow(2) == 1);
    observer.join();
    CHECK(reached == 2);
  });
}

TEST_CASE("what is written before an atomic store is seen after the load that reads it") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    constexpr std::uint32_t kMessages = 30;
    std::atomic<std::uint32_t> wrong = 1;
    std::thread receiver{[&, guest = world.Instance()] {
      wrong = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("receive")(kMessages);
    }};
    world.Instance().ExportedFunction<void(std::uint32_t)>("send")(kMessages);
    receiver.join();
    CHECK(wrong == 0);
  });
}

TEST_CASE("of two threads that store and then load, one sees the other's store") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    constexpr std::uint32_t kRounds = 500;
    std::atomic<std::uint32_t> arrived = 0;
    std::uint32_t seen[2][kRounds] = {};
    world.OnThreads(2, [&](const tenon::Module& guest, int thread) {
      const auto store =
          guest.ExportedFunction<std::uint32_t(std::uint32_t, std::uint32_t)>("store");
      const auto me = static_cast<std::uint32_t>(thread);
      for (std::uint32_t round = 0; round < kRounds; ++round) {
        const std::uint32_t place = 128 + 128 * round;
        ++arrived;
        while (arrived < 2 * (round + 1)) std::this_thread::yield();
        seen[me][round] = store(place + 4 * me, place + 4 * (1 - me));
      }
    });
    int neither = 0;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      neither += seen[0][round] + seen[1][round] == 0;
    }
    CHECK(neither == 0);
  });
}

TEST_CASE("each thread that waits is woken once, and no more than asked for") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    const auto notify = world.Instance().ExportedFunction<std::uint32_t(std::uint32_t)>("notify");
    CHECK(notify(1) == 0);
    std::atomic<int> woken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, guest = world.Instance()] { woken += Waited(guest, 0, -1) == 0; });
    }
    std::uint32_t notified = 0;
    bool is_within = true;
    const auto end = Clock::now() + 30s;
    while (notified < kThreads && Clock::now() < end) {
      CHECK(notify(0) == 0);
      const std::uint32_t now = notify(2);
      is_within = is_within && now <= 2;
      notified += now;
      std::this_thread::yield();
    }
    // Nobody may wait for ever, whatever went wrong.
    world.Memory().WriteUint32Le(64, 1);
    notify(0xFFFFFFFF);
    for (std::thread& thread : threads) thread.join();
    CHECK(notified == kThreads);
    CHECK(is_within);
    CHECK(woken == kThreads);
    CHECK(notify(1) == 0);
  });
}

TEST_CASE("a host wakes guests that wait") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    std::atomic<std::uint32_t> result = 99;
    std::thread waiter{[&, guest = world.Instance()] { result = Waited(guest, 0, -1); }};
    std::optional<std::uint32_t> woken = 0;
    while (woken == 0u) woken = world.Memory().Notify(64, 1);
    waiter.join();
    CHECK(woken == 1u);
    CHECK(result == 0);
    CHECK(world.Memory().Notify(62, 1) == std::nullopt);
    CHECK(world.Memory().Notify(kPage, 1) == std::nullopt);
    CHECK(world.Memory().Notify(kPage - 4, 1) == 0u);
  });
}

TEST_CASE("who waits at one address is not woken for another, and waits its time") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    std::atomic<std::uint32_t> result = 99;
    std::atomic<bool> is_over = false;
    const auto begin = Clock::now();
    std::thread waiter{[&, guest = world.Instance()] {
      result = Waited(guest, 0, 30'000'000);
      is_over = true;
    }};
    while (!is_over) world.Memory().Notify(68, 1);
    waiter.join();
    CHECK(result == 2);
    CHECK(Clock::now() - begin >= 30ms);
  });
}

TEST_CASE("a guest that waits ends when its call is asked to stop") {
  OnEachWorld([](const tenon::RuntimeConfig& engine) {
    const tenon::RuntimeConfig config = engine.WithCloseOnContextDone(true);
    {
      World world{config};
      std::stop_source source;
      std::atomic<std::uint32_t> result = 0;
      std::thread waiter{[&, guest = world.Instance()] {
        result = Waited(guest, 0, -1, tenon::CallContext{}.WithStopToken(source.get_token()));
      }};
      std::this_thread::sleep_for(10ms);
      source.request_stop();
      waiter.join();
      CHECK(result == 100 + tenon::ExitError::kContextCanceled);
    }
    {
      World world{config};
      const tenon::Module guest = world.Instance();
      CHECK(Waited(guest, 0, -1, tenon::CallContext{}.WithTimeout(20ms)) ==
            100 + tenon::ExitError::kDeadlineExceeded);
      CHECK(guest.IsClosed());
      // Others that share the memory go on.
      CHECK(Waited(world.Instance(), 0, 0) == 2);
    }
  });
}

TEST_CASE("a guest that waits ends when its module or its runtime is closed") {
  OnEachWorld([](const tenon::RuntimeConfig& engine) {
    for (const bool is_interruptible : {false, true}) {
      for (const bool closes_runtime : {false, true}) {
        World world{engine.WithCloseOnContextDone(is_interruptible)};
        const tenon::Module guest = world.Instance();
        std::atomic<std::uint32_t> result = 0;
        std::thread waiter{[&] { result = Waited(guest, 0, -1); }};
        std::this_thread::sleep_for(10ms);
        if (closes_runtime) {
          world.Runtime().CloseWithExitCode(7);
        } else {
          guest.CloseWithExitCode(7);
        }
        waiter.join();
        CHECK(result == 107);
      }
    }
  });
}

TEST_CASE("closing one of those who share a memory leaves the others waiting") {
  OnEachWorld([](const tenon::RuntimeConfig& config) {
    World world{config};
    std::atomic<std::uint32_t> result = 99;
    std::thread waiter{[&, guest = world.Instance()] { result = Waited(guest, 0, -1); }};
    for (int i = 0; i < 5; ++i) {
      const tenon::Module other = world.Instance();
      CHECK(Waited(other, 0, 1000) == 2);
      other.Close();
    }
    CHECK(result == 99);
    while (world.Memory().Notify(64, 1) == 0u) std::this_thread::yield();
    waiter.join();
    CHECK(result == 0);
  });
}
