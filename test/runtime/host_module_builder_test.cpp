// SPDX-License-Identifier: Apache-2.0
/// @file
/// HostModuleBuilder and HostFunctionBuilder: what is defined, when it is copied, what is refused.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

std::int32_t Add(std::int32_t a, std::int32_t b) { return a + b; }
std::int32_t Subtract(std::int32_t a, std::int32_t b) { return a - b; }

using Binary = std::int32_t(std::int32_t, std::int32_t);
using Slots = std::span<tenon::abi::Slot>;

/// The error of a builder's Compile, whose text must be `text`.
void CheckRefused(const tenon::HostModuleBuilder& builder, tenon::ErrorCode id,
                  const std::string& text) {
  const auto error = Thrown<tenon::ConfigError>([&] { builder.Compile(); });
  CHECK(error.Id() == id);
  CHECK(std::string{error.what()} == text);
}

std::vector<std::string> ExportNames(const tenon::CompiledModule& compiled) {
  std::vector<std::string> names;
  for (const auto& function : compiled.ExportedFunctions()) {
    names.push_back(function.export_names.at(0));
  }
  return names;
}

}  // namespace

TEST_CASE("what a builder defines is sorted by export name on Compile") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc(Add)
                            .Export("b")
                            .NewFunctionBuilder()
                            .WithFunc(Subtract)
                            .Export("a")
                            .NewFunctionBuilder()
                            .WithFunc(Add)
                            .Export("C")
                            .Compile();
  CHECK(ExportNames(compiled) == std::vector<std::string>{"C", "a", "b"});
  const auto functions = compiled.ExportedFunctions();
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(functions[i].index == i);
  const tenon::Module env = runtime.InstantiateModule(compiled);
  CHECK(env.ExportedFunction<Binary>("a")(5, 3) == 2);
  CHECK(env.ExportedFunction<Binary>("b")(5, 3) == 8);
}

TEST_CASE("exporting the same name again replaces the function") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc(Add)
                            .Export("f")
                            .NewFunctionBuilder()
                            .WithFunc(Subtract)
                            .Export("f")
                            .Compile();
  CHECK(ExportNames(compiled) == std::vector<std::string>{"f"});
  CHECK(runtime.InstantiateModule(compiled).ExportedFunction<Binary>("f")(5, 3) == 2);
}

TEST_CASE("builders are handles to one state: keeping and copying them continues the definition") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
  tenon::HostFunctionBuilder function = builder.NewFunctionBuilder();
  tenon::HostFunctionBuilder same = function;
  function.WithFunc(Add);
  same.WithName("sum");
  function.Export("add");
  const tenon::HostModuleBuilder copy = builder;
  builder.NewFunctionBuilder().WithFunc(Subtract).Export("subtract");
  const auto compiled = copy.Compile();
  CHECK(ExportNames(compiled) == std::vector<std::string>{"add", "subtract"});
  CHECK(compiled.ExportedFunctions()[0].name == "sum");
}

TEST_CASE("Compile copies the definitions: later changes do not reach the result") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
  builder.NewFunctionBuilder().WithFunc(Add).Export("f");
  const auto first = builder.Compile();
  builder.NewFunctionBuilder().WithFunc(Subtract).Export("f");
  builder.NewFunctionBuilder().WithFunc(Subtract).Export("g");
  const auto second = builder.Compile();
  CHECK(ExportNames(first) == std::vector<std::string>{"f"});
  CHECK(ExportNames(second) == std::vector<std::string>{"f", "g"});
  const auto name = [](const char* text) { return tenon::ModuleConfig{}.WithName(text); };
  CHECK(runtime.InstantiateModule(first, name("1")).ExportedFunction<Binary>("f")(5, 3) == 8);
  CHECK(runtime.InstantiateModule(second, name("2")).ExportedFunction<Binary>("f")(5, 3) == 2);
}

