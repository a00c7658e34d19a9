// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prices the calls between host and guest, with a native indirect call as 1.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "stopwatch.hpp"

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::Opcode;

constexpr const char* kHelp = R"(usage: call_cost [--engine=NAME] [--repeat=N] [--json]

Prints the CPU time of one call in ns, the least of N repetitions (default 9), and its ratio to an
indirect call of a native function (int, int) -> int. Calls out of a guest are made by a loop in the
guest; the time of the same loop with an addition in place of the call is subtracted.
)";

constexpr std::int32_t kLoop = 100'000;  // calls a measurement

/// A guest with a loop around one call for each kind of callee:
/// `loop_*(n) -> i32` calls it n times with the sum so far.
std::vector<std::uint8_t> BuildGuest() {
  tenon::wasm::ModuleBuilder builder;
  const std::uint32_t binary = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
  const std::uint32_t unary = builder.Type({ValueType::I32}, {ValueType::I32});
  const std::uint32_t lambda = builder.ImportFunction("env", "add", binary);
  const std::uint32_t function = builder.ImportFunction("env", "add_function", binary);
  const std::uint32_t untyped = builder.ImportFunction("env", "add_untyped", binary);
  const std::uint32_t text = builder.ImportFunction("env", "text", binary);
  const std::uint32_t caller = builder.ImportFunction("env", "caller", binary);
  builder.Memory(1);
  const std::uint32_t add = builder.Function(
      binary, {}, [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  builder.Export("add", tenon::ExternKind::Func, add);
  const auto loop = [&](std::string_view name, auto call) {
    const std::uint32_t index = builder.Function(unary, {ValueType::I32}, [&](CodeBuilder& code) {
      code.Loop({}, [&](CodeBuilder& body) {
        call(body);
        body.LocalSet(1);
        body.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
      });
      code.LocalGet(1);
    });
    builder.Export(name, tenon::ExternKind::Func, index);
  };
  const auto plain = [](std::uint32_t callee) {
    return [callee](CodeBuilder& code) { code.LocalGet(1).LocalGet(0).Call(callee); };
  };
  loop("loop_inline", [](CodeBuilder& code) { code.LocalGet(1).LocalGet(0).Emit(Opcode::I32Add); });
  loop("loop_guest", plain(add));
  loop("loop_lambda", plain(lambda));
  loop("loop_function", plain(function));
  loop("loop_untyped", plain(untyped));
  loop("loop_caller", plain(caller));
  loop("loop_text", [&](CodeBuilder& code) { code.I32Const(64).I32Const(16).Call(text); });
  return builder.Build();
}

std::int32_t Add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

tenon::Module Instantiate(const tenon::Runtime& runtime) {
  std::int32_t seen = 0;
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([seen](std::int32_t a, std::int32_t b) mutable { return seen = Add(a, b); })
      .Export("add")
      .NewFunctionBuilder()
      .WithFunc<Add>()
      .Export("add_function")
      .NewFunctionBuilder()
      .WithHostFunction(
          [](std::span<tenon::abi::Slot> slots) {
            slots[0] = static_cast<std::uint32_t>(
                Add(static_cast<std::int32_t>(slots[0]), static_cast<std::int32_t>(slots[1])));
          },
          {ValueType::I32, ValueType::I32}, {ValueType::I32})
      .Export("add_untyped")
      .NewFunctionBuilder()
      .WithFunc([](std::string_view text) { return static_cast<std::uint32_t>(text.size()); })
      .Export("text")
      .NewFunctionBuilder()
      .WithFunc([](tenon::Module&, std::int32_t a, std::int32_t b) { return Add(a, b); })
      .Export("caller")
      .Instantiate();
  return runtime.Instantiate(BuildGuest());
}

/// Least nanoseconds of one of `count` calls that `work` makes.
template <class Work>
double Price(unsigned long repeat, std::int32_t count, Work work) {
  bench::Series series;
  for (unsigned long i = 0; i < repeat; ++i) series.Time(work);
  return series.MinCpu() / count;
}

struct Row {
  std::string name;
  double nanoseconds;
};

std::vector<Row> Measure(const tenon::Module& guest, unsigned long repeat) {
  std::vector<Row> rows;
  volatile std::int32_t sink = 0;
  // Read from a volatile pointer in every round, so that nothing is inlined.
  std::int32_t (*volatile pointer)(std::int32_t, std::int32_t) = Add;
  rows.push_back({"native indirect call", Price(repeat, kLoop, [&] {
                    std::int32_t sum = 0;
                    for (std::int32_t i = 0; i < kLoop; ++i) sum = pointer(sum, i);
                    sink = sum;
                  })});

  const auto typed = guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add");
  rows.push_back({"host to guest, typed", Price(repeat, kLoop, [&] {
                    std::int32_t sum = 0;
                    for (std::int32_t i = 0; i < kLoop; ++i) sum = typed(sum, i);
                    sink = sum;
                  })});
  const tenon::Function untyped = guest.ExportedFunction("add");
  rows.push_back({"host to guest, CallWithStack", Price(repeat, kLoop, [&] {
                    tenon::abi::Slot stack[2] = {0, 0};
                    for (std::int32_t i = 0; i < kLoop; ++i) {
                      stack[1] = static_cast<std::uint32_t>(i);
                      untyped.CallWithStack(stack);
                    }
                    sink = static_cast<std::int32_t>(stack[0]);
                  })});
  rows.push_back({"host to guest, Call", Price(repeat, kLoop, [&] {
                    tenon::Value sum = std::int32_t{0};
                    for (std::int32_t i = 0; i < kLoop; ++i) sum = untyped.Call({sum, i})[0];
                    sink = sum.I32();
                  })});

  const auto price_loop = [&](const char* name) {
    const auto loop = guest.ExportedFunction<std::int32_t(std::int32_t)>(name);
    return Price(repeat, kLoop, [&] { sink = loop(kLoop); });
  };
  const double loop_alone = price_loop("loop_inline");
  for (const auto& [name, text] :
       {std::pair{"loop_guest", "guest to guest"},
        std::pair{"loop_lambda", "guest to host, lambda with state"},
        std::pair{"loop_function", "guest to host, function as template argument"},
        std::pair{"loop_caller", "guest to host, with Module&"},
        std::pair{"loop_text", "guest to host, checked string_view"},
        std::pair{"loop_untyped", "guest to host, slots"}}) {
    rows.push_back({text, price_loop(name) - loop_alone});
  }
  return rows;
}

void PrintTable(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("%-48s %10s %8s\n", std::string{engine}.c_str(), "ns", "ratio");
  for (const Row& row : rows) {
    std::printf("%-48s %10.2f %8.2f\n", row.name.c_str(), row.nanoseconds,
                row.nanoseconds / rows[0].nanoseconds);
  }
}

void PrintJson(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("{\"engine\": \"%s\", \"ns\": {", std::string{engine}.c_str());
  const char* separator = "";
  for (const Row& row : rows) {
    std::printf("%s\"%s\": %.3f", separator, row.name.c_str(), row.nanoseconds);
    separator = ", ";
  }
  std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  tenon::RuntimeConfig config;
  std::string engine;
  unsigned long repeat = 9;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      json = true;
    } else if (argument == "--engine=interpreter") {
      engine = "interpreter";
      config = config.WithEngine(tenon::EngineKind::Interpreter);
    } else if (argument == "--engine=jit") {
      engine = "jit";
      config = config.WithEngine(tenon::EngineKind::Jit);
    } else if (argument.starts_with("--repeat=")) {
      repeat = std::max(1ul, std::strtoul(argv[i] + std::strlen("--repeat="), nullptr, 10));
    } else if (argument != "--engine=auto") {
      std::fputs(kHelp, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    }
  }
  try {
    const tenon::Runtime runtime{config};
    if (!engine.empty() && runtime.EngineName() != engine) {
      std::fprintf(stderr, "call_cost: this build has no engine %s\n", engine.c_str());
      return 2;
    }
    const std::vector<Row> rows = Measure(Instantiate(runtime), repeat);
    if (json) {
      PrintJson(runtime.EngineName(), rows);
    } else {
      PrintTable(runtime.EngineName(), rows);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "call_cost: %s\n", error.what());
    return 1;
  }
}
