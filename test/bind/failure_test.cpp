// SPDX-License-Identifier: Apache-2.0
/// @file
/// What leaves a thunk when something goes wrong in it, and in which order things are undone.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::TrapCode;

namespace {

std::vector<std::string> events;

/// A user type that records its life. Negative numbers fail to convert.
template <int kTag>
struct Recorded {
  explicit Recorded(int number) : value{number} {
    if (number < 0) throw std::out_of_range("negative");
    events.push_back("make " + std::to_string(kTag));
  }
  Recorded(Recorded&& other) noexcept : value{std::exchange(other.value, -1)} {}
  ~Recorded() {
    if (value >= 0) events.push_back("destroy " + std::to_string(kTag));
  }
  int value;
};

struct Unreturnable {};

}  // namespace

template <int kTag>
struct tenon::WasmType<Recorded<kTag>> {
  using Wire = int;
  static Recorded<kTag> FromWasm(int value) { return Recorded<kTag>{value}; }
};
template <>
struct tenon::WasmType<Unreturnable> {
  using Wire = int;
  static int ToWasm(const Unreturnable&) { throw std::domain_error("no value"); }
};

TEST_CASE("an exception becomes the pending one, with its type, and zero is returned") {
  FakeInstance fake;
  auto function = Bind([](std::uint32_t v) -> std::uint32_t {
    if (v == 0) throw std::runtime_error("zero");
    return v;
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 5u) == 5);
  CHECK(fake.raised == 0);
  CHECK(fake.Native<std::uint32_t>(function.Get(), 0u) == 0);
  CHECK(fake.raised == 1);
  REQUIRE(fake.exception != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(fake.exception), std::runtime_error);
  fake.Clear();
  CHECK(fake.Slots(function.Get(), {0})[0] == 0);
  CHECK(fake.raised == 1);
}

TEST_CASE("anything can be thrown") {
  FakeInstance fake;
  auto function = Bind([]() -> double { throw 42; });
  CHECK(fake.Native<double>(function.Get()) == 0.0);
  CHECK_THROWS_AS(std::rethrow_exception(fake.exception), int);
}

TEST_CASE("an exception with several results leaves their area alone") {
  FakeInstance fake;
  auto function = Bind([]() -> std::pair<int, int> { throw 1; });
  tenon::abi::Slot results[2] = {7, 8};
  fake.Native<void>(function.Get(), &results[0]);
  CHECK(fake.exception != nullptr);
  CHECK(results[0] == 7);
  CHECK(results[1] == 8);
}

TEST_CASE("user types convert left to right and are destroyed before the thunk returns") {
  FakeInstance fake;
  events.clear();
  auto function = Bind([](Recorded<0> a, std::string_view, Recorded<1> b, Recorded<2> c) {
    events.push_back("call");
    return a.value + b.value + c.value;
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 1u, 0u, 0u, 2u, 3u) == 6);
  REQUIRE(events.size() == 7);
  CHECK(events[0] == "make 0");
  CHECK(events[1] == "make 1");
  CHECK(events[2] == "make 2");
  CHECK(events[3] == "call");
}

TEST_CASE("a conversion that throws undoes the ones before it") {
  FakeInstance fake;
  events.clear();
  auto function = Bind([](Recorded<0>, Recorded<1>, Recorded<2>) { events.push_back("call"); });
  fake.Native<void>(function.Get(), 1u, static_cast<std::uint32_t>(-1), 3u);
  CHECK(events == std::vector<std::string>{"make 0", "destroy 0"});
  CHECK_THROWS_AS(std::rethrow_exception(fake.exception), std::out_of_range);
}

TEST_CASE("no conversion runs if an operand fails its check") {
  FakeInstance fake;
  events.clear();
  auto function = Bind([](Recorded<0>, std::string_view) { events.push_back("call"); });
  fake.Native<void>(function.Get(), 1u, 1u, 0xFFFFFFFFu);
  CHECK(events.empty());
  CHECK(fake.trap == TrapCode::OutOfBoundsMemoryAccess);
  CHECK(fake.parameter == 1);
  CHECK(fake.exception == nullptr);
}

TEST_CASE("a lone user type converts in place") {
  FakeInstance fake;
  events.clear();
  auto function = Bind([](Recorded<0> a) {
    events.push_back("call");
    return a.value;
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 3u) == 3);
  CHECK(events == std::vector<std::string>{"make 0", "call", "destroy 0"});
}

TEST_CASE("a result that fails to convert is an exception") {
  FakeInstance fake;
  auto function = Bind([] { return Unreturnable{}; });
  CHECK(fake.Native<std::uint32_t>(function.Get()) == 0);
  CHECK_THROWS_AS(std::rethrow_exception(fake.exception), std::domain_error);
}
