// SPDX-License-Identifier: Apache-2.0
/// @file
/// The compiler as an engine of the runtime: which code runs where, and who can walk its frames.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <tenon/jit/code_object.hpp>
#include <tenon/jit/code_registry.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/function_compiler.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/jit/module_compiler.hpp>
#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/guests_memory.hpp"
#include "../support/guests_types.hpp"
#include "../support/sanitized.hpp"
#include "../support/validated_module.hpp"

using namespace tenon_test;
using tenon::EngineKind;
using tenon::Runtime;
using tenon::RuntimeConfig;
using tenon::TrapCode;
using tenon_test::kIsSanitized;
using Unary = std::int32_t(std::int32_t);

namespace {

RuntimeConfig Compiling() { return RuntimeConfig{}.WithEngine(EngineKind::Jit); }

int RunInChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

struct sigaction HandlerOf(int signal_number) {
  struct sigaction action{};
  sigaction(signal_number, nullptr, &action);
  return action;
}

/// "load" and "store" of 32 bits in a memory of one page.
tenon::Module MemoryGuest(const Runtime& runtime) {
  return runtime.Instantiate(guests::MemoryUser({}), tenon::ModuleConfig{}.WithName(""));
}

/// Whether accesses within bounds work and others trap.
bool ChecksBounds(const tenon::Module& guest) {
  const auto load = guest.ExportedFunction<Unary>("load32");
  const auto store = guest.ExportedFunction<void(std::int32_t, std::int32_t)>("store32");
  store(65532, 99);
  if (load(65532) != 99) return false;
  for (const std::int32_t address : {65533, 65536, 1 << 30, -1, -4}) {
    const auto result = load.TryCall(address);
    if (result) return false;
    try {
      load(address);
      return false;
    } catch (const tenon::Trap& trap) {
      if (trap.Code() != TrapCode::OutOfBoundsMemoryAccess) return false;
    }
  }
  return load(65532) == 99;
}

}  // namespace

TEST_CASE("the engine is chosen by name, or for a reason that can be read") {
  CHECK(Runtime{Compiling()}.EngineName() == "jit");
  CHECK(Runtime{Compiling()}.EngineNote().empty());
  CHECK(Runtime{RuntimeConfig{}.WithEngine(EngineKind::Interpreter)}.EngineName() == "interpreter");
  CHECK(TextOf<tenon::ConfigError>([] {
          Runtime{Compiling().WithCpuFeatures(tenon::CpuFeatures{})};
        }) == "engine \"jit\" cannot run here: the configuration turns SSE4.1 off");
}

TEST_CASE("a process that may not have executable memory gets a reason") {
  if (kIsSanitized) return;
  // No room for one more mapping stands in for a refusal.
  CHECK(RunInChild([] {
          const rlimit none{std::size_t{1} << 20, std::size_t{1} << 20};
          setrlimit(RLIMIT_AS, &none);
          try {
            Runtime{Compiling()}.Instantiate(guests::Arithmetic());
            return 1;
          } catch (const tenon::ConfigError& error) {
            return error.Id() == tenon::ErrorCode::EngineUnavailable ? 42 : 2;
          } catch (const std::bad_alloc&) {
            return 42;
          }
        }) == 42);
}

