// SPDX-License-Identifier: Apache-2.0
/// @file
/// A guest that runs through a cache directory, as another process would run it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"

namespace tenon_test {

/// "answer" gives `answer`.
inline std::vector<std::uint8_t> AnswerModule(std::int32_t answer) {
  guests::Guest guest;
  guest.Add("answer", {{}, {guests::kI32}},
            [&](guests::CodeBuilder& code) { code.I32Const(answer); });
  return guest.Build();
}

/// What came of running a guest with a cache handle of its own.
struct CachedRun {
  std::int32_t answer = 0;
  tenon::CacheStatistics statistics;
  std::vector<tenon::CacheProblem> problems;
};

inline CachedRun RunCached(const std::string& path, const std::vector<std::uint8_t>& module,
                           tenon::CacheOptions options = {},
                           const tenon::RuntimeConfig& config = {}) {
  CachedRun run;
  options.on_problem = [&](const tenon::CacheProblem& problem) { run.problems.push_back(problem); };
  const auto cache = tenon::CompilationCache::Directory(path, options);
  const tenon::Runtime runtime{config.WithCompilationCache(cache)};
  const tenon::Module guest = runtime.Instantiate(module);
  run.answer = guest.ExportedFunction<std::int32_t()>("answer")();
  run.statistics = cache.Statistics();
  return run;
}

}  // namespace tenon_test
