// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs that a host passes to functions of a guest, and takes from them.
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/aggregate.hpp>
#include <tenon/tenon.hpp>

#include "../support/exact_memory.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scripted_guest.hpp"

using tenon::Flat;
using tenon::GuestObject;
using tenon::In;
using tenon::Indirect;
using tenon::InOut;
using tenon::Out;
using namespace tenon_test;
using Slots = ScriptedGuest::Slots;

namespace {

struct Point {
  std::int32_t x, y;
  friend bool operator==(const Point&, const Point&) = default;
};
/// Has padding behind `kind` and `is_on`, which must not show what the host has there.
struct Record {
  std::uint8_t kind;
  double weight;
  tenon::GuestPtr<char> name;
  bool is_on;
  friend bool operator==(const Record&, const Record&) = default;
};
struct Maybe {
  std::optional<std::uint32_t> value;
  std::array<Point, 2> points;
};
struct Mixed {
  std::int32_t a, b, c;
  double d;
};

/// The guest knows two of its fields.
struct Cached {
  std::int32_t x = 0;
  const void* host_only = nullptr;
  std::int32_t y = 0;
};

std::uint32_t At(const Slots& slots, std::size_t index) {
  return static_cast<std::uint32_t>(slots.at(index));
}

}  // namespace

template <>
struct tenon::Fields<Cached> : tenon::FieldList<&Cached::x, &Cached::y> {};

TEST_CASE("a struct is in the guest's memory, as C lays it out, for the time of a call") {
  ScriptedGuest guest{EachEngine()};
  for (std::uint32_t i = 1024; i < 1200; ++i) guest.memory.WriteByte(i, 0xAA);
  guest.scripts["text"] = [&](const Slots& slots) {
    const std::uint32_t at = At(slots, 0);
    CHECK(at % 8 == 0);
    CHECK(guest.memory.ReadByte(at) == 7);
    CHECK(guest.memory.ReadByte(at + 1) == 0xAA);  // padding is left alone
    CHECK(guest.memory.ReadFloat64Le(at + 8) == 2.5);
    CHECK(guest.memory.ReadUint32Le(at + 16) == 99);
    CHECK(guest.memory.ReadByte(at + 20) == 1);
    CHECK(guest.memory.ReadByte(at + 21) == 0xAA);
    guest.memory.WriteByte(at, 8);
    return Slots{5};
  };
  const auto take = guest.module.ExportedFunction<int(In<Record>)>(
      "text", tenon::GuestAllocator::Find(guest.module));
  const Record record{7, 2.5, tenon::GuestPtr<char>{99}, true};
  CHECK(take(record) == 5);
  CHECK(record.kind == 7);
  CHECK(guest.asked == std::vector<std::uint32_t>{24});
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});
  CHECK(take(tenon::CallContext{}, record) == 5);
  CHECK(take.TryCall(record).Value() == 5);
}

TEST_CASE("an InOut struct comes back changed, an Out struct is zero for the guest") {
  ScriptedGuest guest{EachEngine()};
  for (std::uint32_t i = 1024; i < 1200; ++i) guest.memory.WriteByte(i, 0xAA);
  guest.scripts["use"] = [&](const Slots& slots) {
    CHECK(guest.memory.ReadUint32Le(At(slots, 0)) == 3);
    guest.memory.WriteUint32Le(At(slots, 0) + 4, 40);
    const auto bytes = guest.memory.View(At(slots, 1), 24).value();
    for (const std::uint8_t byte : bytes) CHECK(byte == 0);
    bytes[0] = 9;
    guest.memory.WriteFloat64Le(At(slots, 1) + 8, 1.5);
    bytes[20] = 2;
    return Slots{0};
  };
  const auto use = guest.module.ExportedFunction<int(InOut<Point>, Out<Record>)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  Point point{3, 4};
  Record record{1, 1, tenon::GuestPtr<char>{1}, false};
  CHECK(use(point, record) == 0);
  CHECK(point == Point{3, 40});
  CHECK(record == Record{9, 1.5, {}, true});
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});
}

