// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host functions at run time: what they receive from the guest and what they give back.
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

using guests::kF32;
using guests::kF64;
using guests::kI32;
using guests::kI64;

enum class Color : std::uint8_t { Red = 1, Green = 2 };

/// A guest whose "run" passes its arguments to env.f and returns what that returns.
template <class F>
tenon::Module Bound(const tenon::Runtime& runtime, F&& function, const guests::Signature& type,
                    bool with_memory = false) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc(std::forward<F>(function))
      .Export("f")
      .Instantiate();
  return runtime.Instantiate(guests::Forwarder("env", "f", type, with_memory));
}

}  // namespace

TEST_CASE("a host function receives integers of every width and sign") {
  const tenon::Runtime runtime;
  std::string seen;
  const tenon::Module guest =
      Bound(runtime,
            [&](std::int8_t a, std::uint8_t b, std::int16_t c, std::uint16_t d, std::int32_t e,
                std::uint32_t f, std::int64_t g, std::uint64_t h) {
              for (const std::string& text :
                   {std::to_string(a), std::to_string(b), std::to_string(c), std::to_string(d),
                    std::to_string(e), std::to_string(f), std::to_string(g), std::to_string(h)}) {
                seen += text + " ";
              }
            },
            {{kI32, kI32, kI32, kI32, kI32, kI32, kI64, kI64}, {}});
  guest.ExportedFunction<void(std::int32_t, std::int32_t, std::int32_t, std::int32_t, std::int32_t,
                              std::int32_t, std::int64_t, std::int64_t)>("run")(
      -128, 255, -32768, 65535, -1, -1, -1, -1);
  CHECK(seen == "-128 255 -32768 65535 -1 4294967295 -1 18446744073709551615 ");
}

TEST_CASE("a narrow parameter refuses values outside its range") {
  const tenon::Runtime runtime;
  int calls = 0;
  const tenon::Module guest = Bound(runtime, [&](std::uint8_t) { ++calls; }, {{kI32}, {}});
  const auto run = guest.ExportedFunction<void(std::int32_t)>("run");
  run(255);
  CHECK(Thrown<tenon::Trap>([&] { run(256); }).Code() == tenon::TrapCode::ValueOutOfRange);
  CHECK(Thrown<tenon::Trap>([&] { run(-1); }).Code() == tenon::TrapCode::ValueOutOfRange);
  CHECK(calls == 1);
}

TEST_CASE("bool, characters and enums cross the boundary") {
  const tenon::Runtime runtime;
  const tenon::Module guest =
      Bound(runtime,
            [](bool flag, char32_t letter, Color color) -> Color {
              return flag && letter == U'x' && color == Color::Red ? Color::Green : Color::Red;
            },
            {{kI32, kI32, kI32}, {kI32}});
  const auto run =
      guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t, std::int32_t)>("run");
  CHECK(run(1, 'x', 1) == 2);
  CHECK(run(0, 'x', 1) == 1);
}

TEST_CASE("floats and doubles cross the boundary with their bits") {
  const tenon::Runtime runtime;
  const tenon::Module guest =
      Bound(runtime, [](float a, double b) { return b + static_cast<double>(a); },
            {{kF32, kF64}, {kF64}});
  CHECK(guest.ExportedFunction<double(float, double)>("run")(0.5f, 0.25) == 0.75);
}

TEST_CASE("many parameters arrive in order") {
  const tenon::Runtime runtime;
  const tenon::Module guest =
      Bound(runtime,
            [](std::int64_t a, double b, std::int32_t c, float d, std::int64_t e, std::int64_t f,
               std::int64_t g, std::int64_t h, std::int64_t i, double j) {
              return static_cast<double>(a) + 10 * b + 100 * c + 1000 * static_cast<double>(d) +
                     static_cast<double>(e * 10'000 + f * 100'000 + g * 1'000'000 + h * 10'000'000 +
                                         i * 100'000'000) +
                     1e9 * j;
            },
            {{kI64, kF64, kI32, kF32, kI64, kI64, kI64, kI64, kI64, kF64}, {kF64}});
  CHECK(guest.ExportedFunction<double(std::int64_t, double, std::int32_t, float, std::int64_t,
                                      std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                                      double)>("run")(1, 2, 3, 4, 5, 6, 7, 8, 9, 1) ==
        1987654321.0);
}

