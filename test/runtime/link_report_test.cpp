// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is told about imports that do not link, as text and as data, and what may stand for them.
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"

using namespace tenon_test;

namespace {

using guests::kF64;
using guests::kI32;
using guests::kI64;

const guests::Signature kBinary{{kI32, kI32}, {kI32}};

struct ImportedFunction {
  std::string module;
  std::string name;
  guests::Signature type;
};

/// Imports these functions; "run0", "run1"... pass their parameters on to them.
guests::Bytes ImportsAll(const std::vector<ImportedFunction>& functions) {
  guests::Guest guest;
  std::vector<std::uint32_t> imports;
  for (const ImportedFunction& function : functions) {
    imports.push_back(guest.AddImport(function.module, function.name, function.type));
  }
  for (std::size_t i = 0; i < imports.size(); ++i) {
    guest.Add("run" + std::to_string(i), functions[i].type, [&](guests::CodeBuilder& code) {
      guests::GetAll(code, functions[i].type.parameters.size());
      code.Call(imports[i]);
    });
  }
  return guest.Build();
}

/// Imports a memory, a table and a mutable global of env, and a constant.
guests::Bytes ImportsStorage() {
  guests::Guest guest;
  tenon::wasm::MemoryType memory;
  memory.limits = guests::LimitsOf(2, 3);
  guest.ImportMemory("env", "memory", memory);
  tenon::wasm::TableType table;
  table.element = tenon::ValueType::FuncRef;
  table.limits = guests::LimitsOf(5, {});
  guest.ImportTable("env", "table", table);
  guest.ImportGlobal("env", "variable", {kI64, true});
  guest.ImportGlobal("env", "constant", {kF64, false});
  guest.Add("pages", {{}, {kI32}}, [](guests::CodeBuilder& code) { code.MemorySize(); });
  guest.Add("elements", {{}, {kI32}}, [](guests::CodeBuilder& code) { code.TableSize(0); });
  guest.Add("next", {{}, {kI64}}, [](guests::CodeBuilder& code) {
    code.GlobalGet(0);
    code.I64Const(1);
    code.Emit(guests::Opcode::I64Add);
    code.GlobalSet(0);
    code.GlobalGet(0);
  });
  guest.Add("constant", {{}, {kF64}}, [](guests::CodeBuilder& code) { code.GlobalGet(1); });
  return guest.Build();
}

void DefineEnv(const tenon::Runtime& runtime) {
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t x, std::int32_t y) { return x + y; })
      .WithParameterNames("x", "y")
      .WithResultNames("sum")
      .Export("add")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Memory&, std::string_view text) { return text.size(); })
      .WithParameterNames("text")
      .Export("log")
      .ExportMemory("memory", 1)
      .Instantiate();
}

tenon::LinkError Refused(const tenon::Runtime& runtime, const guests::Bytes& bytes,
                         const tenon::ModuleConfig& config = {}) {
  return Thrown<tenon::LinkError>([&] { runtime.Instantiate(bytes, config); });
}

}  // namespace

TEST_CASE("all missing imports reported at once") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    DefineEnv(runtime);
    const guests::Bytes bytes = ImportsAll({{"env", "addd", kBinary},
                                            {"end", "add", kBinary},
                                            {"env", "add", {{kI32, kI64}, {kI32}}},
                                            {"env", "add", kBinary},
                                            {"env", "memory", {}},
                                            {"end", "log", {{kI32}, {}}}});
    const tenon::LinkError error = Refused(runtime, bytes);
    CHECK(error.Id() == tenon::ErrorCode::ImportNotFound);
    const std::string text = error.what();
    INFO(text);
    CHECK_THAT(text,
               Catch::StartsWith("import func \"env\".\"addd\": module \"env\" exports no func "
                                 "of this name; did you mean \"add\"?\n"));
    CHECK_THAT(text, Catch::Contains("module[end] not instantiated; did you mean \"env\"?; wanted "
                                     "for func \"add\", func \"log\"\n"));
    CHECK_THAT(text,
               Catch::Contains("import func \"env\".\"memory\": module \"env\" exports a memory"));

    const auto problems = error.Problems();
    REQUIRE(problems.size() == 5);
    CHECK(problems[0].id == tenon::ErrorCode::ImportNotFound);
    CHECK(problems[0].kind == tenon::ExternKind::Func);
    CHECK(problems[0].module == "env");
    CHECK(problems[0].name == "addd");
    CHECK(problems[0].expected == "(i32, i32) -> i32");
    CHECK(problems[0].found.empty());
    CHECK(problems[0].cpp.empty());
    CHECK(problems[0].hint == "add");
    CHECK(problems[1].id == tenon::ErrorCode::ModuleNotInstantiated);
    CHECK(problems[1].module == "end");
    CHECK(problems[1].hint == "env");
    CHECK(problems[2].id == tenon::ErrorCode::ImportTypeMismatch);
    CHECK(problems[3].id == tenon::ErrorCode::ImportKindMismatch);
    CHECK(problems[3].found == "1.. pages");
    CHECK(problems[4].name == "log");
    for (const tenon::ImportProblem& problem : problems)
      CHECK_THAT(text, Catch::Contains(problem.text));
  });
}

