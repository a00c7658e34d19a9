// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arguments, environment, clocks, randomness, yield and exit, as a guest sees them.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "forwarder.hpp"
#include "show_errno.hpp"

using namespace tenon_test;
using tenon::SystemConfig;
using tenon::wasi::Errno;

namespace {

constexpr std::uint32_t kEnd = WasiGuest::kMemorySize;
constexpr std::uint32_t kMax = 0xFFFFFFFF;

}  // namespace

TEST_CASE("a guest without arguments and environment sees none") {
  const WasiGuest guest;
  CHECK(guest.Call("args_sizes_get", 0u, 4u) == Errno::Success);
  CHECK(guest.U32(0) == 0);
  CHECK(guest.U32(4) == 0);
  CHECK(guest.Call("args_get", kEnd, kEnd) == Errno::Success);
  CHECK(guest.Call("environ_sizes_get", 0u, 4u) == Errno::Success);
  CHECK(guest.U32(0) == 0);
  CHECK(guest.U32(4) == 0);
  CHECK(guest.Call("environ_get", kEnd, kEnd) == Errno::Success);
}

TEST_CASE("arguments reach the guest in order, with a NUL behind each") {
  const WasiGuest guest{SystemConfig{}.WithArgs({"tool", "", "naïve"})};
  REQUIRE(guest.Call("args_sizes_get", 0u, 4u) == Errno::Success);
  CHECK(guest.U32(0) == 3);
  CHECK(guest.U32(4) == 5 + 1 + 7);
  REQUIRE(guest.Call("args_get", 100u, 201u) == Errno::Success);
  CHECK(guest.U32(100) == 201);
  CHECK(guest.U32(104) == 206);
  CHECK(guest.U32(108) == 207);
  CHECK(guest.Text(201, 13) == std::string("tool\0\0na\xC3\xAFve\0", 13));
  CHECK(guest.U32(112) == 0);
}

TEST_CASE("the environment reaches the guest as key=value in order of setting") {
  const WasiGuest guest{
      SystemConfig{}.WithEnv("A", "1").WithEnv("EMPTY", "").WithEnv("B", "x=y").WithEnv("A", "2")};
  REQUIRE(guest.Call("environ_sizes_get", 0u, 4u) == Errno::Success);
  CHECK(guest.U32(0) == 3);
  CHECK(guest.U32(4) == 4 + 7 + 6);
  REQUIRE(guest.Call("environ_get", 100u, 200u) == Errno::Success);
  CHECK(guest.U32(108) == 211);
  CHECK(guest.Text(200, 17) == std::string("A=2\0EMPTY=\0B=x=y\0", 17));
}

TEST_CASE("string tables fit exactly at the end of memory and not a byte beyond") {
  WasiGuest guest{SystemConfig{}.WithArgs({"ab", "c"})};  // 8 bytes of pointers, 5 of text
  CHECK(guest.Call("args_get", kEnd - 8, kEnd - 13) == Errno::Success);
  CHECK(guest.U32(kEnd - 8) == kEnd - 13);
  CHECK(guest.Call("args_get", 0u, kEnd - 5) == Errno::Success);

  guest.memory.WriteUint32Le(0, 77);
  guest.memory.WriteUint32Le(kEnd - 4, 77);
  CHECK(guest.Call("args_get", 0u, kEnd - 4) == Errno::Fault);
  CHECK(guest.Call("args_get", kEnd - 7, 0u) == Errno::Fault);
  CHECK(guest.Call("args_get", kMax, 0u) == Errno::Fault);
  CHECK(guest.Call("args_get", 0u, kMax) == Errno::Fault);
  CHECK(guest.U32(0) == 77);
  CHECK(guest.U32(kEnd - 4) == 77);
}

TEST_CASE("sizes are written both or not at all") {
  WasiGuest guest{SystemConfig{}.WithArgs({"a"}).WithEnv("A", "1")};
  guest.memory.WriteUint32Le(0, 77);
  for (const char* name : {"args_sizes_get", "environ_sizes_get"}) {
    INFO(name);
    CHECK(guest.Call(name, 0u, kEnd - 3) == Errno::Fault);
    CHECK(guest.Call(name, kMax, 0u) == Errno::Fault);
    CHECK(guest.U32(0) == 77);
    CHECK(guest.Call(name, kEnd - 4, kEnd - 8) == Errno::Success);
    CHECK(guest.U32(kEnd - 4) == 1);
  }
}

