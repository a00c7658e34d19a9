// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prices calls of WASI functions, from a guest that makes them in a loop.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>
#include <tenon/wasm/module_builder.hpp>

#include "stopwatch.hpp"

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

constexpr const char* kHelp =
    R"(usage: wasi_cost [--engine=NAME] [--repeat=N] --dir=FOLDER [--emit=FILE] [--json]

Prints the median wall time in ns of one call of each of some WASI functions, of N repetitions
(default 7) of some thousand calls each. Output goes to /dev/null, input comes from /dev/zero; FOLDER
must hold a file called "file".

  --emit=FILE    writes the guest, which bench/wasi_cost.py gives to node as well
)";

constexpr std::int32_t kList = 64;      // a buffer
constexpr std::int32_t kResult = 128;   // where counts and times go
constexpr std::int32_t kPath = 256;     // "file"
constexpr std::int32_t kBuffer = 4096;  // what is read and written
constexpr std::int32_t kLarge = 65536;

/// What one turn of a guest's loop does.
struct Row {
  const char* name;
  std::uint32_t calls;  // in one repetition
};
constexpr Row kRows[] = {
    {"fd_write of 1 byte", 20'000},     {"fd_write of 64 KiB", 20'000},
    {"fd_read of 1 byte", 20'000},      {"fd_read of 64 KiB", 5'000},
    {"path_open and fd_close", 5'000},  {"clock_time_get", 100'000},
    {"random_get of 16 bytes", 20'000},
};

/// Exports for each row "run0", "run1" ...: (number of calls) -> ().
std::vector<std::uint8_t> BuildGuest() {
  constexpr ValueType I32 = ValueType::I32;
  constexpr ValueType I64 = ValueType::I64;
  ModuleBuilder builder;
  const auto import = [&](std::string_view name, std::initializer_list<ValueType> parameters) {
    return builder.ImportFunction("wasi_snapshot_preview1", name, builder.Type(parameters, {I32}));
  };
  const auto fd_write = import("fd_write", {I32, I32, I32, I32});
  const auto fd_read = import("fd_read", {I32, I32, I32, I32});
  const auto path_open = import("path_open", {I32, I32, I32, I32, I32, I64, I64, I32, I32});
  const auto fd_close = import("fd_close", {I32});
  const auto clock_time_get = import("clock_time_get", {I32, I64, I32});
  const auto random_get = import("random_get", {I32, I32});
  builder.Memory(4);
  builder.Export("memory", tenon::ExternKind::Memory, 0);
  builder.ActiveData(tenon::wasm::ConstantExpression::I32(kPath), "file");

  const std::uint32_t type = builder.Type({I32}, {});
  std::uint32_t row = 0;
  const auto add = [&](const std::function<void(CodeBuilder&)>& body) {
    const auto run = builder.Function(type, {}, [&](CodeBuilder& code) {
      code.Loop({}, [&](CodeBuilder& loop) {
        body(loop);
        loop.LocalGet(0).I32Const(1).Emit(Opcode::I32Sub).LocalTee(0).BrIf(0);
      });
    });
    builder.Export("run" + std::to_string(row++), tenon::ExternKind::Func, run);
  };
  const auto transfer = [&](std::uint32_t function, std::int32_t fd, std::int32_t size) {
    add([=](CodeBuilder& code) {
      code.I32Const(kList).I32Const(kBuffer).Memory(Opcode::I32Store);
      code.I32Const(kList).I32Const(size).Memory(Opcode::I32Store, {.offset = 4});
      code.I32Const(fd).I32Const(kList).I32Const(1).I32Const(kResult).Call(function).Drop();
    });
  };
  transfer(fd_write, 1, 1);
  transfer(fd_write, 1, kLarge);
  transfer(fd_read, 0, 1);
  transfer(fd_read, 0, kLarge);
  add([=](CodeBuilder& code) {
    constexpr std::int64_t kRead = 2;
    code.I32Const(3).I32Const(0).I32Const(kPath).I32Const(4).I32Const(0);
    code.I64Const(kRead).I64Const(0).I32Const(0).I32Const(kResult).Call(path_open);
    // A guest that could not open the file must not be timed.
    code.If({}, [](CodeBuilder& failed) { failed.Unreachable(); });
    code.I32Const(kResult).Memory(Opcode::I32Load).Call(fd_close).Drop();
  });
  add([=](CodeBuilder& code) {
    code.I32Const(1).I64Const(1).I32Const(kResult).Call(clock_time_get).Drop();
  });
  add([=](CodeBuilder& code) { code.I32Const(kBuffer).I32Const(16).Call(random_get).Drop(); });
  return builder.Build();
}

struct Options {
  tenon::RuntimeConfig config;
  unsigned long repeat = 7;
  std::string folder;
  std::string emit;
  bool json = false;
};

bool Read(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::string value{argument.substr(std::min(argument.size(), argument.find('=') + 1))};
    if (argument == "--engine=interpreter") {
      options.config = options.config.WithEngine(tenon::EngineKind::Interpreter);
    } else if (argument == "--engine=jit") {
      options.config = options.config.WithEngine(tenon::EngineKind::Jit);
    } else if (argument.starts_with("--repeat=")) {
      options.repeat = std::max(1ul, std::strtoul(value.c_str(), nullptr, 10));
    } else if (argument.starts_with("--dir=")) {
      options.folder = value;
    } else if (argument.starts_with("--emit=")) {
      options.emit = value;
    } else if (argument == "--json") {
      options.json = true;
    } else {
      return false;
    }
  }
  return !options.folder.empty();
}

void Run(const Options& options) {
  const std::vector<std::uint8_t> bytes = BuildGuest();
  if (!options.emit.empty()) {
    std::FILE* file = std::fopen(options.emit.c_str(), "wb");
    if (file == nullptr) throw std::runtime_error{"cannot write " + options.emit};
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  const tenon::Runtime runtime{options.config};
  tenon::wasi::Instantiate(runtime);
  const tenon::Module guest = runtime.Instantiate(
      bytes, tenon::ModuleConfig{}
                 .WithSystem(tenon::SystemConfig{}.WithSystemClocks().WithSystemRandom())
                 .WithStdin(tenon::HostDescriptor::Own(::open("/dev/zero", O_RDONLY | O_CLOEXEC)))
                 .WithStdout(tenon::HostDescriptor::Own(::open("/dev/null", O_WRONLY | O_CLOEXEC)))
                 .WithFSConfig(tenon::FSConfig{}.WithDirMount(options.folder, "/")));
  std::printf(options.json ? "{" : "%-26s %10s\n", "one call", "ns");
  std::size_t index = 0;
  for (const Row& row : kRows) {
    const auto run = guest.ExportedFunction<void(std::uint32_t)>("run" + std::to_string(index));
    run(row.calls / 10);
    bench::Series series;
    for (unsigned long i = 0; i < options.repeat; ++i) series.TimeWall([&] { run(row.calls); });
    const double nanoseconds = series.MedianWall() / row.calls;
    if (options.json) {
      std::printf("%s\"%s\": [%u, %.2f]", index == 0 ? "" : ", ", row.name, row.calls, nanoseconds);
    } else {
      std::printf("%-26s %10.1f\n", row.name, nanoseconds);
    }
    ++index;
  }
  if (options.json) std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Read(argc, argv, options)) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  try {
    Run(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
