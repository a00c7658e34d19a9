// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prices a guest's way into a process: compiled, loaded from a cache directory, found in memory.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <tenon/cache/checksum.hpp>
#include <tenon/tenon.hpp>
#include <tenon/wasm/hmac.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/sha256.hpp>

#include "stopwatch.hpp"

namespace {

using tenon::ValueType;
using tenon::wasm::CodeBuilder;
using tenon::wasm::ModuleBuilder;
using tenon::wasm::Opcode;

constexpr const char* kHelp =
    R"(usage: cache_cost [--repeat=N] [--check] [module.wasm]...

Prints the median CPU time in us of compiling a small and a large module, of loading them from a cache
directory, and of finding them in memory, beside that of hashing what must be hashed; the speed of
hashing; and how much of a second process's code and module is its own. N repetitions (default 50).

  --check        exit status 1 if a load takes more than hashing and 2 ms
)";

constexpr double kLoadLimit = 2e6;  // ns, besides hashing

/// About 5.4 MB of functions with loops, loads and calls.
std::vector<std::uint8_t> BuildLarge() {
  ModuleBuilder builder;
  const std::uint32_t unary = builder.Type({ValueType::I32}, {ValueType::I32});
  builder.Memory(1);
  std::uint32_t last = 0;
  for (std::int32_t i = 0; i < 6000; ++i) {
    last = builder.Function(unary, {}, [&](CodeBuilder& code) {
      for (std::int32_t k = 0; k < 40; ++k) {
        code.LocalGet(0).I32Const(i * k).Emit(Opcode::I32Add).LocalSet(0);
        code.LocalGet(0).I32Const(0xFFF0).Emit(Opcode::I32And);
        code.LocalGet(0).Emit(Opcode::I32Clz).Emit(Opcode::I32Add).LocalSet(0);
      }
      if (i % 7 == 1) code.LocalGet(0).Call(static_cast<std::uint32_t>(i - 1)).LocalSet(0);
      code.LocalGet(0);
    });
    builder.NameFunction(last, "function_number_" + std::to_string(i));
    if (i % 100 == 0) builder.Export("f" + std::to_string(i), tenon::ExternKind::Func, last);
  }
  return builder.Build();
}

std::vector<std::uint8_t> BuildSmall() {
  ModuleBuilder builder;
  const std::uint32_t binary = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
  const std::uint32_t add = builder.Function(
      binary, {}, [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add); });
  builder.Export("add", tenon::ExternKind::Func, add);
  return builder.Build();
}

double MedianCpu(unsigned long repeat, auto work) {
  bench::Series series;
  for (unsigned long i = 0; i < repeat; ++i) series.Time(work);
  return bench::Median(series.Cpu());
}

/// A guest, a directory for its entry, and the engine that runs it.
struct Subject {
  const std::vector<std::uint8_t>& module;
  std::string directory;
  tenon::RuntimeConfig config;

  tenon::CompiledModule Load(const tenon::CacheOptions& options) const {
    const auto cache = tenon::CompilationCache::Directory(directory, options);
    const tenon::Runtime runtime{config.WithCompilationCache(cache)};
    return runtime.CompileModule(module);
  }
};

/// Kilobytes of this process that are its own, and that it shares, among the mappings of files of a
/// directory.
struct Residence {
  unsigned long shared = 0;
  unsigned long own = 0;
};

Residence ResidenceOf(const std::string& path) {
  Residence residence;
  std::ifstream maps{"/proc/self/smaps"};
  bool is_ours = false;
  for (std::string line; std::getline(maps, line);) {
    const bool is_field = line.find(':') < line.find(' ');
    if (!is_field) is_ours = line.find(path) != std::string::npos;
    if (!is_ours) continue;
    const auto value = [&] { return std::strtoul(line.c_str() + line.find(':') + 1, nullptr, 10); };
    if (line.starts_with("Shared_Clean:")) residence.shared += value();
    if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) {
      residence.own += value();
    }
  }
  return residence;
}

constexpr const char* kSecondProcess = "--second-process";
constexpr const char* kModuleFile = "/module.wasm";

