// SPDX-License-Identifier: Apache-2.0
/// @file
/// Every kind of callable: deduced, stored once, never copied, destroyed once.
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::ValueType;
using tenon::bind::MakeHostFunction;
using tenon::bind::OwnedHostFunction;

namespace {

std::uint32_t Twice(std::uint32_t value) { return 2 * value; }
std::uint32_t TwiceNoexcept(std::uint32_t value) noexcept { return 2 * value; }
std::uint32_t Overloaded(std::uint32_t value) { return value + 1; }
double Overloaded(double value) { return value + 0.5; }
std::int64_t Widen(std::int64_t value) { return value + 1; }

struct Functor {
  std::uint32_t operator()(std::uint32_t value) { return value + ++count; }
  std::uint32_t count = 0;
};
struct ReferenceQualified {
  std::uint32_t operator()(std::uint32_t value) & { return value; }
};
struct Generic {
  template <class T>
  T operator()(T value) const {
    return value;
  }
};
struct OverAligned {
  alignas(128) std::uint32_t value = 7;
  std::uint32_t operator()(std::uint32_t by) const {
    return reinterpret_cast<std::uintptr_t>(this) % 128 == 0 ? value * by : 0;
  }
};

struct Counter {
  std::uint32_t Add(std::uint32_t value) { return count += value; }
  std::uint32_t Peek(std::uint32_t value) const noexcept { return count * value; }
  std::uint32_t Ref(std::uint32_t value) & { return count - value; }
  std::uint32_t count = 10;
};
struct Derived : Counter {};

std::uint32_t Call(const OwnedHostFunction& function, std::uint32_t value) {
  FakeInstance fake;
  const auto native = fake.Native<std::uint32_t>(function.Get(), value);
  CHECK(fake.raised == 0);
  return native;
}

struct Count {
  int moved = 0, copied = 0, destroyed = 0;
};
struct Tracked {
  explicit Tracked(Count& c) : count{&c} {}
  Tracked(const Tracked& other) : count{other.count} { ++count->copied; }
  Tracked(Tracked&& other) noexcept : count{other.count} { ++count->moved; }
  ~Tracked() { ++count->destroyed; }
  Tracked& operator=(const Tracked&) = delete;
  std::uint32_t operator()(std::uint32_t value) const { return value; }
  Count* count;
};

}  // namespace

TEST_CASE("functions bind by name, pointer, reference and as template argument") {
  CHECK(Call(Bind(Twice), 21) == 42);
  CHECK(Call(Bind(&Twice), 21) == 42);
  CHECK(Call(Bind(TwiceNoexcept), 21) == 42);
  std::uint32_t (&reference)(std::uint32_t) = Twice;
  CHECK(Call(Bind(reference), 21) == 42);
  std::uint32_t (*const pointer)(std::uint32_t) = &Twice;
  CHECK(Call(Bind(pointer), 21) == 42);
  CHECK(Call(OwnedHostFunction{MakeHostFunction<Twice>()}, 21) == 42);
  CHECK(Call(OwnedHostFunction{MakeHostFunction<&TwiceNoexcept>()}, 21) == 42);
  CHECK(Call(OwnedHostFunction{MakeHostFunction<[](std::uint32_t v) { return v + 1; }>()}, 1) == 2);
  CHECK(MakeHostFunction<Twice>().state == nullptr);
  CHECK(MakeHostFunction(Twice).destroy == nullptr);
}

TEST_CASE("lambdas bind, with and without captures, mutable and move-only") {
  std::uint32_t added = 5;
  CHECK(Call(Bind([](std::uint32_t v) { return v; }), 3) == 3);
  CHECK(Call(Bind([](std::uint32_t v) noexcept { return v; }), 3) == 3);
  CHECK(Call(Bind([added](std::uint32_t v) { return v + added; }), 3) == 8);
  CHECK(Call(Bind([&added](std::uint32_t v) { return v + added; }), 3) == 8);
  auto unique = std::make_unique<std::uint32_t>(9);
  auto bound = Bind([owned = std::move(unique)](std::uint32_t v) { return v + *owned; });
  CHECK(Call(bound, 1) == 10);
  auto counting = Bind([count = 0u](std::uint32_t v) mutable { return v + ++count; });
  CHECK(Call(counting, 10) == 11);
  CHECK(Call(counting, 10) == 12);
  CHECK(Bind([](std::uint32_t v) { return v; }).Get().state == nullptr);
  const auto named = [added](std::uint32_t v) { return v * added; };
  CHECK(Call(Bind(named), 2) == 10);
}

