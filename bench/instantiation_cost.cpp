// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prices instances of a module that is compiled already, and compilations that a cache answers.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/sha256.hpp>

#include "stopwatch.hpp"

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

constexpr const char* kHelp =
    R"(usage: instantiation_cost [--engine=NAME] [--repeat=N] [--json] [--check]

Prints the median wall time in us of instantiating and of closing a small compiled module, without
and with a memory and imports, and of compiling modules that a cache holds beside that of hashing
them alone, of N repetitions (default 2000; of a larger module fewer).

  --engine=NAME  interpreter, jit, or auto (default)
  --check        exit status 1 if a figure exceeds the limit printed beside it
)";

constexpr double kInstanceLimit = 15'000;  // ns

struct Row {
  std::string name;
  double nanoseconds;
  std::optional<double> limit;
};

void DefineAdd(ModuleBuilder& builder) {
  const std::uint32_t binary = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
  const std::uint32_t add = builder.Function(
      binary, {}, [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  builder.Export("add", tenon::ExternKind::Func, add);
}

std::vector<std::uint8_t> BuildWithoutMemory() {
  ModuleBuilder builder;
  DefineAdd(builder);
  return builder.Build();
}

/// A page of memory with data, a table, a global, and an imported function.
std::vector<std::uint8_t> BuildWithMemory() {
  ModuleBuilder builder;
  const std::uint32_t unary = builder.Type({ValueType::I32}, {ValueType::I32});
  const std::uint32_t next = builder.ImportFunction("env", "next", unary);
  DefineAdd(builder);
  builder.Memory(1);
  builder.Export("memory", tenon::ExternKind::Memory, 0);
  builder.ActiveData(tenon::wasm::ConstantExpression::I32(64), "some text of the guest's");
  const std::uint32_t table = builder.Table(ValueType::FuncRef, 4, 4);
  builder.ActiveElement(table, tenon::wasm::ConstantExpression::I32(0),
                        tenon::wasm::ElementItems::Functions({next}));
  builder.Global({ValueType::I32, true}, tenon::wasm::ConstantExpression::I32(7));
  return builder.Build();
}

/// About a megabyte of functions.
std::vector<std::uint8_t> BuildLarge() {
  ModuleBuilder builder;
  const std::uint32_t unary = builder.Type({ValueType::I32}, {ValueType::I32});
  for (std::int32_t i = 0; i < 1000; ++i) {
    builder.Function(unary, {}, [&](CodeBuilder& code) {
      code.LocalGet(0);
      for (std::int32_t k = 0; k < 250; ++k) {
        code.I32Const(i + k).Emit(k % 2 == 0 ? Opcode::I32Add : Opcode::I32Mul);
      }
    });
  }
  return builder.Build();
}

void MeasureInstances(const tenon::RuntimeConfig& config, const std::string& name,
                      const std::vector<std::uint8_t>& bytes, unsigned long repeat,
                      std::vector<Row>& rows) {
  const tenon::Runtime runtime{config};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([](std::int32_t value) { return value + 1; })
      .Export("next")
      .Instantiate();
  const tenon::CompiledModule compiled = runtime.CompileModule(bytes);
  const tenon::ModuleConfig anonymous = tenon::ModuleConfig{}.WithName("");
  bench::Series instantiate, close;
  for (unsigned long i = 0; i < repeat; ++i) {
    tenon::Module module;
    instantiate.TimeWall([&] { module = runtime.InstantiateModule(compiled, anonymous); });
    close.TimeWall([&] {
      module.Close();
      module = tenon::Module{};
    });
  }
  rows.push_back({"instantiate, " + name, instantiate.MedianWall(), kInstanceLimit});
  rows.push_back({"close, " + name, close.MedianWall(), kInstanceLimit});
}

void MeasureCache(const tenon::RuntimeConfig& config, const std::string& name,
                  const std::vector<std::uint8_t>& bytes, unsigned long repeat,
                  std::vector<Row>& rows) {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{config.WithCompilationCache(cache)};
  const tenon::CompiledModule kept = runtime.CompileModule(bytes);
  bench::Series hash, hit, miss;
  volatile std::uint8_t sink = 0;
  for (unsigned long i = 0; i < repeat; ++i) {
    hash.TimeWall([&] {
      tenon::wasm::Sha256 hasher;
      hasher.Update(bytes);
      sink = hasher.Finish()[0];
    });
    hit.TimeWall([&] { const tenon::CompiledModule compiled = runtime.CompileModule(bytes); });
  }
  for (unsigned long i = 0; i < 3; ++i) {
    const tenon::Runtime uncached{config};
    miss.TimeWall([&] { const tenon::CompiledModule compiled = uncached.CompileModule(bytes); });
  }
  rows.push_back({"hash alone, " + name, hash.MedianWall(), {}});
  rows.push_back({"CompileModule, cache hit, " + name, hit.MedianWall(), {}});
  rows.push_back({"CompileModule, no cache, " + name, miss.MedianWall(), {}});
}

void PrintTable(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("%-48s %10s %8s\n", std::string{engine}.c_str(), "us", "limit");
  for (const Row& row : rows) {
    std::printf("%-48s %10.2f", row.name.c_str(), row.nanoseconds / 1000);
    if (row.limit) {
      std::printf(" %8.1f%s", *row.limit / 1000, row.nanoseconds > *row.limit ? " exceeded" : "");
    }
    std::printf("\n");
  }
}

void PrintJson(std::string_view engine, const std::vector<Row>& rows) {
  std::printf("{\"engine\": \"%s\", \"ns\": {", std::string{engine}.c_str());
  const char* separator = "";
  for (const Row& row : rows) {
    std::printf("%s\"%s\": %.1f", separator, row.name.c_str(), row.nanoseconds);
    separator = ", ";
  }
  std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  tenon::RuntimeConfig config;
  unsigned long repeat = 2000;
  bool json = false;
  bool check = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      json = true;
    } else if (argument == "--check") {
      check = true;
    } else if (argument == "--engine=interpreter") {
      config = config.WithEngine(tenon::EngineKind::Interpreter);
    } else if (argument == "--engine=jit") {
      config = config.WithEngine(tenon::EngineKind::Jit);
    } else if (argument.starts_with("--repeat=")) {
      repeat = std::max(1ul, std::strtoul(argv[i] + std::strlen("--repeat="), nullptr, 10));
    } else if (argument != "--engine=auto") {
      std::fputs(kHelp, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    }
  }
  try {
    std::vector<Row> rows;
    MeasureInstances(config, "without memory", BuildWithoutMemory(), repeat, rows);
    MeasureInstances(config, "with memory and import", BuildWithMemory(), repeat, rows);
    MeasureCache(config, "small module", BuildWithMemory(), repeat, rows);
    const std::vector<std::uint8_t> large = BuildLarge();
    MeasureCache(config, "module of " + std::to_string(large.size() / 1000) + " kB", large,
                 std::max(1ul, repeat / 100), rows);
    const std::string engine{tenon::Runtime{config}.EngineName()};
    if (json) {
      PrintJson(engine, rows);
    } else {
      PrintTable(engine, rows);
    }
    const bool is_exceeded = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
      return row.limit && row.nanoseconds > *row.limit;
    });
    return check && is_exceeded ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "instantiation_cost: %s\n", error.what());
    return 1;
  }
}
