// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiles one module once and prints what that took, for compile_throughput.py.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/tenon.hpp>

#include "stopwatch.hpp"

namespace {

constexpr const char* kHelp = R"(usage: compile_cost [--engine=NAME] [--threads=N] FILE

Compiles a module and prints one JSON object: CPU time of all threads and wall time in ns, size of
the module and of what was made of it, resident memory before and its peak.

  --engine=NAME  interpreter, jit, or auto (default)
  --threads=N    compiling threads; default: one for each of the machine's
)";

/// A line of /proc/self/status in bytes. getrusage's peak would include the parent's before exec.
std::uint64_t ReadStatus(std::string_view key) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  return 0;
}

int Measure(const tenon::RuntimeConfig& config, const char* file) {
  const std::vector<std::uint8_t> bytes = tenon::ReadFile(file);
  const tenon::Runtime runtime{config};
  const std::uint64_t resident = ReadStatus("VmRSS:");
  bench::Series series;
  tenon::CompiledModule compiled;
  series.Time([&] { compiled = runtime.CompileModule(bytes); });
  std::printf(
      "{\"engine\": \"%s\", \"cpu_ns\": %.0f, \"wall_ns\": %.0f, \"module_bytes\": %zu, "
      "\"code_bytes\": %zu, \"rss_before_bytes\": %llu, \"peak_rss_bytes\": %llu}\n",
      std::string{runtime.EngineName()}.c_str(), series.MinCpu(), series.MinWall(), bytes.size(),
      compiled.CodeSize(), static_cast<unsigned long long>(resident),
      static_cast<unsigned long long>(ReadStatus("VmHWM:")));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tenon::RuntimeConfig config;
  const char* file = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--engine=interpreter") {
      config = config.WithEngine(tenon::EngineKind::Interpreter);
    } else if (argument == "--engine=jit") {
      config = config.WithEngine(tenon::EngineKind::Jit);
    } else if (argument.starts_with("--threads=")) {
      const unsigned long threads = std::strtoul(argv[i] + std::strlen("--threads="), nullptr, 10);
      config = config.WithCompilationThreads(static_cast<std::uint32_t>(threads));
    } else if (!argument.starts_with("--") && file == nullptr) {
      file = argv[i];
    } else if (argument != "--engine=auto") {
      std::fputs(kHelp, argument == "--help" ? stdout : stderr);
      return argument == "--help" ? 0 : 2;
    }
  }
  if (file == nullptr) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  try {
    return Measure(config, file);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compile_cost: %s\n", error.what());
    return 1;
  }
}