TEST_CASE("one compiled host module instantiates as env.1 and env.2 and shares its callables") {
  const tenon::Runtime runtime;
  int count = 0;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc([&count]() -> std::int32_t { return ++count; })
                            .Export("next")
                            .Compile();
  const tenon::Module first =
      runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("env.1"));
  const tenon::Module second =
      runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("env.2"));
  CHECK(first != second);
  CHECK(first.Name() == "env.1");
  const tenon::Module guest =
      runtime.Instantiate(guests::TwoImports({"env.1", "next"}, {"env.2", "next"}));
  CHECK(guest.ExportedFunction<std::int32_t()>("first")() == 1);
  CHECK(guest.ExportedFunction<std::int32_t()>("second")() == 2);
  CHECK(guest.ExportedFunction<std::int32_t()>("first")() == 3);
  CHECK(count == 3);

  SECTION("closing one leaves the other usable") {
    first.Close();
    CHECK(guest.ExportedFunction<std::int32_t()>("second")() == 4);
  }
}

TEST_CASE("a mutable callable keeps its state, and an lvalue is copied once") {
  const tenon::Runtime runtime;
  auto counter = [count = 0]() mutable -> std::int32_t { return ++count; };
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .NewFunctionBuilder()
                                .WithFunc(counter)
                                .Export("next")
                                .Instantiate();
  const auto next = env.ExportedFunction<std::int32_t()>("next");
  CHECK(next() == 1);
  CHECK(next() == 2);
  CHECK(counter() == 1);
}

TEST_CASE("every kind of callable can be a host function") {
  struct Scaler {
    std::int32_t factor;
    std::int32_t Scale(std::int32_t value) const { return value * factor; }
    std::int32_t operator()(std::int32_t value) const { return value + factor; }
  };
  const Scaler scaler{3};
  auto owned = std::make_unique<std::int32_t>(5);
  std::function<std::int32_t(std::int32_t)> wrapped = [](std::int32_t v) { return -v; };
  auto generic = [](auto value) { return value * 2; };
  const tenon::Runtime runtime;
  const tenon::Module env =
      runtime.NewHostModuleBuilder("env")
          .NewFunctionBuilder()
          .WithFunc(Add)
          .Export("function")
          .NewFunctionBuilder()
          .WithFunc(&Add)
          .Export("pointer")
          .NewFunctionBuilder()
          .WithFunc<Add>()
          .Export("constant")
          .NewFunctionBuilder()
          .WithFunc([owned = std::move(owned)](std::int32_t v) { return v + *owned; })
          .Export("move_only")
          .NewFunctionBuilder()
          .WithFunc(scaler)
          .Export("functor")
          .NewFunctionBuilder()
          .WithFunc(&Scaler::Scale, &scaler)
          .Export("member")
          .NewFunctionBuilder()
          .WithFunc(wrapped)
          .Export("std_function")
          .NewFunctionBuilder()
          .WithFunc(std::ref(scaler))
          .Export("reference")
          .NewFunctionBuilder()
          .WithFunc<std::int32_t(std::int32_t)>(generic)
          .Export("generic")
          .Instantiate();
  for (const char* name : {"function", "pointer", "constant"}) {
    INFO(name);
    CHECK(env.ExportedFunction<Binary>(name)(4, 5) == 9);
  }
  const auto unary = [&](const char* name) {
    return env.ExportedFunction<std::int32_t(std::int32_t)>(name)(10);
  };
  CHECK(unary("move_only") == 15);
  CHECK(unary("functor") == 13);
  CHECK(unary("member") == 30);
  CHECK(unary("std_function") == -10);
  CHECK(unary("reference") == 13);
  CHECK(unary("generic") == 20);
}

TEST_CASE("a function that was never exported is an error at Compile") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
  builder.NewFunctionBuilder().WithFunc(Add).WithName("mix");
  CheckRefused(builder, tenon::ErrorCode::BuilderNotExported,
               "func[env.mix] was defined but never exported");
  const auto error = Thrown<tenon::ConfigError>([&] { builder.Instantiate(); });
  CHECK(error.Id() == tenon::ErrorCode::BuilderNotExported);
}