TEST_CASE("single numbers cross by pointer in each direction") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["mixed"] = [&](const Slots& slots) {
    CHECK(guest.memory.ReadUint32Le(At(slots, 0)) == 6);
    CHECK(guest.memory.ReadByte(At(slots, 1)) == 1);
    guest.memory.WriteByte(At(slots, 1), 0);
    guest.memory.WriteFloat64Le(At(slots, 2), 0.25);
    return Slots{slots[3]};
  };
  const auto mixed =
      guest.module.ExportedFunction<double(In<int>, InOut<bool>, Out<double>, double)>(
          "mixed", tenon::GuestAllocator::Find(guest.module));
  bool is_set = true;
  double quarter = 7;
  CHECK(mixed(6, is_set, quarter, 3.5) == 3.5);
  CHECK_FALSE(is_set);
  CHECK(quarter == 0.25);
}

TEST_CASE("spans of structs are copied element by element, with the direction said or not") {
  ScriptedGuest guest{EachEngine()};
  std::uint32_t second_kind = 0;
  guest.scripts["use4"] = [&](const Slots& slots) {
    CHECK(At(slots, 1) == 2);
    CHECK(At(slots, 3) == 3);
    second_kind = guest.memory.ReadByte(At(slots, 0) + 24).value();
    guest.memory.WriteByte(At(slots, 0) + 24, 77);
    for (std::uint32_t i = 0; i < 3; ++i) {
      CHECK(guest.memory.ReadUint32Le(At(slots, 2) + 8 * i) == 0);
      guest.memory.WriteUint32Le(At(slots, 2) + 8 * i, 10 + i);
    }
    return Slots{0};
  };
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  std::array<Record, 2> records = {Record{1, 1, {}, false}, Record{2, 2, {}, true}};
  std::array<Point, 3> points = {Point{9, 9}, Point{9, 9}, Point{9, 9}};
  guest.module.ExportedFunction<int(std::span<Record>, Out<std::span<Point>>)>("use4", allocator)(
      records, points);
  CHECK(second_kind == 2);
  CHECK(records[1].kind == 77);
  CHECK(points == std::array<Point, 3>{Point{10, 0}, Point{11, 0}, Point{12, 0}});

  guest.module.ExportedFunction<int(In<std::span<const Record>>, InOut<std::span<Point>>)>(
      "use4", allocator);
  guest.scripts["use"] = [&](const Slots& slots) {
    CHECK(guest.memory.ReadByte(At(slots, 0)) == 1);
    CHECK(guest.memory.ReadByte(At(slots, 0) + 1) == 0);
    return Slots{At(slots, 1)};
  };
  const std::array<bool, 2> flags = {true, false};
  CHECK(guest.module.ExportedFunction<int(std::span<const bool>)>("use", allocator)(flags) == 2);
  CHECK(guest.module.ExportedFunction<int(In<std::string_view>)>("use", allocator)("\1") == 1);
  CHECK(guest.freed.size() == 4);
}

TEST_CASE("optionals and arrays in structs keep their layout on the way") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["text"] = [&](const Slots& slots) {
    const std::uint32_t at = At(slots, 0);
    CHECK(guest.memory.ReadByte(at) == 1);
    CHECK(guest.memory.ReadUint32Le(at + 4) == 5);
    CHECK(guest.memory.ReadUint32Le(at + 20) == 4);
    guest.memory.WriteByte(at, 0);
    guest.memory.WriteUint32Le(at + 20, 44);
    return Slots{0};
  };
  Maybe maybe{5, {Point{1, 2}, Point{3, 4}}};
  guest.module.ExportedFunction<int(InOut<Maybe>)>(
      "text", tenon::GuestAllocator::Find(guest.module))(maybe);
  CHECK_FALSE(maybe.value);
  CHECK(maybe.points[1] == Point{3, 44});
}

TEST_CASE("fields that are not listed are not shown to the guest and stay as they are") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use"] = [&](const Slots& slots) {
    CHECK(guest.memory.ReadUint32Le(At(slots, 0) + 4) == 2);
    guest.memory.WriteUint32Le(At(slots, 0) + 4, 20);
    guest.memory.WriteUint32Le(At(slots, 1), 30);
    return Slots{0};
  };
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  Cached first{1, &guest, 2};
  Cached second{3, &guest, 4};
  guest.module.ExportedFunction<int(InOut<Cached>, Out<Cached>)>("use", allocator)(first, second);
  CHECK(guest.asked == std::vector<std::uint32_t>{8, 8});
  CHECK(first.x == 1);
  CHECK(first.host_only == &guest);
  CHECK(first.y == 20);
  CHECK(second.x == 30);
  CHECK(second.host_only == &guest);
  CHECK(second.y == 0);
}

