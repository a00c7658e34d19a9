// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiles damaged modules: each must be refused with a tenon::Error or be valid, quickly and with
/// little memory.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <tenon/tenon.hpp>

#include "mutator.hpp"

// Every allocation of the process is counted, so that a peak per module can be stated.
namespace {

constexpr std::size_t kMemoryLimit = std::size_t{64} << 20;

struct AllocationCount {
  std::size_t live = 0;
  std::size_t peak = 0;
  std::size_t limit = SIZE_MAX;  ///< past this, allocation fails
};

AllocationCount g_allocations;

void* Allocate(std::size_t size, std::size_t alignment) {
  if (size > g_allocations.limit || g_allocations.live > g_allocations.limit - size) {
    g_allocations.peak = std::max(g_allocations.peak, g_allocations.live + size);
    throw std::bad_alloc{};
  }
  void* const memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) throw std::bad_alloc{};
  g_allocations.live += malloc_usable_size(memory);
  g_allocations.peak = std::max(g_allocations.peak, g_allocations.live);
  return memory;
}

void Free(void* memory) noexcept {
  if (memory == nullptr) return;
  g_allocations.live -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return Allocate(size, 1); }
void* operator new[](std::size_t size) { return Allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }

namespace {

constexpr const char* kHelp = R"(usage: mutation_test [OPTION...] [FILE.wasm | FOLDER]...

Damages modules (bit flips, truncation, huge counts) and compiles the result. Without files it
takes those of a few modules built in. Ends with `N passed, N failed, N skipped`, which counts
modules; a damaged module that fails is written to mutation-N.wasm in the current folder.

  --scale=PERCENT    how many mutations of each module are tried (default 100)
  --seed=NUMBER      (default 1)
  --timeout=SECONDS  for one compilation (default 10)
  --verdicts=NUMBER  of an open file that gets each module and its error, as
                     compare_validators.mjs reads them
)";

// The module being compiled, for the signal handler.
std::span<const std::uint8_t> g_current;

void WriteBytes(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written <= 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void WriteFile(const char* path, std::span<const std::uint8_t> bytes) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  WriteBytes(file, bytes);
  close(file);
}

/// Leaves the module behind and ends; also for signals, so nothing here may allocate.
void EndWithCurrent(int signal) {
  WriteFile("mutation-crash.wasm", g_current);
  constexpr std::string_view kHang = "FAIL hang; module in mutation-crash.wasm\n";
  constexpr std::string_view kCrash = "FAIL crash; module in mutation-crash.wasm\n";
  const std::string_view text = signal == SIGALRM ? kHang : kCrash;
  WriteBytes(STDOUT_FILENO, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  _exit(1);
}

extern "C" {
// Called by the sanitizers' run time when it has reported an error.
[[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());
}

void InstallHandlers() {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback([] { WriteFile("mutation-crash.wasm", g_current); });
    signal(SIGALRM, EndWithCurrent);
    return;
  }
  for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    signal(number, EndWithCurrent);
  }
}

struct Totals {
  unsigned long refused = 0;
  unsigned long valid = 0;
  unsigned long failed = 0;
  std::size_t peak = 0;
};

/// What was made of each module, for compare_validators.mjs: the error's text (empty for a valid
/// module) and the bytes, each behind its size in 4 bytes, little-endian.
class VerdictFile {
 public:
  /// Writes to an open file; nowhere if `descriptor` is negative.
  explicit VerdictFile(int descriptor) {
    if (descriptor < 0) return;
    file_ = fdopen(descriptor, "wb");
    if (file_ == nullptr) throw std::runtime_error{"cannot write verdicts"};
  }
  ~VerdictFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  VerdictFile(const VerdictFile&) = delete;
  VerdictFile& operator=(const VerdictFile&) = delete;

  void Add(std::string_view error, std::span<const std::uint8_t> bytes) {
    if (file_ == nullptr) return;
    Write(error.data(), error.size());
    Write(bytes.data(), bytes.size());
  }

 private:
  void Write(const void* data, std::size_t size) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      std::fputc(static_cast<int>(size >> shift & 0xFF), file_);
    }
    std::fwrite(data, 1, size, file_);
  }

  std::FILE* file_ = nullptr;
};

class Tester {
 public:
  Tester(unsigned timeout, Totals& totals, VerdictFile& verdicts)
      : timeout_{timeout}, totals_{totals}, verdicts_{verdicts} {}

