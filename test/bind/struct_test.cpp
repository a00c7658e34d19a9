// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs as parameters and results: layout, by pointer, flattened, with listed fields.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/aggregate.hpp>

#include "fake_instance.hpp"

using namespace tenon_test;
using tenon::Flat;
using tenon::GuestPtr;
using tenon::GuestSize;
using tenon::In;
using tenon::Indirect;
using tenon::InOut;
using tenon::Out;
using tenon::TrapCode;
using tenon::ValueType;
using tenon::View;
using tenon::bind::GuestLayout;

namespace {

enum class Colour : std::uint8_t { Red, Green };

struct Point {
  std::int32_t x, y;
  friend bool operator==(const Point&, const Point&) = default;
};
struct Mixed {
  std::uint8_t tag;
  double weight;
  bool flag;
  std::uint16_t port;
  Colour colour;
  GuestPtr<char> name;
  GuestSize size;
};
struct Nested {
  std::uint8_t first;
  Point point;
  std::array<std::int16_t, 3> numbers;
  std::optional<std::int32_t> maybe;
  std::int64_t last;
};
struct Vector {
  tenon::V128 lanes;
  std::uint8_t rest;
};
struct alignas(32) Aligned {
  std::int32_t value;
};

/// With an array and a private member: its fields are listed.
class Packet {
 public:
  Packet() = default;
  std::uint16_t length = 0;
  std::uint8_t bytes[5] = {};
  std::uint32_t Checksum() const { return checksum_; }

 private:
  friend struct tenon::Fields<Packet>;
  std::uint32_t checksum_ = 0;
};

}  // namespace

template <>
struct tenon::Fields<Packet>
    : tenon::FieldList<&Packet::length, &Packet::bytes, &Packet::checksum_> {};

TEST_CASE("structs are laid out as C for wasm32 does") {
  using tenon::bind::FieldsOf;
  using tenon::bind::detail::StructLayout;
  CHECK(GuestLayout<Point>::kSize == 8);
  CHECK(GuestLayout<Point>::kReadsWhole);
  CHECK(GuestLayout<Point>::kWritesWhole);

  using M = GuestLayout<Mixed>;
  CHECK(M::kSize == 32);
  CHECK(M::kAlignment == 8);
  const std::vector<std::uint64_t> mixed(M::kOffsets, M::kOffsets + 7);
  CHECK(mixed == std::vector<std::uint64_t>{0, 8, 16, 18, 20, 24, 28});
  CHECK(!M::kReadsWhole);

  using N = GuestLayout<Nested>;
  CHECK(N::kSize == 40);
  const std::vector<std::uint64_t> nested(N::kOffsets, N::kOffsets + 5);
  CHECK(nested == std::vector<std::uint64_t>{0, 4, 12, 20, 32});

  CHECK(GuestLayout<Vector>::kSize == 32);
  CHECK(GuestLayout<Vector>::kAlignment == 16);
  CHECK(GuestLayout<Aligned>::kSize == 32);
  CHECK(GuestLayout<Packet>::kSize == 12);
  CHECK(GuestLayout<Packet>::kAlignment == 4);
}

TEST_CASE("a struct behind a pointer is copied field by field, at any alignment") {
  FakeInstance fake;
  std::uint8_t* const at = fake.Bytes() + 7;
  std::memset(at, 0xEE, 32);
  const double weight = 2.5;
  const std::uint16_t port = 8080;
  const std::uint32_t name = 99, size = 7;
  at[0] = 3;
  std::memcpy(at + 8, &weight, 8);
  at[16] = 2;
  std::memcpy(at + 18, &port, 2);
  at[20] = 1;
  std::memcpy(at + 24, &name, 4);
  std::memcpy(at + 28, &size, 4);
  bool same = false;
  auto function = Bind([&](In<Mixed> in, Out<Mixed> out) {
    same = in->tag == 3 && in->weight == 2.5 && in->flag && in->port == 8080 &&
           in->colour == Colour::Green && in->name.Offset() == 99 && in->size == 7u;
    *out = *in;
    out->tag = 4;
  });
  std::memset(fake.Bytes() + 101, 0xCC, 32);
  fake.Native<void>(function.Get(), 7u, 101u);
  CHECK(same);
  const std::uint8_t* const to = fake.Bytes() + 101;
  CHECK(to[0] == 4);
  CHECK(to[16] == 1);
  CHECK(to[20] == 1);
  CHECK(std::memcmp(to + 24, at + 24, 8) == 0);
  // Nothing of the host leaks into the guest's padding.
  for (const int padding : {1, 2, 7, 17, 21, 22, 23}) CHECK(to[padding] == 0xCC);
}

TEST_CASE("nested structs, arrays and optionals have their places") {
  FakeInstance fake;
  std::memset(fake.Bytes(), 0, FakeInstance::kMemorySize);
  auto write = Bind([](Out<Nested> out) { *out = {1, {2, 3}, {4, 5, 6}, 7, 8}; });
  fake.Native<void>(write.Get(), 40u);
  const std::uint8_t* const at = fake.Bytes() + 40;
  CHECK(at[0] == 1);
  CHECK(at[4] == 2);
  CHECK(at[8] == 3);
  CHECK(at[12] == 4);
  CHECK(at[16] == 6);
  CHECK(at[20] == 1);
  CHECK(at[24] == 7);
  CHECK(at[32] == 8);
  bool same = false;
  auto read = Bind([&](In<Nested> in) {
    same = in->first == 1 && in->point == Point{2, 3} && in->numbers[2] == 6 && in->maybe == 7 &&
           in->last == 8;
  });
  fake.Native<void>(read.Get(), 40u);
  CHECK(same);
  fake.Bytes()[60] = 0;
  auto empty = Bind([&](InOut<Nested> in) { same = !in->maybe.has_value(); });
  fake.Native<void>(empty.Get(), 40u);
  CHECK(same);
}