TEST_CASE("a function without a callable is an error at Compile") {
  const tenon::Runtime runtime;
  CheckRefused(runtime.NewHostModuleBuilder("env").NewFunctionBuilder().Export("f"),
               tenon::ErrorCode::BuilderNoCallable,
               "func[env.f] has no callable: call WithFunc or WithHostFunction before Export");
}

TEST_CASE("null functions are errors at Compile, not crashes at a call") {
  const tenon::Runtime runtime;
  const std::string text = "func[env.f] was given a null function";
  Binary* null_pointer = nullptr;
  CheckRefused(
      runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(null_pointer).Export("f"),
      tenon::ErrorCode::BuilderNullCallable, text);
  CheckRefused(runtime.NewHostModuleBuilder("env")
                   .NewFunctionBuilder()
                   .WithFunc(std::function<void()>{})
                   .Export("f"),
               tenon::ErrorCode::BuilderNullCallable, text);
  CheckRefused(runtime.NewHostModuleBuilder("env")
                   .NewFunctionBuilder()
                   .WithHostFunction(std::function<void(Slots)>{}, {}, {})
                   .Export("f"),
               tenon::ErrorCode::BuilderNullCallable, text);
  CheckRefused(runtime.NewHostModuleBuilder("env")
                   .NewFunctionBuilder()
                   .WithHostFunction(std::function<void(tenon::Module&, Slots)>{}, {}, {})
                   .Export("f"),
               tenon::ErrorCode::BuilderNullCallable, text);
}

TEST_CASE("the numbers in errors about names are those of params and of names, in this order") {
  const tenon::Runtime runtime;
  const auto function = [&] { return runtime.NewHostModuleBuilder("env").NewFunctionBuilder(); };
  CheckRefused(function().WithFunc(Add).WithParameterNames("x").Export("add"),
               tenon::ErrorCode::BuilderParameterNames,
               "func[env.add] has 2 params, but 1 params names");
  CheckRefused(function().WithFunc(Add).WithParameterNames("x", "y", "z").Export("add"),
               tenon::ErrorCode::BuilderParameterNames,
               "func[env.add] has 2 params, but 3 params names");
  CheckRefused(function().WithFunc(Add).WithResultNames("a", "b").Export("add"),
               tenon::ErrorCode::BuilderResultNames,
               "func[env.add] has 1 results, but 2 results names");
  CheckRefused(function()
                   .WithHostFunction([](Slots) {}, {tenon::ValueType::I32}, {})
                   .WithParameterNames("x", "y")
                   .Export("f"),
               tenon::ErrorCode::BuilderParameterNames,
               "func[env.f] has 1 params, but 2 params names");
  CheckRefused(function()
                   .WithFunc([](tenon::Module&, std::string_view) {})
                   .WithParameterNames("caller", "text")
                   .Export("log"),
               tenon::ErrorCode::BuilderParameterNames,
               "func[env.log] has 1 params, but 2 params names");
}

TEST_CASE("names count C++ parameters, and a view names two operands") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc([](tenon::Module&, std::string_view,
                                         std::int64_t) -> std::int32_t { return 0; })
                            .WithName("write")
                            .WithParameterNames("text", "flags")
                            .WithResultNames("errno")
                            .Export("log")
                            .Compile();
  const tenon::FunctionDefinition log = compiled.ExportedFunctions().at(0);
  CHECK(log.name == "write");
  CHECK(log.export_names == std::vector<std::string>{"log"});
  CHECK(log.parameter_names == std::vector<std::string>{"text", "text_len", "flags"});
  CHECK(log.result_names == std::vector<std::string>{"errno"});
  CHECK(log.Signature() == "(i32, i32, i64) -> i32");
  CHECK(log.is_host_function);
  CHECK(log.module_name == "env");
  CHECK(log.DebugName() == "env.write");
}