TEST_CASE("text and spans in guest memory arrive as views") {
  const tenon::Runtime runtime;
  std::string seen;
  const tenon::Module guest = Bound(
      runtime,
      [&](std::string_view text, std::span<std::uint32_t> numbers) {
        seen = text;
        for (std::uint32_t& number : numbers) number *= 2;
      },
      {{kI32, kI32, kI32, kI32}, {}}, true);
  tenon::Memory memory = guest.DefaultMemory();
  memory.WriteString(100, "hello");
  memory.WriteUint32Le(16, 21);
  memory.WriteUint32Le(20, 4);
  const auto run =
      guest.ExportedFunction<void(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>(
          "run");
  run(100, 5, 16, 2);
  CHECK(seen == "hello");
  CHECK(memory.ReadUint32Le(16) == 42);
  CHECK(memory.ReadUint32Le(20) == 8);

  SECTION("views outside the memory trap before the function runs") {
    seen = "not called";
    const auto code = [&](std::uint32_t p, std::uint32_t n, std::uint32_t q, std::uint32_t m) {
      return Thrown<tenon::Trap>([&] { run(p, n, q, m); }).Code();
    };
    CHECK(code(65536, 1, 0, 0) == tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(code(0xFFFFFFFF, 0xFFFFFFFF, 0, 0) == tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(code(0, 0, 0, 0x40000000) == tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(code(0, 0, 65532, 2) == tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(code(0, 0, 2, 1) == tenon::TrapCode::UnalignedAccess);
    CHECK(seen == "not called");
  }
  SECTION("empty views at the very end are views of nothing") {
    run(65536, 0, 65536, 0);
    CHECK(seen.empty());
  }
}

TEST_CASE("the calling module and its memory are those of the guest that calls") {
  const tenon::Runtime runtime;
  std::vector<std::string> callers;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, tenon::Memory& memory, std::int32_t value) {
        callers.push_back(caller.Name());
        CHECK(memory == caller.DefaultMemory());
        memory.WriteUint32Le(0, static_cast<std::uint32_t>(value));
      })
      .Export("f")
      .Instantiate();
  const auto compiled = runtime.CompileModule(guests::Forwarder("env", "f", {{kI32}, {}}, true));
  const tenon::Module a = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("a"));
  const tenon::Module b = runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("b"));
  a.ExportedFunction<void(std::int32_t)>("run")(1);
  b.ExportedFunction<void(std::int32_t)>("run")(2);
  CHECK(callers == std::vector<std::string>{"a", "b"});
  CHECK(a.DefaultMemory().ReadUint32Le(0) == 1);
  CHECK(b.DefaultMemory().ReadUint32Le(0) == 2);
}

TEST_CASE("a copy of the calling module outlives the call") {
  const tenon::Runtime runtime;
  tenon::Module kept;
  const tenon::Module guest = Bound(runtime, [&](tenon::Module& caller) { kept = caller; }, {});
  guest.ExportedFunction<void()>("run")();
  CHECK(kept == guest);
}

TEST_CASE("a host function can take the calling module by value or const reference") {
  const tenon::Runtime runtime;
  int matches = 0;
  tenon::Module guest;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](const tenon::Module& caller) { matches += caller == guest ? 1 : 0; })
      .Export("by_reference")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module caller) { matches += caller == guest ? 10 : 0; })
      .Export("by_value")
      .Instantiate();
  guest = runtime.Instantiate(guests::Forwarder("env", "by_reference", {}));
  guest.ExportedFunction<void()>("run")();
  guest = runtime.Instantiate(guests::Forwarder("env", "by_value", {}));
  guest.ExportedFunction<void()>("run")();
  CHECK(matches == 11);
}

TEST_CASE("a memory may also be taken by value or as a const reference") {
  const tenon::Runtime runtime;
  tenon::Memory kept;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](const tenon::Memory& memory, std::uint32_t offset) {
        return memory.ReadUint32Le(offset).value_or(0);
      })
      .Export("by_reference")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Memory memory, std::uint32_t offset) {
        kept = memory;
        return memory.ReadUint32Le(offset).value_or(0) + 1;
      })
      .Export("by_value")
      .Instantiate();
  for (const char* const name : {"by_reference", "by_value"}) {
    tenon::Module guest =
        runtime.Instantiate(guests::Forwarder("env", name, {{guests::kI32}, {guests::kI32}}, true));
    tenon::Memory memory = guest.DefaultMemory();
    REQUIRE(memory.WriteUint32Le(8, 41));
    const auto run = guest.ExportedFunction<std::uint32_t(std::uint32_t)>("run");
    CHECK(run(8) == (name == std::string_view{"by_value"} ? 42 : 41));
    CHECK((kept == memory) == (name == std::string_view{"by_value"}));
  }
  // What was kept counts on the memory, as any copy does.
  CHECK(kept.ReadUint32Le(8) == 41);
}

