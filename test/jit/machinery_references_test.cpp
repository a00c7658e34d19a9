// SPDX-License-Identifier: Apache-2.0
/// @file
/// Listeners, function references and functions known by their slots, across modules and closings.
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kF32;
using guests::kF64;
using guests::kI32;
using guests::kI64;
using guests::Opcode;
using guests::Signature;
using tenon::FuncRef;
using tenon::Value;
using tenon::ValueType;

namespace {

std::string TextOfValues(std::span<const Value> values) {
  std::string text;
  for (const Value& value : values) {
    text += ' ';
    if (value.Type() == ValueType::I32) text += std::to_string(value.I32());
    if (value.Type() == ValueType::I64) text += std::to_string(value.I64()) + "L";
    if (value.Type() == ValueType::F32) text += std::to_string(value.F32()) + "f";
    if (value.Type() == ValueType::F64) text += std::to_string(value.F64());
  }
  return text;
}

/// Writes down everything that listeners are told.
struct Recorder : tenon::FunctionListener {
  explicit Recorder(std::vector<std::string>& lines) : log{lines} {}
  void Before(tenon::Module& module, const tenon::FunctionDefinition& function,
              const tenon::TypedValues& arguments, tenon::StackIterator& stack) override {
    std::string line =
        "> " + module.Name() + " " + function.DebugName() + TextOfValues(arguments.Values());
    line += " |";
    while (stack.Next()) {
      line += " " + stack.Function().DebugName() + "@" + std::to_string(stack.ModuleOffset());
    }
    log.push_back(line);
  }
  void After(tenon::Module& module, const tenon::FunctionDefinition& function,
             const tenon::TypedValues& results) override {
    log.push_back("< " + module.Name() + " " + function.DebugName() +
                  TextOfValues(results.Values()));
  }
  void Abort(tenon::Module& module, const tenon::FunctionDefinition& function,
             const std::exception_ptr& error) override {
    std::string text = "unknown";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& exception) {
      text = exception.what();
    }
    log.push_back("! " + module.Name() + " " + function.DebugName() + " " + text);
  }
  std::vector<std::string>& log;
};

/// Imports env.many, env.slots and env.fail; functions of many shapes that call one another
/// directly, through a table and through the host.
guests::Bytes Listened() {
  Guest guest;
  guest.NameModule("guest");
  const Signature many{{kI32, kI64, kF32, kF64, kI32, kI64, kF32, kF64, kI32, kI64},
                       {kI64, kF64, kI32}};
  const Signature unary{{kI32}, {kI32}};
  const std::uint32_t host_many = guest.AddImport("env", "many", many);
  const std::uint32_t host_slots = guest.AddImport("env", "slots", unary);
  const std::uint32_t host_fail = guest.AddImport("env", "fail", unary);
  const std::uint32_t table = guest.Table(ValueType::FuncRef, 4);
  const std::uint32_t shuffle = guest.Add("shuffle", many, [&](CodeBuilder& code) {
    guests::GetAll(code, 10);
    code.Call(host_many);
  });
  const std::uint32_t small = guest.AddHidden(
      "small", unary, [](CodeBuilder& code) { code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add); });
  guest.ActiveElement(table, guests::ConstantExpression::I32(0),
                      guests::ElementItems::Functions({small, host_slots, host_fail, shuffle}));
  guest.Add("at", {{kI32, kI32}, {kI32}}, [&](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).CallIndirect(guest.TypeOf(unary), table);
  });
  guest.Add("chain", unary,
            [&](CodeBuilder& code) { code.LocalGet(0).Call(small).Call(host_slots).Call(small); });
  const std::uint32_t deep = guest.DeclareFunction(guest.TypeOf(unary));
  guest.NameFunction(deep, "deep");
  guest.Export("deep", guests::Kind::Func, deep);
  guest.DefineFunction(deep, {}, [&](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32Eqz).Begin(Opcode::If);
    code.I32Const(3).Call(host_fail).Return().End();
    code.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).Call(deep);
  });
  guest.Add("divide", {{kI32, kI32}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32DivS); });
  return guest.Build();
}

