// SPDX-License-Identifier: Apache-2.0
/// @file
/// The life of plugins: many instances, handles that outlive what they refer to, memory given back.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

const tenon::ModuleConfig kAnonymous = tenon::ModuleConfig{}.WithName("");

/// Counts the memories that are alive.
class CountingAllocator : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t,
                                                std::uint64_t maximum) noexcept override {
    struct Counted : tenon::LinearMemory {
      Counted(int* count, std::uint64_t maximum)
          : bytes(static_cast<std::size_t>(maximum)), alive{count} {
        ++*alive;
      }
      ~Counted() override { --*alive; }
      std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
        return size <= bytes.size() ? bytes.data() : nullptr;
      }
      std::vector<std::uint8_t> bytes;
      int* alive;
    };
    return std::make_unique<Counted>(&alive, maximum);
  }
  int alive = 0;
};

}  // namespace

TEST_CASE("one module instantiates hundreds of times, each instance with state of its own") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(guests::Counter());
  std::vector<tenon::Module> modules;
  for (int i = 0; i < 300; ++i) modules.push_back(runtime.InstantiateModule(compiled));
  for (std::int32_t round = 1; round <= 2; ++round) {
    for (const tenon::Module& module : modules) {
      CHECK(module.ExportedFunction<std::int32_t()>("increment")() == round);
    }
  }
}

TEST_CASE("thousands of short-lived instances leave nothing behind") {
  const auto allocator = std::make_shared<CountingAllocator>();
  const tenon::Runtime runtime{tenon::RuntimeConfig{}
                                   .WithMemoryAllocator(allocator)
                                   .WithMemoryLimitBytes(4 * 65536)
                                   .WithInstanceLimit(4)};
  const auto compiled = runtime.CompileModule(guests::MemoryUser({1, 1}));
  for (int i = 0; i < 1000; ++i) {
    const tenon::Module guest = runtime.InstantiateModule(compiled, kAnonymous);
    CHECK(guest.DefaultMemory().WriteByte(0, 1));
    if (i % 2 == 0) guest.Close();
  }
  CHECK(allocator->alive == 0);
}

TEST_CASE("Close gives the memory back though handles remain") {
  const auto allocator = std::make_shared<CountingAllocator>();
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
  const tenon::Module guest =
      runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("g"));
  tenon::Memory memory = guest.DefaultMemory();
  const tenon::Function load = guest.ExportedFunction("load32");
  CHECK(allocator->alive == 1);
  guest.Close();
  CHECK(allocator->alive == 0);
  CHECK(memory.Size() == 0);
  CHECK_FALSE(memory.ReadByte(0));
  CHECK_FALSE(memory.WriteByte(0, 1));
  CHECK_FALSE(memory.Grow(0).has_value());
  CHECK_FALSE(memory.View(0, 1));
  CHECK_THROWS_AS(load.Call({tenon::Value{0}}), tenon::ExitError);
}

TEST_CASE("a memory that another open module imports outlives its exporter's Close") {
  const auto allocator = std::make_shared<CountingAllocator>();
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
  const tenon::Module owner =
      runtime.Instantiate(guests::MemoryUser({1, 1}), tenon::ModuleConfig{}.WithName("owner"));
  const tenon::Module user =
      runtime.Instantiate(guests::MemoryUser({1, 1, guests::Import{"owner", "memory"}}));
  owner.Close();
  user.ExportedFunction<void(std::int32_t, std::int32_t)>("store32")(0, 5);
  CHECK(user.ExportedFunction<std::int32_t(std::int32_t)>("load32")(0) == 5);
  user.Close();
  CHECK(allocator->alive == 0);
}

TEST_CASE("destroying the runtime closes its modules and gives everything back") {
  const auto allocator = std::make_shared<CountingAllocator>();
  auto state = std::make_shared<int>(0);
  const std::weak_ptr<int> capture = state;
  {
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([state = std::move(state)] {})
        .Export("f")
        .Instantiate();
    runtime.Instantiate(guests::Forwarder("env", "f", {}, true),
                        tenon::ModuleConfig{}.WithName("named"));
    runtime.Instantiate(guests::Forwarder("env", "f", {}, true));
    CHECK(allocator->alive >= 1);
  }
  CHECK(allocator->alive == 0);
  CHECK(capture.expired());
}

TEST_CASE("handles that outlive their runtime are inert") {
  std::optional<tenon::Runtime> runtime{std::in_place};
  const tenon::CompiledModule compiled = runtime->CompileModule(guests::ExportsAllKinds());
  const tenon::Module guest = runtime->InstantiateModule(compiled);
  const tenon::Function function = guest.ExportedFunction("function");
  const tenon::TypedFunction<void()> typed = guest.ExportedFunction<void()>("function");
  tenon::Memory memory = guest.ExportedMemory("memory");
  tenon::Table table = guest.ExportedTable("table");
  tenon::Global global = guest.ExportedGlobal("global");
  tenon::HostModuleBuilder builder = runtime->NewHostModuleBuilder("env");
  tenon::HostFunctionBuilder half_done = builder.NewFunctionBuilder();
  const tenon::Module copy = guest;
  runtime.reset();

  CHECK(guest.IsClosed());
  CHECK(guest == copy);
  CHECK_THROWS_AS(function.Call(), tenon::Error);
  CHECK_THROWS_AS(typed(), tenon::Error);
  CHECK(memory.Size() == 0);
  CHECK_FALSE(memory.ReadByte(0));
  CHECK(table.Size() == 0);
  CHECK_FALSE(table.Get(0).has_value());
  CHECK_FALSE(table.Set(0, tenon::Value{tenon::FuncRef{}}));
  CHECK_FALSE(table.LookupFunction(0));
  CHECK_NOTHROW(guest.Close());
  try {
    static_cast<void>(global.Get());
  } catch (const tenon::Error&) {
  }
  half_done.WithFunc([] {}).Export("f");
  CHECK_THROWS_AS(builder.Compile(), tenon::ConfigError);
  CHECK_THROWS_AS(builder.Instantiate(), tenon::ConfigError);
}

TEST_CASE("an instance whose last handle is dropped by one of its own host calls finishes it") {
  const tenon::Runtime runtime;
  tenon::Module guest;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&]() -> std::int32_t {
        guest = tenon::Module{};
        return 7;
      })
      .Export("drop")
      .Instantiate();
  guest = runtime.Instantiate(guests::Forwarder("env", "drop", {{}, {guests::kI32}}), kAnonymous);
  CHECK(guest.ExportedFunction<std::int32_t()>("run")() == 7);
  CHECK_FALSE(guest);
}

TEST_CASE("two anonymous modules that import from each other's exporter form no cycle of handles") {
  const auto allocator = std::make_shared<CountingAllocator>();
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryAllocator(allocator)};
  {
    const tenon::Module owner = runtime.Instantiate(guests::TablesWithMemory(), kAnonymous);
    const tenon::Module user = runtime.Instantiate(guests::ImportsTable({.offset = 3}),
                                                   kAnonymous.WithImport("owner", owner));
    tenon::Table table = owner.ExportedTable("table");
    CHECK(table.Set(2, tenon::Value{user.ExportedFunction("three").Reference()}));
    CHECK(owner.ExportedFunction<std::int32_t(std::int32_t)>("call")(2) == 3);
    CHECK(allocator->alive == 1);
  }
  CHECK(allocator->alive == 0);
}