  /// Compiles `bytes` and counts what came of it.
  void Try(const std::string& origin, std::span<const std::uint8_t> bytes) {
    g_current = bytes;
    alarm(timeout_);
    const std::size_t before = g_allocations.live;
    g_allocations.peak = before;
    g_allocations.limit = before + kMemoryLimit;
    std::string fault;
    std::string error_text;
    bool is_valid = false;
    try {
      // Factories see declarations before anybody else does.
      const bool is_listened_to = ++tried_ % 4 == 0;
      Inspect((is_listened_to ? listening_runtime_ : runtime_).CompileModule(bytes));
      is_valid = true;
    } catch (const tenon::Error& error) {
      g_allocations.limit = SIZE_MAX;
      error_text = error.what();
    } catch (const std::bad_alloc&) {
      fault = "more than 64 MiB";
    } catch (const std::exception& error) {
      g_allocations.limit = SIZE_MAX;
      fault = std::string{"exception that is no tenon::Error: "} + error.what();
    }
    g_allocations.limit = SIZE_MAX;
    totals_.peak = std::max(totals_.peak, g_allocations.peak - before);
    if (fault.empty()) {
      verdicts_.Add(error_text, bytes);
      ++(is_valid ? totals_.valid : totals_.refused);
    } else {
      const std::string file = "mutation-" + std::to_string(++totals_.failed) + ".wasm";
      WriteFile(file.c_str(), bytes);
      std::printf("FAIL %s: %s; module in %s\n", origin.c_str(), fault.c_str(), file.c_str());
    }
  }

 private:
  /// Names and declarations are read from the bytes when somebody asks.
  static void Inspect(const tenon::CompiledModule& compiled) {
    compiled.Name();
    compiled.ImportedFunctions();
    compiled.ImportedTables();
    compiled.ImportedMemories();
    compiled.ImportedGlobals();
    compiled.ExportedFunctions();
    compiled.ExportedTables();
    compiled.ExportedMemories();
    compiled.ExportedGlobals();
    compiled.CustomSections();
  }

  static tenon::RuntimeConfig Config() {
    return tenon::RuntimeConfig{}
        .WithEngine(tenon::EngineKind::Interpreter)
        .WithCoreFeatures(tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Threads, true))
        .WithCustomSections(true);
  }

  tenon::Runtime runtime_{Config()};
  tenon::Runtime listening_runtime_{
      Config().WithFunctionListenerFactory([](const tenon::FunctionDefinition& function) {
        function.DebugName();
        return nullptr;
      })};
  unsigned long tried_ = 0;
  const unsigned timeout_;
  Totals& totals_;
  VerdictFile& verdicts_;
};

std::vector<std::string> FindModules(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    if (!std::filesystem::is_directory(argument)) {
      files.push_back(argument);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator{argument}) {
      if (entry.path().extension() == ".wasm") files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Settings {
  fuzz::Plan plan;
  unsigned timeout = 10;
  int verdicts = -1;
  std::vector<std::string> files;
};

Settings ParseArguments(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    const auto number = [&] {
      return equals == std::string::npos ? 0 : std::stoul(argument.substr(equals + 1));
    };
    if (argument.starts_with("--scale=")) {
      settings.plan.scale_percent = number();
    } else if (argument.starts_with("--seed=")) {
      settings.plan.seed = number();
    } else if (argument.starts_with("--timeout=")) {
      settings.timeout = static_cast<unsigned>(number());
    } else if (argument.starts_with("--verdicts=")) {
      settings.verdicts = static_cast<int>(number());
    } else if (argument == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    } else if (argument.starts_with("--")) {
      throw std::runtime_error{"unknown option " + argument};
    } else {
      settings.files.push_back(argument);
    }
  }
  return settings;
}

int Run(const Settings& settings) {
  InstallHandlers();
  Totals totals;
  VerdictFile verdicts{settings.verdicts};
  Tester tester{settings.timeout, totals, verdicts};
  unsigned long modules = 0;
  unsigned long unreadable = 0;
  const auto mutate = [&](const std::string& origin, const std::vector<std::uint8_t>& bytes) {
    ++modules;
    tester.Try(origin, bytes);
    fuzz::Mutate(bytes, settings.plan,
                 [&](std::span<const std::uint8_t> mutant) { tester.Try(origin, mutant); });
  };
  if (settings.files.empty()) {
    for (const fuzz::Sample& sample : fuzz::Samples()) mutate(sample.name, sample.bytes);
  }
  for (const std::string& file : FindModules(settings.files)) {
    try {
      mutate(file, tenon::ReadFile(file));
    } catch (const tenon::ConfigError& error) {
      ++unreadable;
      std::printf("FAIL %s\n", error.what());
    }
  }
  alarm(0);
  std::printf("%lu modules; mutants: %lu refused, %lu valid; most memory: %zu KiB\n", modules,
              totals.refused, totals.valid, totals.peak / 1024);
  if (modules == 0) std::printf("FAIL no modules found\n");
  const unsigned long failed = totals.failed + unreadable + (modules == 0 ? 1 : 0);
  std::printf("%lu passed, %lu failed, 0 skipped\n", totals.refused + totals.valid, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(ParseArguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mutation_test: %s\n", error.what());
    return 2;
  }
}
