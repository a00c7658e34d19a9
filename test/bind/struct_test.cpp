// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs as parameters and results: layout, by pointer, flattened, with listed fields.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
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

/// Listed in another order than they lie in, and with a gap.
class Shuffled {
 public:
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};
struct Gap {
  std::uint8_t tag = 0;
  std::uint8_t secret[3] = {7, 7, 7};
  std::uint32_t number = 0;
};
/// With C arrays, one of them of arrays.
struct Grid {
  std::uint8_t cells[2][3];
  Point corners[2];
};
enum class Switch : bool { Off, On };
struct Device {
  std::uint8_t id;
  Switch state;
  std::array<Switch, 2> more;
};
/// Crosses as an i32; logs when it is made.
struct Logged {
  std::int32_t value = 0;
  static inline std::vector<int> made;
};
/// Logs -1 when it is made, or throws.
struct Noted {
  Noted() {
    if (throws) throw std::runtime_error{"no"};
    Logged::made.push_back(-1);
  }
  std::int32_t value = 0;
  static inline bool throws = false;
};

/// What is not listed is the host's, whatever alignment it needs.
struct WithPointer {
  std::int32_t x;
  const void* host;
  std::int32_t y, z;
};
struct Virtual {
  virtual ~Virtual() = default;
  std::int32_t number = 0;
};

}  // namespace

template <>
struct tenon::Fields<WithPointer>
    : tenon::FieldList<&WithPointer::x, &WithPointer::y, &WithPointer::z> {};
template <>
struct tenon::Fields<Virtual> : tenon::FieldList<&Virtual::number> {};

template <>
struct tenon::Fields<Shuffled> : tenon::FieldList<&Shuffled::second, &Shuffled::first> {};
template <>
struct tenon::Fields<Gap> : tenon::FieldList<&Gap::tag, &Gap::number> {};
template <>
struct tenon::Fields<Grid> : tenon::FieldList<&Grid::cells, &Grid::corners> {};
template <>
struct tenon::Fields<Noted> : tenon::FieldList<&Noted::value> {};
template <>
struct tenon::WasmType<Logged> {
  using Wire = std::int32_t;
  static Logged FromWasm(std::int32_t value) {
    Logged::made.push_back(value);
    return {value};
  }
  static std::int32_t ToWasm(Logged logged) { return logged.value; }
};

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

TEST_CASE("fields are where the list says, not where they lie on the host") {
  FakeInstance fake;
  const std::uint32_t words[] = {2, 1, 20, 10};
  std::memcpy(fake.Bytes() + 8, words, 16);
  std::vector<std::uint32_t> seen;
  auto copies = Bind([&](In<Shuffled> one, InOut<std::span<Shuffled>> all) {
    seen = {one->first, one->second, (*all)[1].first, (*all)[1].second};
    (*all)[0].first = 5;
  });
  fake.Native<void>(copies.Get(), 8u, 8u, 2u);
  CHECK(seen == std::vector<std::uint32_t>{1, 2, 10, 20});
  auto views = Bind([&](View<Shuffled> view) {
    const Shuffled second = view[1];
    seen = {second.first, second.second};
    view[0] = second;
  });
  fake.Native<void>(views.Get(), 8u, 2u);
  CHECK(seen == std::vector<std::uint32_t>{10, 20});
  CHECK(std::memcmp(fake.Bytes() + 8, fake.Bytes() + 16, 8) == 0);
}