TEST_CASE("both memory styles check bounds, side by side, from one compiled module") {
  SECTION("guard pages, with handlers that come and go with instances") {
    const auto before = HandlerOf(SIGSEGV).sa_sigaction;
    {
      const Runtime runtime{Compiling()};
      CHECK(HandlerOf(SIGSEGV).sa_sigaction == before);
      const tenon::Module guest = MemoryGuest(runtime);
      CHECK(HandlerOf(SIGSEGV).sa_sigaction != before);
      CHECK(ChecksBounds(guest));
    }
    CHECK(HandlerOf(SIGSEGV).sa_sigaction == before);
  }
  SECTION("explicit checks, without handlers") {
    const auto before = HandlerOf(SIGSEGV).sa_sigaction;
    const Runtime runtime{Compiling().WithSignalHandlers(tenon::SignalHandlers::None)};
    const tenon::Module guest = MemoryGuest(runtime);
    CHECK(HandlerOf(SIGSEGV).sa_sigaction == before);
    CHECK(ChecksBounds(guest));
  }
  SECTION("an address space too small for a second reservation") {
    if (kIsSanitized) return;
    CHECK(RunInChild([] {
            const Runtime runtime{Compiling()};
            const tenon::CompiledModule compiled = runtime.CompileModule(guests::MemoryUser({}));
            const auto unnamed = tenon::ModuleConfig{}.WithName("");
            const tenon::Module guarded = runtime.InstantiateModule(compiled, unnamed);
            rlimit limit{};
            getrlimit(RLIMIT_AS, &limit);
            limit.rlim_cur = std::uint64_t{6} << 30;
            setrlimit(RLIMIT_AS, &limit);
            const tenon::Module checked = runtime.InstantiateModule(compiled, unnamed);
            for (int i = 0; i < 2; ++i) {
              if (!ChecksBounds(guarded)) return 1;
              if (!ChecksBounds(checked)) return 2;
            }
            // Its memory moves; the code must notice.
            if (checked.ExportedFunction<Unary>("grow")(100) != 1) return 3;
            if (checked.ExportedFunction<Unary>("load32")(65532) != 99) return 4;
            if (checked.ExportedFunction<Unary>("load32")(101 * 65536 - 4) != 0) return 5;
            return 42;
          }) == 42);
  }
}

TEST_CASE("the call stack is the interpreter's, to the byte") {
  const auto trace = [](EngineKind engine) {
    const Runtime runtime{RuntimeConfig{}.WithEngine(engine)};
    tenon::Module guest;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
          if (depth == 0) caller.ExportedFunction<void()>("trap")();
          if (depth == 1) return caller.ExportedFunction<Unary>("down")(7) / (depth - 1);
          return caller.ExportedFunction<Unary>("down")(depth - 1);
        })
        .Export("up")
        .NewFunctionBuilder()
        .WithFunc([](std::int32_t) -> std::int32_t { throw tenon::Trap{"enough"}; })
        .Export("fail")
        .Instantiate();
    // inner.down -> env.fail; outer.down -> inner.down
    const tenon::Module inner = runtime.Instantiate(guests::Reentrant("env", "fail"),
                                                    tenon::ModuleConfig{}.WithName("inner"));
    const tenon::Module outer = runtime.Instantiate(guests::Reentrant("inner", "down"),
                                                    tenon::ModuleConfig{}.WithName("outer"));
    guest = runtime.Instantiate(guests::Reentrant("env", "up"));
    const tenon::Module arithmetic =
        runtime.Instantiate(guests::Arithmetic(), tenon::ModuleConfig{}.WithName("arithmetic"));
    std::vector<std::string> texts;
    texts.push_back(TextOf<tenon::Trap>([&] { outer.ExportedFunction<Unary>("down")(5); }));
    texts.push_back(
        TextOf<tenon::Trap>([&] { arithmetic.ExportedFunction<void()>("deep_trap")(); }));
    texts.push_back(TextOf<tenon::Trap>([&] {
      arithmetic.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("divide")(1, 0);
    }));
    tenon::Module memory =
        runtime.Instantiate(guests::MemoryUser({}), tenon::ModuleConfig{}.WithName("memory"));
    texts.push_back(TextOf<tenon::Trap>([&] { memory.ExportedFunction<Unary>("load32")(-1); }));
    return texts;
  };
  const auto compiled = trace(EngineKind::Jit);
  const auto interpreted = trace(EngineKind::Interpreter);
  REQUIRE(compiled.size() == interpreted.size());
  for (std::size_t i = 0; i < compiled.size(); ++i) CHECK(compiled[i] == interpreted[i]);
}

