// SPDX-License-Identifier: Apache-2.0
/// @file
/// Recursion without end is a trap with a backtrace, on every kind of stack and with frames of
/// every size, and the instance works afterwards.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kI32;
using guests::kI64;
using guests::Opcode;
using guests::Signature;

namespace {

const Signature kUnary{{kI32}, {kI32}};

/// How a function gets at itself.
enum class Way { Direct, Indirect, OtherModule };
constexpr Way kWays[] = {Way::Direct, Way::Indirect, Way::OtherModule};

/// "deep"(n) calls itself with n - 1 until n is 0, and returns how often. `live` i64 locals hold
/// values of memory across the call, which are compared afterwards: -1000000 if one is wrong.
/// Under Way::OtherModule it calls `module`.deep instead, or a table's first element.
guests::Bytes Deep(Way way, std::uint32_t live, std::string_view module = "") {
  Guest guest;
  std::uint32_t import = 0;
  if (way == Way::OtherModule) import = guest.AddImport(module, "deep", kUnary);
  guest.Memory(1, 1);
  std::vector<std::uint8_t> data(std::size_t{8} * live);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 37 + i / 8);
  guest.ActiveData(guests::ConstantExpression::I32(0), data);
  const std::uint32_t type = guest.TypeOf(kUnary);
  const std::uint32_t deep = guest.DeclareFunction(type);
  guest.NameFunction(deep, "deep");
  guest.Export("deep", guests::Kind::Func, deep);
  if (way == Way::Indirect) {
    guest.ActiveElement(guest.Table(tenon::ValueType::FuncRef, 1),
                        guests::ConstantExpression::I32(0),
                        guests::ElementItems::Functions({deep}));
  }
  const std::vector<tenon::ValueType> locals(live, kI64);
  guest.DefineFunction(deep, locals, [&](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32Eqz).Begin(Opcode::If).I32Const(0).Return().End();
    const auto load = [&](std::uint32_t i) {
      code.I32Const(0).Memory(Opcode::I64Load, {.offset = std::uint64_t{8} * i});
    };
    for (std::uint32_t i = 0; i < live; ++i) {
      load(i);
      code.LocalSet(1 + i);
    }
    code.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub);
    switch (way) {
      case Way::Direct:
        code.Call(deep);
        break;
      case Way::Indirect:
        code.I32Const(0).CallIndirect(type);
        break;
      case Way::OtherModule:
        code.Call(import);
        break;
    }
    for (std::uint32_t i = 0; i < live; ++i) {
      load(i);
      code.LocalGet(1 + i).Emit(Opcode::I64Ne);
      code.Begin(Opcode::If).I32Const(-1000000).Return().End();
    }
    code.I32Const(1).Emit(Opcode::I32Add);
  });
  return guest.Build();
}

/// The function "deep" of an instance that is set up for recursion in this way.
struct Recursion {
  Recursion(const RuntimeConfig& config, Way way, std::uint32_t live) : runtime{config} {
    if (way == Way::OtherModule) {
      // env.deep -> the function that is looked up, so that two modules call each other.
      Guest table_guest;
      const std::uint32_t table = table_guest.Table(tenon::ValueType::FuncRef, 1);
      table_guest.Export("table", guests::Kind::Table, table);
      const std::uint32_t type = table_guest.TypeOf(kUnary);
      table_guest.Add("deep", kUnary, [&](CodeBuilder& code) {
        code.LocalGet(0).I32Const(0).CallIndirect(type, table).I32Const(1).Emit(Opcode::I32Add);
      });
      other = runtime.Instantiate(table_guest.Build(), ModuleConfig{}.WithName("other"));
    }
    guest = runtime.Instantiate(Deep(way, live, "other"), kAnonymous);
    if (way == Way::OtherModule) {
      other.ExportedTable("table").Set(0, guest.ExportedFunction("deep").Reference());
    }
    deep = guest.ExportedFunction<Unary>("deep");
  }

  /// Whether a short recursion returns and an endless one traps, several times over.
  bool Works(std::int32_t few) const {
    for (int i = 0; i < 3; ++i) {
      const std::int32_t once = deep(few);
      if (once < few || once > 2 * few || !Overflows(-1)) return false;
    }
    return true;
  }
  /// Whether a recursion of this depth is a trap with a backtrace, which is empty if not even the
  /// first function had room.
  bool Overflows(std::int32_t depth, bool has_begun = true) const {
    try {
      deep(depth);
      return false;
    } catch (const tenon::Trap& trap) {
      for (const tenon::BacktraceFrame& frame : trap.Backtrace()) {
        if (frame.function.find("deep") == std::string::npos) return false;
      }
      return trap.Code() == TrapCode::StackOverflow && (!trap.Backtrace().empty() || !has_begun);
    }
  }

