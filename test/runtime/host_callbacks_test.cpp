// SPDX-License-Identifier: Apache-2.0
/// @file
/// Callback and FunctionPointer: functions that guests hand to the host.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/count_allocations.hpp"
#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;
using tenon::Callback;
using tenon::FunctionPointer;
using tenon::TrapCode;

namespace {

constexpr auto kI32 = guests::kI32;
constexpr auto kF64 = guests::kF64;
constexpr auto kFunc = tenon::ValueType::FuncRef;

/// What a guest hands over: a table index, as C does, or a reference.
struct ByIndex {
  template <class S>
  using Of = FunctionPointer<S>;
  static constexpr auto kWire = kI32;
};
struct ByReference {
  template <class S>
  using Of = Callback<S>;
  static constexpr auto kWire = kFunc;
};

/// Imports env.take: (wire) -> i32. "run"(i32 index) hands over that element of its table, whose
/// elements are: 0 none, 1 "twice" (i32) -> i32, 2 "half" (f64) -> f64, 3 none, 4 "trap" and
/// 5 "back" (i32) -> i32, which calls env.back.
template <class Form>
guests::Bytes Giver(const char* table_name = "__indirect_function_table") {
  guests::Guest guest;
  const std::uint32_t take = guest.AddImport("env", "take", {{Form::kWire}, {kI32}});
  const std::uint32_t back = guest.AddImport("env", "back", {{kI32}, {kI32}});
  const guests::Signature unary{{kI32}, {kI32}};
  const std::uint32_t twice = guest.Add("twice", unary, [](guests::CodeBuilder& code) {
    code.LocalGet(0).LocalGet(0).Emit(guests::Opcode::I32Add);
  });
  const std::uint32_t half = guest.Add("half", {{kF64}, {kF64}}, [](guests::CodeBuilder& code) {
    code.LocalGet(0).F64Const(0.5).Emit(guests::Opcode::F64Mul);
  });
  const std::uint32_t trap = guest.Add(
      "trap", unary, [](guests::CodeBuilder& code) { code.Emit(guests::Opcode::Unreachable); });
  const std::uint32_t call_back =
      guest.Add("back", unary, [&](guests::CodeBuilder& code) { code.LocalGet(0).Call(back); });
  tenon::wasm::TableType type;
  type.element = kFunc;
  type.limits = guests::LimitsOf(7, 7);
  const std::uint32_t table = guest.Table(type);
  guest.Export(table_name, guests::Kind::Table, table);
  guest.ActiveElement(table, guests::ConstantExpression::I32(1),
                      guests::ElementItems::Functions({twice, half}));
  guest.ActiveElement(table, guests::ConstantExpression::I32(4),
                      guests::ElementItems::Functions({trap, call_back, back}));
  guest.Add("run", unary, [&](guests::CodeBuilder& code) {
    code.LocalGet(0);
    if (Form::kWire == kFunc) code.TableGet(table);
    code.Call(take);
  });
  return guest.Build();
}

using Unary = std::int32_t(std::int32_t);

/// As a parameter it copies the table's element of its number to element 0.
struct SetsElement {
  static inline tenon::Table table;
};

}  // namespace

template <>
struct tenon::WasmType<SetsElement> {
  using Wire = std::uint32_t;
  static SetsElement FromWasm(std::uint32_t index) {
    SetsElement::table.Set(0, *SetsElement::table.Get(index));
    return {};
  }
};

namespace {

template <class Form>
struct Host {
  using Function = typename Form::template Of<Unary>;

  Host() : runtime{MakeRuntime()} {
    tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
    env.NewFunctionBuilder()
        .WithFunc([this](Function function) -> std::int32_t {
          if (!function) return -1;
          if (keep) {
            kept = function;
            return 0;
          }
          return function(21);
        })
        .WithParameterNames("function")
        .Export("take");
    env.NewFunctionBuilder()
        .WithFunc([this](std::int32_t n) -> std::int32_t {
          if (n == 0) throw std::out_of_range{"host"};
          return n > 20 ? guest.ExportedFunction<Unary>("run")(1) + n : n;
        })
        .Export("back");
    env.Instantiate();
    guest = runtime.Instantiate(Giver<Form>());
  }