TEST_CASE("exceptions cross compiled frames of several modules and activations") {
  const Runtime runtime{Compiling()};
  int alive = 0;
  struct Counted {
    explicit Counted(int& counter) : count{counter} { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    int& count;
  };
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        const Counted counted{alive};
        if (depth < 0) throw std::runtime_error{"thrown"};
        // Caught midway, and thrown on.
        try {
          return caller.ExportedFunction<Unary>("down")(depth == 1 ? -1 : depth - 1);
        } catch (const std::runtime_error&) {
          if (depth == 5) return 1000;
          throw;
        }
      })
      .Export("up")
      .Instantiate();
  const tenon::Module guest = runtime.Instantiate(guests::Reentrant("env", "up"));
  const auto down = guest.ExportedFunction<Unary>("down");
  for (int round = 0; round < 1000; ++round) {
    REQUIRE(down(9) == 1005);
    REQUIRE_THROWS_AS(down(4), std::runtime_error);
  }
  CHECK(alive == 0);
}

TEST_CASE("a function of another group cannot be given to a compiled guest") {
  const Runtime runtime{Compiling()};
  const auto unnamed = tenon::ModuleConfig{}.WithName("");
  const tenon::Module one = runtime.Instantiate(guests::References(), unnamed);
  const tenon::Module two = runtime.Instantiate(guests::References(), unnamed);
  const auto call = one.ExportedFunction<std::int32_t(tenon::FuncRef)>("call");
  const tenon::FuncRef foreign = two.ExportedFunction<tenon::FuncRef()>("own")();
  CHECK_THROWS_AS(call(foreign), tenon::ConfigError);
  CHECK(call(one.ExportedFunction<tenon::FuncRef()>("own")()) == 42);
}

TEST_CASE("host functions without a native form are called directly and through tables") {
  const Runtime runtime{Compiling()};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithHostFunction([](std::span<tenon::abi::Slot> slots) { slots[0] = 77; }, {},
                        {tenon::ValueType::I32})
      .Export("dynamic")
      .Instantiate();
  guests::Guest builder;
  const std::uint32_t import = builder.AddImport("env", "dynamic", {{}, {guests::kI32}});
  const std::uint32_t type = builder.TypeOf({{}, {guests::kI32}});
  const std::uint32_t table = builder.Table(tenon::ValueType::FuncRef, 1);
  builder.ActiveElement(table, guests::ConstantExpression::I32(0),
                        guests::ElementItems::Functions({import}));
  builder.Add("direct", {{}, {guests::kI32}}, [&](auto& code) { code.Call(import); });
  builder.Add("indirect", {{}, {guests::kI32}},
              [&](auto& code) { code.I32Const(0).CallIndirect(type, table); });
  const tenon::Module guest = runtime.Instantiate(builder.Build());
  const auto direct = guest.ExportedFunction<std::int32_t()>("direct");
  const auto indirect = guest.ExportedFunction<std::int32_t()>("indirect");
  CHECK(direct() == 77);
  CHECK(indirect() == 77);
  // Closed, they end their callers.
  runtime.FindModule("env").CloseWithExitCode(9);
  CHECK(Thrown<tenon::ExitError>([&] { direct(); }).ExitCode() == 9);
  CHECK(Thrown<tenon::ExitError>([&] { indirect(); }).ExitCode() == 9);
}

TEST_CASE("functions of closed modules end their callers, whichever way these got at them") {
  const Runtime runtime{Compiling()};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) -> std::int32_t { return value; })
      .Export("same")
      .Instantiate();
  const auto importer = [&](std::string_view module, std::string_view name) {
    guests::Guest builder;
    const guests::Signature unary{{guests::kI32}, {guests::kI32}};
    const std::uint32_t import = builder.AddImport(module, name, unary);
    const std::uint32_t table = builder.Table(tenon::ValueType::FuncRef, 1);
    builder.ActiveElement(table, guests::ConstantExpression::I32(0),
                          guests::ElementItems::Functions({import}));
    builder.Add("direct", unary, [&](auto& code) { code.LocalGet(0).Call(import); });
    builder.Add("indirect", unary, [&](auto& code) {
      code.LocalGet(0).I32Const(0).CallIndirect(builder.TypeOf(unary), table);
    });
    return builder.Build();
  };
  const tenon::Module middle =
      runtime.Instantiate(importer("env", "same"), tenon::ModuleConfig{}.WithName("middle"));
  const tenon::Module outer =
      runtime.Instantiate(importer("middle", "direct"), tenon::ModuleConfig{}.WithName("outer"));
  for (const char* way : {"direct", "indirect"}) {
    CHECK(outer.ExportedFunction<Unary>(way)(3) == 3);
    CHECK(middle.ExportedFunction<Unary>(way)(4) == 4);
  }
  runtime.FindModule("env").CloseWithExitCode(5);
  for (const char* way : {"direct", "indirect"}) {
    CHECK(Thrown<tenon::ExitError>([&] { middle.ExportedFunction<Unary>(way)(4); }).ExitCode() ==
          5);
  }
  middle.CloseWithExitCode(6);
  for (const char* way : {"direct", "indirect"}) {
    CHECK(Thrown<tenon::ExitError>([&] { outer.ExportedFunction<Unary>(way)(4); }).ExitCode() == 6);
  }
}

