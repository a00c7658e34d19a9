// SPDX-License-Identifier: Apache-2.0
/// @file
/// Slots of calls from the host to a guest.
#include <array>
#include <bit>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/bind/call_signature.hpp>

using tenon::TrapCode;
using tenon::ValueType;
using tenon::abi::Slot;
using tenon::bind::CallSignature;

namespace {

struct Meters {
  explicit Meters(double v) : value{v} {}
  double value;
};
struct Percent {
  int value;
};
std::vector<ValueType> List(std::span<const ValueType> types) {
  return {types.begin(), types.end()};
}

}  // namespace

template <>
struct tenon::WasmType<Meters> {
  using Wire = double;
  static Meters FromWasm(double value) { return Meters{value}; }
  static double ToWasm(const Meters& value) { return value.value; }
};
template <>
struct tenon::WasmType<Percent> {
  using Wire = std::uint8_t;
  static bool Accepts(std::uint8_t value) { return value <= 100; }
  static Percent FromWasm(std::uint8_t value) { return {value}; }
};

TEST_CASE("types and counts of a call are constants") {
  using Shape =
      CallSignature<std::tuple<float, tenon::V128, bool>(std::int8_t, tenon::V128, Meters)>;
  CHECK(List(Shape::Parameters()) ==
        std::vector<ValueType>{ValueType::I32, ValueType::V128, ValueType::F64});
  CHECK(List(Shape::Results()) ==
        std::vector<ValueType>{ValueType::F32, ValueType::V128, ValueType::I32});
  STATIC_REQUIRE(Shape::kParameterCount == 3);
  STATIC_REQUIRE(Shape::kResultCount == 3);
  STATIC_REQUIRE(Shape::kSlotCount == 4);
  STATIC_REQUIRE(CallSignature<void()>::kSlotCount == 0);
  STATIC_REQUIRE(CallSignature<int()>::kSlotCount == 1);
  STATIC_REQUIRE(CallSignature<void(int, int)>::kSlotCount == 2);
  STATIC_REQUIRE(CallSignature<void()>::Parameters().empty());
}

TEST_CASE("arguments are stored in order, extended as their type says") {
  Slot slots[8];
  using Shape =
      CallSignature<void(std::int8_t, std::uint8_t, float, tenon::V128, Meters, bool, char)>;
  tenon::V128 vector{};
  vector.bytes[0] = 1;
  vector.bytes[8] = 2;
  Shape::Store(slots, -1, 255, 1.5f, vector, Meters{2.0}, true, static_cast<char>(0xFF));
  CHECK(slots[0] == 0xFFFFFFFF);
  CHECK(slots[1] == 0xFF);
  CHECK(slots[2] == std::bit_cast<std::uint32_t>(1.5f));
  CHECK(slots[3] == 1);
  CHECK(slots[4] == 2);
  CHECK(slots[5] == std::bit_cast<Slot>(2.0));
  CHECK(slots[6] == 1);
  CHECK(slots[7] == 0xFFFFFFFF);
}

TEST_CASE("one result is loaded as its type") {
  const Slot junk = 0xFFFFFFFF00000000;
  Slot slot = junk | 42;
  CHECK(CallSignature<int()>::Load(&slot) == 42);
  CHECK(CallSignature<bool()>::Load(&slot));
  slot = junk;
  CHECK_FALSE(CallSignature<bool()>::Load(&slot));
  slot = std::bit_cast<Slot>(2.5);
  CHECK(CallSignature<Meters()>::Load(&slot).value == 2.5);
  CHECK(CallSignature<double()>::Load(&slot) == 2.5);
  STATIC_REQUIRE(std::is_void_v<decltype(CallSignature<void()>::Load(nullptr))>);
}

TEST_CASE("several results are loaded into a tuple, pair or array") {
  const Slot slots[] = {1, 2, 3, 4};
  CHECK(CallSignature<std::tuple<int, tenon::FuncRef, std::uint64_t>()>::Load(slots) ==
        std::tuple{1, tenon::FuncRef{reinterpret_cast<const tenon::abi::FunctionRecord*>(2)}, 3u});
  CHECK(CallSignature<std::pair<int, std::int64_t>()>::Load(slots) ==
        std::pair{1, std::int64_t{2}});
  CHECK(CallSignature<std::array<int, 4>()>::Load(slots) == std::array{1, 2, 3, 4});
  const auto [first, vector, last] =
      CallSignature<std::tuple<int, tenon::V128, int>()>::Load(slots);
  CHECK(first == 1);
  CHECK(vector.bytes[0] == 2);
  CHECK(vector.bytes[8] == 3);
  CHECK(last == 4);
}

TEST_CASE("results out of the range of their C++ type are reported, not truncated") {
  Slot slots[] = {300, 1};
  using Narrow = CallSignature<std::pair<std::uint8_t, int>()>;
  CHECK(Narrow::CheckResults(slots) == TrapCode::ValueOutOfRange);
  TrapCode trap = TrapCode::None;
  CHECK(Narrow::Load(slots, trap) == std::pair<std::uint8_t, int>{});
  CHECK(trap == TrapCode::ValueOutOfRange);
  slots[0] = 0xFFFFFFFF000000FF;
  CHECK(Narrow::Load(slots, trap) == std::pair<std::uint8_t, int>{255, 1});
  CHECK(trap == TrapCode::None);
  CHECK(CallSignature<std::int8_t()>::CheckResults(slots) == TrapCode::ValueOutOfRange);
  slots[0] = 101;
  CHECK(CallSignature<Percent()>::CheckResults(slots) == TrapCode::ValueOutOfRange);
  slots[0] = 100;
  CHECK(CallSignature<Percent()>::CheckResults(slots) == TrapCode::None);
  CHECK(CallSignature<Percent()>::Load(slots).value == 100);
}