TEST_CASE("members that are not listed are neither read nor written") {
  FakeInstance fake;
  const std::uint8_t bytes[] = {1, 9, 9, 9, 2, 0, 0, 0, 3, 9, 9, 9, 4, 0, 0, 0};
  std::memcpy(fake.Bytes() + 16, bytes, sizeof(bytes));
  bool is_kept = false;
  auto function = Bind([&](In<Gap> one, InOut<std::span<Gap>> all) {
    is_kept = one->secret[0] == 7 && one->secret[2] == 7 && one->number == 2 &&
              (*all)[1].secret[1] == 7 && (*all)[1].number == 4;
    for (Gap& gap : *all) gap.tag = 0x55;
  });
  fake.Native<void>(function.Get(), 16u, 16u, 2u);
  CHECK(is_kept);
  for (const int at : {16, 24}) {
    CHECK(fake.Bytes()[at] == 0x55);
    CHECK(fake.Bytes()[at + 1] == 9);
    CHECK(fake.Bytes()[at + 3] == 9);
  }
}

TEST_CASE("members that are not listed do not align a struct in the guest") {
  STATIC_REQUIRE(GuestLayout<WithPointer>::kSize == 12);
  STATIC_REQUIRE(GuestLayout<WithPointer>::kAlignment == 4);
  STATIC_REQUIRE(GuestLayout<Virtual>::kSize == 4);
  STATIC_REQUIRE(GuestLayout<Virtual>::kAlignment == 4);
  FakeInstance fake;
  const std::int32_t numbers[] = {1, 2, 3, 4, 5, 6};
  std::memcpy(fake.Bytes() + 20, numbers, sizeof(numbers));
  std::int32_t sum = 0;
  auto function = Bind([&](In<std::span<const WithPointer>> all, In<Virtual> last) {
    sum = (*all)[1].x * 100 + (*all)[1].z * 10 + last->number;
  });
  fake.Native<void>(function.Get(), 20u, 2u, 40u);
  CHECK(sum == 466);
}

TEST_CASE("a listed C array is one value for each element in a Flat") {
  FakeInstance fake;
  Grid seen{};
  auto function = Bind([&](Flat<Grid> grid) {
    seen = *grid;
    return grid;
  });
  CHECK(Parameters(function.Get()) == std::vector<ValueType>(10, ValueType::I32));
  CHECK(Results(function.Get()) == std::vector<ValueType>(10, ValueType::I32));
  tenon::abi::Slot area[10] = {};
  fake.Native<void>(function.Get(), 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, &area[0]);
  CHECK(seen.cells[0][2] == 3);
  CHECK(seen.cells[1][0] == 4);
  CHECK(seen.corners[1] == Point{9, 10});
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(area[i] == i + 1);
  fake.Native<void>(function.Get(), 1u, 2u, 3u, 4u, 5u, 256u, 7u, 8u, 9u, 10u, &area[0]);
  CHECK(fake.trap == TrapCode::ValueOutOfRange);
}

TEST_CASE("enums of bool are bools in memory") {
  FakeInstance fake;
  const std::uint8_t bytes[] = {7, 2, 0, 0x80, 0xFF};
  std::memcpy(fake.Bytes() + 50, bytes, sizeof(bytes));
  auto function = Bind([](InOut<Device> device, In<Switch> one) {
    const bool same = device->id == 7 && device->state == Switch::On &&
                      device->more[0] == Switch::Off && device->more[1] == Switch::On &&
                      *one == Switch::On;
    device->state = Switch::Off;
    return same;
  });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 50u, 54u) == 1);
  const std::uint8_t written[] = {7, 0, 0, 1, 0xFF};
  CHECK(std::memcmp(fake.Bytes() + 50, written, sizeof(written)) == 0);
}

TEST_CASE("constructors of Flat structs run in their turn, and may throw") {
  FakeInstance fake;
  Logged::made.clear();
  auto function =
      Bind([](Flat<Noted> first, Logged second) { return first->value + second.value; });
  CHECK(fake.Native<std::uint32_t>(function.Get(), 1u, 3u) == 4);
  CHECK(Logged::made == std::vector<int>{-1, 3});
  Noted::throws = true;
  fake.Native<std::uint32_t>(function.Get(), 1u, 3u);
  Noted::throws = false;
  CHECK(fake.exception != nullptr);
  CHECK(Logged::made == std::vector<int>{-1, 3});
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