std::vector<std::string> ListenTo(const RuntimeConfig& config, bool to_all) {
  std::vector<std::string> log;
  const auto recorder = std::make_shared<Recorder>(log);
  const Runtime runtime{config.WithFunctionListenerFactory(
      [&](const tenon::FunctionDefinition& function) -> std::shared_ptr<tenon::FunctionListener> {
        if (!to_all && function.index % 2 == 0) return nullptr;
        return recorder;
      })};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t a, std::int64_t b, float c, double d, std::int32_t e,
                   std::int64_t f, float g, double h, std::int32_t i, std::int64_t j) {
        return std::tuple<std::int64_t, double, std::int32_t>{
            b * 10 + f + j, d + h * 2 + static_cast<double>(c - g), a * 100 + e * 10 + i};
      })
      .Export("many")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            slots[0] = static_cast<std::uint32_t>(slots[0]) * std::uint64_t{2} | 0xABCD00000000;
          },
          {kI32}, {kI32})
      .Export("slots")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) -> std::int32_t {
        if (value == 3) throw std::runtime_error{"three"};
        return -value;
      })
      .Export("fail")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(Listened(), ModuleConfig{}.WithName("listened"));
  const auto call = [&](std::string_view name, std::initializer_list<Value> arguments) {
    try {
      log.push_back("=" + TextOfValues(guest.ExportedFunction(name).Call(arguments)));
    } catch (const std::exception& error) {
      log.push_back(std::string{"= "} + error.what());
    }
  };
  for (int round = 0; round < 2; ++round) {
    call("shuffle",
         {Value{1}, Value{std::int64_t{2}}, Value{3.5f}, Value{4.25}, Value{5},
          Value{std::int64_t{6}}, Value{7.5f}, Value{8.25}, Value{9}, Value{std::int64_t{10}}});
    call("chain", {Value{20}});
    for (const int index : {0, 1, 2, 3, 4}) call("at", {Value{5}, Value{index}});
    call("at", {Value{3}, Value{2}});
    call("deep", {Value{4}});
    call("divide", {Value{7}, Value{2}});
    call("divide", {Value{7}, Value{0}});
  }
  return log;
}

const Signature kNullary{{}, {kI32}};

/// A table that others share, so that they may pass references to one another.
guests::Bytes Base() {
  Guest guest;
  guest.Export("table", guests::Kind::Table, guest.Table(ValueType::FuncRef, 4));
  return guest.Build();
}

/// "own" returns a reference to a function that adds 1 to a global and returns it; "call" calls a
/// reference through base.table, "keep"(reference) puts it at 1, "call_kept" calls that, "pass"
/// sends a reference through env.pass and calls what comes back.
guests::Bytes Referrer() {
  Guest guest;
  const std::uint32_t pass =
      guest.AddImport("env", "pass", {{ValueType::FuncRef}, {ValueType::FuncRef}});
  const std::uint32_t table =
      guest.ImportTable("base", "table", {ValueType::FuncRef, guests::LimitsOf(4, std::nullopt)});
  const std::uint32_t count = guest.Global({kI32, true}, guests::ConstantExpression::I32(0));
  const std::uint32_t type = guest.TypeOf(kNullary);
  const std::uint32_t next = guest.AddHidden("next", kNullary, [&](CodeBuilder& code) {
    code.GlobalGet(count).I32Const(1).Emit(Opcode::I32Add).GlobalSet(count).GlobalGet(count);
  });
  guest.DeclarativeElement(guests::ElementItems::Functions({next}));
  guest.Add("own", {{}, {ValueType::FuncRef}}, [&](CodeBuilder& code) { code.RefFunc(next); });
  const auto call_at = [&](CodeBuilder& code, std::int32_t index) {
    code.I32Const(index).CallIndirect(type, table);
  };
  guest.Add("call", {{ValueType::FuncRef}, {kI32}}, [&](CodeBuilder& code) {
    code.I32Const(0).LocalGet(0).TableSet(table);
    call_at(code, 0);
  });
  guest.Add("keep", {{ValueType::FuncRef}, {}},
            [&](CodeBuilder& code) { code.I32Const(1).LocalGet(0).TableSet(table); });
  guest.Add("call_kept", kNullary, [&](CodeBuilder& code) { call_at(code, 1); });
  guest.Add("pass", {{ValueType::FuncRef}, {kI32}}, [&](CodeBuilder& code) {
    code.I32Const(2).LocalGet(0).Call(pass).TableSet(table);
    call_at(code, 2);
  });
  return guest.Build();
}

}  // namespace

TEST_CASE("listeners are told the same, in the same order, whatever the engine") {
  for (const bool to_all : {true, false}) {
    const auto expected = ListenTo(Setups()[0].config, to_all);
    CHECK(expected.size() > 60);
    InEverySetup([&](const Setup& setup) {
      const auto log = ListenTo(setup.config, to_all);
      CHECK(log.size() == expected.size());
      for (std::size_t i = 0; i < std::min(log.size(), expected.size()); ++i) {
        REQUIRE(log[i] == expected[i]);
      }
    });
  }
}

