// SPDX-License-Identifier: Apache-2.0
/// @file
/// The modules "env" of emscripten and AssemblyScript.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/assemblyscript.hpp>
#include <tenon/emscripten.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "../support/engines.hpp"
#include "../support/expect_error.hpp"

using namespace tenon_test;
using tenon::ExternKind;
using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;

namespace {

constexpr ValueType I32 = ValueType::I32;
constexpr ValueType F64 = ValueType::F64;

/// As emscripten compiles a function that calls others where it may be jumped back to: exports
/// run(index, a, b) -> invoke_iii(index, a, b), and threw() and sp() that tell what the host did.
/// The table has 0: a + b, 1: longjmp, 2: a trap, 3: a function of another type, 4: null.
std::vector<std::uint8_t> EmscriptenGuest() {
  ModuleBuilder builder;
  const auto binary = builder.Type({I32, I32}, {I32});
  const auto ternary = builder.Type({I32, I32, I32}, {I32});
  const auto nullary = builder.Type({}, {});
  const auto getter = builder.Type({}, {I32});
  const auto setter = builder.Type({I32}, {});
  const auto pair_setter = builder.Type({I32, I32}, {});
  const auto invoke = builder.ImportFunction("env", "invoke_iii", ternary);
  const auto longjmp = builder.ImportFunction("env", "_emscripten_throw_longjmp", nullary);
  const auto resize =
      builder.ImportFunction("env", "emscripten_resize_heap", builder.Type({I32}, {I32}));
  const auto copy =
      builder.ImportFunction("env", "_emscripten_memcpy_js", builder.Type({I32, I32, I32}, {}));
  const auto now = builder.ImportFunction("env", "emscripten_date_now", builder.Type({}, {F64}));
  builder.ImportFunction("env", "emscripten_notify_memory_growth", setter);
  builder.Memory(1, 3);
  builder.Export("memory", ExternKind::Memory, 0);
  const auto stack = builder.Global({I32, true}, tenon::wasm::ConstantExpression::I32(1000));
  const auto threw = builder.Global({I32, true}, tenon::wasm::ConstantExpression::I32(0));
  const auto add = builder.Function(binary, {}, [](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).Emit(tenon::wasm::Opcode::I32Add);
  });
  const auto jump = builder.Function(binary, {}, [&](CodeBuilder& code) {
    // Takes some stack, which the jump must give back.
    code.I32Const(500).GlobalSet(stack).Call(longjmp).Unreachable();
  });
  const auto trap = builder.Function(binary, {}, [](CodeBuilder& code) { code.Unreachable(); });
  const auto other = builder.Function(nullary, {}, [](CodeBuilder&) {});
  builder.Table(ValueType::FuncRef, 5);
  builder.Export("__indirect_function_table", ExternKind::Table, 0);
  builder.ActiveElement(0, tenon::wasm::ConstantExpression::I32(0),
                        tenon::wasm::ElementItems::Functions({add, jump, trap, other}));
  const auto run = builder.Function(ternary, {}, [&](CodeBuilder& code) {
    code.LocalGet(0).LocalGet(1).LocalGet(2).Call(invoke);
  });
  builder.Export("run", ExternKind::Func, run);
  const auto direct = builder.Function(nullary, {}, [&](CodeBuilder& code) { code.Call(longjmp); });
  builder.Export("jump", ExternKind::Func, direct);
  const auto get_stack =
      builder.Function(getter, {}, [&](CodeBuilder& code) { code.GlobalGet(stack); });
  builder.Export("emscripten_stack_get_current", ExternKind::Func, get_stack);
  const auto set_stack =
      builder.Function(setter, {}, [&](CodeBuilder& code) { code.LocalGet(0).GlobalSet(stack); });
  builder.Export("_emscripten_stack_restore", ExternKind::Func, set_stack);
  const auto set_threw = builder.Function(
      pair_setter, {}, [&](CodeBuilder& code) { code.LocalGet(0).GlobalSet(threw); });
  builder.Export("setThrew", ExternKind::Func, set_threw);
  const auto get_threw =
      builder.Function(getter, {}, [&](CodeBuilder& code) { code.GlobalGet(threw); });
  builder.Export("threw", ExternKind::Func, get_threw);
  const auto resizing = builder.Function(builder.Type({I32}, {I32}), {},
                                         [&](CodeBuilder& code) { code.LocalGet(0).Call(resize); });
  builder.Export("resize", ExternKind::Func, resizing);
  const auto copying = builder.Function(
      builder.Type({I32, I32, I32}, {}), {},
      [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).LocalGet(2).Call(copy); });
  builder.Export("copy", ExternKind::Func, copying);
  const auto time =
      builder.Function(builder.Type({}, {F64}), {}, [&](CodeBuilder& code) { code.Call(now); });
  builder.Export("now", ExternKind::Func, time);
  return builder.Build();
}