  Runtime runtime;
  tenon::Module other;
  tenon::Module guest;
  tenon::TypedFunction<Unary> deep;
};

void RunWithStack(std::size_t bytes, const std::function<void()>& body) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread;
  auto* argument = const_cast<std::function<void()>*>(&body);
  const int created = pthread_create(
      &thread, &attributes,
      [](void* function) -> void* {
        (*static_cast<std::function<void()>*>(function))();
        return nullptr;
      },
      argument);
  pthread_attr_destroy(&attributes);
  REQUIRE(created == 0);
  pthread_join(thread, nullptr);
}

/// Runs `body` on a stack of its own, with a page behind it that may not be touched.
void RunOnFiber(std::size_t bytes, const std::function<void()>& body) {
  static thread_local const std::function<void()>* running;
  const std::function<void()>* const outer = running;
  running = &body;
  const std::vector<std::uint8_t> canary(4096, 0xA5);
  std::vector<std::uint8_t> stack(bytes + 4096, 0xA5);
  ucontext_t here;
  ucontext_t there;
  getcontext(&there);
  there.uc_stack.ss_sp = stack.data() + 4096;
  there.uc_stack.ss_size = bytes;
  there.uc_link = &here;
  makecontext(&there, +[] { (*running)(); }, 0);
  swapcontext(&here, &there);
  running = outer;
  CHECK(std::equal(canary.begin(), canary.end(), stack.begin()));
}

/// Locals of functions: frames from a few bytes to more than guests get on a fiber, and more than
/// what is kept free at the end of a stack.
constexpr std::uint32_t kLive[] = {0, 100, 1200, 7000};

}  // namespace

TEST_CASE("recursion overflows the main thread's stack with a trap, whatever the frames") {
  InEverySetup([](const Setup& setup) {
    for (const Way way : kWays) {
      for (const std::uint32_t live : kLive) {
        INFO("way " << static_cast<int>(way) << ", " << live << " live");
        const Recursion recursion{setup.config, way, live};
        CHECK(recursion.Works(5));
      }
    }
  });
}

TEST_CASE("recursion overflows threads of little stack with a trap, whatever the frames") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    for (const Way way : kWays) {
      for (const std::uint32_t live : kLive) {
        INFO("way " << static_cast<int>(way) << ", " << live << " live");
        const Recursion recursion{setup.config, way, live};
        for (const std::size_t kilobytes : {std::size_t{64}, std::size_t{96}, std::size_t{256}}) {
          bool works = false;
          // With 64 KiB a guest has less than 16, and two large frames do not fit. The innermost
          // call returns early and may do without one.
          const bool fits = !setup.is_compiled || live * 8 < (kilobytes - 60) * 1024;
          RunWithStack(kilobytes << 10, [&] {
            if (fits) {
              works = recursion.Works(1);
            } else {
              works = recursion.Overflows(2, false) && recursion.Overflows(-1, false);
            }
          });
          INFO(kilobytes);
          CHECK(works);
        }
        CHECK(recursion.Works(5));
      }
    }
  });
}

TEST_CASE("a thread that takes the place of another, with less stack, overflows its own") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    const Recursion recursion{setup.config, Way::Direct, 0};
    constexpr std::size_t kWhole = std::size_t{2} << 20;
    auto* const memory = static_cast<std::uint8_t*>(
        mmap(nullptr, kWhole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(memory != MAP_FAILED);
    int traps = 0;
    // Their ends, where the thread's own data are, are the same.
    for (const std::size_t size : {kWhole, std::size_t{128} << 10}) {
      std::memset(memory, 0xA5, kWhole - size);
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      REQUIRE(pthread_attr_setstack(&attributes, memory + kWhole - size, size) == 0);
      const std::function<void()> body = [&] {
        if (recursion.Works(5)) ++traps;
      };
      pthread_t thread;
      REQUIRE(pthread_create(
                  &thread, &attributes,
                  [](void* function) -> void* {
                    (*static_cast<const std::function<void()>*>(function))();
                    return nullptr;
                  },
                  const_cast<std::function<void()>*>(&body)) == 0);
      pthread_join(thread, nullptr);
      pthread_attr_destroy(&attributes);
      CHECK(std::all_of(memory, memory + kWhole - size,
                        [](std::uint8_t byte) { return byte == 0xA5; }));
    }
    CHECK(traps == 2);
    munmap(memory, kWhole);
  });
}