TEST_CASE("signature mismatch at link: both types shown") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    DefineEnv(runtime);
    SECTION("a parameter") {
      const auto error = Refused(runtime, ImportsAll({{"env", "add", {{kI32, kI64}, {kI32}}}}));
      CHECK(
          std::string{error.what()} ==
          "import func \"env\".\"add\": signature mismatch: guest wants (i32, i64) -> i32, module "
          "\"env\" has (i32, i32) -> i32, in C++ int(int, int); parameter 1 \"y\": guest i64, "
          "module i32");
      const tenon::ImportProblem& problem = error.Problems().front();
      CHECK(problem.expected == "(i32, i64) -> i32");
      CHECK(problem.found == "(i32, i32) -> i32");
      CHECK(problem.cpp == "int(int, int)");
    }
    SECTION("a result") {
      const auto error = Refused(runtime, ImportsAll({{"env", "add", {{kI32, kI32}, {kI64}}}}));
      CHECK_THAT(error.what(), Catch::EndsWith("; result 0 \"sum\": guest i64, module i32"));
    }
    SECTION("special parameters and views are spelled as they were written") {
      const auto error = Refused(runtime, ImportsAll({{"env", "log", {{kI32}, {kI64}}}}));
      CHECK_THAT(error.Problems().front().cpp,
                 Catch::Contains("(tenon::Memory&, std::string_view)"));
    }
    SECTION("a guest's function has no C++ type") {
      runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithName("guest"));
      const auto error = Refused(runtime, ImportsAll({{"guest", "add", {{kI32}, {kI32}}}}));
      CHECK(error.Problems().front().cpp.empty());
      CHECK(error.Problems().front().found == "(i32, i32) -> i32");
    }
  });
}

TEST_CASE("imports can be checked without instantiating") {
  const tenon::Runtime runtime;
  const tenon::CompiledModule compiled = runtime.CompileModule(
      ImportsAll({{"env", "add", kBinary}, {"env", "sub", kBinary}, {"other", "f", {}}}));
  CHECK(runtime.CheckImports(compiled).size() == 3);
  DefineEnv(runtime);
  const auto problems = runtime.CheckImports(compiled);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].name == "sub");
  CHECK(problems[1].module == "other");
  CHECK(runtime
            .CheckImports(compiled,
                          tenon::ModuleConfig{}.WithUnknownImports(tenon::UnknownImports::Trap))
            .empty());
  const tenon::Runtime other;
  CHECK(Thrown<tenon::LinkError>([&] { other.CheckImports(compiled); }).Id() ==
        tenon::ErrorCode::CompiledElsewhere);
}

TEST_CASE("a report of very many imports stays bounded") {
  guests::Guest guest;
  const std::uint32_t type = guest.TypeOf({});
  for (int i = 0; i < 5000; ++i) {
    guest.ImportFunction("env", "missing" + std::to_string(i), type);
  }
  const tenon::Runtime runtime;
  DefineEnv(runtime);
  const auto error = Refused(runtime, guest.Build());
  CHECK(error.Problems().size() == 1000);
  CHECK_THAT(error.what(), Catch::EndsWith("and 4980 more imports that do not link"));
}