TEST_CASE("names as a vector, and the name's default") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .NewFunctionBuilder()
                            .WithFunc(Add)
                            .WithParameterNames(std::vector<std::string>{"x", "y"})
                            .WithResultNames(std::vector<std::string>{"sum"})
                            .Export("add")
                            .Compile();
  const tenon::FunctionDefinition add = compiled.ExportedFunctions().at(0);
  CHECK(add.name == "add");
  CHECK(add.parameter_names == std::vector<std::string>{"x", "y"});
  CHECK(add.result_names == std::vector<std::string>{"sum"});
}

TEST_CASE("several results need the multi-value feature") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(tenon::CoreFeatures::V1())};
  CheckRefused(runtime.NewHostModuleBuilder("env")
                   .NewFunctionBuilder()
                   .WithFunc([] { return std::tuple<std::int32_t, std::int32_t>{1, 2}; })
                   .Export("pair"),
               tenon::ErrorCode::BuilderMultiValue,
               "func[env.pair] multiple result types invalid as feature \"multi-value\" is "
               "disabled");
}

TEST_CASE("types of a disabled feature are refused with its name") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(tenon::CoreFeatures::V1())};
  const auto refused = [&](const tenon::HostModuleBuilder& builder) {
    const auto error = Thrown<tenon::ConfigError>([&] { builder.Compile(); });
    CHECK(error.Id() == tenon::ErrorCode::BuilderFeature);
    return std::string{error.what()};
  };
  const std::string vector = refused(runtime.NewHostModuleBuilder("env")
                                         .NewFunctionBuilder()
                                         .WithFunc([](tenon::V128) {})
                                         .Export("f"));
  CHECK_THAT(vector, Catch::StartsWith("func[env.f] "));
  CHECK_THAT(vector, Catch::Contains("v128"));
  CHECK_THAT(vector, Catch::EndsWith(" invalid as feature \"simd\" is disabled"));
  const std::string reference = refused(runtime.NewHostModuleBuilder("env")
                                            .NewFunctionBuilder()
                                            .WithFunc([] { return tenon::ExternRef{}; })
                                            .Export("f"));
  CHECK_THAT(reference, Catch::Contains("externref"));
  CHECK_THAT(reference, Catch::EndsWith(" invalid as feature \"reference-types\" is disabled"));
}

TEST_CASE("too many host functions are an error at Compile") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
  for (int i = 0; i < 65536; ++i) {
    builder.NewFunctionBuilder().WithFunc<Add>().Export(std::to_string(i));
  }
  CHECK_NOTHROW(builder.Compile());
  builder.NewFunctionBuilder().WithFunc<Add>().Export("one more");
  CheckRefused(builder, tenon::ErrorCode::BuilderTooManyFunctions,
               "too many host functions (maximum 65536)");
}

TEST_CASE("host modules export memories, tables and globals") {
  const tenon::Runtime runtime;
  const tenon::Module env = runtime.NewHostModuleBuilder("env")
                                .ExportMemory("memory", 1, 2)
                                .ExportTable("table", tenon::ValueType::FuncRef, 4, 8)
                                .ExportGlobal("constant", tenon::Value{42})
                                .ExportGlobal("variable", tenon::Value{std::int64_t{7}}, true)
                                .Instantiate();
  CHECK(env.ExportedMemory("memory").Size() == 65536);
  CHECK(env.ExportedTable("table").Size() == 4);
  CHECK(env.ExportedGlobal("constant").Get<std::int32_t>() == 42);
  CHECK_FALSE(env.ExportedGlobal("constant").IsMutable());
  CHECK(env.ExportedGlobal("variable").Get<std::int64_t>() == 7);
  CHECK(env.ExportedGlobal("variable").IsMutable());

  SECTION("guests import the memory") {
    const tenon::Module guest =
        runtime.Instantiate(guests::MemoryUser({1, 2, guests::Import{"env", "memory"}}));
    tenon::Memory memory = env.ExportedMemory("memory");
    memory.WriteUint32Le(0, 5);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("load32")(0) == 5);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("grow")(1) == 1);
    CHECK(memory.Size() == 2 * 65536);
  }
  SECTION("guests import the table") {
    const tenon::Module guest =
        runtime.Instantiate(guests::ImportsTable({.module = "env", .offset = 2}));
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t)>("call")(2) == 3);
    CHECK_FALSE(env.ExportedTable("table").Get(2)->Func().IsNull());
  }
  SECTION("guests import the globals") {
    const tenon::Module guest =
        runtime.Instantiate(guests::ImportsGlobal("env", "variable", tenon::ValueType::I64, true));
    guest.ExportedFunction<void(std::int64_t)>("set")(9);
    CHECK(env.ExportedGlobal("variable").Get<std::int64_t>() == 9);
  }
}