/// Exports of AssemblyScript's three functions, and "text" in memory at 100, "file.ts" at 200.
std::vector<std::uint8_t> AssemblyScriptGuest() {
  ModuleBuilder builder;
  const auto abort_type = builder.Type({I32, I32, I32, I32}, {});
  const auto trace_type = builder.Type({I32, I32, F64, F64, F64, F64, F64}, {});
  const auto seed_type = builder.Type({}, {F64});
  const auto imported_abort = builder.ImportFunction("env", "abort", abort_type);
  const auto imported_trace = builder.ImportFunction("env", "trace", trace_type);
  const auto imported_seed = builder.ImportFunction("env", "seed", seed_type);
  builder.Memory(1);
  builder.Export("memory", ExternKind::Memory, 0);
  const auto forward = [&](std::string_view name, std::uint32_t type, std::uint32_t function,
                           std::uint32_t parameters) {
    const auto index = builder.Function(type, {}, [&](CodeBuilder& code) {
      for (std::uint32_t i = 0; i < parameters; ++i) code.LocalGet(i);
      code.Call(function);
    });
    builder.Export(name, ExternKind::Func, index);
  };
  forward("abort", abort_type, imported_abort, 4);
  forward("trace", trace_type, imported_trace, 7);
  forward("seed", seed_type, imported_seed, 0);
  return builder.Build();
}

void WriteUtf16(const tenon::Module& guest, std::uint32_t at, std::u16string_view text) {
  tenon::Memory memory = guest.DefaultMemory();
  memory.WriteUint32Le(at - 4, static_cast<std::uint32_t>(text.size() * 2));
  for (const char16_t unit : text) {
    memory.WriteUint16Le(at, unit);
    at += 2;
  }
}

}  // namespace

TEST_CASE("emscripten's invoke functions call through the table and come back from longjmp") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    const tenon::Runtime runtime{config};
    const auto compiled = runtime.CompileModule(EmscriptenGuest());
    tenon::emscripten::InstantiateForModule(runtime, compiled);
    const tenon::Module guest = runtime.InstantiateModule(compiled);
    const auto run = guest.ExportedFunction<int(int, int, int)>("run");
    const auto threw = guest.ExportedFunction<int()>("threw");
    const auto stack = guest.ExportedFunction<int()>("emscripten_stack_get_current");
    for (int i = 0; i < 3; ++i) CHECK(run(0, 20, i) == 20 + i);
    CHECK(threw() == 0);
    CHECK(run(1, 1, 2) == 0);
    CHECK(threw() == 1);
    CHECK(stack() == 1000);
    CHECK(run(0, 1, 2) == 3);
    // What is not longjmp passes through.
    CHECK(Thrown<tenon::Trap>([&] { run(2, 0, 0); }).Code() == tenon::TrapCode::Unreachable);
    CHECK(Thrown<tenon::Trap>([&] { run(3, 0, 0); }).Code() == tenon::TrapCode::HostTrap);
    CHECK(Thrown<tenon::Trap>([&] { run(4, 0, 0); }).Code() == tenon::TrapCode::HostTrap);
    CHECK(Thrown<tenon::Trap>([&] { run(-1, 0, 0); }).Code() == tenon::TrapCode::HostTrap);
    CHECK_THROWS_AS(guest.ExportedFunction<void()>("jump")(), tenon::emscripten::Longjmp);
    CHECK(run(0, 1, 2) == 3);
  });
}