TEST_CASE("the untyped form sees operands and leaves results in slots") {
  const tenon::Runtime runtime;
  tenon::Module seen;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            CHECK(slots.size() == 2);
            slots[0] = static_cast<std::uint32_t>(slots[0]) + slots[1];
          },
          {kI32, kI64}, {kI64})
      .Export("add")
      .NewFunctionBuilder()
      .WithHostFunction(
          [&](tenon::Module& caller, std::span<tenon::abi::Slot> slots) {
            seen = caller;
            CHECK(slots.size() == 3);
            slots[0] = 1;
            slots[1] = 2;
            slots[2] = 3;
          },
          {}, {kI32, kI64, kI32})
      .Export("three")
      .Instantiate();
  const tenon::Module adder =
      runtime.Instantiate(guests::Forwarder("env", "add", {{kI32, kI64}, {kI64}}));
  CHECK(adder.ExportedFunction<std::int64_t(std::int32_t, std::int64_t)>("run")(2, 40) == 42);
  const tenon::Module three =
      runtime.Instantiate(guests::Forwarder("env", "three", {{}, {kI32, kI64, kI32}}));
  const auto results = three.ExportedFunction("run").Call();
  REQUIRE(results.size() == 3);
  CHECK(results[0].I32() == 1);
  CHECK(results[1].I64() == 2);
  CHECK(results[2].I32() == 3);
  CHECK(seen == three);
}

TEST_CASE("the untyped form passes v128 as two slots") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            CHECK(slots.size() == 3);
            slots[0] += slots[2];
            slots[1] += slots[2];
          },
          {tenon::ValueType::V128, kI64}, {tenon::ValueType::V128})
      .Export("f")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(
      guests::Forwarder("env", "f", {{tenon::ValueType::V128, kI64}, {tenon::ValueType::V128}}));
  std::vector<tenon::abi::Slot> stack{10, 20, 5};
  guest.ExportedFunction("run").CallWithStack(stack);
  CHECK(stack[0] == 15);
  CHECK(stack[1] == 25);
}

TEST_CASE("a host function that throws a Trap of its own ends the guest with its text") {
  const tenon::Runtime runtime;
  const tenon::Module guest = Bound(runtime, [] { throw tenon::Trap{"the disk is full"}; }, {});
  const auto error = Thrown<tenon::Trap>([&] { guest.ExportedFunction<void()>("run")(); });
  CHECK(error.Code() == tenon::TrapCode::HostTrap);
  CHECK_THAT(error.what(), Catch::StartsWith("wasm trap: the disk is full"));
}

TEST_CASE("callables of two runtimes keep their own captures") {
  std::vector<std::unique_ptr<tenon::Runtime>> runtimes;
  std::vector<tenon::Module> modules;
  for (std::int32_t i = 0; i < 3; ++i) {
    runtimes.push_back(std::make_unique<tenon::Runtime>());
    modules.push_back(Bound(*runtimes.back(), [i] { return i; }, {{}, {kI32}}));
  }
  for (std::int32_t i = 0; i < 3; ++i) {
    CHECK(modules[static_cast<std::size_t>(i)].ExportedFunction<std::int32_t()>("run")() == i);
  }
}

TEST_CASE("a host function may define, compile, instantiate and close modules") {
  const tenon::Runtime runtime;
  const tenon::Module guest =
      Bound(runtime,
            [&]() -> std::int32_t {
              const tenon::Module inner = runtime.Instantiate(
                  guests::Arithmetic(), tenon::ModuleConfig{}.WithName("inner"));
              const std::int32_t sum =
                  inner.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(20, 22);
              inner.Close();
              return sum;
            },
            {{}, {kI32}});
  CHECK(guest.ExportedFunction<std::int32_t()>("run")() == 42);
  CHECK_FALSE(runtime.FindModule("inner"));
}

TEST_CASE("a refused parameter is counted as in the signature, and named if it has a name") {
  const tenon::Runtime runtime;
  const auto bound = [&](bool is_named) {
    const auto builder = runtime.NewHostModuleBuilder("env");
    auto function = tenon::HostModuleBuilder{builder}.NewFunctionBuilder().WithFunc(
        [](tenon::Module&, std::string_view, std::uint8_t) {});
    if (is_named) function.WithParameterNames("text", "level");
    const tenon::Module env = runtime.InstantiateModule(function.Export("f").Compile(),
                                                        tenon::ModuleConfig{}.WithName(""));
    return runtime.Instantiate(guests::Forwarder("env", "f", {{kI32, kI32, kI32}, {}}, true),
                               tenon::ModuleConfig{}.WithName("").WithImport("env", env));
  };
  const auto text_of = [](const tenon::Module& guest, std::int32_t length, std::int32_t level) {
    return Thrown<tenon::Trap>([&] {
             guest.ExportedFunction<void(std::int32_t, std::int32_t, std::int32_t)>("run")(
                 0, length, level);
           })
        .Message();
  };
  CHECK(text_of(bound(true), 1, 256) ==
        "value out of range for the host function's parameter (parameter 2 \"level\")");
  CHECK(text_of(bound(true), -1, 1) == "out of bounds memory access (parameter 1 \"text\")");
  CHECK(text_of(bound(false), 1, 256) ==
        "value out of range for the host function's parameter (parameter 2)");
}