TEST_CASE("two instances of one host module have memories and globals of their own") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.NewHostModuleBuilder("env")
                            .ExportMemory("memory", 1)
                            .ExportGlobal("g", tenon::Value{1}, true)
                            .Compile();
  const tenon::Module first =
      runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("1"));
  const tenon::Module second =
      runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("2"));
  first.ExportedMemory("memory").WriteByte(0, 9);
  first.ExportedGlobal("g").Set(tenon::Value{2});
  CHECK(second.ExportedMemory("memory").ReadByte(0) == 0);
  CHECK(second.ExportedGlobal("g").Get<std::int32_t>() == 1);
  CHECK_FALSE(first.ExportedGlobal("g") == second.ExportedGlobal("g"));
}

TEST_CASE("impossible memories and tables of host modules are errors at Compile") {
  const tenon::Runtime runtime;
  CheckRefused(runtime.NewHostModuleBuilder("env").ExportMemory("a", 1).ExportMemory("b", 1),
               tenon::ErrorCode::BuilderTooManyMemories,
               "more than one memory in host module \"env\"");
  CheckRefused(runtime.NewHostModuleBuilder("env").ExportMemory("m", 3, 2),
               tenon::ErrorCode::BuilderLimits, "memory[env.m] minimum 3 exceeds maximum 2");
  CheckRefused(
      runtime.NewHostModuleBuilder("env").ExportTable("t", tenon::ValueType::FuncRef, 3, 2),
      tenon::ErrorCode::BuilderLimits, "table[env.t] minimum 3 exceeds maximum 2");
}

TEST_CASE("an empty host module is allowed, and so is an empty name") {
  const tenon::Runtime runtime;
  CHECK(runtime.NewHostModuleBuilder("empty").Instantiate().ExportedFunctionDefinitions().empty());
  const tenon::Module anonymous = runtime.NewHostModuleBuilder("")
                                      .NewFunctionBuilder()
                                      .WithFunc(Add)
                                      .Export("add")
                                      .Instantiate();
  CHECK(anonymous.Name().empty());
  CHECK_FALSE(runtime.FindModule(""));
  const tenon::Module guest = runtime.Instantiate(
      guests::Forwarder("", "add", {{guests::kI32, guests::kI32}, {guests::kI32}}),
      tenon::ModuleConfig{}.WithImport("", anonymous));
  CHECK(guest.ExportedFunction<Binary>("run")(1, 2) == 3);
}

TEST_CASE("instantiating a host module under a name that is taken is refused") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
  builder.Instantiate();
  CHECK(Thrown<tenon::LinkError>([&] { builder.Instantiate(); }).Id() ==
        tenon::ErrorCode::ModuleAlreadyInstantiated);
}