  std::int32_t Run(std::int32_t index) { return guest.ExportedFunction<Unary>("run")(index); }

  bool keep = false;
  Function kept;
  tenon::Runtime runtime;
  tenon::Module guest;
};

}  // namespace

TEMPLATE_TEST_CASE("funcref / guest callback", "", ByIndex, ByReference) {
  Host<TestType> host;
  CHECK(host.Run(1) == 42);
  CHECK(host.Run(0) == -1);  // null
  SECTION("another type is refused, with both types and the parameter's name") {
    const auto trap = Thrown<tenon::Trap>([&] { host.Run(2); });
    CHECK(trap.Code() == TrapCode::IndirectCallTypeMismatch);
    CHECK(trap.Message().find("parameter 0 \"function\"") != std::string::npos);
    CHECK(trap.Message().find("the host takes (i32) -> i32, the guest gave (f64) -> f64") !=
          std::string::npos);
  }
  SECTION("traps come out, and the guest goes on") {
    CHECK(Thrown<tenon::Trap>([&] { host.Run(4); }).Code() == TrapCode::Unreachable);
    CHECK(host.Run(1) == 42);
  }
  SECTION("a callback may call the host, which calls the guest") { CHECK(host.Run(5) == 63); }
  SECTION("so may be a host function that the guest imports") { CHECK(host.Run(6) == 63); }
  SECTION("kept, it is called later and keeps its instance") {
    host.keep = true;
    host.Run(1);
    host.guest = {};
    CHECK(host.kept(4) == 8);
    const auto copy = host.kept;
    CHECK(copy == host.kept);
    host.kept = {};
    CHECK_FALSE(static_cast<bool>(host.kept));
    CHECK(copy(5) == 10);
    CHECK(copy.TryCall(5).Value() == 10);
    CHECK(copy.Function()(6) == 12);
    CHECK_THROWS_AS(host.kept(1), tenon::ConfigError);
  }
  SECTION("after Close it is inert and throws") {
    host.keep = true;
    host.Run(1);
    host.guest.CloseWithExitCode(3);
    CHECK(Thrown<tenon::ExitError>([&] { host.kept(1); }).ExitCode() == 3);
    CHECK_FALSE(static_cast<bool>(host.kept.TryCall(1)));
  }
  SECTION("exceptions of the host pass through it") {
    host.keep = true;
    host.Run(5);
    CHECK_THROWS_AS(host.kept(0), std::out_of_range);
    CHECK(host.kept(7) == 7);
  }
}

TEST_CASE("indices beyond the table and empty elements are refused") {
  Host<ByIndex> host;
  for (const std::int32_t index : {7, 8, 1 << 20, -1, INT32_MIN, INT32_MAX}) {
    const auto trap = Thrown<tenon::Trap>([&] { host.Run(index); });
    CHECK(trap.Code() == TrapCode::UndefinedElement);
    CHECK(trap.Message().find("\"function\"") != std::string::npos);
  }
  CHECK(Thrown<tenon::Trap>([&] { host.Run(3); }).Code() == TrapCode::UninitializedElement);
  CHECK(host.Run(1) == 42);
}

TEST_CASE("function pointers are indices into table 0 if none has C's name") {
  const tenon::Runtime runtime = MakeRuntime();
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  env.NewFunctionBuilder()
      .WithFunc([](FunctionPointer<Unary> function) { return function(1); })
      .Export("take");
  env.NewFunctionBuilder().WithFunc([](std::int32_t n) { return n; }).Export("back");
  env.Instantiate();
  const tenon::Module guest = runtime.Instantiate(Giver<ByIndex>("other"));
  CHECK(guest.ExportedFunction<Unary>("run")(1) == 2);
}

TEST_CASE("a guest without a table has no function pointers but null") {
  const tenon::Runtime runtime = MakeRuntime();
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](FunctionPointer<Unary> function) { return function ? 1 : 0; })
      .Export("take")
      .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::Forwarder("env", "take", {{kI32}, {kI32}}));
  const auto run = guest.ExportedFunction<Unary>("run");
  CHECK(run(0) == 0);
  CHECK(Thrown<tenon::Trap>([&] { run(1); }).Code() == TrapCode::UndefinedElement);
}