TEST_CASE("listed fields may be arrays and private") {
  FakeInstance fake;
  std::memcpy(fake.Bytes() + 8, "\x05\0abcde\0\x2a\0\0\0", 12);
  std::string text;
  auto function = Bind([&](InOut<Packet> packet) {
    text.assign(packet->bytes, packet->bytes + packet->length);
    packet->bytes[0] = 'A';
    return packet->Checksum();
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 8u) == 42);
  CHECK(text == "abcde");
  CHECK(fake.Bytes()[10] == 'A');
}

TEST_CASE("spans and views of structs have the guest's stride") {
  FakeInstance fake;
  std::memset(fake.Bytes(), 0, FakeInstance::kMemorySize);
  auto function = Bind([](View<Vector> view, InOut<std::span<Point>> points) {
    view[1] = Vector{{{1, 2, 3}}, 9};
    for (Point& point : *points) point.x += 1;
    return static_cast<std::uint32_t>(static_cast<Vector>(view[1]).rest);
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 5u, 2u, 101u, 3u) == 9);
  CHECK(fake.Bytes()[5 + 32] == 1);
  CHECK(fake.Bytes()[5 + 48] == 9);
  CHECK(fake.Bytes()[101 + 16] == 1);
  CHECK(fake.Bytes()[101 + 24] == 0);
}

TEST_CASE("a Flat struct is one operand for each field") {
  FakeInstance fake;
  struct Wide {
    std::uint8_t byte;
    std::array<Point, 2> points;
    std::optional<double> maybe;
  };
  double sum = 0;
  auto function = Bind([&](float, Flat<Wide> wide, std::int64_t) {
    sum = wide->byte + wide->points[0].x + wide->points[1].y + wide->maybe.value_or(1000);
  });
  CHECK(Parameters(function.Get()) ==
        std::vector<ValueType>{ValueType::F32, ValueType::I32, ValueType::I32, ValueType::I32,
                               ValueType::I32, ValueType::I32, ValueType::I32, ValueType::F64,
                               ValueType::I64});
  CHECK(Widths(function.Get()) == std::vector<int>{1, 7, 1});
  CHECK((function.Get().signature->flags & tenon::abi::kFunctionNeedsMemory) == 0);
  const auto call = [&](std::uint32_t byte, std::uint32_t has) {
    fake.Clear();
    fake.Native<void>(function.Get(), 0.0f, byte, 10u, 20u, 30u, 40u, has, 0.5, std::uint64_t{0});
  };
  call(1, 1);
  CHECK(sum == 51.5);
  call(1, 0);
  CHECK(sum == 1051);
  call(256, 0);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
  CHECK(fake.parameter == 1);
}

TEST_CASE("a Flat result is one result for each field") {
  FakeInstance fake;
  auto function = Bind([](std::int32_t x) -> Flat<Nested> {
    return Nested{1, {x, 3}, {4, 5, -6}, std::nullopt, 8};
  });
  CHECK(Results(function.Get()).size() == 9);
  tenon::abi::Slot area[9] = {};
  fake.Native<void>(function.Get(), 2u, &area[0]);
  CHECK(area[1] == 2);
  CHECK(static_cast<std::int32_t>(area[5]) == -6);
  CHECK(area[6] == 0);
  CHECK(area[8] == 8);
  struct One {
    std::int64_t value;
  };
  auto single = Bind([] { return Flat<One>{One{77}}; });
  CHECK(fake.Native<std::uint64_t>(single.Get()) == 77);
}

TEST_CASE("an Indirect result goes where the first operand points") {
  FakeInstance fake;
  int calls = 0;
  auto function = Bind([&](tenon::Module&, std::int32_t x, Indirect<Point> other, std::uint8_t) {
    ++calls;
    return Indirect<Point>{Point{x, other->y}};
  });
  CHECK(Parameters(function.Get()) == std::vector<ValueType>(4, ValueType::I32));
  CHECK(Results(function.Get()).empty());
  CHECK(Widths(function.Get()) == std::vector<int>{1, 1, 1});
  CHECK(function.Get().signature->special_count == 1);
  CHECK(function.Get().signature->result_operands == 1);
  const std::int32_t y = 88;
  std::memcpy(fake.Bytes() + 20, &y, 4);
  const auto call = [&](std::uint32_t place, std::uint32_t other, std::uint32_t last) {
    fake.Clear();
    fake.Native<void>(function.Get(), place, 77u, other, last);
  };
  call(33, 16, 0);
  std::int32_t written[2];
  std::memcpy(written, fake.Bytes() + 33, 8);
  CHECK(written[0] == 77);
  CHECK(written[1] == 88);
  CHECK(calls == 1);
  call(0, 16, 0);
  CHECK(fake.trap == TrapCode::NullReference);
  CHECK(fake.parameter == tenon::abi::kResultPlace);
  call(256 - 7, 16, 0);
  CHECK(fake.trap == TrapCode::OutOfBoundsMemoryAccess);
  call(33, 256, 0);
  CHECK(fake.parameter == 2);
  call(33, 16, 256);
  CHECK(fake.parameter == 3);
  CHECK(calls == 1);
}
