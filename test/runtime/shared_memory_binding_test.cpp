// SPDX-License-Identifier: Apache-2.0
/// @file
/// Host functions and shared memories: what is copied once, what is atomic, what is refused.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/struct.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using guests::kI32;
using tenon::ExternKind;
using tenon::TrapCode;
using tenon::Value;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;

namespace {

constexpr std::uint32_t kPage = 65536;
const tenon::CoreFeatures kFeatures =
    tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Threads, true);

/// A guest with a memory of one page, shared or not, that hands "run" on to "env"."f".
std::vector<std::uint8_t> Forwarder(std::size_t operands, bool has_result, bool is_shared) {
  ModuleBuilder module;
  const std::vector<tenon::ValueType> parameters(operands, kI32);
  const std::vector<tenon::ValueType> results(has_result ? 1u : 0u, kI32);
  const std::uint32_t type = module.Type(parameters, results);
  const std::uint32_t imported = module.ImportFunction("env", "f", type);
  tenon::wasm::MemoryType memory;
  memory.limits = {.minimum = 1, .maximum = 1, .has_maximum = true, .is_shared = is_shared};
  module.Export("memory", ExternKind::Memory, module.Memory(memory));
  module.Export("run", ExternKind::Func, module.Function(type, {}, [&](CodeBuilder& code) {
    for (std::uint32_t i = 0; i < operands; ++i) code.LocalGet(i);
    code.Call(imported);
  }));
  return module.Build();
}

/// A runtime whose "env"."f" is `callable`, and a guest that calls it.
class World {
 public:
  template <class F>
  World(const tenon::RuntimeConfig& config, F callable, std::size_t operands, bool has_result,
        bool is_shared = true)
      : runtime_{config.WithCoreFeatures(kFeatures)} {
    runtime_.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc(std::move(callable))
        .Export("f")
        .Instantiate();
    guest_ = runtime_.Instantiate(Forwarder(operands, has_result, is_shared),
                                  tenon::ModuleConfig{}.WithName(""));
  }
  tenon::Memory Memory() const { return guest_.ExportedMemory("memory"); }
  std::vector<Value> Run(const std::vector<Value>& arguments) const {
    return guest_.ExportedFunction("run").Call(arguments);
  }
  TrapCode TrapOf(const std::vector<Value>& arguments) const {
    return Thrown<tenon::Trap>([&] { Run(arguments); }).Code();
  }

 private:
  tenon::Runtime runtime_;
  tenon::Module guest_;
};

/// What linking a function says to a guest whose memory is shared.
template <class F>
std::string Refusal(F callable, std::size_t operands) {
  const auto error =
      Thrown<tenon::LinkError>([&] { World{tenon::RuntimeConfig{}, callable, operands, false}; });
  CHECK(error.Id() == tenon::ErrorCode::ImportViewsShared);
  REQUIRE(error.Problems().size() == 1);
  CHECK(error.Problems()[0].id == tenon::ErrorCode::ImportViewsShared);
  return error.what();
}

struct Point {
  std::uint8_t kind;
  std::uint32_t x;
};

}  // namespace

template <>
struct tenon::Fields<Point> : tenon::FieldList<&Point::kind, &Point::x> {};

TEST_CASE("raw views of a shared memory are refused where the function is linked") {
  const std::string text = Refusal([](std::string_view) {}, 2);
  CHECK_THAT(text, Catch::Contains("import func \"env\".\"f\": the host function views the "
                                   "caller's memory in place, but this module's memory is shared: "
                                   "let it take In, Out, InOut, View or GuestAtomic; in C++ it is "
                                   "void(std::string_view)"));
  Refusal([](std::span<const std::uint32_t>) {}, 2);
  Refusal([](int, std::span<double>) {}, 3);
  Refusal([](tenon::CString) {}, 1);
  Refusal([](std::optional<std::string_view>) {}, 2);
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    World plain{config, [](std::string_view view) { return static_cast<int>(view.size()); }, 2,
                true, false};
    CHECK(plain.Run({0u, 7u}) == std::vector<Value>{Value{7}});
  });
}

