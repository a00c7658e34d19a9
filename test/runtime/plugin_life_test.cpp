// SPDX-License-Identifier: Apache-2.0
/// @file
/// The life of plugins: many instances, handles that outlive what they refer to, memory given back.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>

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

TEST_CASE("a host function may drop the last handle of the module that calls it") {
  bool told = false;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseNotifier(
      [&](const std::string&, std::uint32_t) { told = true; })};
  struct Plugin {
    tenon::Module module;
    tenon::TypedFunction<std::int32_t()> typed;
    tenon::Function untyped;
  };
  std::optional<Plugin> plugin;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Memory& memory) -> std::int32_t {
        plugin.reset();
        CHECK_FALSE(told);
        return memory.ReadByte(0).value_or(0);
      })
      .Export("unload")
      .Instantiate();
  const auto bytes = guests::Forwarder("env", "unload", {{}, {guests::kI32}}, true);
  const auto load = [&] {
    told = false;
    const tenon::Module guest = runtime.Instantiate(bytes, kAnonymous);
    guest.DefaultMemory().WriteByte(0, 42);
    plugin =
        Plugin{guest, guest.ExportedFunction<std::int32_t()>("run"), guest.ExportedFunction("run")};
  };
  load();
  CHECK(plugin->typed() == 42);
  CHECK(told);
  load();
  CHECK(plugin->untyped.Call().at(0).I32() == 42);
  CHECK(told);
}

TEST_CASE("a handle taken again before the call ends keeps the module") {
  bool told = false;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseNotifier(
      [&](const std::string& name, std::uint32_t) { told |= name.empty(); })};
  tenon::Module kept;
  std::optional<tenon::TypedFunction<void()>> run;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller) {
        run.reset();
        kept = caller;
      })
      .Export("keep")
      .Instantiate();
  run = runtime.Instantiate(guests::Forwarder("env", "keep", {}), kAnonymous)
            .ExportedFunction<void()>("run");
  (*run)();
  CHECK_FALSE(told);
  CHECK_FALSE(kept.IsClosed());
  kept = {};
  CHECK(told);
}

TEST_CASE("failed instantiations that import from a guest give their memory back") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithMemoryLimitBytes(4 * 65536)};
  const tenon::Module library =
      runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("library"));
  guests::Guest guest;
  guest.AddImport("library", "increment", {{}, {guests::kI32}});
  guest.Memory(1, 1);
  guest.Start(guest.Function(guest.TypeOf({}), {}, [](auto& code) { code.Unreachable(); }));
  const tenon::CompiledModule failing = runtime.CompileModule(guest.Build());
  for (int i = 0; i < 50; ++i) CHECK_THROWS_AS(runtime.InstantiateModule(failing), tenon::Trap);
}

TEST_CASE("a failed instantiation keeps its memory for functions that it left in a table") {
  const tenon::Runtime runtime;
  const tenon::Module owner =
      runtime.Instantiate(guests::Tables(), tenon::ModuleConfig{}.WithName("owner"));
  guests::Guest guest;
  const std::uint32_t table = guest.ImportTable(
      "owner", "table", {tenon::ValueType::FuncRef, guests::LimitsOf(4, std::nullopt)});
  guest.Memory(1, 1);
  const std::uint32_t pages =
      guest.Add("pages", {{}, {guests::kI32}}, [](auto& code) { code.MemorySize(); });
  guest.ActiveElement(table, guests::ConstantExpression::I32(3),
                      guests::ElementItems::Functions({pages}));
  guest.Start(guest.AddHidden("start", {}, [](auto& code) { code.Unreachable(); }));
  CHECK_THROWS_AS(runtime.Instantiate(guest.Build()), tenon::Trap);
  CHECK(owner.ExportedFunction<std::int32_t(std::int32_t)>("call")(3) == 1);
}

TEST_CASE("closed plugins leave nothing behind in the group of their library") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCloseOnContextDone(true)};
  const tenon::Module library =
      runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("library"));
  const tenon::CompiledModule plugin =
      runtime.CompileModule(guests::Forwarder("library", "increment", {{}, {guests::kI32}}, true));
  const auto members = [&] { return library.Get()->group->instances.size(); };
  for (std::int32_t i = 1; i <= 5; ++i) {
    const tenon::Module module = runtime.InstantiateModule(plugin, kAnonymous);
    CHECK(module.ExportedFunction<std::int32_t()>("run")() == i);
    CHECK(members() == 2);
    module.Close();
    CHECK(members() == 2);
  }
  CHECK(members() == 1);
  // One whose functions another holds stays.
  const auto named = tenon::ModuleConfig{}.WithName("plugin");
  runtime.InstantiateModule(plugin, named);
  const tenon::Module user =
      runtime.Instantiate(guests::Forwarder("plugin", "run", {{}, {guests::kI32}}), kAnonymous);
  runtime.FindModule("plugin").CloseWithExitCode(4);
  CHECK(members() == 3);
  CHECK(Thrown<tenon::ExitError>([&] { user.ExportedFunction("run").Call(); }).ExitCode() == 4);
}

TEST_CASE("a plugin closed and dropped by a host function goes when the call ends") {
  const tenon::Runtime runtime;
  tenon::Module plugin;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] {
        plugin.Close();
        plugin = {};
      })
      .Export("unload")
      .Instantiate();
  guests::Guest guest;
  guest.NameModule("library");
  const std::uint32_t unload = guest.AddImport("env", "unload", {});
  guest.Add("unload", {}, [&](auto& code) { code.Call(unload); });
  const tenon::Module library = runtime.Instantiate(guest.Build());
  plugin = runtime.Instantiate(guests::Forwarder("library", "unload", {}), kAnonymous);
  CHECK(library.Get()->group->instances.size() == 2);
  library.ExportedFunction<void()>("unload")();
  CHECK(library.Get()->group->instances.size() == 1);
}

TEST_CASE("types that no module uses any more are forgotten") {
  const tenon::Runtime runtime;
  const auto types = [&] {
    const tenon::Module probe = runtime.Instantiate(guests::Empty());
    return probe.Get()->store->types.Size();
  };
  const tenon::Module guest =
      runtime.Instantiate(guests::Counter(), tenon::ModuleConfig{}.WithName("guest"));
  const std::size_t before = types();
  for (int i = 0; i < 3; ++i) {
    const tenon::Module other = runtime.Instantiate(guests::Arithmetic(), kAnonymous);
    CHECK(types() > before);
  }
  CHECK(types() == before);
  CHECK(guest.ExportedFunction<std::int32_t()>("increment")() == 1);
}