TEST_CASE(
    "a replaced or refused callable is destroyed, and an exported one lives with its module") {
  auto first = std::make_shared<int>(1);
  auto second = std::make_shared<int>(2);
  const std::weak_ptr<int> replaced = first;
  const std::weak_ptr<int> kept = second;
  {
    const tenon::Runtime runtime;
    {
      tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("env");
      builder.NewFunctionBuilder().WithFunc([state = std::move(first)] {}).Export("f");
      builder.NewFunctionBuilder()
          .WithFunc([state = std::move(second)]() -> std::int32_t { return *state; })
          .Export("f");
      builder.Instantiate();
    }
    CHECK(replaced.expired());
    CHECK_FALSE(kept.expired());
    CHECK(runtime.FindModule("env").ExportedFunction<std::int32_t()>("f")() == 2);
  }
  CHECK(kept.expired());
}

TEST_CASE("what cannot be encoded is an error of the definition that says where") {
  const tenon::Runtime runtime;
  const auto text_of = [&](auto define) {
    return TextOf<tenon::ConfigError>([&] {
      tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
      define(env);
      env.Compile();
    });
  };
  using Builder = tenon::HostModuleBuilder;
  using Types = std::vector<tenon::ValueType>;
  const auto nothing = [](std::span<tenon::abi::Slot>) {};
  CHECK(text_of([](Builder env) { env.NewFunctionBuilder().WithFunc([] {}).Export("a\xFF"); }) ==
        "func[env.a?] has a name, or one of a parameter or result, that is not UTF-8");
  CHECK(text_of([](Builder env) {
          env.NewFunctionBuilder().WithFunc([](int) {}).WithParameterNames("\xFF").Export("f");
        }) == "func[env.f] has a name, or one of a parameter or result, that is not UTF-8");
  CHECK(text_of([](Builder env) { env.ExportMemory("m\xFF", 1); }) ==
        "memory[env.m?] has a name that is not UTF-8");
  CHECK(text_of([&](Builder env) {
          env.NewFunctionBuilder()
              .WithHostFunction(nothing, Types(1001, tenon::ValueType::I32), {})
              .Export("f");
        }) == "func[env.f] has 1001 params, the limit is 1000");
  CHECK(text_of([&](Builder env) {
          env.NewFunctionBuilder()
              .WithHostFunction(nothing, {}, Types(1001, tenon::ValueType::I32))
              .Export("f");
        }) == "func[env.f] has 1001 results, the limit is 1000");
  CHECK(text_of([](Builder env) { env.ExportMemory("m", 70000); }) ==
        "memory[env.m] has a size of 70000, the limit is 65536");
  CHECK(text_of([](Builder env) { env.ExportMemory("m", 1, 70000); }) ==
        "memory[env.m] has a size of 70000, the limit is 65536");
  CHECK(text_of([](Builder env) { env.ExportTable("t", tenon::ValueType::I32, 1); }) ==
        "table[env.t] cannot hold i32: take FuncRef or ExternRef");
  CHECK(TextOf<tenon::ConfigError>([&] { runtime.NewHostModuleBuilder("\xFF").Compile(); }) ==
        "host module \"?\": the name is not UTF-8");
}

TEST_CASE("builders that were moved from are empty handles") {
  const tenon::Runtime runtime;
  tenon::HostModuleBuilder env = runtime.NewHostModuleBuilder("env");
  tenon::HostFunctionBuilder function = env.NewFunctionBuilder();
  const tenon::HostModuleBuilder taken = std::move(env);
  const tenon::HostFunctionBuilder taken_function = std::move(function);
  CHECK(Thrown<tenon::ConfigError>([&] { env.Compile(); }).Id() == tenon::ErrorCode::EmptyHandle);
  CHECK_THROWS_AS(env.NewFunctionBuilder(), tenon::ConfigError);
  CHECK_THROWS_AS(env.ExportMemory("m", 1), tenon::ConfigError);
  CHECK_THROWS_AS(function.WithName("f"), tenon::ConfigError);
  CHECK_THROWS_AS(function.Export("f"), tenon::ConfigError);
}
