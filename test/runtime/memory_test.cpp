// SPDX-License-Identifier: Apache-2.0
/// @file
/// Memory: every accessor at its edges, views, growth, sharing, and custom storage.
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

constexpr std::uint64_t kPage = 65536;
constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

/// Writes of `width` bytes succeed up to the last place that has room, and write nothing past it.
template <class T, class Write, class Read>
void CheckEdges(tenon::Memory memory, T value, Write write, Read read) {
  const std::uint64_t width = sizeof(T);
  const std::uint64_t last = memory.Size() - width;
  CHECK(write(memory, std::uint64_t{0}, value));
  CHECK(read(memory, std::uint64_t{0}) == value);
  CHECK(write(memory, last, value));
  CHECK(read(memory, last) == value);
  CHECK(write(memory, std::uint64_t{13}, value));
  CHECK(read(memory, std::uint64_t{13}) == value);

  std::uint8_t before[8];
  std::memcpy(before, memory.View(memory.Size() - 8, 8)->data(), 8);
  for (const std::uint64_t offset :
       {last + 1, memory.Size() - 1 + (width == 1 ? 1 : 0), memory.Size(), memory.Size() + 1,
        std::uint64_t{1} << 32, kHuge - width + 1, kHuge}) {
    INFO(offset);
    CHECK_FALSE(write(memory, offset, T{}));
    CHECK_FALSE(read(memory, offset).has_value());
  }
  CHECK(std::memcmp(before, memory.View(memory.Size() - 8, 8)->data(), 8) == 0);
}

/// Storage that moves on every growth, so that a base kept anywhere becomes a dangling one.
class MovingMemory : public tenon::LinearMemory {
 public:
  explicit MovingMemory(int* alive) : alive_{alive} { ++*alive_; }
  ~MovingMemory() override { --*alive_; }
  std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
    auto moved = std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size));
    if (size_ != 0) std::memcpy(moved.get(), bytes_.get(), static_cast<std::size_t>(size_));
    bytes_ = std::move(moved);
    size_ = size;
    return bytes_.get();
  }

 private:
  int* alive_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::uint64_t size_ = 0;
};

class MovingAllocator : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t capacity,
                                                std::uint64_t maximum) noexcept override {
    asked.emplace_back(capacity, maximum);
    return std::make_unique<MovingMemory>(&alive);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;
  int alive = 0;
};

/// Storage of a fixed number of bytes.
class FixedAllocator : public tenon::MemoryAllocator {
 public:
  explicit FixedAllocator(std::size_t size) : size_{size} {}
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t capacity,
                                                std::uint64_t) noexcept override {
    struct Fixed : tenon::LinearMemory {
      explicit Fixed(std::size_t size) : bytes(size) {}
      std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
        return size <= bytes.size() ? bytes.data() : nullptr;
      }
      std::vector<std::uint8_t> bytes;
    };
    if (capacity > size_) return nullptr;
    return std::make_unique<Fixed>(size_);
  }

 private:
  std::size_t size_;
};

}  // namespace

TEST_CASE("every memory accessor works up to the last byte and writes nothing past it") {
  const tenon::Runtime runtime;
  const tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 1})).DefaultMemory();
  REQUIRE(memory.Size() == kPage);
  using M = tenon::Memory;
  CheckEdges<std::uint8_t>(
      memory, 0x81, [](M m, auto o, auto v) { return m.WriteByte(o, v); },
      [](M m, auto o) { return m.ReadByte(o); });
  CheckEdges<std::uint16_t>(
      memory, 0x8123, [](M m, auto o, auto v) { return m.WriteUint16Le(o, v); },
      [](M m, auto o) { return m.ReadUint16Le(o); });
  CheckEdges<std::uint32_t>(
      memory, 0x81234567, [](M m, auto o, auto v) { return m.WriteUint32Le(o, v); },
      [](M m, auto o) { return m.ReadUint32Le(o); });
  CheckEdges<std::uint64_t>(
      memory, 0x8123456789ABCDEF, [](M m, auto o, auto v) { return m.WriteUint64Le(o, v); },
      [](M m, auto o) { return m.ReadUint64Le(o); });
  CheckEdges<float>(
      memory, 1.5f, [](M m, auto o, auto v) { return m.WriteFloat32Le(o, v); },
      [](M m, auto o) { return m.ReadFloat32Le(o); });
  CheckEdges<double>(
      memory, -2.25, [](M m, auto o, auto v) { return m.WriteFloat64Le(o, v); },
      [](M m, auto o) { return m.ReadFloat64Le(o); });
}

