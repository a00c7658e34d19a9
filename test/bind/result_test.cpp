// SPDX-License-Identifier: Apache-2.0
/// @file
/// Results: none, one, several.
#include <array>
#include <bit>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::ValueType;

TEST_CASE("void gives no result") {
  FakeInstance fake;
  int calls = 0;
  auto function = Bind([&] { ++calls; });
  CHECK(function.Get().signature->parameters == nullptr);
  CHECK(function.Get().signature->result_count == 0);
  fake.Native<void>(function.Get());
  CHECK(fake.Slots(function.Get(), {})[0] == 0xABABABABABABABAB);
  CHECK(calls == 2);
}

TEST_CASE("narrow results are extended as their type says") {
  FakeInstance fake;
  CHECK(fake.Slots(Bind([] { return std::int8_t{-1}; }).Get(), {})[0] == 0xFFFFFFFF);
  CHECK(fake.Slots(Bind([] { return std::uint8_t{255}; }).Get(), {})[0] == 0xFF);
  CHECK(fake.Slots(Bind([] { return std::int16_t{-2}; }).Get(), {})[0] == 0xFFFFFFFE);
  CHECK(fake.Slots(Bind([] { return std::uint16_t{65535}; }).Get(), {})[0] == 0xFFFF);
  CHECK(fake.Slots(Bind([] { return static_cast<char>(0xE9); }).Get(), {})[0] == 0xFFFFFFE9);
  CHECK(fake.Slots(Bind([] { return true; }).Get(), {})[0] == 1);
  CHECK(fake.Slots(Bind([] { return -1; }).Get(), {})[0] == 0xFFFFFFFF);
  CHECK(fake.Slots(Bind([] { return -1LL; }).Get(), {})[0] == ~std::uint64_t{0});
}

TEST_CASE("tuples, pairs and arrays are several results in order") {
  FakeInstance fake;
  auto tuple = Bind(
      [](std::uint32_t a) { return std::tuple{a, 2.5f, std::int64_t{-3}, std::int8_t{-4}, true}; });
  CHECK(Results(tuple.Get()) == std::vector<ValueType>{ValueType::I32, ValueType::F32,
                                                       ValueType::I64, ValueType::I32,
                                                       ValueType::I32});
  tenon::abi::Slot results[5] = {};
  fake.Native<void>(tuple.Get(), 7u, &results[0]);
  CHECK(results[0] == 7);
  CHECK(results[1] == std::bit_cast<std::uint32_t>(2.5f));
  CHECK(static_cast<std::int64_t>(results[2]) == -3);
  CHECK(results[3] == 0xFFFFFFFC);
  CHECK(results[4] == 1);
  const auto slots = fake.Slots(tuple.Get(), {7});
  for (std::size_t i = 0; i < 5; ++i) CHECK(slots[i] == results[i]);

  const auto pair = fake.Slots(Bind([] { return std::pair{1u, 2.0}; }).Get(), {});
  CHECK(pair[0] == 1);
  CHECK(std::bit_cast<double>(pair[1]) == 2.0);
  const auto array = fake.Slots(Bind([] { return std::array{1u, 2u, 3u}; }).Get(), {});
  CHECK(array[0] == 1);
  CHECK(array[2] == 3);
  CHECK(array[3] == 0xABABABABABABABAB);
}

TEST_CASE("a v128 among several results takes two slots") {
  FakeInstance fake;
  auto function = Bind([](tenon::V128 v, std::uint32_t n) { return std::tuple{n, v, n + 1}; });
  const auto slots = fake.Slots(function.Get(), {0x1111, 0x2222, 5});
  CHECK(slots[0] == 5);
  CHECK(slots[1] == 0x1111);
  CHECK(slots[2] == 0x2222);
  CHECK(slots[3] == 6);
}

TEST_CASE("a tuple of one is one result and an empty tuple is none") {
  FakeInstance fake;
  auto one = Bind([](std::uint32_t v) { return std::tuple{v + 1}; });
  CHECK(Results(one.Get()) == std::vector<ValueType>{ValueType::I32});
  CHECK(fake.Native<std::uint32_t>(one.Get(), 1u) == 2);
  auto array = Bind([](double v) { return std::array{v + 1}; });
  CHECK(fake.Native<double>(array.Get(), 1.0) == 2.0);
  auto none = Bind([] { return std::tuple<>{}; });
  CHECK(Results(none.Get()).empty());
  fake.Native<void>(none.Get());
  CHECK(fake.raised == 0);
}

TEST_CASE("results may stand where the operands stood") {
  FakeInstance fake;
  auto swap = Bind([](std::uint64_t a, std::uint64_t b) { return std::pair{b, a}; });
  const auto slots = fake.Slots(swap.Get(), {1, 2});
  CHECK(slots[0] == 2);
  CHECK(slots[1] == 1);
}

TEST_CASE("a guest is given only functions that it may hold") {
  FakeInstance fake;
  const tenon::abi::FunctionRecord own{};
  const tenon::abi::FunctionRecord foreign{};
  fake.held = &own;
  tenon::FuncRef given{&own};
  const auto address = [](const tenon::abi::FunctionRecord* record) {
    return reinterpret_cast<std::uint64_t>(record);
  };
  auto single = Bind([&] { return given; });
  auto several = Bind([&] { return std::tuple{1, given}; });
  CHECK(fake.Native<std::uint64_t>(single.Get()) == address(&own));
  CHECK(fake.Slots(several.Get(), {})[1] == address(&own));
  CHECK(fake.raised == 0);
  given = tenon::FuncRef{&foreign};
  CHECK(fake.Native<std::uint64_t>(single.Get()) == 0);
  CHECK(fake.trap == tenon::TrapCode::ResultOutOfRange);
  fake.Clear();
  fake.Slots(several.Get(), {});
  CHECK(fake.trap == tenon::TrapCode::ResultOutOfRange);
  fake.Clear();
  given = tenon::FuncRef{};
  CHECK(fake.Native<std::uint64_t>(single.Get()) == 0);
  CHECK(fake.raised == 0);
}

namespace {

template <class R>
R Seven() {
  return 7;
}

}  // namespace

TEST_CASE("a const result is the value") {
  FakeInstance fake;
  auto number = Bind(Seven<const int>);
  auto tuple = Bind([]() -> const std::tuple<const int, double> { return {1, 2.0}; });
  CHECK(fake.Native<std::uint32_t>(number.Get()) == 7);
  CHECK(Results(number.Get()) == std::vector{tenon::ValueType::I32});
  CHECK(fake.Slots(tuple.Get(), {})[0] == 1);
}