TEST_CASE("code is the same whatever the number of threads") {
  guests::Guest builder;
  for (int function = 0; function < 60; ++function) {
    builder.Add("f" + std::to_string(function), {{guests::kI32}, {guests::kI32}}, [&](auto& code) {
      code.LocalGet(0);
      for (int i = 0; i < 500 + function * 20; ++i) {
        code.I32Const(i * 77 + function).Emit(tenon::wasm::Opcode::I32Xor).LocalGet(0);
        code.Emit(tenon::wasm::Opcode::I32Mul);
      }
    });
  }
  const auto bytes = builder.Build();
  const ValidatedModule validated{bytes};
  tenon::jit::ModuleFacts facts;
  REQUIRE(tenon::jit::GatherFacts(validated.context, facts).IsNone());
  tenon::jit::CompileOptions options;
  const auto compile = [&](std::uint32_t threads) {
    std::vector<tenon::jit::CompiledFunction> functions;
    tenon::jit::CompileFunctions({validated.module, validated.context, facts, options}, threads,
                                 functions);
    return tenon::jit::BuildCodeObject(
        {validated.module, functions, tenon::jit::FlatArray<bool>(functions.size(), true),
         tenon::jit::FlatArray<bool>(validated.module.types.size()), 0});
  };
  REQUIRE(validated.module.code_section.size > 256 * 1024 / 2);
  const auto alone = compile(1);
  CHECK(compile(2) == alone);
  CHECK(compile(8) == alone);
}

namespace {

struct Walk {
  int frames = 0;
  int compiled = 0;
  int below_compiled = 0;
};

_Unwind_Reason_Code CountFrame(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  ++walk.frames;
  const std::uintptr_t pc = _Unwind_GetIP(context);
  if (tenon::jit::CodeRegistry::Global().Find(pc - 1) != nullptr) {
    ++walk.compiled;
  } else if (walk.compiled != 0) {
    ++walk.below_compiled;
  }
  return _URC_NO_REASON;
}

}  // namespace

TEST_CASE("unwinders walk through compiled frames") {
  const Runtime runtime{Compiling()};
  Walk walk;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](std::int32_t) -> std::int32_t {
        _Unwind_Backtrace(CountFrame, &walk);
        return 0;
      })
      .Export("up")
      .Instantiate();
  runtime.Instantiate(guests::Reentrant("env", "up")).ExportedFunction<Unary>("down")(1);
  CHECK(walk.compiled == 2);  // the function and the entry stub
  CHECK(walk.below_compiled > 3);
}

namespace {

/// Runs `body` on a stack of its own.
void RunOnFiber(std::size_t bytes, const std::function<void()>& body) {
  static const std::function<void()>* running;
  running = &body;
  std::vector<std::uint8_t> stack(bytes);
  ucontext_t here;
  ucontext_t there;
  getcontext(&there);
  there.uc_stack.ss_sp = stack.data();
  there.uc_stack.ss_size = stack.size();
  there.uc_link = &here;
  makecontext(&there, +[] { (*running)(); }, 0);
  swapcontext(&here, &there);
}

}  // namespace

