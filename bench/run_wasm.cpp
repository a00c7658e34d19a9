// SPDX-License-Identifier: Apache-2.0
/// @file
/// Times what becomes of one module: decode, validate, compile, instantiate, call.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include <tenon/tenon.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/validator.hpp>

#include "import_stubs.hpp"
#include "stopwatch.hpp"
#include "value_text.hpp"

namespace {

constexpr const char* kHelp = R"(usage: run_wasm [OPTION...] FILE [EXPORT [ARGS...]]

Decodes, validates, compiles and instantiates a module and calls an export, several times, and
prints the least and the median time of each. Without EXPORT it stops after instantiation. Imports
are satisfied with stubs: functions that return zeros, memories, tables and globals of the declared
types; wasi_snapshot_preview1 with tenon's own.

  --engine=NAME    interpreter, jit, or auto (default)
  --explicit-checks  compares addresses instead of relying on guard pages (jit)
  --interruptible  code that a deadline can end (RuntimeConfig::WithCloseOnContextDone)
  --jitdump        tells perf what is compiled, for perf record -k mono and perf inject --jit
  --repeat=N       repetitions, each with a fresh instance (default 5)
  --calls=N        calls of the export in each repetition (default 1)
  --compile-only   stops after compilation
  --json           prints one JSON object; what was not measured is null

Times are CPU time of the whole process, all threads; the table has wall time beside it. compile
covers all that Runtime::CompileModule does, so decoding and validation are in it once more.
ARGS are decimal, hexadecimal (0x...) or floating point numbers; v128 is 0x and 32 hexadecimal
digits, lane 0 last; references are null or, for externref, a number.
)";

struct Options {
  tenon::RuntimeConfig config;
  std::string engine;
  unsigned long repeat = 5;
  unsigned long calls = 1;
  bool json = false;
  bool compile_only = false;
  std::string file;
  std::optional<std::string> function;
  std::vector<std::string> arguments;
};

[[noreturn]] void Refuse(const std::string& reason) {
  std::fprintf(stderr, "run_wasm: %s (see --help)\n", reason.c_str());
  std::exit(2);
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  int i = 1;
  // Options end at the file, so that negative arguments are no options.
  for (; i < argc && argv[i][0] == '-'; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (argument == "--json") {
      options.json = true;
    } else if (argument == "--compile-only") {
      options.compile_only = true;
    } else if (argument.starts_with("--repeat=")) {
      options.repeat = std::strtoul(argument.c_str() + 9, nullptr, 10);
      if (options.repeat == 0) Refuse("--repeat needs a number from 1");
    } else if (argument.starts_with("--calls=")) {
      options.calls = std::strtoul(argument.c_str() + 8, nullptr, 10);
      if (options.calls == 0) Refuse("--calls needs a number from 1");
    } else if (argument == "--interruptible") {
      options.config = options.config.WithCloseOnContextDone(true);
    } else if (argument == "--jitdump") {
      options.config = options.config.WithCodeMap(tenon::CodeMapKind::JitDump);
    } else if (argument == "--engine=interpreter") {
      options.engine = "interpreter";
      options.config = options.config.WithEngine(tenon::EngineKind::Interpreter);
    } else if (argument == "--engine=jit") {
      options.engine = "jit";
      options.config = options.config.WithEngine(tenon::EngineKind::Jit);
    } else if (argument == "--explicit-checks") {
      options.config = options.config.WithSignalHandlers(tenon::SignalHandlers::None);
    } else if (argument != "--engine=auto") {
      Refuse("unknown option " + argument);
    }
  }
  if (i == argc) Refuse("no file given");
  options.file = argv[i++];
  if (i < argc) options.function = argv[i++];
  for (; i < argc; ++i) options.arguments.emplace_back(argv[i]);
  return options;
}

struct Measurements {
  bench::Series decode, validate, compile, instantiate, call;
  std::string engine;
  std::size_t code_bytes = 0;
  std::vector<tenon::Value> results;
};

std::vector<tenon::Value> ReadArguments(const Options& options, const tenon::Function& function) {
  const std::vector<tenon::ValueType> types = function.Definition().parameter_types;
  if (types.size() != options.arguments.size()) {
    throw std::runtime_error{"the function takes " + std::to_string(types.size()) + " arguments, " +
                             std::to_string(options.arguments.size()) + " given"};
  }
  std::vector<tenon::Value> values;
  values.reserve(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    values.push_back(bench::ParseValue(types[i], options.arguments[i]));
  }
  return values;
}