TEST_CASE("a callback with many parameters is checked as well") {
  using Many = void(int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int);
  const tenon::Runtime runtime = MakeRuntime();
  int calls = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](Callback<Many> function) {
        function(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        ++calls;
      })
      .Export("take")
      .Instantiate();
  guests::Guest guest;
  const std::uint32_t take = guest.AddImport("env", "take", {{kFunc}, {}});
  const auto nothing = [](guests::CodeBuilder&) {};
  const std::uint32_t many = guest.Add("many", {std::vector(16, kI32), {}}, nothing);
  const std::uint32_t more = guest.Add("more", {std::vector(17, kI32), {}}, nothing);
  guest.Add("good", {}, [&](guests::CodeBuilder& code) { code.RefFunc(many).Call(take); });
  guest.Add("bad", {}, [&](guests::CodeBuilder& code) { code.RefFunc(more).Call(take); });
  const tenon::Module instance = runtime.Instantiate(guest.Build());
  instance.ExportedFunction<void()>("good")();
  CHECK(calls == 1);
  CHECK(Thrown<tenon::Trap>([&] { instance.ExportedFunction<void()>("bad")(); }).Code() ==
        TrapCode::IndirectCallTypeMismatch);
  CHECK(calls == 1);
}

TEST_CASE("a function with many parameters that a conversion puts into the table is not called") {
  using Many = void(int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int);
  const tenon::Runtime runtime = MakeRuntime();
  std::vector<bool> arrived;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](SetsElement, FunctionPointer<Many> function, SetsElement) {
        arrived.push_back(static_cast<bool>(function));
      })
      .Export("take")
      .Instantiate();
  guests::Guest guest;
  const std::uint32_t take = guest.AddImport("env", "take", {std::vector(3, kI32), {}});
  const auto nothing = [](guests::CodeBuilder&) {};
  const std::uint32_t many = guest.Add("many", {std::vector(16, kI32), {}}, nothing);
  const std::uint32_t more = guest.Add("more", {std::vector(17, kI32), {}}, nothing);
  tenon::wasm::TableType type;
  type.element = kFunc;
  type.limits = guests::LimitsOf(3, 3);
  const std::uint32_t table = guest.Table(type);
  guest.Export("__indirect_function_table", guests::Kind::Table, table);
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({many, more, many}));
  guest.Add("run", {{kI32}, {}}, [&](guests::CodeBuilder& code) {
    code.LocalGet(0).I32Const(0).I32Const(0).Call(take);
  });
  const tenon::Module instance = runtime.Instantiate(guest.Build());
  SetsElement::table = instance.ExportedTable("__indirect_function_table");
  const auto run = instance.ExportedFunction<void(std::int32_t)>("run");
  run(0);
  run(2);
  run(1);
  SetsElement::table = {};
  CHECK(arrived == std::vector<bool>{true, true, false});
}

TEST_CASE("a callback may be reset that is the last handle of a guest which owns it") {
  struct Listener {
    explicit Listener(bool& chosen) : is_gone{&chosen} {}
    ~Listener() { *is_gone = true; }
    FunctionPointer<Unary> on_event;
    bool* is_gone;
  };
  bool is_gone = false;
  const tenon::Runtime runtime = MakeRuntime();
  Listener* listener = nullptr;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](FunctionPointer<Unary> function) {
        auto owned = std::make_unique<Listener>(is_gone);
        listener = owned.get();
        listener->on_event = function;
        return tenon::Handle<Listener>::Own(std::move(owned));
      })
      .Export("take")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t n) { return n; })
      .Export("back")
      .Instantiate();
  {
    const tenon::Module guest =
        runtime.Instantiate(Giver<ByIndex>(), tenon::ModuleConfig{}.WithName(""));
    guest.ExportedFunction<std::uint32_t(std::int32_t)>("run")(1);
  }
  REQUIRE(listener != nullptr);
  CHECK(listener->on_event(4) == 8);
  CHECK_FALSE(is_gone);
  listener->on_event = {};
  CHECK(is_gone);
}

TEST_CASE("callbacks cross calls without allocating") {
  Host<ByIndex> host;
  const auto run = host.guest.ExportedFunction<Unary>("run");
  run(1);
  const std::uint64_t before = Allocations();
  for (int i = 0; i < 1000; ++i) run(1);
  CHECK(Allocations() == before);
}