TEST_CASE("shadowing policy / wildcard / stub unknowns") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    DefineEnv(runtime);
    const auto with = [](tenon::UnknownImports policy) {
      return tenon::ModuleConfig{}.WithName("").WithUnknownImports(policy);
    };

    SECTION("an unknown function traps when it is called, and the trap names it") {
      const tenon::Module guest =
          runtime.Instantiate(ImportsAll({{"env", "add", kBinary},
                                          {"env", "gone", {{kI64}, {kI64, kF64}}},
                                          {"nowhere", "nothing", {}}}),
                              with(tenon::UnknownImports::Trap));
      CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("run0")(1, 2) == 3);
      const auto trap =
          Thrown<tenon::Trap>([&] { guest.ExportedFunction("run1").Call({std::int64_t{1}}); });
      CHECK(trap.Code() == tenon::TrapCode::UnknownImport);
      CHECK(trap.Message() == "call of an import that was not there: env.gone");
      REQUIRE(trap.Backtrace().size() == 2);
      CHECK(trap.Backtrace()[0].function == "env.gone");
      CHECK(Thrown<tenon::Trap>([&] { guest.ExportedFunction<void()>("run2")(); }).Message() ==
            "call of an import that was not there: nowhere.nothing");
    }
    SECTION("an unknown function returns zeros") {
      const tenon::Module guest = runtime.Instantiate(
          ImportsAll({{"nowhere",
                       "values",
                       {{kI32},
                        {kI32, kF64, tenon::ValueType::V128, tenon::ValueType::FuncRef,
                         tenon::ValueType::ExternRef}}}}),
          with(tenon::UnknownImports::Default));
      const std::vector<tenon::Value> results = guest.ExportedFunction("run0").Call({7});
      REQUIRE(results.size() == 5);
      CHECK(results[0] == tenon::Value{0});
      CHECK(results[1] == tenon::Value{0.0});
      CHECK(results[2] == tenon::Value{tenon::V128{}});
      CHECK(results[3].Func().IsNull());
      CHECK(results[4].Extern().IsNull());
    }
    SECTION("unknown memories, tables and globals have their least size and are zero") {
      const tenon::Runtime empty{engine};
      const tenon::Module guest =
          empty.Instantiate(ImportsStorage(), with(tenon::UnknownImports::Default));
      CHECK(guest.ExportedFunction<std::int32_t()>("pages")() == 2);
      CHECK(guest.ExportedFunction<std::int32_t()>("elements")() == 5);
      CHECK(guest.ExportedFunction<std::int64_t()>("next")() == 1);
      CHECK(guest.ExportedFunction<std::int64_t()>("next")() == 2);
      CHECK(guest.ExportedFunction<double()>("constant")() == 0.0);
      CHECK_FALSE(empty.FindModule("env"));
      CHECK(Refused(empty, ImportsStorage(), with(tenon::UnknownImports::Trap)).Problems().size() ==
            4);
    }
    SECTION("one name imported with two types has two stubs") {
      const tenon::Module guest = runtime.Instantiate(
          ImportsAll({{"nowhere", "f", {{}, {kI32}}}, {"nowhere", "f", {{}, {kI64}}}}),
          with(tenon::UnknownImports::Default));
      CHECK(guest.ExportedFunction<std::int32_t()>("run0")() == 0);
      CHECK(guest.ExportedFunction<std::int64_t()>("run1")() == 0);
    }
    SECTION("what is there and does not fit is an error under every policy") {
      for (const auto policy : {tenon::UnknownImports::Error, tenon::UnknownImports::Trap,
                                tenon::UnknownImports::Default}) {
        CHECK(Refused(runtime, ImportsAll({{"env", "add", {}}}), with(policy)).Id() ==
              tenon::ErrorCode::ImportTypeMismatch);
        CHECK(Refused(runtime, ImportsAll({{"env", "memory", {}}}), with(policy)).Id() ==
              tenon::ErrorCode::ImportKindMismatch);
      }
    }
    SECTION("a module given for an instance takes the place of the runtime's, unless refused") {
      const tenon::Module own = runtime.InstantiateModule(
          runtime.NewHostModuleBuilder("env")
              .NewFunctionBuilder()
              .WithFunc([](std::int32_t x, std::int32_t y) { return x * y; })
              .Export("add")
              .Compile(),
          tenon::ModuleConfig{}.WithName(""));
      const guests::Bytes bytes = ImportsAll({{"env", "add", kBinary}});
      const auto config = tenon::ModuleConfig{}.WithName("").WithImport("env", own);
      const tenon::Module guest = runtime.Instantiate(bytes, config);
      CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("run0")(3, 4) == 12);

      const auto refusing = config.WithImportShadowing(tenon::Shadowing::Refuse);
      const auto error = Refused(runtime, bytes, refusing);
      CHECK(error.Id() == tenon::ErrorCode::ImportShadowed);
      CHECK(error.Problems().front().name == "add");
      runtime.FindModule("env").Close();
      CHECK_NOTHROW(runtime.Instantiate(bytes, refusing));
      CHECK_NOTHROW(runtime.Instantiate(bytes, refusing.WithImport("env", own)));
      CHECK(Refused(runtime, bytes, refusing.WithImport("env", guest)).Id() ==
            tenon::ErrorCode::ImportShadowed);
    }
    SECTION("of two definitions of one name the last counts, unless refused") {
      tenon::HostModuleBuilder builder = runtime.NewHostModuleBuilder("twice");
      builder.NewFunctionBuilder().WithFunc([] { return 1; }).Export("f");
      builder.NewFunctionBuilder().WithFunc([] { return 2; }).Export("f");
      CHECK(runtime.InstantiateModule(builder.Compile()).ExportedFunction<std::int32_t()>("f")() ==
            2);
      const auto error = Thrown<tenon::ConfigError>(
          [&] { builder.WithShadowing(tenon::Shadowing::Refuse).Compile(); });
      CHECK(error.Id() == tenon::ErrorCode::BuilderShadowed);
      CHECK(std::string{error.what()} ==
            "host module \"twice\" defines \"f\" twice, and shadowing is refused");
    }
  });
}