TEST_CASE("the default clocks start at fixed times and advance by a millisecond a reading") {
  const WasiGuest guest;
  for (std::uint64_t reading = 0; reading < 3; ++reading) {
    REQUIRE(guest.Call("clock_time_get", 0u, std::uint64_t{1}, 8u) == Errno::Success);
    CHECK(guest.U64(8) == 1640995200'000'000'000 + reading * 1'000'000);
    REQUIRE(guest.Call("clock_time_get", 1u, std::uint64_t{0}, 16u) == Errno::Success);
    CHECK(guest.U64(16) == reading * 1'000'000);
    for (const std::uint32_t processor : {2u, 3u}) {
      REQUIRE(guest.Call("clock_time_get", processor, std::uint64_t{0}, 24u) == Errno::Success);
      CHECK(guest.U64(24) == (2 * reading + processor - 2) * 1'000'000);
    }
  }
  REQUIRE(guest.Call("clock_res_get", 0u, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 1000);
  REQUIRE(guest.Call("clock_res_get", 1u, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 1);
}

TEST_CASE("clocks of the host's are passed on with their resolutions") {
  constexpr auto kLatest = std::numeric_limits<std::uint64_t>::max();
  const WasiGuest guest{SystemConfig{}
                            .WithWalltime([] { return std::uint64_t{123}; }, 7)
                            .WithNanotime([] { return kLatest; }, 9)
                            .WithCputime([] { return std::uint64_t{456}; }, 11)};
  for (const std::uint32_t processor : {2u, 3u}) {
    REQUIRE(guest.Call("clock_time_get", processor, std::uint64_t{0}, 0u) == Errno::Success);
    CHECK(guest.U64(0) == 456);
    REQUIRE(guest.Call("clock_res_get", processor, 0u) == Errno::Success);
    CHECK(guest.U64(0) == 11);
  }
  REQUIRE(guest.Call("clock_time_get", 0u, std::uint64_t{0}, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 123);
  REQUIRE(guest.Call("clock_time_get", 1u, std::uint64_t{0}, 0u) == Errno::Success);
  CHECK(guest.U64(0) == kLatest);
  REQUIRE(guest.Call("clock_res_get", 0u, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 7);
  REQUIRE(guest.Call("clock_res_get", 1u, 0u) == Errno::Success);
  CHECK(guest.U64(0) == 9);
}

TEST_CASE("clocks refuse other ids and times that do not fit in memory") {
  const WasiGuest guest;
  for (const std::uint32_t id : {4u, 5u, kMax}) {
    CHECK(guest.Call("clock_time_get", id, std::uint64_t{0}, 0u) == Errno::Inval);
    CHECK(guest.Call("clock_res_get", id, 0u) == Errno::Inval);
  }
  CHECK(guest.Call("clock_time_get", 0u, std::uint64_t{0}, kEnd - 8) == Errno::Success);
  for (const std::uint32_t offset : {kEnd - 7, kEnd, kMax - 7, kMax}) {
    CHECK(guest.Call("clock_time_get", 0u, std::uint64_t{0}, offset) == Errno::Fault);
    CHECK(guest.Call("clock_res_get", 0u, offset) == Errno::Fault);
  }
}

TEST_CASE("random bytes are fixed by default, and the same however they are asked for") {
  const WasiGuest one;
  const WasiGuest other;
  REQUIRE(one.Call("random_get", 0u, 64u) == Errno::Success);
  REQUIRE(other.Call("random_get", 0u, 13u) == Errno::Success);
  REQUIRE(other.Call("random_get", 13u, 0u) == Errno::Success);
  REQUIRE(other.Call("random_get", 13u, 51u) == Errno::Success);
  CHECK(one.Text(0, 64) == other.Text(0, 64));
  CHECK(one.Text(0, 32) != one.Text(32, 32));
  // SplitMix64 from 42.
  CHECK(one.U64(0) == 0xBDD732262FEB6E95u);
}

TEST_CASE("random bytes come from the host's source and go where the guest asks") {
  std::size_t asked = 0;
  const WasiGuest guest{SystemConfig{}.WithRandSource([&](std::span<std::uint8_t> buffer) {
    asked += buffer.size();
    std::fill(buffer.begin(), buffer.end(), std::uint8_t{0xAB});
  })};
  CHECK(guest.Call("random_get", 10u, 3u) == Errno::Success);
  CHECK(guest.U64(8) == 0x000000'ABABAB'0000u);
  CHECK(guest.Call("random_get", 0u, kEnd) == Errno::Success);
  CHECK(guest.Call("random_get", kEnd, 0u) == Errno::Success);
  CHECK(asked == 3 + kEnd);
  CHECK(guest.Call("random_get", 1u, kEnd) == Errno::Fault);
  CHECK(guest.Call("random_get", kEnd + 1, 0u) == Errno::Fault);
  CHECK(guest.Call("random_get", kMax, kMax) == Errno::Fault);
  CHECK(asked == 3 + kEnd);
}

TEST_CASE("sched_yield calls the host's function") {
  int yields = 0;
  const WasiGuest guest{SystemConfig{}.WithOsyield([&] { ++yields; })};
  CHECK(guest.Call("sched_yield") == Errno::Success);
  CHECK(yields == 1);
}

TEST_CASE("proc_exit ends the call with the code and closes the module") {
  for (const std::uint32_t code : {0u, 1u, 255u, 0x80000000u}) {
    const WasiGuest guest;
    const auto exit = guest.module.ExportedFunction<void(std::uint32_t)>("proc_exit");
    CHECK(Thrown<tenon::ExitError>([&] { exit(code); }).ExitCode() == code);
    CHECK(guest.module.IsClosed());
    // Later calls report the same code.
    const auto later = Thrown<tenon::ExitError>([&] { guest.Call("sched_yield"); });
    CHECK(later.ExitCode() == code);
  }
}

TEST_CASE("an exit with code 0 from _start is no error, another one is") {
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  for (const std::int32_t code : {0, 3}) {
    tenon::wasm::ModuleBuilder builder;
    const auto proc_exit = builder.ImportFunction("wasi_snapshot_preview1", "proc_exit",
                                                  builder.Type({tenon::ValueType::I32}, {}));
    const auto start = builder.Function(
        builder.Type({}, {}), {},
        [&](tenon::wasm::CodeBuilder& body) { body.I32Const(code).Call(proc_exit).Unreachable(); });
    builder.Export("_start", tenon::ExternKind::Func, start);
    const auto bytes = builder.Build();
    if (code == 0) {
      CHECK(runtime.Instantiate(bytes).IsClosed());
    } else {
      CHECK(Thrown<tenon::ExitError>([&] { runtime.Instantiate(bytes); }).ExitCode() == 3);
    }
  }
}

TEST_CASE("what a clock of the host's throws leaves the guest with its type") {
  struct NoClock {};
  const WasiGuest guest{SystemConfig{}.WithNanotime([]() -> std::uint64_t { throw NoClock{}; })};
  CHECK_THROWS_AS(guest.Call("clock_time_get", 1u, std::uint64_t{0}, 0u), NoClock);
  CHECK(guest.Call("sched_yield") == Errno::Success);
}

TEST_CASE("each instance has clocks and randomness of its own") {
  const tenon::Runtime runtime;
  const tenon::CompiledModule wasi = tenon::wasi::Compile(runtime);
  runtime.InstantiateModule(wasi);
  const auto compiled = runtime.CompileModule(ForwarderOf(wasi));
  for (int i = 0; i < 2; ++i) {
    tenon::Module guest = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(""));
    const auto clock = guest.ExportedFunction<Errno(std::uint32_t, std::uint64_t, std::uint32_t)>(
        "clock_time_get");
    REQUIRE(clock(1, 0, 0) == Errno::Success);
    CHECK(guest.DefaultMemory().ReadUint64Le(0) == 0u);
  }
}

namespace {

/// A guest whose "outer" calls env.between, which calls its "inner", which exits with the code it
/// was given; what stands behind the calls would set "after".
std::vector<std::uint8_t> NestingGuest() {
  using namespace tenon::wasm;
  constexpr auto I32 = tenon::ValueType::I32;
  ModuleBuilder builder;
  const auto type = builder.Type({I32}, {});
  const auto proc_exit = builder.ImportFunction("wasi_snapshot_preview1", "proc_exit", type);
  const auto between = builder.ImportFunction("env", "between", type);
  builder.Memory(1);
  const auto after = builder.Global({I32, true}, ConstantExpression::I32(0));
  builder.Export("after", tenon::ExternKind::Global, after);
  const auto calling = [&](std::uint32_t function) {
    return builder.Function(type, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).Call(function).I32Const(1).GlobalSet(after);
    });
  };
  builder.Export("inner", tenon::ExternKind::Func, calling(proc_exit));
  builder.Export("outer", tenon::ExternKind::Func, calling(between));
  return builder.Build();
}

}  // namespace

TEST_CASE("proc_exit ends guests and host functions nested in each other") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    tenon::wasi::Instantiate(runtime);
    int entered = 0;
    int left = 0;
    int unwound = 0;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](tenon::Module& caller, std::uint32_t code) {
          struct Count {
            int& count;
            ~Count() { ++count; }
          };
          const Count count{unwound};
          ++entered;
          caller.ExportedFunction<void(std::uint32_t)>(code > 100 ? "outer" : "inner")(code - 50);
          ++left;
        })
        .Export("between")
        .Instantiate();
    const auto compiled = runtime.CompileModule(NestingGuest());
    const tenon::Module guest =
        runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("nesting"));
    const tenon::Module other =
        runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("other"));
    const tenon::Global after = guest.ExportedGlobal("after");
    const auto outer = guest.ExportedFunction<void(std::uint32_t)>("outer");
    const auto exit = Thrown<tenon::ExitError>([&] { outer(257); });
    CHECK(exit.ExitCode() == 7);
    CHECK(entered == 5);
    CHECK(left == 0);
    CHECK(unwound == 5);
    CHECK(guest.IsClosed());
    CHECK(after.Get().I32() == 0);
    // Another instance of the same code goes on.
    CHECK_FALSE(other.IsClosed());
    CHECK(Thrown<tenon::ExitError>([&] {
            other.ExportedFunction<void(std::uint32_t)>("inner")(5);
          }).ExitCode() == 5);
  });
}

