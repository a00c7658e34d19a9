// SPDX-License-Identifier: Apache-2.0
/// @file
/// Each kind of callable, and each type that is one value, called by guests on each engine.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/bound_guest.hpp"

using tenon::HostModuleBuilder;
using tenon::TrapCode;
using namespace tenon_test;

namespace {

int Add(int a, int b) { return a + b; }
int AddNoexcept(int a, int b) noexcept { return a + b; }
int AddFour(int a, int b = 4) { return a + b; }

struct Adder {
  int base = 0;
  int Add(int a, int b) const { return base + a + b; }
};
struct Overloaded {
  int operator()(int a, int b) const { return a + b; }
  double operator()(double a, double b) const { return a + b; }
};
enum class Colour : std::int16_t { Red = -1, Green = 2 };

/// The sum of 3 and 4, as a host function bound by `bind` gives it to a guest of each engine.
template <class Bind>
void CheckSum(Bind&& bind, int expected = 7) {
  for (const tenon::EngineKind engine : Engines()) {
    const BoundGuest guest{
        engine, [&](HostModuleBuilder& env) { bind(env.NewFunctionBuilder()).Export("add"); }};
    CHECK(guest.Call<int>("add", 3, 4) == expected);
  }
}

/// What a host function that returns its parameter gives for `operand`.
template <class T, class Wire>
Wire Echo(tenon::EngineKind engine, Wire operand) {
  const BoundGuest guest{
      engine, [](HostModuleBuilder& env) {
        env.NewFunctionBuilder().WithFunc([](T value) { return value; }).Export("echo");
      }};
  return guest.Call<Wire>("echo", operand);
}

}  // namespace

TEST_CASE("free function") {
  CheckSum([](auto builder) { return builder.WithFunc(Add); });
  CheckSum([](auto builder) { return builder.WithFunc(&Add); });
  CheckSum([](auto builder) { return builder.template WithFunc<&Add>(); });
}

TEST_CASE("default arguments") {
  // Operands are the guest's, all of them: a default is for callers in C++.
  CHECK(AddFour(3) == 7);
  CheckSum([](auto builder) { return builder.WithFunc(AddFour); });
}

TEST_CASE("captureless lambda") {
  CheckSum([](auto builder) { return builder.WithFunc([](int a, int b) { return a + b; }); });
}

TEST_CASE("capturing lambda") {
  int calls = 0;
  CheckSum([&](auto builder) {
    return builder.WithFunc([&calls](int a, int b) {
      ++calls;
      return a + b;
    });
  });
  CHECK(calls == static_cast<int>(Engines().size()));
}

TEST_CASE("member fn bound to object") {
  const Adder adder{100};
  CheckSum([&](auto builder) { return builder.WithFunc(&Adder::Add, adder); }, 107);
  CheckSum([&](auto builder) { return builder.template WithFunc<&Adder::Add>(adder); }, 107);
}

TEST_CASE("generic / overloaded operator()") {
  CheckSum([](auto builder) {
    return builder.template WithFunc<int(int, int)>([](auto a, auto b) { return a + b; });
  });
  CheckSum([](auto builder) { return builder.template WithFunc<int(int, int)>(Overloaded{}); });
}

TEST_CASE("noexcept callables") {
  CheckSum([](auto builder) { return builder.WithFunc(AddNoexcept); });
  CheckSum(
      [](auto builder) { return builder.WithFunc([](int a, int b) noexcept { return a + b; }); });
}

TEST_CASE("std::function") {
  const std::function<int(int, int)> function = Add;
  CheckSum([&](auto builder) { return builder.WithFunc(function); });
}

TEST_CASE("move-only callable") {
  CheckSum(
      [](auto builder) {
        return builder.WithFunc(
            [base = std::make_unique<int>(10)](int a, int b) { return *base + a + b; });
      },
      17);
}

TEST_CASE("lvalue callable") {
  auto callable = [calls = 0](int a, int b) mutable { return ++calls + a + b; };
  CheckSum([&](auto builder) { return builder.WithFunc(callable); }, 8);
  CHECK(callable(0, 0) == 1);  // a copy was bound
  for (const tenon::EngineKind engine : Engines()) {
    auto kept = [calls = 0](int a, int b) mutable { return ++calls + a + b; };
    const BoundGuest guest{engine, [&](HostModuleBuilder& env) {
                             env.NewFunctionBuilder().WithFunc(std::ref(kept)).Export("add");
                           }};
    CHECK(guest.Call<int>("add", 3, 4) == 8);
    CHECK(guest.Call<int>("add", 3, 4) == 9);
    CHECK(kept(0, 0) == 3);
  }
}

