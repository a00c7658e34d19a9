// SPDX-License-Identifier: Apache-2.0
/// @file
/// Several results, from guests and from host functions.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

using namespace tenon_test;
using guests::kF32;
using guests::kF64;
using guests::kI32;
using guests::kI64;

TEST_CASE("a host function returns several results as tuple, pair or array") {
  const tenon::Runtime runtime;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t v) {
        return std::tuple<std::int32_t, std::int64_t, float, double>{v, v + 1, 0.5f, 0.25};
      })
      .Export("tuple")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t v) { return std::pair<double, std::int32_t>{v, v}; })
      .Export("pair")
      .NewFunctionBuilder()
      .WithFunc([](std::int64_t v) { return std::array<std::int64_t, 3>{v, v * 2, v * 3}; })
      .Export("array")
      .Instantiate();
  const tenon::Module tuple =
      runtime.Instantiate(guests::Forwarder("env", "tuple", {{kI32}, {kI32, kI64, kF32, kF64}}));
  using Four = std::tuple<std::int32_t, std::int64_t, float, double>;
  CHECK(tuple.ExportedFunction<Four(std::int32_t)>("run")(5) == Four{5, 6, 0.5f, 0.25});
  const tenon::Module pair =
      runtime.Instantiate(guests::Forwarder("env", "pair", {{kI32}, {kF64, kI32}}));
  using Two = std::pair<double, std::int32_t>;
  CHECK(pair.ExportedFunction<Two(std::int32_t)>("run")(5) == Two{5.0, 5});
  const tenon::Module array =
      runtime.Instantiate(guests::Forwarder("env", "array", {{kI64}, {kI64, kI64, kI64}}));
  using Three = std::array<std::int64_t, 3>;
  CHECK(array.ExportedFunction<Three(std::int64_t)>("run")(7) == Three{7, 14, 21});
}

TEST_CASE("an untyped call returns all results in order") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::Arithmetic());
  const auto results =
      guest.ExportedFunction("swap").Call({tenon::Value{1}, tenon::Value{std::int64_t{2}}});
  CHECK(results == std::vector<tenon::Value>{tenon::Value{std::int64_t{2}}, tenon::Value{1}});
}

TEST_CASE("a tuple of one is one result, and an empty tuple none") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc([] { return std::tuple<std::int32_t>{1}; })
                            .Export("one")
                            .NewFunctionBuilder()
                            .WithFunc([] { return std::tuple<>{}; })
                            .Export("zero")
                            .Compile();
  CHECK(compiled.ExportedFunctions()[0].Signature() == "() -> i32");
  CHECK(compiled.ExportedFunctions()[1].Signature() == "() -> ()");
}

TEST_CASE("more results than operands, and more operands than results, share one stack") {
  const tenon::Runtime runtime;
  const std::vector<tenon::ValueType> many(20, kI32);
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            const auto first = static_cast<std::uint32_t>(slots[0]);
            for (std::uint32_t i = 0; i < 20; ++i) slots[i] = first + i;
          },
          {kI32}, many)
      .Export("spread")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            std::uint32_t sum = 0;
            for (const tenon::abi::Slot slot : slots) sum += static_cast<std::uint32_t>(slot);
            slots[0] = sum;
          },
          many, {kI32})
      .Export("sum")
      .Instantiate();
  const tenon::Module spread =
      runtime.Instantiate(guests::Forwarder("env", "spread", {{kI32}, many}));
  const auto results = spread.ExportedFunction("run").Call({tenon::Value{100}});
  REQUIRE(results.size() == 20);
  for (std::int32_t i = 0; i < 20; ++i) {
    CHECK(results[static_cast<std::size_t>(i)].I32() == 100 + i);
  }
  const tenon::Module sum = runtime.Instantiate(guests::Forwarder("env", "sum", {many, {kI32}}));
  CHECK(sum.ExportedFunction("run").Call(results)[0].I32() == 20 * 100 + 190);
}
