// SPDX-License-Identifier: Apache-2.0
/// @file
/// The set-ups that tests of the machinery around guests run in, and helpers that they share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/sanitized.hpp"

namespace tenon_test {

using tenon::ModuleConfig;
using tenon::Runtime;
using tenon::RuntimeConfig;
using tenon::TrapCode;
using Nullary = std::int32_t();
using Unary = std::int32_t(std::int32_t);

inline const ModuleConfig kAnonymous = ModuleConfig{}.WithName("");

/// An engine and a way to check bounds.
struct Setup {
  std::string_view name;
  RuntimeConfig config;
  bool is_compiled = false;
};

/// Those that this machine can run.
inline const std::vector<Setup>& Setups() {
  static const std::vector<Setup> setups = [] {
    std::vector<Setup> found{
        {"interpreter", RuntimeConfig{}.WithEngine(tenon::EngineKind::Interpreter)}};
    if (Runtime{}.EngineName() == "jit") {
      const RuntimeConfig compiling = RuntimeConfig{}.WithEngine(tenon::EngineKind::Jit);
      found.push_back({"compiler, guard pages", compiling, true});
      found.push_back({"compiler, explicit checks",
                       compiling.WithSignalHandlers(tenon::SignalHandlers::None), true});
    }
    return found;
  }();
  return setups;
}

/// Calls `body(setup)` for each set-up.
template <class Body>
void InEverySetup(Body body) {
  for (const Setup& setup : Setups()) {
    INFO(setup.name);
    body(setup);
  }
}

inline constexpr int kGood = 42;

/// What a child process that runs `body` ended with: its exit status, or minus the signal.
inline int RunInChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    // Whatever hangs ends.
    alarm(60);
    int status = 99;
    try {
      status = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in a child: %s\n", error.what());
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// Bytes of this process that are in memory.
inline std::uint64_t ResidentBytes() {
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace tenon_test