TEST_CASE("what is passed by reference stays as it was when the call throws") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["use"] = [&](const Slots& slots) -> Slots {
    guest.memory.WriteUint32Le(At(slots, 0), 9);
    guest.memory.WriteUint32Le(At(slots, 1), 9);
    throw std::runtime_error{"use"};
  };
  const auto use = guest.module.ExportedFunction<int(InOut<Point>, Out<Point>)>(
      "use", tenon::GuestAllocator::Find(guest.module));
  Point first{1, 2}, second{3, 4};
  CHECK(TextOf<std::runtime_error>([&] { use(first, second); }) == "use");
  CHECK(first == Point{1, 2});
  CHECK(second == Point{3, 4});
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});
}

TEST_CASE("arguments may be the guest's memory, and overlap the place that it gives them") {
  const tenon::Runtime runtime{EachEngine()};
  guests::Guest built;
  built.Export("memory", guests::Kind::Memory, built.Memory(1, 1));
  const guests::Signature taking{{guests::kI32}, {}};
  built.Add("malloc", {{guests::kI32}, {guests::kI32}},
            [](guests::CodeBuilder& code) { code.I32Const(2056); });
  built.Add("free", taking, [](guests::CodeBuilder&) {});
  built.Add("take", {{guests::kI32, guests::kI32}, {}}, [](guests::CodeBuilder&) {});
  const tenon::Module guest = runtime.Instantiate(built.Build());
  const auto bytes = guest.DefaultMemory().View(2048, 64);
  REQUIRE(bytes.has_value());
  const std::span numbers{reinterpret_cast<std::int32_t*>(bytes->data()), 16};
  for (std::int32_t i = 0; i < 16; ++i) numbers[static_cast<std::size_t>(i)] = i;
  guest.ExportedFunction<void(std::span<std::int32_t>)>(
      "take", tenon::GuestAllocator::Find(guest))(numbers);
  for (std::int32_t i = 0; i < 16; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("an allocator that has its module closed ends the call as a closed module does") {
  const tenon::Runtime runtime{EachEngine()};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](const tenon::Module& caller) { caller.CloseWithExitCode(4); })
      .Export("close")
      .Instantiate();
  guests::Guest built;
  const std::uint32_t close = built.AddImport("env", "close", {});
  built.Export("memory", guests::Kind::Memory, built.Memory(1, 1));
  built.Add("malloc", {{guests::kI32}, {guests::kI32}},
            [&](guests::CodeBuilder& code) { code.Call(close).I32Const(1024); });
  built.Add("free", {{guests::kI32}, {}}, [](guests::CodeBuilder&) {});
  built.Add("take", {{guests::kI32, guests::kI32}, {}}, [](guests::CodeBuilder&) {});
  const tenon::Module guest = runtime.Instantiate(built.Build());
  const auto take =
      guest.ExportedFunction<void(std::string_view)>("take", tenon::GuestAllocator::Find(guest));
  CHECK(Thrown<tenon::ExitError>([&] { take("text"); }).ExitCode() == 4);
}

TEST_CASE("a CString is a copy with a zero behind it") {
  ScriptedGuest guest{EachEngine()};
  guest.memory.WriteUint32Le(1024, 0xFFFFFFFF);
  std::string seen;
  guest.scripts["text"] = [&](const Slots& slots) {
    seen = guest.memory.ViewString(At(slots, 0), 4).value();
    return Slots{1};
  };
  const auto open = guest.module.ExportedFunction<int(tenon::CString)>(
      "text", tenon::GuestAllocator::Find(guest.module));
  const std::string name = "abc";
  CHECK(open(name) == 1);
  CHECK(seen == std::string_view{"abc\0", 4});
  CHECK(open("x") == 1);
  CHECK(open(tenon::CallContext{}, {}) == 1);
  CHECK(seen[0] == '\0');
  CHECK(guest.asked == std::vector<std::uint32_t>{4, 2, 1});
  CHECK(guest.freed.size() == 3);
}