TEST_CASE("a raw view that is reached through a table is a trap where memory is shared") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config.WithCoreFeatures(kFeatures)};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([](std::string_view) {})
        .Export("f")
        .Instantiate();
    ModuleBuilder lender;
    const std::uint32_t type = lender.Type({kI32, kI32}, {});
    const std::uint32_t imported = lender.ImportFunction("env", "f", type);
    lender.Memory(1);
    lender.Export("table", ExternKind::Table, lender.Table(tenon::ValueType::FuncRef, 1));
    lender.ActiveElement(0, tenon::wasm::ConstantExpression::I32(0),
                         tenon::wasm::ElementItems::Functions({imported}));
    runtime.Instantiate(lender.Build(), tenon::ModuleConfig{}.WithName("lender"));
    ModuleBuilder borrower;
    const std::uint32_t same = borrower.Type({kI32, kI32}, {});
    tenon::wasm::TableType table;
    table.limits.minimum = 1;
    borrower.ImportTable("lender", "table", table);
    tenon::wasm::MemoryType memory;
    memory.limits = {.minimum = 1, .maximum = 1, .has_maximum = true, .is_shared = true};
    borrower.Memory(memory);
    borrower.Export("run", ExternKind::Func, borrower.Function(same, {}, [&](CodeBuilder& code) {
      code.LocalGet(0).LocalGet(1).I32Const(0).CallIndirect(same);
    }));
    const tenon::Module guest =
        runtime.Instantiate(borrower.Build(), tenon::ModuleConfig{}.WithName(""));
    CHECK(Thrown<tenon::Trap>([&] { guest.ExportedFunction("run").Call({0u, 4u}); }).Code() ==
          TrapCode::SharedMemoryView);
  });
}

TEST_CASE("copies of a shared memory are made once, and written back") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    tenon::Memory memory;
    World text{config,
               [&](tenon::In<std::string_view> in, tenon::Out<std::span<std::uint16_t>> out) {
                 // What the guest's memory has become meanwhile is not seen.
                 const std::string before{*in};
                 memory.WriteString(8, "changed");
                 for (std::size_t i = 0; i < out->size(); ++i) {
                   (*out)[i] = static_cast<std::uint16_t>((*in)[i % in->size()]);
                 }
                 return before == *in ? 1 : 0;
               },
               4, true};
    memory = text.Memory();
    REQUIRE(memory.WriteString(8, "shared!"));
    CHECK(text.Run({8u, 7u, 101u, 3u}) == std::vector<Value>{Value{1}});
    CHECK(memory.ReadUint16Le(101) == 's');
    CHECK(memory.ReadUint16Le(105) == 'a');
    CHECK(text.TrapOf({kPage - 6, 7u, 101u, 3u}) == TrapCode::OutOfBoundsMemoryAccess);

    World point{config,
                [](tenon::InOut<Point> both, tenon::In<std::uint64_t> number) {
                  both->kind = static_cast<std::uint8_t>(both->kind + 1);
                  both->x += static_cast<std::uint32_t>(*number);
                },
                2, false};
    tenon::Memory points = point.Memory();
    REQUIRE(points.WriteByte(17, 5));
    REQUIRE(points.WriteUint32Le(21, 100));
    REQUIRE(points.WriteUint64Le(40, 23));
    CHECK(point.Run({17u, 40u}).empty());
    CHECK(points.ReadByte(17) == 6);
    CHECK(points.ReadUint32Le(21) == 123u);
  });
}

TEST_CASE("a View of a shared memory reads and writes element by element") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    World world{config,
                [](tenon::View<const std::uint32_t> from, tenon::View<Point> to) {
                  for (std::size_t i = 0; i < from.Size(); ++i) to[i] = Point{7, from[i] * 2};
                },
                4, false};
    tenon::Memory memory = world.Memory();
    for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(memory.WriteUint32Le(3 + 4 * i, i + 10));
    CHECK(world.Run({3u, 4u, 101u, 4u}).empty());
    for (std::uint32_t i = 0; i < 4; ++i) {
      CHECK(memory.ReadByte(101 + 8 * i) == 7);
      CHECK(memory.ReadUint32Le(105 + 8 * i) == 2 * (i + 10));
    }
  });
}

TEST_CASE("a GuestAtomic changes a number together with others") {
  enum class Level : std::uint8_t { Low = 3, High = 9 };
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    for (const bool is_shared : {false, true}) {
      World world{config,
                  [](tenon::GuestAtomic<std::int32_t> sum, tenon::GuestAtomic<Level> level) {
                    CHECK(sum.FetchAdd(5) == -7);
                    CHECK(sum.FetchSub(-2) == -2);
                    CHECK(sum.Exchange(12) == 0);
                    CHECK(sum.FetchAnd(10) == 12);
                    CHECK(sum.FetchOr(3) == 8);
                    CHECK(sum.FetchXor(1) == 11);
                    std::int32_t expected = 9;
                    CHECK_FALSE(sum.CompareExchange(expected, 1));
                    CHECK(expected == 10);
                    CHECK(sum.CompareExchange(expected, 77));
                    CHECK(level.Load() == Level::Low);
                    level.Store(Level::High);
                    return sum.Load();
                  },
                  2, true, is_shared};
      tenon::Memory memory = world.Memory();
      REQUIRE(memory.WriteUint32Le(16, static_cast<std::uint32_t>(-7)));
      REQUIRE(memory.WriteByte(21, 3));
      CHECK(world.Run({16u, 21u}) == std::vector<Value>{Value{77}});
      CHECK(memory.ReadUint32Le(16) == 77u);
      CHECK(memory.ReadByte(21) == 9);
      CHECK(world.TrapOf({0u, 21u}) == TrapCode::NullReference);
      CHECK(world.TrapOf({18u, 21u}) == TrapCode::UnalignedAtomic);
      CHECK(world.TrapOf({kPage, 21u}) == TrapCode::OutOfBoundsMemoryAccess);
      CHECK(world.TrapOf({16u, kPage}) == TrapCode::OutOfBoundsMemoryAccess);
    }
  });
}