TEST_CASE("function objects keep their state between calls") {
  Functor functor;
  auto copied = Bind(functor);
  CHECK(Call(copied, 0) == 1);
  CHECK(Call(copied, 0) == 2);
  CHECK(functor.count == 0);
  auto referenced = Bind(std::ref(functor));
  CHECK(Call(referenced, 0) == 1);
  CHECK(Call(referenced, 0) == 2);
  CHECK(functor.count == 2);
  CHECK(referenced.Get().destroy == nullptr);
  CHECK(Call(Bind(ReferenceQualified{}), 4) == 4);
  CHECK(Call(Bind(OverAligned{}), 6) == 42);
}

TEST_CASE("std::function and std::reference_wrapper bind") {
  std::function<std::uint32_t(std::uint32_t)> function = Twice;
  CHECK(Call(Bind(function), 4) == 8);
  CHECK(Call(Bind(std::ref(function)), 4) == 8);
  CHECK(Call(Bind(std::cref(function)), 4) == 8);
  CHECK(Call(Bind(std::ref(Twice)), 4) == 8);
  CHECK(Call(Bind(std::function<std::uint32_t(std::uint32_t)>{Twice}), 4) == 8);
}

TEST_CASE("an empty std::function gives an empty host function") {
  CHECK_FALSE(Bind(std::function<void()>{}));
  CHECK(Bind(std::function<void()>{[] {}}));
}

TEST_CASE("generic and overloaded callables bind by a named signature") {
  CHECK(Call(BindAs<std::uint32_t(std::uint32_t)>(Generic{}), 4) == 4);
  CHECK(Call(BindAs<std::uint32_t(std::uint32_t)>([](auto v) { return v * 3; }), 4) == 12);
  CHECK(Call(BindAs<std::uint32_t(std::uint32_t)>(
                 std::bind_front([](std::uint32_t a, std::uint32_t b) { return a - b; }, 50u)),
             8) == 42);
  OwnedHostFunction first{MakeHostFunction<std::uint32_t(std::uint32_t)>(Overloaded)};
  CHECK(Call(first, 4) == 5);
  OwnedHostFunction second{MakeHostFunction<double(double)>(&Overloaded)};
  FakeInstance fake;
  CHECK(fake.Native<double>(second.Get(), 1.0) == 1.5);
  OwnedHostFunction third{MakeHostFunction<std::uint32_t(std::uint32_t)>(TwiceNoexcept)};
  CHECK(Call(third, 4) == 8);
}

TEST_CASE("a named signature converts parameters and result") {
  FakeInstance fake;
  OwnedHostFunction function{MakeHostFunction<std::int32_t(std::int32_t)>(Widen)};
  CHECK(Parameters(function.Get()) == std::vector<ValueType>{ValueType::I32});
  CHECK(fake.Native<std::uint32_t>(function.Get(), 41u) == 42);
  auto dropped = BindAs<void(std::uint32_t)>(Twice);
  CHECK(Results(dropped.Get()).empty());
  fake.Native<void>(dropped.Get(), 1u);
}

TEST_CASE("member functions bind with a pointer, a reference or an object") {
  Counter counter;
  auto by_pointer = Bind(&Counter::Add, &counter);
  CHECK(Call(by_pointer, 1) == 11);
  CHECK(Call(Bind(&Counter::Add, counter), 1) == 12);
  CHECK(Call(Bind(&Counter::Add, std::ref(counter)), 1) == 13);
  CHECK(Call(Bind(&Counter::Ref, counter), 1) == 12);
  CHECK(counter.count == 13);
  const Counter& constant = counter;
  CHECK(Call(Bind(&Counter::Peek, constant), 2) == 26);
  CHECK(Call(Bind(&Counter::Peek, std::cref(counter)), 2) == 26);
  auto owned = Bind(&Counter::Add, Counter{});
  CHECK(Call(owned, 5) == 15);
  CHECK(Call(owned, 5) == 20);
  Derived derived;
  CHECK(Call(Bind(&Counter::Add, derived), 1) == 11);
  CHECK(Call(Bind(&Counter::Add, &derived), 1) == 12);
}

TEST_CASE("member functions keep smart pointers alive") {
  auto shared = std::make_shared<Counter>();
  auto function = Bind(&Counter::Add, shared);
  CHECK(shared.use_count() == 2);
  CHECK(Call(function, 1) == 11);
  function = OwnedHostFunction{};
  CHECK(shared.use_count() == 1);
  CHECK(Call(Bind(&Counter::Add, std::make_unique<Counter>()), 2) == 12);
}

TEST_CASE("a member function as template argument needs no state") {
  Counter counter;
  OwnedHostFunction function{MakeHostFunction<&Counter::Add>(counter)};
  CHECK(Call(function, 1) == 11);
  CHECK(function.Get().state == &counter);
  CHECK(function.Get().destroy == nullptr);
  const Counter constant;
  OwnedHostFunction peek{MakeHostFunction<&Counter::Peek>(&constant)};
  CHECK(Call(peek, 2) == 20);
  OwnedHostFunction owning{MakeHostFunction<&Counter::Add>(Counter{})};
  CHECK(Call(owning, 3) == 13);
}

