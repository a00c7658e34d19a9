// SPDX-License-Identifier: Apache-2.0
/// @file
/// externref and funcref: round trips through calls, tables, globals and host functions.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

constexpr auto kExtern = tenon::ValueType::ExternRef;
constexpr auto kFunc = tenon::ValueType::FuncRef;

}  // namespace

TEST_CASE("an externref carries a pointer or number, and null") {
  int object = 0;
  const tenon::ExternRef reference{static_cast<void*>(&object)};
  CHECK(reference.Get() == &object);
  CHECK_FALSE(reference.IsNull());
  CHECK(tenon::ExternRef{}.IsNull());
  CHECK(tenon::ExternRef{}.Get() == nullptr);
  CHECK(tenon::ExternRef{static_cast<void*>(nullptr)} == tenon::ExternRef{});
  CHECK(tenon::ExternRef{std::uintptr_t{7}}.Value() == 7);
}

TEST_CASE("externref passes through a guest unchanged") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::References());
  int object = 0;
  const auto identity =
      guest.ExportedFunction<tenon::ExternRef(tenon::ExternRef)>("extern_identity");
  CHECK(identity(tenon::ExternRef{static_cast<void*>(&object)}).Get() == &object);
  CHECK(identity(tenon::ExternRef{}).IsNull());
  CHECK(identity(tenon::ExternRef{~std::uintptr_t{0}}).Value() == ~std::uintptr_t{0});
  const auto is_null = guest.ExportedFunction<std::int32_t(tenon::ExternRef)>("is_null");
  CHECK(is_null(tenon::ExternRef{}) == 1);
  CHECK(is_null(tenon::ExternRef{std::uintptr_t{1}}) == 0);
}

TEST_CASE("host functions take and return externref, null included") {
  const tenon::Runtime runtime;
  std::vector<std::string> names{"zero", "one"};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t index) {
        const auto at = static_cast<std::size_t>(index);
        return at < names.size() ? tenon::ExternRef{static_cast<void*>(&names[at])}
                                 : tenon::ExternRef{};
      })
      .Export("open")
      .NewFunctionBuilder()
      .WithFunc([](tenon::ExternRef reference) -> std::int32_t {
        if (reference.IsNull()) return -1;
        return static_cast<std::int32_t>(static_cast<std::string*>(reference.Get())->size());
      })
      .Export("size")
      .Instantiate();
  const tenon::Module open =
      runtime.Instantiate(guests::Forwarder("env", "open", {{guests::kI32}, {kExtern}}));
  const tenon::Module size =
      runtime.Instantiate(guests::Forwarder("env", "size", {{kExtern}, {guests::kI32}}));
  const auto run_open = open.ExportedFunction<tenon::ExternRef(std::int32_t)>("run");
  const auto run_size = size.ExportedFunction<std::int32_t(tenon::ExternRef)>("run");
  CHECK(run_size(run_open(0)) == 4);
  CHECK(run_size(run_open(1)) == 3);
  CHECK(run_size(run_open(2)) == -1);
}

TEST_CASE("a funcref of a guest comes out, goes back in, and is called") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::References());
  const tenon::FuncRef answer = guest.ExportedFunction<tenon::FuncRef()>("own")();
  CHECK_FALSE(answer.IsNull());
  CHECK(answer == guest.ExportedFunction("answer").Reference());
  CHECK(guest.ExportedFunction<tenon::FuncRef(tenon::FuncRef)>("func_identity")(answer) == answer);
  const auto call = guest.ExportedFunction<std::int32_t(tenon::FuncRef)>("call");
  CHECK(call(answer) == 42);
  CHECK(Thrown<tenon::Trap>([&] { call(tenon::FuncRef{}); }).Code() ==
        tenon::TrapCode::UninitializedElement);
}

TEST_CASE("host functions take and return funcref") {
  const tenon::Runtime runtime;
  tenon::FuncRef kept;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::FuncRef function) {
        kept = function;
        return function;
      })
      .Export("keep")
      .Instantiate();
  const tenon::Module keep =
      runtime.Instantiate(guests::Forwarder("env", "keep", {{kFunc}, {kFunc}}));
  const tenon::FuncRef own = keep.ExportedFunction("run").Reference();
  const auto run = keep.ExportedFunction<tenon::FuncRef(tenon::FuncRef)>("run");
  CHECK(run(own) == own);
  CHECK(kept == own);
  CHECK(run(tenon::FuncRef{}).IsNull());
  CHECK(kept.IsNull());
}

TEST_CASE("a host function calls a function that a guest gave it") {
  const tenon::Runtime runtime;
  tenon::Function callback;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::FuncRef function) { callback = tenon::Function{function}; })
      .Export("give")
      .Instantiate();
  {
    guests::Guest guest;
    const std::uint32_t give = guest.AddImport("env", "give", {{kFunc}, {}});
    guest.Add("answer", {{}, {guests::kI32}}, [](guests::CodeBuilder& code) { code.I32Const(42); });
    guest.Add("run", {{kFunc}, {}},
              [&](guests::CodeBuilder& code) { code.LocalGet(0).Call(give); });
    const tenon::Module module = runtime.Instantiate(guest.Build());
    const auto run = module.ExportedFunction<void(tenon::FuncRef)>("run");
    run(tenon::FuncRef{});
    CHECK_FALSE(callback);
    run(module.ExportedFunction("answer").Reference());
  }
  REQUIRE(callback);
  CHECK(callback.As<std::int32_t()>()() == 42);
}