TEST_CASE("recursion on a fiber's stack ends with a trap") {
  if (kIsSanitized) return;
  const Runtime runtime{Compiling()};
  const tenon::Module guest = runtime.Instantiate(guests::Loops());
  const auto recurse = guest.ExportedFunction<Unary>("recurse");
  const auto fib = guest.ExportedFunction<Unary>("fib");
  int traps = 0;
  std::int32_t result = 0;
  RunOnFiber(std::size_t{64} << 10, [&] {
    for (int i = 0; i < 3; ++i) {
      try {
        recurse(1);
      } catch (const tenon::Trap& trap) {
        if (trap.Code() == TrapCode::StackOverflow && trap.Backtrace().size() == 64) ++traps;
      }
    }
    result = fib(10);
  });
  CHECK(traps == 3);
  CHECK(result == 55);
  // A host function that goes on elsewhere.
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([&](tenon::Module& caller, std::int32_t depth) -> std::int32_t {
        std::int32_t inner = 0;
        if (depth == 3) {
          RunOnFiber(std::size_t{64} << 10,
                     [&] { inner = caller.ExportedFunction<Unary>("down")(depth - 1); });
        } else {
          inner = caller.ExportedFunction<Unary>("down")(depth - 1);
        }
        return inner;
      })
      .Export("up")
      .Instantiate();
  const tenon::Module ladder =
      runtime.Instantiate(guests::Reentrant("env", "up"), tenon::ModuleConfig{}.WithName("ladder"));
  CHECK(ladder.ExportedFunction<Unary>("down")(6) == 6);
  CHECK(ladder.ExportedFunction<Unary>("down")(6) == 6);
}

TEST_CASE("the stack limit bounds what compiled guests use of the native stack") {
  const auto depth = [](std::uint64_t bytes) {
    const Runtime runtime{Compiling().WithStackLimit(bytes)};
    int calls = 0;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](tenon::Module& caller, std::int32_t) -> std::int32_t {
          ++calls;
          return caller.ExportedFunction<Unary>("down")(1);
        })
        .Export("up")
        .Instantiate();
    const tenon::Module guest = runtime.Instantiate(guests::Reentrant("env", "up"));
    CHECK(Thrown<tenon::Trap>([&] { guest.ExportedFunction<Unary>("down")(1); }).Code() ==
          TrapCode::StackOverflow);
    return calls;
  };
  const int shallow = depth(std::uint64_t{64} << 10);
  const int deep = depth(std::uint64_t{256} << 10);
  CHECK(shallow > 3);
  CHECK(deep > shallow * 3);
  CHECK(deep < shallow * 6);
}

TEST_CASE("code does not depend on what its compiler compiled before") {
  // More reads than are remembered, so that which one is forgotten shows.
  guests::Guest builder;
  builder.Memory(1);
  for (const std::uint32_t reads : {15u, 17u, 19u}) {
    builder.Add("f" + std::to_string(reads), {{guests::kI32}, {guests::kI32}}, [&](auto& code) {
      code.I32Const(0);
      for (std::uint32_t i = 0; i < 3 * reads; ++i) {
        code.LocalGet(0).Memory(tenon::wasm::Opcode::I32Load, {.offset = 4 * (i % reads)});
        code.Emit(tenon::wasm::Opcode::I32Add);
      }
    });
  }
  const ValidatedModule validated{builder.Build()};
  tenon::jit::ModuleFacts facts;
  REQUIRE(tenon::jit::GatherFacts(validated.context, facts).IsNone());
  const tenon::jit::CompileOptions options;
  const tenon::jit::FrontEndInput input{validated.module, validated.context, facts, options};
  for (const std::uint32_t last : {0u, 1u, 2u}) {
    CAPTURE(last);
    tenon::jit::CompiledFunction alone;
    tenon::jit::FunctionCompiler{input}.Compile(last, alone);
    for (const std::uint32_t first : {0u, 1u, 2u}) {
      CAPTURE(first);
      tenon::jit::FunctionCompiler compiler{input};
      tenon::jit::CompiledFunction code;
      compiler.Compile(first, code);
      compiler.Compile(last, code);
      CHECK(code.code == alone.code);
    }
  }
}