/// Calls the export; an exit with code 0 counts as a return without results.
void Call(const Options& options, const tenon::Module& module, Measurements& measured) {
  const tenon::Function function = module.ExportedFunction(*options.function);
  if (!function) throw std::runtime_error{"no exported function \"" + *options.function + "\""};
  const std::vector<tenon::Value> arguments = ReadArguments(options, function);
  try {
    measured.call.Time([&] { measured.results = function.Call(arguments); });
  } catch (const tenon::ExitError& exit) {
    if (exit.ExitCode() != 0) throw;
    measured.results.clear();
  }
}

void MeasureRooms(std::span<const std::uint8_t> bytes, const Options& options,
                  Measurements& measured) {
  const tenon::CoreFeatures features = options.config.CoreFeatures();
  tenon::wasm::Module module;
  tenon::wasm::Fault fault;
  measured.decode.Time([&] { fault = tenon::wasm::Decode(bytes, {features, {}}, module); });
  if (!fault.IsNone()) return;  // CompileModule throws it with its text
  measured.validate.Time([&] {
    tenon::wasm::ValidationContext context;
    fault = tenon::wasm::ValidateModule(module, features, {}, context);
    if (fault.IsNone()) fault = tenon::wasm::ValidateFunctions(context);
  });
}

Measurements Measure(const Options& options) {
  Measurements measured;
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(options.file);
  for (unsigned long i = 0; i < options.repeat; ++i) {
    MeasureRooms(bytes, options, measured);
    const tenon::Runtime runtime{options.config};
    measured.engine = runtime.EngineName();
    if (!options.engine.empty() && measured.engine != options.engine) {
      Refuse("this build has no engine " + options.engine);
    }
    tenon::CompiledModule compiled;
    measured.compile.Time([&] { compiled = runtime.CompileModule(bytes); });
    measured.code_bytes = compiled.CodeSize();
    if (options.compile_only) continue;

    tenon::ModuleConfig config = bench::StubImports(runtime, compiled).WithName("");
    // The export is what is timed, so nothing else that looks like a program's start is run.
    const bool is_program = options.function == "_start";
    config = config.WithStartFunctions(is_program ? std::vector<std::string>{}
                                                  : std::vector<std::string>{"_initialize"});
    tenon::Module module;
    measured.instantiate.Time([&] { module = runtime.InstantiateModule(compiled, config); });
    for (unsigned long call = 0; options.function && call < options.calls; ++call) {
      Call(options, module, measured);
    }
  }
  return measured;
}

std::uint64_t PeakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void PrintJsonSeries(const char* name, const bench::Series& series) {
  if (series.IsEmpty()) {
    std::printf("\"%s\": null, ", name);
  } else {
    std::printf("\"%s\": {\"min\": %.0f, \"median\": %.0f}, ", name, series.MinCpu(),
                series.MedianCpu());
  }
}

void PrintJson(const Measurements& measured) {
  std::printf("{\"engine\": \"%s\", ", measured.engine.c_str());
  PrintJsonSeries("decode_ns", measured.decode);
  PrintJsonSeries("validate_ns", measured.validate);
  PrintJsonSeries("compile_ns", measured.compile);
  PrintJsonSeries("instantiate_ns", measured.instantiate);
  PrintJsonSeries("call_ns", measured.call);
  std::printf("\"code_bytes\": %zu, \"peak_rss_bytes\": %llu, \"result\": [", measured.code_bytes,
              static_cast<unsigned long long>(PeakResidentBytes()));
  const char* separator = "";
  for (const tenon::Value& value : measured.results) {
    std::printf("%s\"%s\"", separator, bench::FormatValue(value).c_str());
    separator = ", ";
  }
  std::printf("]}\n");
}

void PrintRow(const char* name, const bench::Series& series) {
  if (series.IsEmpty()) return;
  std::printf("%-12s %14.3f %14.3f %14.3f %14.3f\n", name, series.MinCpu() / 1000,
              series.MedianCpu() / 1000, series.MinWall() / 1000, series.MedianWall() / 1000);
}

void PrintTable(const Measurements& measured) {
  std::printf("engine: %s\n", measured.engine.c_str());
  std::printf("%-12s %14s %14s %14s %14s\n", "us", "cpu min", "cpu median", "wall min",
              "wall median");
  PrintRow("decode", measured.decode);
  PrintRow("validate", measured.validate);
  PrintRow("compile", measured.compile);
  PrintRow("instantiate", measured.instantiate);
  PrintRow("call", measured.call);
  std::printf("code: %zu bytes, peak memory: %llu KiB\n", measured.code_bytes,
              static_cast<unsigned long long>(PeakResidentBytes() / 1024));
  for (const tenon::Value& value : measured.results) {
    std::printf("result: %s\n", bench::FormatValue(value).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = ParseOptions(argc, argv);
    const Measurements measured = Measure(options);
    if (options.json) {
      PrintJson(measured);
    } else {
      PrintTable(measured);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "run_wasm: %s\n", error.what());
    return 1;
  }
}