TEST_CASE("a stub is a part of its guest: not counted, not announced, and no reason to live on") {
  std::vector<std::string> closed;
  const tenon::Runtime runtime =
      MakeRuntime(tenon::RuntimeConfig{}
                      .WithInstanceLimit(1)
                      .WithMemoryLimitBytes(std::uint64_t{3} * 65536)
                      .WithMemoryCapacityFromMax(true)
                      .WithCloseNotifier(
                          [&](const std::string& name, std::uint32_t) { closed.push_back(name); }));
  const auto compiled = runtime.CompileModule(ImportsStorage());
  const auto functions = runtime.CompileModule(ImportsAll({{"nowhere", "f", {}}}));
  const auto config =
      tenon::ModuleConfig{}.WithName("guest").WithUnknownImports(tenon::UnknownImports::Default);
  // What a stub has goes when its guest is closed, although there are handles to that.
  std::vector<tenon::Module> kept;
  for (int i = 0; i < 3; ++i) {
    kept.push_back(runtime.InstantiateModule(compiled, config));
    CHECK(kept.back().ExportedFunction<std::int32_t()>("pages")() == 2);
    kept.back().Close();
    kept.push_back(runtime.InstantiateModule(functions, config));
    kept.back().ExportedFunction<void()>("run0")();
    kept.back().Close();
  }
  CHECK(closed == std::vector<std::string>(6, "guest"));
  closed.clear();
  runtime.InstantiateModule(functions, config.WithName(""));
  CHECK(closed == std::vector<std::string>{""});
}

TEST_CASE("lines of a report name types also behind a thousand other problems") {
  std::vector<ImportedFunction> functions(1000, {"nowhere", "f", {}});
  functions.push_back({"env", "add", {{}, {kF64}}});
  const tenon::Runtime runtime = MakeRuntime();
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t x, std::int32_t y) { return x + y; })
      .Export("add")
      .Instantiate();
  const std::string report = Refused(runtime, ImportsAll(functions)).what();
  CHECK_THAT(report, Catch::Contains("(i32, i32) -> i32"));
  CHECK_THAT(report, Catch::Contains("f64"));
}

TEST_CASE("a stub is gone with the guest that it was made for") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithInstanceLimit(2)};
  const guests::Bytes bytes = ImportsAll({{"nowhere", "f", {}}});
  for (int i = 0; i < 3; ++i) {
    const tenon::Module guest = runtime.Instantiate(
        bytes,
        tenon::ModuleConfig{}.WithName("").WithUnknownImports(tenon::UnknownImports::Default));
    guest.ExportedFunction<void()>("run0")();
  }
}