TEST_CASE("a frame is made also where the way to it is an empty block in front of a loop") {
  // (again, n): returns at once, or counts n down and traps below 0.
  guests::Guest guest;
  guest.Add("count", {{guests::kI32, guests::kI32}, {}}, [](guests::CodeBuilder& code) {
    using guests::Opcode;
    code.LocalGet(0).Begin(Opcode::If).Begin(Opcode::Loop);
    code.LocalGet(1).I32Const(0).Emit(Opcode::I32LtS).Begin(Opcode::If).Unreachable().End();
    code.LocalGet(1).I32Const(1).Emit(Opcode::I32Sub).LocalTee(1).BrIf(0).End().End();
  });
  const Runtime runtime{Compiling()};
  const tenon::Module module = runtime.Instantiate(guest.Build());
  const auto count = module.ExportedFunction<void(std::int32_t, std::int32_t)>("count");
  CHECK_NOTHROW(count(0, 6));
  CHECK_NOTHROW(count(1, 6));
  CHECK(Thrown<tenon::Trap>([&] { count(1, -1); }).Code() == TrapCode::Unreachable);
  CHECK_NOTHROW(count(1, 9));
}

TEST_CASE("functions with more values that meet than phis are made for run from their frame",
          "[one_thread][long]") {
  // As many locals as blocks, all of which are left from within.
  constexpr std::uint32_t kBlocks = 3600;
  using tenon::wasm::Opcode;
  guests::Guest builder;
  const auto body = [](tenon::wasm::CodeBuilder& code) {
    for (std::uint32_t i = 0; i < kBlocks; ++i) code.Begin(Opcode::Block);
    for (std::uint32_t i = 0; i < kBlocks; ++i) {
      const auto number = static_cast<std::int32_t>(i);
      code.LocalGet(0).I32Const(number).Emit(Opcode::I32Eq).BrIf(0);
      code.LocalGet(1).I32Const(number).Emit(Opcode::I32Add).LocalTee(1).LocalSet(2 + i);
      code.LocalGet(0).I32Const(2 * number).Emit(Opcode::I32Eq).BrIf(kBlocks - i - 1).End();
    }
    for (std::uint32_t i = 0; i < kBlocks; ++i) {
      code.LocalGet(1).I32Const(31).Emit(Opcode::I32Mul).LocalGet(2 + i).Emit(Opcode::I32Xor);
      code.LocalSet(1);
    }
    // Locals that nobody sets have no place there.
    code.LocalGet(1).LocalGet(2 + kBlocks).Emit(Opcode::I32Add);
  };
  builder.Add("run", {{guests::kI32, guests::kI32}, {guests::kI32}}, body,
              std::vector(kBlocks + 1, guests::kI32));
  const ValidatedModule validated{builder.Build()};
  REQUIRE(validated.Text() == "");
  tenon::jit::ModuleFacts facts;
  REQUIRE(tenon::jit::GatherFacts(validated.context, facts).IsNone());
  tenon::jit::FrontEnd front_end;
  tenon::jit::Function function;
  REQUIRE(front_end.Build({validated.module, validated.context, facts, {}}, 0, function));
  REQUIRE(function.local_cells == kBlocks + 1);
  CHECK(VerifyIr(function, validated.module) == "");

  using Binary = std::uint32_t(std::uint32_t, std::uint32_t);
  const Runtime compiling{Compiling()};
  const Runtime interpreting{RuntimeConfig{}.WithEngine(EngineKind::Interpreter)};
  const tenon::Module compiled = compiling.Instantiate(validated.bytes);
  const tenon::Module interpreted = interpreting.Instantiate(validated.bytes);
  const auto found = compiled.ExportedFunction<Binary>("run");
  const auto expected = interpreted.ExportedFunction<Binary>("run");
  constexpr std::uint32_t kLast = kBlocks - 1;
  for (const std::uint32_t x : {0u, 1u, 2u, 1000u, 1001u, kLast, kBlocks, 2 * kLast, 77777u}) {
    CAPTURE(x);
    CHECK(found(x, 5) == expected(x, 5));
  }
}