TEST_CASE("host threads count together in a shared memory") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    World world{config, [](tenon::GuestAtomic<std::uint64_t> count) { count.FetchAdd(1); }, 1,
                false};
    const tenon::Memory memory = world.Memory();
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([memory] {
        const auto number = memory.Atomic<std::uint64_t>(8);
        for (int k = 0; k < 1000; ++k) number->FetchAdd(1);
      });
    }
    for (int k = 0; k < 1000; ++k) world.Run({8u});
    for (std::thread& thread : threads) thread.join();
    CHECK(memory.ReadUint64Le(8) == 4000u);
    CHECK_FALSE(memory.Atomic<std::uint64_t>(4).has_value());
    CHECK_FALSE(memory.Atomic<std::uint64_t>(kPage).has_value());
    CHECK(memory.Atomic<std::uint8_t>(kPage - 1).has_value());
    CHECK_FALSE(tenon::Memory{}.Atomic<std::uint8_t>(0).has_value());
  });
}

TEST_CASE("a Memory gives no views of shared bytes, but copies them") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    World world{config, [](tenon::Memory& memory) { return memory.IsShared() ? 1 : 0; }, 0, true};
    CHECK(world.Run({}) == std::vector<Value>{Value{1}});
    tenon::Memory memory = world.Memory();
    CHECK_FALSE(memory.View(0, 1).has_value());
    CHECK_FALSE(memory.ViewString(0, 1).has_value());
    CHECK(memory.ViewUnsynchronized(kPage - 1, 1).has_value());
    CHECK_FALSE(memory.ViewUnsynchronized(kPage - 1, 2).has_value());
    CHECK(memory.WriteString(kPage - 13, "thirteen ones"));
    CHECK_FALSE(memory.WriteString(kPage - 12, "thirteen ones"));
    std::array<std::uint8_t, 13> copy{};
    CHECK(memory.Read(kPage - 13, copy));
    CHECK(std::string_view{reinterpret_cast<const char*>(copy.data()), 13} == "thirteen ones");
    CHECK_FALSE(memory.Read(kPage - 12, copy));
    for (const std::uint64_t at : {std::uint64_t{64}, std::uint64_t{65}}) {
      CHECK(memory.WriteUint16Le(at, 0x1234));
      CHECK(memory.ReadUint16Le(at) == 0x1234);
      CHECK(memory.WriteFloat64Le(at, 1.5));
      CHECK(memory.ReadFloat64Le(at) == 1.5);
    }
    const tenon::GuestPtr<std::uint32_t> pointer{101};
    CHECK(pointer.Write(memory, 99));
    CHECK(pointer.Read(memory) == 99u);
    CHECK_FALSE(pointer.Write(memory, 99, kPage));
    CHECK_FALSE(pointer.Read(memory, kPage).has_value());
  });
}

TEST_CASE("an allocator of a guest whose memory is shared is refused") {
  ModuleBuilder module;
  tenon::wasm::MemoryType memory;
  memory.limits = {.minimum = 1, .maximum = 1, .has_maximum = true, .is_shared = true};
  module.Export("memory", ExternKind::Memory, module.Memory(memory));
  module.Export("malloc", ExternKind::Func,
                module.Function(module.Type({kI32}, {kI32}), {},
                                [](CodeBuilder& code) { code.I32Const(64); }));
  module.Export("free", ExternKind::Func,
                module.Function(module.Type({kI32}, {}), {}, [](CodeBuilder&) {}));
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(kFeatures)};
  const tenon::Module guest =
      runtime.Instantiate(module.Build(), tenon::ModuleConfig{}.WithName("guest"));
  const auto error =
      Thrown<tenon::ConfigError>([&] { static_cast<void>(tenon::GuestAllocator::Find(guest)); });
  CHECK(error.Id() == tenon::ErrorCode::AllocatorSharedMemory);
  CHECK(std::string{error.what()} ==
        "module[guest] has a shared memory, which the host does not view in place");
}