TEST_CASE("i32 i64 u32 u64 f32 f64") {
  for (const tenon::EngineKind engine : Engines()) {
    CHECK(Echo<std::int32_t>(engine, std::int32_t{-5}) == -5);
    CHECK(Echo<std::uint32_t>(engine, 0xFFFFFFFFu) == 0xFFFFFFFFu);
    CHECK(Echo<std::int64_t>(engine, std::int64_t{-5}) == -5);
    CHECK(Echo<long long>(engine, std::int64_t{-6}) == -6);
    CHECK(Echo<std::uint64_t>(engine, ~std::uint64_t{0}) == ~std::uint64_t{0});
    CHECK(Echo<float>(engine, 1.5f) == 1.5f);
    CHECK(Echo<double>(engine, -2.5) == -2.5);
  }
}

TEST_CASE("8/16-bit integers") {
  for (const tenon::EngineKind engine : Engines()) {
    CHECK(Echo<std::int8_t>(engine, std::int32_t{-128}) == -128);
    CHECK(Echo<std::uint16_t>(engine, 65535u) == 65535u);
    CHECK(TrapOf([&] { Echo<std::int8_t>(engine, std::int32_t{128}); }) ==
          TrapCode::ValueOutOfRange);
    CHECK(TrapOf([&] { Echo<std::uint16_t>(engine, 65536u); }) == TrapCode::ValueOutOfRange);
  }
}

TEST_CASE("bool") {
  for (const tenon::EngineKind engine : Engines()) {
    CHECK(Echo<bool>(engine, 0x100u) == 1);
    CHECK(Echo<bool>(engine, 0u) == 0);
  }
}

TEST_CASE("enum") {
  for (const tenon::EngineKind engine : Engines()) {
    CHECK(Echo<Colour>(engine, std::int32_t{-1}) == -1);
    CHECK(TrapOf([&] { Echo<Colour>(engine, std::int32_t{70000}); }) == TrapCode::ValueOutOfRange);
  }
}

TEST_CASE("v128") {
  const tenon::V128 value{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  for (const tenon::EngineKind engine : Engines()) {
    CHECK(Echo<tenon::V128>(engine, value) == value);
  }
}

TEST_CASE("tuples / multi-value") {
  for (const tenon::EngineKind engine : Engines()) {
    const BoundGuest guest{
        engine, [](HostModuleBuilder& env) {
          env.NewFunctionBuilder()
              .WithFunc([](int a, int b) { return std::tuple{a / b, a % b, double(a) / b}; })
              .Export("divide");
        }};
    CHECK(guest.Call<std::tuple<int, int, double>>("divide", 7, 2) == std::tuple{3, 1, 3.5});
  }
}

TEST_CASE("caller memory/module access") {
  for (const tenon::EngineKind engine : Engines()) {
    const BoundGuest guest{engine, [](HostModuleBuilder& env) {
                             env.NewFunctionBuilder()
                                 .WithFunc([](tenon::Module& caller, tenon::Memory& memory, int a) {
                                   memory.WriteUint32Le(8, 5);
                                   return a + caller.ExportedFunction<int(int)>("grow")(0);
                                 })
                                 .Export("f");
                           }};
    CHECK(guest.Call<int>("f", 10) == 11);
    CHECK(guest.U32(8) == 5);
  }
}

TEST_CASE("per-instance imports") {
  for (const tenon::EngineKind engine : Engines()) {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithEngine(engine)};
    const auto host = [&](int number) {
      return runtime.InstantiateModule(runtime.NewHostModuleBuilder("env")
                                           .NewFunctionBuilder()
                                           .WithFunc([number] { return number; })
                                           .Export("number")
                                           .Compile(),
                                       tenon::ModuleConfig{}.WithName(""));
    };
    const tenon::CompiledModule compiled =
        runtime.CompileModule(CallerOf(runtime.NewHostModuleBuilder("env")
                                           .NewFunctionBuilder()
                                           .WithFunc([] { return 0; })
                                           .Export("number")
                                           .Compile()));
    std::vector<tenon::Module> guests;
    for (const int number : {1, 2}) {
      guests.push_back(runtime.InstantiateModule(
          compiled, tenon::ModuleConfig{}.WithName("").WithImport("env", host(number))));
    }
    CHECK(guests[0].ExportedFunction<int()>("number")() == 1);
    CHECK(guests[1].ExportedFunction<int()>("number")() == 2);
  }
}