TEST_CASE("numbers lie in memory with the least significant byte first") {
  const tenon::Runtime runtime;
  tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 1})).DefaultMemory();
  REQUIRE(memory.WriteUint64Le(3, 0x0807060504030201));
  for (std::uint64_t i = 0; i < 8; ++i) CHECK(memory.ReadByte(3 + i) == i + 1);
  CHECK(memory.ReadUint16Le(4) == 0x0302);
  CHECK(memory.ReadUint32Le(5) == 0x06050403);
}

TEST_CASE("NaN payloads pass through memory unchanged") {
  const tenon::Runtime runtime;
  tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 1})).DefaultMemory();
  REQUIRE(memory.WriteUint32Le(0, 0x7FA00001));
  CHECK(std::bit_cast<std::uint32_t>(*memory.ReadFloat32Le(0)) == 0x7FA00001);
  REQUIRE(memory.WriteFloat64Le(8, std::bit_cast<double>(0x7FF4000000000001)));
  CHECK(memory.ReadUint64Le(8) == 0x7FF4000000000001);
}

TEST_CASE("byte and text writes are whole or nothing") {
  const tenon::Runtime runtime;
  tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 1})).DefaultMemory();
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4};
  CHECK(memory.Write(kPage - 4, bytes));
  CHECK(memory.ReadUint32Le(kPage - 4) == 0x04030201);
  CHECK_FALSE(memory.Write(kPage - 3, bytes));
  CHECK(memory.ReadUint32Le(kPage - 4) == 0x04030201);
  CHECK_FALSE(memory.Write(kHuge - 1, bytes));
  CHECK(memory.WriteString(10, "hello"));
  CHECK(memory.ViewString(10, 5) == "hello");
  CHECK_FALSE(memory.WriteString(kPage - 4, "hello"));
  CHECK(memory.ReadUint32Le(kPage - 4) == 0x04030201);
  CHECK(memory.WriteString(kPage, ""));
  CHECK_FALSE(memory.WriteString(kPage + 1, ""));
}

TEST_CASE("views see what the guest writes and the guest sees what is written to them") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 1}));
  const std::span<std::uint8_t> view = *guest.DefaultMemory().View(100, 8);
  guest.ExportedFunction<void(std::int32_t, std::int32_t)>("store32")(100, 0x01020304);
  CHECK(view[0] == 4);
  view[4] = 9;
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("load8")(104) == 9);
}

TEST_CASE("views exist for exactly the ranges that lie inside") {
  const tenon::Runtime runtime;
  const tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 1})).DefaultMemory();
  CHECK(memory.View(0, kPage)->size() == kPage);
  CHECK(memory.View(kPage, 0)->empty());
  CHECK_FALSE(memory.View(kPage + 1, 0));
  CHECK_FALSE(memory.View(0, kPage + 1));
  CHECK_FALSE(memory.View(1, kPage));
  CHECK_FALSE(memory.View(1, kHuge));
  CHECK_FALSE(memory.View(kHuge, 1));
  CHECK_FALSE(memory.View(kHuge, kHuge));
  CHECK_FALSE(memory.ViewString(kPage - 1, 2));
  CHECK(memory.ViewString(kPage, 0)->empty());
}

TEST_CASE("Grow gives the former number of pages, and nothing when the maximum refuses") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 3}));
  tenon::Memory memory = guest.DefaultMemory();
  REQUIRE(memory.WriteByte(kPage - 1, 7));
  CHECK(memory.Grow(1) == 1);
  CHECK(memory.Size() == 2 * kPage);
  CHECK(memory.ReadByte(kPage - 1) == 7);
  CHECK(memory.ReadByte(2 * kPage - 1) == 0);
  CHECK(guest.ExportedFunction<std::int32_t()>("size")() == 2);
  CHECK(memory.Grow(0) == 2);
  CHECK_FALSE(memory.Grow(2).has_value());
  CHECK_FALSE(memory.Grow(kHuge).has_value());
  CHECK_FALSE(memory.Grow(std::uint64_t{1} << 48).has_value());
  CHECK(memory.Size() == 2 * kPage);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == 2);
  CHECK(memory.Size() == 3 * kPage);
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == -1);
}

