// SPDX-License-Identifier: Apache-2.0
/// @file
/// v128 as parameter, result, global and value.
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

constexpr auto kV128 = tenon::ValueType::V128;

tenon::V128 Bytes(std::uint8_t first) {
  tenon::V128 value;
  for (std::uint8_t& byte : value.bytes) byte = first++;
  return value;
}

}  // namespace

TEST_CASE("typed calls pass and return v128") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Simd());
  CHECK(guest.ExportedFunction<tenon::V128(tenon::V128)>("identity")(Bytes(3)) == Bytes(3));
  const tenon::V128 splat = guest.ExportedFunction<tenon::V128(std::int32_t)>("splat")(0x04030201);
  for (std::uint8_t i = 0; i < 16; ++i) CHECK(splat.bytes[i] == i % 4 + 1);
}

TEST_CASE("v128 among other types keeps every value in place") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Simd());
  using Three = std::tuple<double, tenon::V128, std::int32_t>;
  const auto mixed = guest.ExportedFunction<Three(std::int32_t, tenon::V128, double)>("mixed");
  CHECK(mixed(7, Bytes(1), 0.5) == Three{0.5, Bytes(1), 7});
}

TEST_CASE("untyped calls and stacks pass v128 as one value and two slots") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Simd());
  const auto results = guest.ExportedFunction("mixed").Call(
      {tenon::Value{7}, tenon::Value{Bytes(9)}, tenon::Value{0.5}});
  REQUIRE(results.size() == 3);
  CHECK(results[0].F64() == 0.5);
  CHECK(results[1].Vector() == Bytes(9));
  CHECK(results[2].I32() == 7);
  std::vector<tenon::abi::Slot> stack{0x0706050403020100, 0x0F0E0D0C0B0A0908};
  guest.ExportedFunction("identity").CallWithStack(stack);
  CHECK(stack[0] == 0x0706050403020100);
  CHECK(stack[1] == 0x0F0E0D0C0B0A0908);
}

TEST_CASE("host functions take and return v128") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t add, tenon::V128 value, float) {
        for (std::uint8_t& byte : value.bytes) byte = static_cast<std::uint8_t>(byte + add);
        return value;
      })
      .Export("shift")
      .NewFunctionBuilder()
      .WithFunc([](tenon::V128 a, tenon::V128 b) {
        return std::tuple<tenon::V128, std::int32_t, tenon::V128>{b, 5, a};
      })
      .Export("swap")
      .Instantiate();
  const tenon::Module shift = runtime.Instantiate(
      guests::Forwarder("env", "shift", {{guests::kI32, kV128, guests::kF32}, {kV128}}));
  CHECK(shift.ExportedFunction<tenon::V128(std::int32_t, tenon::V128, float)>("run")(
            10, Bytes(0), 1.0f) == Bytes(10));
  const tenon::Module swap = runtime.Instantiate(
      guests::Forwarder("env", "swap", {{kV128, kV128}, {kV128, guests::kI32, kV128}}));
  using Three = std::tuple<tenon::V128, std::int32_t, tenon::V128>;
  CHECK(swap.ExportedFunction<Three(tenon::V128, tenon::V128)>("run")(Bytes(1), Bytes(2)) ==
        Three{Bytes(2), 5, Bytes(1)});
}

TEST_CASE("globals of v128 are exported by host modules and shared with guests") {
  const tenon::Runtime runtime;
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .ExportGlobal("vector", tenon::Value{Bytes(5)}, true)
                                .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::ImportsGlobal("env", "vector", kV128, true));
  CHECK(guest.ExportedFunction<tenon::V128()>("get")() == Bytes(5));
  guest.ExportedFunction<void(tenon::V128)>("set")(Bytes(100));
  CHECK(env.ExportedGlobal("vector").Get<tenon::V128>() == Bytes(100));
}

TEST_CASE("locals beside vectors keep their values, however many there are") {
  // Far more locals than the code is long, so that the interpreter has to search for the last.
  guests::Guest guest;
  std::vector<tenon::ValueType> parameters(30, guests::kI32);
  parameters[28] = kV128;
  std::vector<tenon::ValueType> locals(200, guests::kI64);
  locals.insert(locals.end(), 200, kV128);
  guest.Add(
      "run", {parameters, {kV128, guests::kI64, guests::kI32, kV128}},
      [](auto& code) {
        code.LocalGet(28).LocalTee(429).LocalSet(230);
        code.I64Const(42).LocalSet(229).LocalGet(27).LocalSet(0);
        code.LocalGet(230).LocalGet(229).LocalGet(29).LocalGet(0).LocalGet(231);
        code.LocalSet(230).Drop().LocalGet(429);
      },
      locals);
  const tenon::Runtime runtime;
  const tenon::Module module = runtime.Instantiate(guest.Build());
  std::vector<tenon::Value> arguments(30, tenon::Value{1});
  arguments[28] = tenon::Value{Bytes(5)};
  arguments[29] = tenon::Value{77};
  const auto results = module.ExportedFunction("run").Call(arguments);
  REQUIRE(results.size() == 4);
  CHECK(results[0].Vector() == Bytes(5));
  CHECK(results[1].I64() == 42);
  CHECK(results[2].I32() == 77);
  CHECK(results[3].Vector() == Bytes(5));
}