TEST_CASE("emscripten's other functions act on the guest's memory and clocks") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(EmscriptenGuest());
  const tenon::Module env = tenon::emscripten::InstantiateForModule(runtime, compiled);
  CHECK(env.ExportedFunctionDefinitions().size() == 6);  // only what the guest imports
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  tenon::Memory memory = guest.DefaultMemory();
  const auto resize = guest.ExportedFunction<int(std::uint32_t)>("resize");
  CHECK(resize(65536) == 1);
  CHECK(memory.Size() == 65536);
  CHECK(resize(65537) == 1);
  CHECK(memory.Size() == 2 * 65536);
  CHECK(resize(0xFFFFFFFF) == 0);
  CHECK(memory.Size() == 2 * 65536);
  const auto copy =
      guest.ExportedFunction<void(std::uint32_t, std::uint32_t, std::uint32_t)>("copy");
  memory.WriteString(0, "abcd");
  copy(1, 0, 4);
  CHECK(memory.ViewString(0, 5) == "aabcd");
  CHECK(Thrown<tenon::Trap>([&] { copy(0, 0xFFFFFFFF, 2); }).Code() == tenon::TrapCode::HostTrap);
  CHECK(Thrown<tenon::Trap>([&] { copy(2 * 65536 - 1, 0, 2); }).Code() ==
        tenon::TrapCode::HostTrap);
  CHECK(guest.ExportedFunction<double()>("now")() == 1640995200000.0);
}

TEST_CASE("emscripten's system calls that are not of WASI answer ENOSYS") {
  OnEachEngine([](const tenon::RuntimeConfig& config) {
    ModuleBuilder builder;
    const auto unlink =
        builder.ImportFunction("env", "__syscall_unlinkat", builder.Type({I32, I32, I32}, {I32}));
    const auto synchronise =
        builder.ImportFunction("env", "__syscall_sync", builder.Type({}, {I32}));
    builder.Export("unlink", ExternKind::Func, unlink);
    builder.Export("sync", ExternKind::Func, synchronise);
    const tenon::Runtime runtime{config};
    const auto compiled = runtime.CompileModule(builder.Build());
    tenon::emscripten::InstantiateForModule(runtime, compiled);
    const tenon::Module guest = runtime.InstantiateModule(compiled);
    CHECK(guest.ExportedFunction<int(int, int, int)>("unlink")(-100, 8, 0) == -52);
    CHECK(guest.ExportedFunction<int()>("sync")() == -52);
  });
}

TEST_CASE("emscripten's second results are kept for each thread") {
  ModuleBuilder builder;
  const auto set = builder.ImportFunction("env", "setTempRet0", builder.Type({I32}, {}));
  const auto get = builder.ImportFunction("env", "getTempRet0", builder.Type({}, {I32}));
  builder.Export("set", ExternKind::Func, set);
  builder.Export("get", ExternKind::Func, get);
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(builder.Build());
  tenon::emscripten::InstantiateForModule(runtime, compiled);
  const auto anonymous = tenon::ModuleConfig{}.WithName("");
  const tenon::Module first = runtime.InstantiateModule(compiled, anonymous);
  const tenon::Module second = runtime.InstantiateModule(compiled, anonymous);
  first.ExportedFunction<void(std::uint32_t)>("set")(0xFFFFFFFE);
  std::thread{[&] { second.ExportedFunction<void(std::uint32_t)>("set")(2); }}.join();
  CHECK(first.ExportedFunction<std::uint32_t()>("get")() == 0xFFFFFFFE);
}

TEST_CASE("a guest that imports nothing of emscripten's gets an empty module") {
  const tenon::Runtime runtime;
  const auto compiled = runtime.CompileModule(ModuleBuilder{}.Build());
  CHECK(tenon::emscripten::InstantiateForModule(runtime, compiled)
            .ExportedFunctionDefinitions()
            .empty());
}

TEST_CASE("AssemblyScript's abort says why and ends the guest with 255") {
  const tenon::Runtime runtime;
  tenon::assemblyscript::Instantiate(runtime);
  const auto compiled = runtime.CompileModule(AssemblyScriptGuest());
  const auto abort = [&](std::uint32_t message, std::uint32_t file) {
    std::string err;
    const tenon::Module guest =
        runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("").WithStderr(err));
    WriteUtf16(guest, 104, u"na\u00EFve \U0001F600 \xD800!");
    WriteUtf16(guest, 204, u"file.ts");
    const auto exit = Thrown<tenon::ExitError>([&] {
      guest.ExportedFunction<void(std::uint32_t, std::uint32_t, int, int)>("abort")(message, file,
                                                                                    12, 3);
    });
    CHECK(exit.ExitCode() == 255);
    CHECK(guest.IsClosed());
    return err;
  };
  CHECK(abort(104, 204) == "na\xC3\xAFve \xF0\x9F\x98\x80 \xEF\xBF\xBD! at file.ts:12:3\n");
  // Pointers that are none.
  CHECK(abort(0, 0) == "abort at unknown:12:3\n");
  CHECK(abort(0xFFFFFFFF, 3) == "abort at unknown:12:3\n");
}