TEST_CASE("views of the library's own memories stay valid when the memory grows") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 100}));
  tenon::Memory memory = guest.DefaultMemory();
  const std::span<std::uint8_t> view = *memory.View(0, 16);
  REQUIRE(memory.Grow(50) == 1);
  CHECK(memory.View(0, 16)->data() == view.data());
  view[3] = 8;
  CHECK(memory.ReadByte(3) == 8);
}

TEST_CASE("a memory of 65536 pages has 2^32 bytes") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({0, std::nullopt}));
  tenon::Memory memory = guest.DefaultMemory();
  CHECK(memory.Size() == 0);
  CHECK_FALSE(memory.ReadByte(0));
  if (!memory.Grow(65536)) {
    WARN("this machine does not give 4 GiB of address space");
    return;
  }
  CHECK(memory.Size() == std::uint64_t{1} << 32);
  CHECK(memory.WriteByte(0xFFFFFFFF, 5));
  CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("load8")(-1) == 5);
  CHECK_FALSE(memory.ReadUint16Le(0xFFFFFFFF));
  CHECK_FALSE(memory.Grow(1).has_value());
  CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t(std::int32_t)>("load32")(-1), tenon::Trap);
}

TEST_CASE("a guest's access past the end traps at every width and offset") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 1}));
  const auto load8 = guest.ExportedFunction<std::int32_t(std::int32_t)>("load8");
  const auto load32 = guest.ExportedFunction<std::int32_t(std::int32_t)>("load32");
  const auto store32 = guest.ExportedFunction<void(std::int32_t, std::int32_t)>("store32");
  CHECK_NOTHROW(load8(65535));
  CHECK_NOTHROW(load32(65532));
  CHECK_NOTHROW(store32(65532, -1));
  for (const std::int32_t offset : {65533, 65536, 0x7FFFFFFF, -1, -4, -65536}) {
    INFO(offset);
    CHECK(Thrown<tenon::Trap>([&] { load32(offset); }).Code() ==
          tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK_THROWS_AS(store32(offset, 0), tenon::Trap);
  }
  CHECK(load32(65532) == -1);
}

TEST_CASE("an imported memory is the exporter's memory") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::MemoryUser({1, 4}), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user =
      runtime.Instantiate(guests::MemoryUser({1, 4, guests::Import{"owner", "memory"}}));
  CHECK(user.DefaultMemory() == owner.DefaultMemory());
  CHECK(std::hash<tenon::Memory>{}(user.DefaultMemory()) ==
        std::hash<tenon::Memory>{}(owner.DefaultMemory()));
  owner.ExportedFunction<void(std::int32_t, std::int32_t)>("store32")(8, 99);
  CHECK(user.ExportedFunction<std::int32_t(std::int32_t)>("load32")(8) == 99);
  CHECK(user.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == 1);
  CHECK(owner.ExportedFunction<std::int32_t()>("size")() == 2);
  owner.ExportedFunction<void(std::int32_t, std::int32_t)>("store32")(65536 + 8, 5);
  CHECK(user.DefaultMemory().ReadUint32Le(65536 + 8) == 5);
}

TEST_CASE("an empty memory handle is a memory of no bytes") {
  tenon::Memory empty;
  CHECK_FALSE(empty);
  CHECK(empty == tenon::Memory{});
  CHECK(empty.Size() == 0);
  CHECK_FALSE(empty.Grow(0).has_value());
  CHECK_FALSE(empty.ReadByte(0));
  CHECK_FALSE(empty.WriteByte(0, 1));
  CHECK_FALSE(empty.View(0, 1));
  CHECK(empty.View(0, 0)->empty());
}

TEST_CASE("a memory's definition is its creator's declaration") {
  const tenon::Runtime runtime;
  const tenon::MemoryDefinition definition =
      runtime.Instantiate(guests::MemoryUser({1, 3})).DefaultMemory().Definition();
  CHECK(definition.minimum == 1);
  CHECK(definition.maximum == 3);
  CHECK(definition.export_names == std::vector<std::string>{"memory"});
}

