// SPDX-License-Identifier: Apache-2.0
/// @file
/// Cache directories that processes and threads share.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/tenon.hpp>

#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"
#include "child_process.hpp"

using namespace tenon_test;
using tenon::CacheKey;
using tenon::CacheOptions;
using tenon::CacheProblemKind;
using tenon::cache::DirectoryStore;
using tenon::cache::KeyLock;

namespace {

/// Numbers that processes count together.
struct Totals {
  std::atomic<std::uint64_t> misses{0};
  std::atomic<std::uint64_t> loads{0};
  std::atomic<std::uint64_t> evictions{0};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> problems{0};
  std::atomic<std::uint64_t> open_files{0};  ///< that were not open before
};

class SharedTotals {
 public:
  SharedTotals()
      : place_{mmap(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0)} {
    REQUIRE(place_ != MAP_FAILED);
    totals_ = new (place_) Totals;
  }
  SharedTotals(const SharedTotals&) = delete;
  SharedTotals& operator=(const SharedTotals&) = delete;
  ~SharedTotals() { munmap(place_, sizeof(Totals)); }
  Totals* operator->() { return totals_; }
  Totals& operator*() { return *totals_; }

 private:
  void* place_;
  Totals* totals_;
};

std::size_t OpenDescriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

constexpr int kProcesses = 8;
constexpr int kThreads = 8;

/// Every thread of every process runs `modules` guests, each with a handle of its own.
void Hammer(const std::string& path, std::int32_t modules, const CacheOptions& options,
            Totals& totals) {
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(Spawn([&] {
      const std::size_t open_files = OpenDescriptors();
      std::vector<std::thread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, p, t] {
          for (std::int32_t i = 0; i < modules; ++i) {
            const std::int32_t answer = (i + p + t) % modules;
            try {
              const CachedRun run = RunCached(path, AnswerModule(answer), options);
              totals.wrong += run.answer == answer ? 0 : 1;
              totals.misses += run.statistics.misses;
              totals.loads += run.statistics.loads;
              totals.evictions += run.statistics.evictions;
              totals.problems += run.statistics.problems;
            } catch (...) {
              ++totals.wrong;
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      totals.open_files += OpenDescriptors() - open_files;
      return 0;
    }));
  }
  for (const pid_t child : children) CHECK(ExitCodeOf(child) == 0);
}

CacheKey KeyOf(std::uint8_t byte) {
  CacheKey key{};
  key.fill(byte);
  return key;
}

}  // namespace

TEST_CASE("8 processes of 8 threads compile each module once") {
  const ScratchDirectory scratch;
  SharedTotals totals;
  constexpr std::int32_t kModules = 3;
  Hammer(scratch.Path(), kModules, {}, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->misses == kModules);
  CHECK(totals->loads == kModules * (kProcesses * kThreads - 1));
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  CHECK(scratch.Files(".tenon").size() == kModules);
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("8 processes of 8 threads compile each module once while others' entries are evicted") {
  const ScratchDirectory scratch;
  constexpr std::int32_t kModules = 3;
  constexpr std::int32_t kOthers = 30;
  RunCached(scratch.Path(), AnswerModule(kModules));
  const std::string file = scratch.Files(".tenon").at(0);
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours{1};
  std::filesystem::last_write_time(file, long_ago);
  for (std::int32_t i = 1; i < kOthers; ++i) {
    std::string other = file;
    other.replace(other.size() - 8, 2, std::to_string(10 + i));
    if (other == file) continue;
    std::filesystem::copy_file(file, other, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::last_write_time(other, long_ago);
  }
  CacheOptions options;
  options.max_bytes = std::filesystem::file_size(file) * 10;
  SharedTotals totals;
  Hammer(scratch.Path(), kModules, options, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->misses == kModules);
  CHECK(totals->loads == kModules * (kProcesses * kThreads - 1));
  CHECK(totals->evictions >= 20);
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  MakeStore(scratch).Trim(options.max_bytes);
  CHECK(scratch.Files(".tenon").size() <= 10);
  for (std::int32_t i = 0; i < kModules; ++i) {
    CHECK(RunCached(scratch.Path(), AnswerModule(i), options).statistics.loads == 1);
  }
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("8 processes of 8 threads get the right code while entries are evicted") {
  const ScratchDirectory scratch;
  const std::size_t descriptors = OpenDescriptors();
  RunCached(scratch.Path(), AnswerModule(0));
  CHECK(OpenDescriptors() == descriptors);
  CacheOptions options;
  options.max_bytes = std::filesystem::file_size(scratch.Files(".tenon").at(0)) * 5 / 2;
  SharedTotals totals;
  Hammer(scratch.Path(), 4, options, *totals);
  CHECK(totals->wrong == 0);
  CHECK(totals->evictions > 0);
  CHECK(totals->problems == 0);
  CHECK(totals->open_files == 0);
  MakeStore(scratch).Trim(options.max_bytes);
  CHECK(scratch.Files(".tenon").size() == 2);
  CHECK(scratch.Files(".use").size() <= 2);
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("one of those that wait for a lock gets it when it is given up") {
  const ScratchDirectory scratch;
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  std::atomic<bool> is_held{true};
  std::thread waiting;
  {
    const KeyLock lock = store.Lock(KeyOf(1), 0, timed_out);
    REQUIRE(lock);
    // Other keys are free.
    CHECK(store.Lock(KeyOf(2), 0, timed_out));
    waiting = std::thread{[&] {
      bool is_late = false;
      const KeyLock mine = store.Lock(KeyOf(1), 20'000, is_late);
      CHECK(mine);
      CHECK_FALSE(is_held);
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    is_held = false;
  }
  waiting.join();
  CHECK(Leftovers(scratch).empty());
}

TEST_CASE("a lock that is held for too long is not waited for") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(12);
  RunCached(scratch.Path(), module);
  const std::string file = scratch.Files(".tenon").at(0);
  const CacheKey key = DirectoryStore::KeyOfPath(file).value();
  std::filesystem::remove(file);
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  const KeyLock lock = store.Lock(key, 0, timed_out);
  CacheOptions options;
  options.lock_timeout_ms = 30;
  const CachedRun run = RunCached(scratch.Path(), module, options);
  CHECK(run.answer == 12);
  CHECK(run.statistics.misses == 1);
  CHECK(run.statistics.lock_timeouts == 1);
  REQUIRE(run.problems.size() == 1);
  CHECK(run.problems[0].kind == CacheProblemKind::LockTimeout);
}

TEST_CASE("who holds all keys for good is waited for once") {
  const ScratchDirectory scratch;
  DirectoryStore store = MakeStore(scratch);
  std::vector<CacheKey> keys;
  for (std::int32_t i = 0; i < 3; ++i) {
    RunCached(scratch.Path(), AnswerModule(i));
    for (const std::string& file : scratch.Files(".tenon")) {
      keys.push_back(DirectoryStore::KeyOfPath(file).value());
      std::filesystem::remove(file);
    }
  }
  std::vector<KeyLock> held;
  bool timed_out = false;
  for (const CacheKey& key : keys) held.push_back(store.Lock(key, 0, timed_out));
  std::vector<std::string> reports;
  CacheOptions options;
  options.lock_timeout_ms = 800;
  options.on_problem = [&](const tenon::CacheProblem& problem) { reports.push_back(problem.text); };
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  std::vector<std::chrono::milliseconds> times;
  for (std::int32_t i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    runtime.CompileModule(AnswerModule(i));
    times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin));
  }
  CHECK(times[0].count() >= 800);
  CHECK((times[1] + times[2]).count() < 1600);
  CHECK(cache.Statistics().misses == 3);
  CHECK(cache.Statistics().lock_timeouts == 3);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].ends_with("after 800 ms"));
  CHECK(reports[2].ends_with("after 100 ms"));
}

TEST_CASE("the lock of a killed process is free") {
  const ScratchDirectory scratch;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = Spawn([&] {
    DirectoryStore store = MakeStore(scratch);
    bool timed_out = false;
    const KeyLock lock = store.Lock(KeyOf(1), 0, timed_out);
    const char byte = lock ? 1 : 0;
    if (write(ready[1], &byte, 1) != 1) return 1;
    for (;;) pause();
  });
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  CHECK(byte == 1);
  DirectoryStore store = MakeStore(scratch);
  bool timed_out = false;
  CHECK_FALSE(store.Lock(KeyOf(1), 0, timed_out));
  CHECK(timed_out);
  kill(child, SIGKILL);
  CHECK(ExitCodeOf(child) == -SIGKILL);
  CHECK(store.Lock(KeyOf(1), 0, timed_out));
  CHECK(Leftovers(scratch).empty());
  close(ready[0]);
  close(ready[1]);
}