TEST_CASE("a host function that catches an exit does not undo it") {
  const tenon::Runtime runtime;
  tenon::wasi::Instantiate(runtime);
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller, std::uint32_t code) {
        try {
          caller.ExportedFunction<void(std::uint32_t)>("inner")(code);
        } catch (const tenon::ExitError&) {
        }
      })
      .Export("between")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(NestingGuest());
  CHECK(Thrown<tenon::ExitError>([&] {
          guest.ExportedFunction<void(std::uint32_t)>("outer")(7);
        }).ExitCode() == 7);
}

TEST_CASE("a reactor is initialised by its start function and called as often as one likes") {
  using namespace tenon::wasm;
  ModuleBuilder builder;
  constexpr auto I32 = tenon::ValueType::I32;
  const auto count = builder.Global({I32, true}, ConstantExpression::I32(0));
  const auto initialize = builder.Function(
      builder.Type({}, {}), {}, [&](CodeBuilder& code) { code.I32Const(100).GlobalSet(count); });
  builder.Export("_initialize", tenon::ExternKind::Func, initialize);
  const auto next = builder.Function(builder.Type({}, {I32}), {}, [&](CodeBuilder& code) {
    code.GlobalGet(count).I32Const(1).Emit(Opcode::I32Add).GlobalSet(count).GlobalGet(count);
  });
  builder.Export("next", tenon::ExternKind::Func, next);
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(
      builder.Build(), tenon::ModuleConfig{}.WithStartFunctions({"_initialize", "_start"}));
  const auto call = guest.ExportedFunction<int()>("next");
  CHECK(call() == 101);
  CHECK(call() == 102);
}

TEST_CASE("proc_raise does what the signal does to a program that does nothing about it") {
  for (const std::uint32_t signal : {0u, 13u, 16u, 17u, 22u, 27u}) {
    CHECK(WasiGuest{}.Call("proc_raise", signal) == Errno::Success);
  }
  for (const std::uint32_t signal : {18u, 19u, 20u, 21u}) {
    CHECK(WasiGuest{}.Call("proc_raise", signal) == Errno::Notsup);
  }
  for (const std::uint32_t signal : {31u, 255u, kMax}) {
    CHECK(WasiGuest{}.Call("proc_raise", signal) == Errno::Inval);
  }
  for (const std::uint32_t signal : {1u, 6u, 9u, 12u, 14u, 15u, 23u, 26u, 28u, 30u}) {
    const WasiGuest guest;
    CHECK(Thrown<tenon::ExitError>([&] { guest.Call("proc_raise", signal); }).ExitCode() ==
          128 + signal);
    CHECK(guest.module.IsClosed());
  }
}