TEST_CASE("AssemblyScript's abort can be silent") {
  const tenon::Runtime runtime;
  tenon::assemblyscript::Instantiate(runtime,
                                     tenon::assemblyscript::Options{}.WithAbortMessageDisabled());
  std::string err;
  const tenon::Module guest =
      runtime.Instantiate(AssemblyScriptGuest(), tenon::ModuleConfig{}.WithStderr(err));
  CHECK(Thrown<tenon::ExitError>([&] {
          guest.ExportedFunction<void(int, int, int, int)>("abort")(0, 0, 1, 1);
        }).ExitCode() == 255);
  CHECK(err.empty());
}

TEST_CASE("an abort of another type than AssemblyScript's is told to be one") {
  ModuleBuilder builder;
  builder.ImportFunction("env", "abort", builder.Type({I32}, {}));
  builder.Memory(1);
  const tenon::Runtime runtime;
  tenon::assemblyscript::Instantiate(runtime);
  const auto error = Thrown<tenon::LinkError>([&] { runtime.Instantiate(builder.Build()); });
  CHECK(std::string{error.what()}.starts_with(
      "import func \"env\".\"abort\": signature mismatch: guest wants (i32) -> (), "
      "module \"env\" has (i32, i32, i32, i32) -> (), in C++ void("));
  // One of the program's own takes the place of the library's.
  const tenon::Runtime other;
  tenon::assemblyscript::AddFunctions(other.NewHostModuleBuilder("env"))
      .NewFunctionBuilder()
      .WithFunc([](int) {})
      .Export("abort")
      .Instantiate();
  CHECK(other.Instantiate(builder.Build()));
}

TEST_CASE("AssemblyScript's trace writes text and numbers where it is told to") {
  using tenon::assemblyscript::Options;
  for (const int where : {0, 1, 2}) {
    const tenon::Runtime runtime;
    const Options options = where == 0   ? Options{}
                            : where == 1 ? Options{}.WithTraceToStdout()
                                         : Options{}.WithTraceToStderr();
    tenon::assemblyscript::Instantiate(runtime, options);
    std::string out;
    std::string err;
    const tenon::Module guest = runtime.Instantiate(
        AssemblyScriptGuest(), tenon::ModuleConfig{}.WithStdout(out).WithStderr(err));
    WriteUtf16(guest, 104, u"here");
    const auto trace =
        guest.ExportedFunction<void(int, int, double, double, double, double, double)>("trace");
    trace(104, 0, 0, 0, 0, 0, 0);
    trace(104, 3, 1, 2.5, -1e300, 0, 0);
    trace(104, 100, 1, 2, 3, 4, 5);
    const std::string expected = "trace: here\ntrace: here 1,2.5,-1e+300\ntrace: here 1,2,3,4,5\n";
    CHECK(out == (where == 1 ? expected : ""));
    CHECK(err == (where == 2 ? expected : ""));
  }
}

TEST_CASE("AssemblyScript's seed comes from the guest's random source") {
  const tenon::Runtime runtime;
  tenon::assemblyscript::Instantiate(runtime);
  const auto compiled = runtime.CompileModule(AssemblyScriptGuest());
  const auto seed = [&](const tenon::ModuleConfig& config) {
    const tenon::Module guest = runtime.InstantiateModule(compiled, config.WithName(""));
    return guest.ExportedFunction<double()>("seed")();
  };
  const double first = seed({});
  CHECK(first == seed({}));
  CHECK(first > 0);
  CHECK(first < 1);
  CHECK(seed(tenon::ModuleConfig{}.WithRandSource([](std::span<std::uint8_t> bytes) {
          std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
        })) == 0);
}