TEST_CASE("a Flat struct is an operand for each field, and a result for each") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["mixed"] = [&](const Slots& slots) {
    CHECK(Slots{slots[0], slots[1], slots[2]} == Slots{1, 2, 3});
    return Slots{slots[3]};
  };
  const Mixed mixed{1, 2, 3, 4.5};
  const auto call = guest.module.ExportedFunction<double(Flat<Mixed>)>("mixed", allocator);
  CHECK(call(mixed) == 4.5);
  CHECK(call(tenon::CallContext{}, mixed) == 4.5);
  guest.scripts["use4"] = [&](const Slots& slots) {
    CHECK(slots == Slots{1, 2, 3, 4});
    return Slots{0};
  };
  guest.module.ExportedFunction<int(Flat<Point>, Flat<Point>)>("use4", allocator)(Point{1, 2},
                                                                                  Point{3, 4});
  guest.scripts["pair"] = [&](const Slots& slots) { return Slots{slots[0], 2}; };
  const Point point = guest.module.ExportedFunction<Flat<Point>(int)>("pair", allocator)(1);
  CHECK(point == Point{1, 2});
  CHECK(guest.asked.empty());
}

TEST_CASE("a Flat struct needs no memory, and so no allocator") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["mixed"] = [&](const Slots& slots) {
    CHECK(Slots{slots[0], slots[1], slots[2]} == Slots{1, 2, 3});
    return Slots{slots[3]};
  };
  const auto mixed = guest.module.ExportedFunction<double(Flat<Mixed>)>("mixed");
  CHECK(mixed(Mixed{1, 2, 3, 4.5}) == 4.5);
  CHECK(mixed(tenon::CallContext{}, Mixed{1, 2, 3, 4.5}) == 4.5);
  CHECK(mixed.TryCall(Mixed{1, 2, 3, 4.5}).Value() == 4.5);
  const auto parts = guest.module.ExportedFunction<double(int, Flat<Point>, double)>("mixed");
  CHECK(parts(1, Point{2, 3}, 0.5) == 0.5);
  CHECK_THROWS_AS(guest.module.ExportedFunction<int(Flat<Mixed>)>("use"), tenon::ConfigError);
}

TEST_CASE("what is const behind an In is passed as what is not") {
  ScriptedGuest guest{EachEngine()};
  guest.scripts["text"] = [&](const Slots& slots) {
    return Slots{guest.memory.ReadUint32Le(At(slots, 0)).value()};
  };
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  CHECK(guest.module.ExportedFunction<int(In<const Point>)>("text", allocator)(Point{5, 6}) == 5);
}

TEST_CASE("an Indirect struct is a pointer to a copy, and as result a place in front") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  guest.scripts["area"] = [&](const Slots& slots) {
    const std::uint32_t place = At(slots, 0), from = At(slots, 1);
    CHECK(guest.memory.ReadUint64Le(place) == 0);
    guest.memory.WriteUint32Le(place, guest.memory.ReadUint32Le(from + 4).value());
    guest.memory.WriteUint32Le(place + 4, guest.memory.ReadUint32Le(from).value());
    guest.memory.WriteUint32Le(from, 0);
    return Slots{};
  };
  const auto swap =
      guest.module.ExportedFunction<Indirect<Point>(Indirect<Point>)>("area", allocator);
  const Point point{1, 2};
  const Point swapped = swap(point);
  CHECK(swapped == Point{2, 1});
  CHECK(point == Point{1, 2});
  CHECK(guest.freed == std::vector<std::uint32_t>{1040, 1024});
  CHECK(swap(tenon::CallContext{}, point)->x == 2);
  CHECK(swap.TryCall(point).Value()->y == 1);
  CHECK(TextOf<tenon::ConfigError>(
            [&] { guest.module.ExportedFunction<Indirect<Point>(int)>("use", allocator); }) ==
        "function guest.use: signature mismatch: called as (i32, i32) -> () (the i32 in front "
        "is the place for the result), but it is (i32, i32) -> i32");
}