TEST_CASE("memories live in the storage of a custom allocator, which may move") {
  const auto allocator = std::make_shared<MovingAllocator>();
  {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
    const tenon::Module guest =
        runtime.Instantiate(guests::MemoryUser({1, 5}), tenon::ModuleConfig{}.WithName("owner"));
    const tenon::Module user =
        runtime.Instantiate(guests::MemoryUser({1, 5, guests::Import{"owner", "memory"}}));
    REQUIRE(allocator->asked.size() == 1);
    CHECK(allocator->asked[0] == std::pair{kPage, 5 * kPage});
    CHECK(allocator->alive == 1);

    const auto store = guest.ExportedFunction<void(std::int32_t, std::int32_t)>("store32");
    const auto load = user.ExportedFunction<std::int32_t(std::int32_t)>("load32");
    store(4, 1234);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == 1);
    CHECK(load(4) == 1234);
    tenon::Memory memory = user.DefaultMemory();
    CHECK(memory.Grow(1) == 2);
    CHECK(memory.ReadUint32Le(4) == 1234);
    store(static_cast<std::int32_t>(3 * kPage - 4), 77);
    CHECK(load(static_cast<std::int32_t>(3 * kPage - 4)) == 77);
    CHECK(Thrown<tenon::Trap>([&] { load(static_cast<std::int32_t>(3 * kPage - 3)); }).Code() ==
          tenon::TrapCode::OutOfBoundsMemoryAccess);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow_then_load")(4) == 1234);
  }
  CHECK(allocator->alive == 0);
}

TEST_CASE("a memory that moves under a host function is found again by the guest") {
  const auto allocator = std::make_shared<MovingAllocator>();
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module& caller) {
        tenon::Memory memory = caller.DefaultMemory();
        memory.Grow(1);
        memory.WriteUint32Le(0, 4321);
      })
      .Export("grow")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::CallsThenLoads("env", "grow"));
  CHECK(guest.ExportedFunction<std::int32_t()>("run")() == 4321);
}

TEST_CASE("an allocator that has no storage makes instantiation fail, and growth refuse") {
  const auto config = tenon::RuntimeConfig{}.WithMemoryAllocator(
      std::make_shared<FixedAllocator>(std::size_t{2 * kPage}));
  const tenon::Runtime runtime{config};
  const auto error =
      Thrown<tenon::LinkError>([&] { runtime.Instantiate(guests::MemoryUser({3, 3})); });
  CHECK(error.Id() == tenon::ErrorCode::MemoryAllocation);
  CHECK(std::string{error.what()} == "cannot allocate a memory of 3 pages");
  tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 5})).DefaultMemory();
  CHECK(memory.Grow(1) == 1);
  CHECK_FALSE(memory.Grow(1).has_value());
  CHECK(memory.Size() == 2 * kPage);
}

TEST_CASE("MemoryCapacityFromMax asks for the maximum at once") {
  const auto allocator = std::make_shared<MovingAllocator>();
  const tenon::Runtime runtime{
      tenon::RuntimeConfig{}.WithMemoryAllocator(allocator).WithMemoryCapacityFromMax(true)};
  tenon::Memory memory = runtime.Instantiate(guests::MemoryUser({1, 4})).DefaultMemory();
  REQUIRE(allocator->asked.size() == 1);
  CHECK(allocator->asked[0] == std::pair{4 * kPage, 4 * kPage});
  CHECK(memory.Size() == kPage);
  CHECK_FALSE(memory.ReadByte(kPage));
  CHECK(memory.Grow(3) == 1);
}

TEST_CASE("a view of the same memory may be written elsewhere in it") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::MemoryUser({1, 1}));
  tenon::Memory memory = guest.DefaultMemory();
  for (std::uint64_t i = 0; i < 1000; ++i) memory.WriteByte(i, static_cast<std::uint8_t>(i));
  CHECK(memory.Write(3, *memory.View(0, 900)));
  bool is_moved = true;
  for (std::uint64_t i = 0; i < 900; ++i) {
    is_moved &= memory.ReadByte(i + 3) == static_cast<std::uint8_t>(i);
  }
  CHECK(is_moved);
}
