// SPDX-License-Identifier: Apache-2.0
/// @file
/// Functions of the host's that a compilation with a cache calls, and that compile themselves.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/address_space_limit.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CacheOptions;
using tenon::CacheProblemKind;

namespace {

/// Lets threads go on once all of them are there, or after a while, so that a test that goes wrong
/// ends.
class Meeting {
 public:
  explicit Meeting(int threads) : missing_{threads} {}
  void Wait() {
    --missing_;
    for (int i = 0; missing_ > 0 && i < 5000; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

 private:
  std::atomic<int> missing_;
};

}  // namespace

TEST_CASE("threads whose reports compile each other's modules do not wait for each other") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(0));
  RunCached(scratch.Path(), AnswerModule(1));
  for (const std::string& file : scratch.Files(".tenon")) WriteBytes(file, {1, 2, 3});
  Meeting meeting{2};
  std::unique_ptr<tenon::Runtime> runtime;
  CacheOptions options;
  std::atomic<int> reports{0};
  options.on_problem = [&](const tenon::CacheProblem&) {
    ++reports;
    meeting.Wait();
    for (std::int32_t i = 0; i < 2; ++i) runtime->CompileModule(AnswerModule(i));
  };
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  runtime = std::make_unique<tenon::Runtime>(tenon::RuntimeConfig{}.WithCompilationCache(cache));
  std::vector<std::thread> threads;
  for (std::int32_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] { runtime->CompileModule(AnswerModule(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(reports == 2);
  CHECK(cache.Statistics().misses == 2);
  CHECK(cache.Statistics().hits == 4);
}

TEST_CASE("of compilations that would wait for each other one is refused") {
  const tenon::CompilationCache cache;
  const auto config = tenon::RuntimeConfig{}.WithCompilationCache(cache);
  constexpr std::int32_t kThreads = 3;
  Meeting meeting{kThreads};
  std::atomic<int> refused{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (std::int32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const tenon::Runtime plain{config};
      bool has_met = false;
      const tenon::Runtime runtime{
          config.WithCompilationProgress([&](std::uint32_t, std::uint32_t) {
            if (has_met) return;
            has_met = true;
            meeting.Wait();
            try {
              plain.CompileModule(AnswerModule((i + 1) % kThreads));
            } catch (const tenon::ConfigError& error) {
              refused += error.Id() == tenon::ErrorCode::CompileReentered ? 1 : 100;
            }
          })};
      runtime.CompileModule(AnswerModule(i));
      ++done;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done == kThreads);
  CHECK(refused == 1);
  CHECK(cache.Statistics().misses == kThreads);
}

#if !defined(__SANITIZE_ADDRESS__) && !TENON_DETAIL_HAS_FEATURE(address_sanitizer) && \
    !TENON_DETAIL_THREAD_SANITIZER  // they end processes that have no memory
namespace {

// An arena of the C library, which may be there before the limit, has 64 MiB.
constexpr std::uint32_t kMoreThanArenasHave = 80 << 20;

/// A module with a custom section of so many bytes.
std::vector<std::uint8_t> LargeModule(std::int32_t answer, std::uint32_t size) {
  std::vector<std::uint8_t> module = AnswerModule(answer);
  module.push_back(0);
  for (std::uint32_t left = size + 2;; left >>= 7) {
    const bool is_last = left < 0x80;
    module.push_back(static_cast<std::uint8_t>((left & 0x7F) | (is_last ? 0 : 0x80)));
    if (is_last) break;
  }
  module.insert(module.end(), {1, 'x'});
  module.resize(module.size() + size);
  return module;
}

}  // namespace

TEST_CASE("a guest that there is no memory to keep runs, and is reported") {
  const ScratchDirectory scratch;
  const std::vector<std::uint8_t> module = LargeModule(7, kMoreThanArenasHave);
  std::optional<AddressSpaceLimit> limit;
  const auto config =
      tenon::RuntimeConfig{}.WithCompilationProgress([&](std::uint32_t done, std::uint32_t all) {
        if (done == all) limit.emplace(8 << 20);
      });
  std::vector<tenon::CacheProblem> problems;
  CacheOptions options;
  options.on_problem = [&](const tenon::CacheProblem& problem) { problems.push_back(problem); };
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const tenon::Runtime runtime{config.WithCompilationCache(cache)};
  const auto compiled = runtime.CompileModule(module);
  REQUIRE(limit.has_value());
  limit.reset();
  CHECK(runtime.InstantiateModule(compiled).ExportedFunction<std::int32_t()>("answer")() == 7);
  CHECK(cache.Statistics().misses == 1);
  CHECK(cache.Statistics().writes == 0);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].kind == CacheProblemKind::NotWritten);
  CHECK(problems[0].text.find("bad_alloc") != std::string::npos);
  CHECK(scratch.Files(".lock").empty());
}
#endif