TEST_CASE("an object that a guest made is the host's until it goes") {
  ScriptedGuest guest{EachEngine()};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  std::uint64_t pointer = 4100;
  guest.memory.WriteUint32Le(4100, 5);
  guest.memory.WriteUint32Le(4104, 6);
  guest.scripts["text"] = [&](const Slots&) { return Slots{pointer}; };
  const auto make = guest.module.ExportedFunction<GuestObject<Point>(int)>("text", allocator);
  {
    GuestObject<Point> object = make(1);
    REQUIRE(object);
    CHECK(object.Offset() == 4100);
    CHECK(object.Pointer() == tenon::GuestPtr<Point>{4100});
    CHECK(object.Read() == Point{5, 6});
    object.Write(Point{7, 8});
    CHECK(guest.memory.ReadUint32Le(4104) == 8);
    CHECK(guest.freed.empty());
  }
  CHECK(guest.freed == std::vector<std::uint32_t>{4100});
  CHECK(make(1).Release() == tenon::GuestPtr<Point>{4100});
  CHECK(guest.freed.size() == 1);
  pointer = 0;
  CHECK_FALSE(make(1));
  for (const std::uint64_t outside : {65532u, 65536u, 0xFFFFFFFFu}) {
    pointer = outside;
    const auto trap = Thrown<tenon::Trap>([&] { static_cast<void>(make(1)); });
    CHECK(trap.Code() == tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(trap.Message() ==
          "out of bounds memory access: the result is an object outside of the memory");
  }
  CHECK(guest.freed.size() == 1);
}

TEST_CASE("a GuestObject is a struct in the guest that can be read and written") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<GuestObject<Record>>);
  ScriptedGuest guest{EachEngine().WithCloseOnContextDone(true)};
  const auto allocator = tenon::GuestAllocator::Find(guest.module);
  const Record record{1, 2, tenon::GuestPtr<char>{3}, true};
  GuestObject<Record> first = allocator.CopyObject(record);
  CHECK(first.Offset() % 8 == 0);
  GuestObject<Record> second = std::move(first);
  CHECK_FALSE(first);
  CHECK(second.Read() == record);
  CHECK(TextOf<tenon::ConfigError>([&] { static_cast<void>(first.Read()); }) ==
        "GuestObject: the handle is empty");
  CHECK_THROWS_AS(first.Write(record), tenon::ConfigError);
  second.Free();
  CHECK_FALSE(second);
  CHECK(guest.freed == std::vector<std::uint32_t>{1024});

  const std::array<Record, 2> records = {record, record};
  CHECK(allocator.Copy(std::span{records}).Size() == 48);
  GuestObject<Record> third = allocator.CopyObject(tenon::CallContext{}, record);
  std::stop_source stop;
  stop.request_stop();
  third.Free(tenon::CallContext{}.WithStopToken(stop.get_token()));
  CHECK_FALSE(third);
  CHECK(guest.module.IsClosed());
}

TEST_CASE("an object of a closed guest is inert") {
  ScriptedGuest guest{EachEngine()};
  {
    GuestObject<Point> object = tenon::GuestAllocator::Find(guest.module).CopyObject(Point{1, 2});
    guest.module.CloseWithExitCode(4);
    CHECK(Thrown<tenon::ExitError>([&] { static_cast<void>(object.Read()); }).ExitCode() == 4);
    CHECK_THROWS_AS(object.Write(Point{}), tenon::ExitError);
  }
  CHECK(guest.freed.empty());
}

TEST_CASE("structs arrive in memories that move while the host allocates in them") {
  ScriptedGuest guest{EachEngine().WithMemoryAllocator(std::make_shared<ExactMemory>())};
  guest.scripts["malloc"] = [&](const Slots&) {
    return Slots{guest.memory.Grow(1).value() * 65536};
  };
  guest.scripts["area"] = [&](const Slots& slots) {
    const Point point = tenon::GuestPtr<Point>{At(slots, 1)}.Read(guest.memory).value();
    guest.memory.Grow(1);
    REQUIRE(tenon::GuestPtr<Point>{At(slots, 0)}.Write(guest.memory, {point.y, point.x}));
    return Slots{};
  };
  const Point swapped = guest.module.ExportedFunction<Indirect<Point>(In<Point>)>(
      "area", tenon::GuestAllocator::Find(guest.module))(Point{1, 2});
  CHECK(swapped == Point{2, 1});
}