/// What a second process shares while this one has the module loaded.
void PrintResidence(const Subject& subject) {
  const tenon::CompiledModule kept = subject.Load({});
  std::ofstream{subject.directory + kModuleFile, std::ios::binary}.write(
      reinterpret_cast<const char*>(subject.module.data()),
      static_cast<std::streamsize>(subject.module.size()));
  std::fflush(stdout);
  const std::string engine = std::to_string(static_cast<int>(subject.config.Engine()));
  const pid_t child = fork();
  if (child == 0) {
    // Another program, which has inherited nothing that it could share.
    execl("/proc/self/exe", "cache_cost", kSecondProcess, subject.directory.c_str(), engine.c_str(),
          nullptr);
    _exit(1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error{"the second process failed"};
  }
}

/// That process.
int RunSecondProcess(const std::string& directory, const char* engine) {
  const std::vector<std::uint8_t> module = tenon::ReadFile(directory + kModuleFile);
  const auto kind = static_cast<tenon::EngineKind>(std::atoi(engine));
  const Subject subject{module, directory, tenon::RuntimeConfig{}.WithEngine(kind)};
  const tenon::CompiledModule loaded = subject.Load({});
  const Residence residence = ResidenceOf(directory);
  std::printf("  second process: %lu kB shared with the first, %lu kB its own\n", residence.shared,
              residence.own);
  return 0;
}

bool Measure(const std::string& name, const std::vector<std::uint8_t>& module, unsigned long repeat,
             tenon::EngineKind engine = tenon::EngineKind::Auto) {
  std::string directory = "/tmp/tenon-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
  const Subject subject{module, directory, tenon::RuntimeConfig{}.WithEngine(engine)};
  tenon::CacheOptions options;
  tenon::CacheOptions trusted;
  trusted.skip_checksum = true;
  tenon::CacheOptions with_key;
  with_key.mac_key.assign(32, 1);

  const double cold = MedianCpu(std::min(repeat, 3ul),
                                [&] { tenon::Runtime{subject.config}.CompileModule(module); });
  subject.Load(with_key);
  const auto cache = tenon::CompilationCache::Directory(directory);
  const std::uint64_t size = cache.Entries().at(0).bytes;
  const std::vector<std::uint8_t> entry = tenon::ReadFile(cache.Entries().at(0).path);

  volatile std::uint64_t sink = 0;
  const double hash = MedianCpu(repeat, [&] { sink = tenon::wasm::HashSha256(module)[0]; });
  const double checksum = MedianCpu(repeat, [&] { sink = tenon::cache::Checksum(entry); });
  const double mac = MedianCpu(repeat, [&] {
    tenon::wasm::HmacSha256 hmac{with_key.mac_key};
    hmac.Update(entry);
    sink = hmac.Finish()[0];
  });
  const double warm = MedianCpu(repeat, [&] { subject.Load(options); });
  const double warm_trusted = MedianCpu(repeat, [&] { subject.Load(trusted); });
  const double warm_signed = MedianCpu(repeat, [&] { subject.Load(with_key); });
  const tenon::Runtime runtime{subject.config.WithCompilationCache(cache)};
  const tenon::CompiledModule kept = runtime.CompileModule(module);
  const double hit = MedianCpu(repeat, [&] { runtime.CompileModule(module); });

  std::printf("%s: module of %zu kB, entry of %llu kB\n", name.c_str(), module.size() / 1000,
              static_cast<unsigned long long>(size / 1000));
  bool is_within = true;
  const auto print = [&](const char* what, double nanoseconds, double hashing, bool is_limited) {
    std::printf("  %-44s %12.1f us", what, nanoseconds / 1e3);
    if (hashing >= 0) std::printf("  %12.1f besides hashing", (nanoseconds - hashing) / 1e3);
    const bool is_exceeded = is_limited && nanoseconds - hashing > kLoadLimit;
    std::printf("%s\n", is_exceeded ? "  exceeded" : "");
    is_within = is_within && !is_exceeded;
  };
  print("cold: compiled", cold, -1, false);
  print("warm: mapped and checked", warm, hash + checksum, true);
  print("warm: mapped, skip_checksum", warm_trusted, hash, true);
  print("warm: mapped, signature checked", warm_signed, hash + mac, true);
  print("in memory", hit, hash, false);
  print("SHA-256 of the module alone", hash, -1, false);
  print("checksum of the entry alone", checksum, -1, false);
  print("HMAC of the entry alone", mac, -1, false);
  if (module.size() > 100'000) {
    std::printf("  SHA-256 %.2f GB/s, checksum %.2f GB/s\n",
                static_cast<double>(module.size()) / hash,
                static_cast<double>(entry.size()) / checksum);
    PrintResidence(subject);
  }
  std::filesystem::remove_all(directory);
  return is_within;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long repeat = 50;
  bool check = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--check") {
      check = true;
    } else if (argument.starts_with("--repeat=")) {
      repeat = std::max(1ul, std::strtoul(argument.c_str() + 9, nullptr, 10));
    } else if (argument.starts_with("--") && argument != kSecondProcess) {
      std::fputs(kHelp, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    } else {
      paths.push_back(argument);
    }
  }
  try {
    if (argc == 4 && std::string_view{argv[1]} == kSecondProcess) {
      return RunSecondProcess(argv[2], argv[3]);
    }
    if (tenon::Runtime{}.EngineName() != "jit") {
      std::puts("skipped: the compiler is not available");
      return 77;
    }
    std::printf("SHA-256 by %s\n", tenon::wasm::HasSha256Instructions()
                                       ? "the processor's instructions"
                                       : "portable code");
    bool is_within = Measure("small", BuildSmall(), repeat);
    const std::vector<std::uint8_t> large = BuildLarge();
    is_within = Measure("large", large, repeat) && is_within;
    is_within =
        Measure("large, interpreter", large, repeat, tenon::EngineKind::Interpreter) && is_within;
    for (const std::string& path : paths) {
      is_within = Measure(path, tenon::ReadFile(path), repeat) && is_within;
    }
    return check && !is_within ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cache_cost: %s\n", error.what());
    return 1;
  }
}