TEST_CASE("null pointers give an empty host function") {
  std::uint32_t (*function)(std::uint32_t) = nullptr;
  CHECK_FALSE(Bind(function));
  Counter* object = nullptr;
  CHECK_FALSE(Bind(&Counter::Add, object));
  std::uint32_t (Counter::*method)(std::uint32_t) = nullptr;
  Counter counter;
  CHECK_FALSE(Bind(method, counter));
  CHECK_FALSE(OwnedHostFunction{MakeHostFunction<&Counter::Add>(object)});
  CHECK(Bind(Twice));
}

TEST_CASE("state is moved once from an rvalue, copied once from an lvalue, and destroyed once") {
  Count count;
  {
    auto function = Bind(Tracked{count});
    CHECK(count.moved == 1);
    CHECK(count.destroyed == 1);
    CHECK(Call(function, 1) == 1);
    CHECK(Call(function, 2) == 2);
    auto moved = std::move(function);
    CHECK_FALSE(function);
    CHECK(count.moved == 1);
    CHECK(count.copied == 0);
  }
  CHECK(count.destroyed == 2);
  count = {};
  const Tracked tracked{count};
  {
    auto function = Bind(tracked);
    CHECK(Call(function, 1) == 1);
    CHECK(count.copied == 1);
    CHECK(count.moved == 0);
  }
  CHECK(count.destroyed == 1);
  {
    auto function = Bind(std::cref(tracked));
    CHECK(Call(function, 1) == 1);
  }
  CHECK(count.copied == 1);
  CHECK(count.destroyed == 1);
}

TEST_CASE("OwnedHostFunction gives up and takes over ownership") {
  Count count;
  auto function = Bind(Tracked{count});
  const tenon::abi::HostFunction raw = function.Release();
  CHECK_FALSE(function);
  CHECK(count.destroyed == 1);
  OwnedHostFunction again{raw};
  OwnedHostFunction other = Bind(Tracked{count});
  CHECK(count.destroyed == 2);
  other = std::move(again);
  CHECK(count.destroyed == 3);
  OwnedHostFunction& alias = other;
  other = std::move(alias);
  CHECK(other);
  CHECK(count.destroyed == 3);
  other = OwnedHostFunction{};
  CHECK(count.destroyed == 4);
}

TEST_CASE("callables of one wasm signature share their adapter and type lists") {
  auto a = Bind([](std::int32_t, float) { return 1.0; });
  auto b = Bind([](std::uint32_t v, float f) { return double{f} * v; });
  CHECK(a.Get().signature->invoke == b.Get().signature->invoke);
  CHECK(a.Get().signature->parameters == b.Get().signature->parameters);
  CHECK(a.Get().signature->thunk != b.Get().signature->thunk);
}

TEST_CASE("arguments beyond the registers arrive in order") {
  FakeInstance fake;
  auto function = Bind([](std::uint32_t a, double b, std::uint32_t c, float d, std::uint64_t e,
                          double f, std::uint32_t g, float h, std::uint64_t i, double j,
                          std::uint8_t k, double l, std::uint32_t m, double n, float o, double p,
                          double q, double r, tenon::V128 s, std::uint16_t t) {
    return std::array<double, 20>{
        double(a), b, double(c), d, double(e), f, double(g), h, double(i),          j,
        double(k), l, double(m), n, o,         p, q,         r, double(s.bytes[3]), double(t)};
  });
  tenon::abi::NativeV128 vector{};
  vector[3] = 19;
  tenon::abi::Slot results[20] = {};
  fake.Native<void>(function.Get(), 1u, 2.0, 3u, 4.0f, std::uint64_t{5}, 6.0, 7u, 8.0f,
                    std::uint64_t{9}, 10.0, 11u, 12.0, 13u, 14.0, 15.0f, 16.0, 17.0, 18.0, vector,
                    20u, &results[0]);
  for (int i = 0; i < 20; ++i) CHECK(std::bit_cast<double>(results[i]) == i + 1);
  const auto f32 = [](float v) { return tenon::abi::Slot{std::bit_cast<std::uint32_t>(v)}; };
  const auto f64 = [](double v) { return std::bit_cast<tenon::abi::Slot>(v); };
  const auto slots = fake.Slots(function.Get(), {1,
                                                 f64(2),
                                                 3,
                                                 f32(4),
                                                 5,
                                                 f64(6),
                                                 7,
                                                 f32(8),
                                                 9,
                                                 f64(10),
                                                 11,
                                                 f64(12),
                                                 13,
                                                 f64(14),
                                                 f32(15),
                                                 f64(16),
                                                 f64(17),
                                                 f64(18),
                                                 std::uint64_t{19} << 24,
                                                 0,
                                                 20});
  for (std::size_t i = 0; i < 20; ++i) CHECK(std::bit_cast<double>(slots[i]) == double(i) + 1);
  CHECK(fake.raised == 0);
}