TEST_CASE("references go through the host and through tables of other modules") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    int passed = 0;
    FuncRef replacement;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](FuncRef reference) -> FuncRef {
          ++passed;
          return passed % 2 == 0 ? replacement : reference;
        })
        .Export("pass")
        .Instantiate();
    const tenon::Module base = runtime.Instantiate(Base(), ModuleConfig{}.WithName("base"));
    const auto compiled = runtime.CompileModule(Referrer());
    const tenon::Module one = runtime.InstantiateModule(compiled, kAnonymous);
    const tenon::Module two = runtime.InstantiateModule(compiled, kAnonymous);
    using Calls = std::int32_t(FuncRef);
    const auto own_one = one.ExportedFunction<FuncRef()>("own");
    const auto own_two = two.ExportedFunction<FuncRef()>("own");
    const auto call_one = one.ExportedFunction<Calls>("call");
    const auto pass_one = one.ExportedFunction<Calls>("pass");
    replacement = own_two();
    std::int32_t count_one = 0;
    std::int32_t count_two = 0;
    for (int i = 0; i < 200; ++i) {
      REQUIRE(call_one(own_one()) == ++count_one);
      REQUIRE(call_one(own_two()) == ++count_two);
      REQUIRE(pass_one(own_one()) == ++count_one);
      REQUIRE(pass_one(own_one()) == ++count_two);
    }
    // A function that the host puts in, and takes out.
    tenon::Table table = base.ExportedTable("table");
    REQUIRE(table.Set(1, Value{own_two()}));
    CHECK(one.ExportedFunction<Nullary>("call_kept")() == ++count_two);
    CHECK(Thrown<tenon::Trap>([&] { call_one(FuncRef{}); }).Code() ==
          Thrown<tenon::Trap>([&] { pass_one(FuncRef{}); }).Code());
    replacement = {};
  });
}

TEST_CASE("functions of closed modules in tables and variables end their callers, always") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([](FuncRef reference) -> FuncRef { return reference; })
        .Export("pass")
        .Instantiate();
    const tenon::Module base = runtime.Instantiate(Base(), ModuleConfig{}.WithName("base"));
    const auto compiled = runtime.CompileModule(Referrer());
    for (int i = 0; i < 20; ++i) {
      const tenon::Module keeper = runtime.InstantiateModule(compiled, kAnonymous);
      const auto kept = keeper.ExportedFunction<Nullary>("call_kept");
      FuncRef reference;
      tenon::Module closed = runtime.InstantiateModule(compiled, kAnonymous);
      reference = closed.ExportedFunction<FuncRef()>("own")();
      keeper.ExportedFunction<void(FuncRef)>("keep")(reference);
      REQUIRE(kept() == 1);
      closed.CloseWithExitCode(11);
      REQUIRE(Thrown<tenon::ExitError>([&] { kept(); }).ExitCode() == 11);
      REQUIRE(Thrown<tenon::ExitError>([&] {
                keeper.ExportedFunction<std::int32_t(FuncRef)>("call")(reference);
              }).ExitCode() == 11);
      REQUIRE(Thrown<tenon::ExitError>([&] {
                keeper.ExportedFunction<std::int32_t(FuncRef)>("pass")(reference);
              }).ExitCode() == 11);
      // The keeper itself is well.
      const auto own = keeper.ExportedFunction<FuncRef()>("own")();
      REQUIRE(keeper.ExportedFunction<std::int32_t(FuncRef)>("call")(own) == 1);
    }
  });
}

TEST_CASE("a module that closes itself while its function is in another's table is left at once") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([](tenon::Module& caller) -> std::int32_t {
          caller.CloseWithExitCode(21);
          return 1;
        })
        .Export("close")
        .Instantiate();
    Guest closing;
    const std::uint32_t close = closing.AddImport("env", "close", kNullary);
    closing.Add("run", kNullary, [&](CodeBuilder& code) { code.Call(close); });
    Guest calling;
    const std::uint32_t run = calling.AddImport("closing", "run", kNullary);
    calling.Add("twice", kNullary,
                [&](CodeBuilder& code) { code.Call(run).Call(run).Emit(Opcode::I32Add); });
    const auto closing_compiled = runtime.CompileModule(closing.Build());
    const auto calling_compiled = runtime.CompileModule(calling.Build());
    for (int i = 0; i < 20; ++i) {
      const tenon::Module closes =
          runtime.InstantiateModule(closing_compiled, ModuleConfig{}.WithName("closing"));
      const tenon::Module calls = runtime.InstantiateModule(calling_compiled, kAnonymous);
      const auto twice = calls.ExportedFunction<Nullary>("twice");
      for (int again = 0; again < 2; ++again) {
        REQUIRE(Thrown<tenon::ExitError>([&] { twice(); }).ExitCode() == 21);
      }
      REQUIRE(closes.IsClosed());
      REQUIRE_FALSE(calls.IsClosed());
    }
  });
}