TEST_CASE("a guest is passed functions of its own linkage group only") {
  const tenon::Runtime runtime;
  const tenon::Runtime other_runtime;
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module guest = runtime.Instantiate(guests::References(), anonymous);
  tenon::Module other = runtime.Instantiate(guests::References(), anonymous);
  const tenon::Module foreign = other_runtime.Instantiate(guests::References(), anonymous);
  const auto call = guest.ExportedFunction<std::int32_t(tenon::FuncRef)>("call");
  tenon::FuncRef refused = foreign.ExportedFunction("answer").Reference();
  SECTION("not of another runtime") {}
  SECTION("not of another group") { refused = other.ExportedFunction("answer").Reference(); }
  SECTION("not one that is gone") {
    refused = other.ExportedFunction("answer").Reference();
    other = {};
  }
  const auto error = Thrown<tenon::ConfigError>([&] { call(refused); });
  CHECK(error.Id() == tenon::ErrorCode::ParameterForeignFunction);
  CHECK(std::string{error.what()} ==
        "param[0]: a function of another linkage group, or one that is gone, cannot be passed");
  CHECK_THROWS_AS(guest.ExportedFunction("call").Call({tenon::Value{refused}}), tenon::ConfigError);
  tenon::abi::Slot slot[1];
  tenon::Value{refused}.ToSlots(slot);
  CHECK_THROWS_AS(guest.ExportedFunction("call").CallWithStack(slot), tenon::ConfigError);
  CHECK(call.TryCall(refused).Error() != nullptr);
  CHECK(call(guest.ExportedFunction("answer").Reference()) == 42);
}

TEST_CASE("a host function gives a guest functions of its linkage group only") {
  const tenon::Runtime runtime;
  tenon::FuncRef given;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&] { return given; })
      .Export("typed")
      .NewFunctionBuilder()
      .WithHostFunction(
          [&](std::span<tenon::abi::Slot> slots) { tenon::Value{given}.ToSlots(slots.data()); }, {},
          {kFunc})
      .Export("dynamic")
      .Instantiate();
  const tenon::Module other =
      runtime.Instantiate(guests::References(), tenon::ModuleConfig{}.WithName(""));
  for (const char* name : {"typed", "dynamic"}) {
    INFO(name);
    const tenon::Module guest = runtime.Instantiate(guests::Forwarder("env", name, {{}, {kFunc}}),
                                                    tenon::ModuleConfig{}.WithName(""));
    const auto run = guest.ExportedFunction<tenon::FuncRef()>("run");
    given = guest.ExportedFunction("run").Reference();
    CHECK(run() == given);
    given = other.ExportedFunction("answer").Reference();
    CHECK(Thrown<tenon::Trap>([&] { run(); }).Code() == tenon::TrapCode::ResultOutOfRange);
    // The host functions that it imports are the guest's to hold.
    given = runtime.FindModule("env").ExportedFunction(name).Reference();
    CHECK(run() == given);
  }
}

TEST_CASE("an untyped call passes references as values") {
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(guests::References());
  const auto results = guest.ExportedFunction("extern_identity")
                           .Call({tenon::Value{tenon::ExternRef{std::uintptr_t{3}}}});
  REQUIRE(results.size() == 1);
  CHECK(results[0].Type() == kExtern);
  CHECK(results[0].Extern().Value() == 3);
  CHECK_THROWS_AS(guest.ExportedFunction("extern_identity").Call({tenon::Value{tenon::FuncRef{}}}),
                  tenon::ConfigError);
}

TEST_CASE("a host module exports an externref global, and only null funcref globals") {
  const tenon::Runtime runtime;
  const tenon::Module env =
      runtime.NewHostModuleBuilder("env")
          .ExportGlobal("object", tenon::Value{tenon::ExternRef{std::uintptr_t{9}}}, true)
          .ExportGlobal("callback", tenon::Value{tenon::FuncRef{}}, true)
          .Instantiate();
  const tenon::Module guest =
      runtime.Instantiate(guests::ImportsGlobal("env", "object", kExtern, true));
  CHECK(guest.ExportedFunction<tenon::ExternRef()>("get")().Value() == 9);
  CHECK(env.ExportedGlobal("callback").Get<tenon::FuncRef>().IsNull());
  const tenon::FuncRef function = guest.ExportedFunction("get").Reference();
  CHECK_THROWS_AS(runtime.NewHostModuleBuilder("bad")
                      .ExportGlobal("callback", tenon::Value{function})
                      .Compile(),
                  tenon::ConfigError);
}