TEST_CASE("recursion overflows fibers with a trap, whatever the frames") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    for (const Way way : kWays) {
      for (const std::uint32_t live : kLive) {
        INFO("way " << static_cast<int>(way) << ", " << live << " live");
        const Recursion recursion{setup.config, way, live};
        for (const std::size_t kilobytes : {std::size_t{64}, std::size_t{128}, std::size_t{1024}}) {
          bool works = false;
          const bool fits = !setup.is_compiled || live * 8 < 24 * 1024;
          RunOnFiber(kilobytes << 10, [&] {
            if (fits) {
              works = recursion.Works(1);
            } else {
              works = recursion.Overflows(2, false) && recursion.Overflows(-1, false);
            }
          });
          INFO(kilobytes);
          CHECK(works);
        }
        CHECK(recursion.Works(5));
      }
    }
  });
}

TEST_CASE("a guest on the thread's stack calls one on a fiber, and each overflows its own") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    tenon::TypedFunction<Unary> recurse;
    tenon::TypedFunction<Unary> down;
    int overflows = 0;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](std::int32_t depth) -> std::int32_t {
          std::int32_t result = 0;
          RunOnFiber(std::size_t{128} << 10, [&] {
            try {
              recurse(-1);
            } catch (const tenon::Trap& trap) {
              if (trap.Code() == TrapCode::StackOverflow) ++overflows;
            }
            result = depth == 0 ? 0 : down(depth - 1);
          });
          return result;
        })
        .Export("up")
        .Instantiate();
    Guest builder;
    const std::uint32_t up = builder.AddImport("env", "up", kUnary);
    builder.Add("down", kUnary, [&](CodeBuilder& code) {
      code.LocalGet(0).Call(up).I32Const(1).Emit(Opcode::I32Add);
    });
    const std::uint32_t deep = builder.DeclareFunction(builder.TypeOf(kUnary));
    builder.Export("deep", guests::Kind::Func, deep);
    builder.DefineFunction(deep, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).Call(deep).I32Const(1).Emit(Opcode::I32Add);
    });
    const tenon::Module guest = runtime.Instantiate(builder.Build(), kAnonymous);
    recurse = guest.ExportedFunction<Unary>("deep");
    down = guest.ExportedFunction<Unary>("down");
    for (int i = 0; i < 10; ++i) {
      REQUIRE(down(5) == 6);
      REQUIRE(Thrown<tenon::Trap>([&] { recurse(-1); }).Code() == TrapCode::StackOverflow);
    }
    CHECK(overflows == 60);
    recurse = {};
    down = {};
  });
}

TEST_CASE("host functions have room at the end of the stack") {
  if (kIsSanitized) return;
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    int calls = 0;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](std::int32_t value) -> std::int32_t {
          volatile char room[32 * 1024];
          for (std::size_t i = 0; i < sizeof room; i += 512) room[i] = 1;
          ++calls;
          return value + room[512];
        })
        .Export("touch")
        .Instantiate();
    Guest builder;
    const std::uint32_t touch = builder.AddImport("env", "touch", kUnary);
    const std::uint32_t deep = builder.DeclareFunction(builder.TypeOf(kUnary));
    builder.Export("deep", guests::Kind::Func, deep);
    builder.DefineFunction(deep, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).Call(touch).Call(deep).I32Const(1).Emit(Opcode::I32Add);
    });
    const tenon::Module guest = runtime.Instantiate(builder.Build(), kAnonymous);
    const auto recurse = guest.ExportedFunction<Unary>("deep");
    int traps = 0;
    for (const std::size_t kilobytes : {std::size_t{64}, std::size_t{128}, std::size_t{2048}}) {
      RunWithStack(kilobytes << 10, [&] {
        try {
          recurse(0);
        } catch (const tenon::Trap& trap) {
          if (trap.Code() == TrapCode::StackOverflow) ++traps;
        }
      });
    }
    CHECK(traps == 3);
    CHECK(calls > 10);
  });
}