TEST_CASE("allow-list of host calls") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    const tenon::Runtime runtime{engine};
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([] { return 1; })
        .Export("free")
        .NewFunctionBuilder()
        .WithFunc([] { return 2; })
        .WithCapability("net")
        .Export("send")
        .NewFunctionBuilder()
        .WithFunc([] { return 3; })
        .WithCapability("net")
        .WithCapability("files")
        .Export("upload")
        .Instantiate();
    const guests::Signature type{{}, {kI32}};
    const auto granted = [](std::vector<std::string> labels) {
      return tenon::ModuleConfig{}.WithName("").WithGrants(std::move(labels));
    };
    const guests::Bytes all =
        ImportsAll({{"env", "free", type}, {"env", "send", type}, {"env", "upload", type}});

    CHECK_NOTHROW(runtime.Instantiate(ImportsAll({{"env", "free", type}})));
    const auto error = Refused(runtime, all);
    CHECK(error.Id() == tenon::ErrorCode::ImportNotGranted);
    REQUIRE(error.Problems().size() == 3);
    CHECK(error.Problems()[0].text ==
          "import func \"env\".\"send\": needs capability \"net\", which was not granted");
    CHECK(error.Problems()[0].capability == "net");
    CHECK(error.Problems()[2].capability == "files");
    CHECK(error.Problems()[2].name == "upload");
    CHECK(Refused(runtime, all, granted({"net"})).Problems().size() == 1);

    const tenon::Module guest =
        runtime.Instantiate(all, granted({"net", "files"}).WithName("holder"));
    CHECK(guest.ExportedFunction<std::int32_t()>("run2")() == 3);

    // What was granted to one module is not granted to those that import it from there.
    runtime.Instantiate(guests::Reexport("env", "add"),
                        granted({}).WithUnknownImports(tenon::UnknownImports::Default));
    guests::Guest reexporting;
    const std::uint32_t send = reexporting.AddImport("env", "send", type);
    reexporting.Export("send", guests::Kind::Func, send);
    runtime.Instantiate(reexporting.Build(), granted({"net"}).WithName("middle"));
    CHECK(Refused(runtime, ImportsAll({{"middle", "send", type}})).Id() ==
          tenon::ErrorCode::ImportNotGranted);
    CHECK_NOTHROW(runtime.Instantiate(ImportsAll({{"middle", "send", type}}), granted({"net"})));

    // Labels are seen by who looks at the module.
    for (const auto& definition : runtime.FindModule("env").ExportedFunctionDefinitions()) {
      CHECK(definition.capabilities.size() == (definition.name == "free"   ? 0u
                                               : definition.name == "send" ? 1u
                                                                           : 2u));
    }
  });
}

TEST_CASE("fn, param and result names") {
  OnEachEngine([](const tenon::RuntimeConfig& engine) {
    std::vector<std::string> lines;
    const tenon::Runtime runtime{
        engine.WithFunctionListenerFactory(tenon::NewLoggingListenerFactory(
            [&](const std::string& line) { lines.push_back(line); }, true))};
    const tenon::CompiledModule env =
        runtime.NewHostModuleBuilder("env")
            .NewFunctionBuilder()
            .WithFunc([](std::int32_t a, std::uint8_t b) { return std::pair{a / b, a % b}; })
            .WithName("divide")
            .WithParameterNames("dividend", "divisor")
            .WithResultNames("quotient", "rest")
            .Export("div")
            .Compile();
    const tenon::FunctionDefinition definition = env.ExportedFunctions().front();
    CHECK(definition.name == "divide");
    CHECK(definition.parameter_names == std::vector<std::string>{"dividend", "divisor"});
    CHECK(definition.result_names == std::vector<std::string>{"quotient", "rest"});
    CHECK_THAT(definition.cpp_signature, Catch::EndsWith("(int, unsigned char)"));
    runtime.InstantiateModule(env);
    const tenon::Module guest =
        runtime.Instantiate(ImportsAll({{"env", "div", {{kI32, kI32}, {kI32, kI32}}}}));
    guest.ExportedFunction("run0").Call({7, 2});
    CHECK(lines == std::vector<std::string>{"--> env.divide(dividend=7,divisor=2)",
                                            "<-- quotient=3,rest=1"});
    const auto trap = Thrown<tenon::Trap>([&] { guest.ExportedFunction("run0").Call({7, 300}); });
    CHECK_THAT(trap.Message(), Catch::Contains("(parameter 1 \"divisor\")"));
    CHECK(trap.Backtrace().front().function == "env.divide");
    CHECK_THAT(Refused(runtime, ImportsAll({{"env", "div", {{kI32, kI32}, {kI32, kF64}}}})).what(),
               Catch::Contains("result 1 \"rest\": guest f64, module i32"));
  });
}

TEST_CASE("names of results are kept in the name section, and others skip them") {
  tenon::wasm::ModuleBuilder builder;
  const std::vector<tenon::ValueType> results{kI32, kI64};
  const std::uint32_t function = builder.Function(
      builder.Type({}, results), std::vector<tenon::ValueType>{}, [](guests::CodeBuilder& code) {
        code.I32Const(1);
        code.I64Const(2);
      });
  builder.NameFunction(function, "pair");
  builder.NameResult(function, 0, "first");
  builder.NameResult(function, 1, "second");
  builder.Export("pair", guests::Kind::Func, function);
  const tenon::Runtime runtime;
  const tenon::Module guest = runtime.Instantiate(builder.Build());
  const tenon::FunctionDefinition definition = guest.ExportedFunction("pair").Definition();
  CHECK(definition.result_names == std::vector<std::string>{"first", "second"});
  CHECK(definition.name == "pair");
}
