// SPDX-License-Identifier: Apache-2.0
/// @file
/// CompilationCache::Remote, and what becomes of guests when a remote store is out of order.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/tenon.hpp>

#include "../support/address_space_limit.hpp"
#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CacheMode;
using tenon::CacheOptions;
using tenon::CacheProblemKind;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A key-value store in this process, which can be made to fail.
class FleetStore final : public tenon::CacheStore {
 public:
  std::optional<tenon::CacheBlob> Get(const tenon::CacheKey& key) override {
    ++gets;
    if (before_call) before_call();
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    const auto bytes = std::make_shared<Bytes>(found->second);
    given.push_back(bytes);
    return tenon::CacheBlob{*bytes, bytes, tenon::CacheBlob::Kind::Shared};
  }
  void Put(const tenon::CacheKey& key, std::span<const std::uint8_t> entry) override {
    if (before_call) before_call();
    if (before_put) before_put(key);
    const std::lock_guard lock{mutex_};
    entries_[key].assign(entry.begin(), entry.end());
    ++puts;
  }
  void Touch(const tenon::CacheKey&) override {
    ++touches;
    if (before_call) before_call();
  }
  void Remove(const tenon::CacheKey& key) override {
    const std::lock_guard lock{mutex_};
    entries_.erase(key);
  }

  Bytes& OnlyEntry() {
    REQUIRE(entries_.size() == 1);
    return entries_.begin()->second;
  }

  std::function<void()> before_call;
  std::function<void(const tenon::CacheKey&)> before_put;
  std::atomic<int> gets{0};
  std::vector<std::shared_ptr<Bytes>> given;
  int puts = 0;
  int touches = 0;

 private:
  std::mutex mutex_;
  std::map<tenon::CacheKey, Bytes> entries_;
};

CacheOptions With(std::shared_ptr<tenon::CacheStore> store, std::uint8_t key = 1) {
  CacheOptions options;
  options.remote = std::move(store);
  options.mac_key.assign(32, key);
  return options;
}

/// As RunCached, with nothing but the store.
CachedRun RunRemote(CacheOptions options, const Bytes& module,
                    const tenon::RuntimeConfig& config = {}) {
  CachedRun run;
  options.on_problem = [&](const tenon::CacheProblem& problem) { run.problems.push_back(problem); };
  const auto cache = tenon::CompilationCache::Remote(options);
  const tenon::Runtime runtime{config.WithCompilationCache(cache)};
  const tenon::Module guest = runtime.Instantiate(module);
  run.answer = guest.ExportedFunction<std::int32_t()>("answer")();
  run.statistics = cache.Statistics();
  return run;
}

bool MapsContain(const std::string& path) {
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a remote store alone keeps what one machine compiled for the others") {
  const auto store = std::make_shared<FleetStore>();
  const CachedRun first = RunRemote(With(store), AnswerModule(4));
  CHECK(first.answer == 4);
  CHECK(first.statistics.misses == 1);
  CHECK(first.statistics.writes == 1);
  const CachedRun second = RunRemote(With(store), AnswerModule(4));
  CHECK(second.answer == 4);
  CHECK(second.statistics.misses == 0);
  CHECK(second.statistics.loads == 1);
  CHECK(second.statistics.remote_loads == 1);
  CHECK(second.statistics.mapped_loads == 0);
  CHECK(first.problems.empty());
  CHECK(second.problems.empty());
  CHECK(store->puts == 1);
  CHECK(store->touches == 1);
}

TEST_CASE("a machine with a directory and one without share what is in the remote store") {
  const ScratchDirectory scratch;
  const auto store = std::make_shared<FleetStore>();
  RunCached(scratch.Path(), AnswerModule(4), With(store));
  CHECK(RunRemote(With(store), AnswerModule(4)).statistics.remote_loads == 1);
  const ScratchDirectory other;
  CHECK(RunCached(other.Path(), AnswerModule(4), With(store)).statistics.remote_loads == 1);
}

TEST_CASE("what a remote store gave is copied before it is believed") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(4));
  const auto cache = tenon::CompilationCache::Remote(With(store));
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const auto compiled = runtime.CompileModule(AnswerModule(4));
  REQUIRE(store->given.size() == 1);
  std::ranges::fill(*store->given[0], std::uint8_t{0xCC});
  const tenon::Module guest = runtime.InstantiateModule(compiled);
  CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 4);
  CHECK(cache.Statistics().loads == 1);
}

TEST_CASE("a cache without a directory has nothing to list") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(4));
  const auto cache = tenon::CompilationCache::Remote(With(store));
  CHECK(cache.Entries().empty());
  CHECK(cache.Verify().empty());
  CHECK(cache.Purge() == 0);
  CHECK(RunRemote(With(store), AnswerModule(4)).statistics.loads == 1);
}

TEST_CASE("a remote store alone needs a key, and to be there") {
  CacheOptions options;
  const auto no_store =
      Thrown<tenon::ConfigError>([&] { tenon::CompilationCache::Remote(options); });
  CHECK(std::string{no_store.what()}.find("CacheOptions::remote") != std::string::npos);
  options.remote = std::make_shared<FleetStore>();
  CHECK(Thrown<tenon::ConfigError>([&] { tenon::CompilationCache::Remote(options); }).Id() ==
        tenon::ErrorCode::CacheKeyNeeded);
}

TEST_CASE("a remote store that is read-only is not written to, and may have to have the guest") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(1));
  CacheOptions options = With(store);
  options.mode = CacheMode::ReadOnly;
  CHECK(RunRemote(options, AnswerModule(1)).statistics.loads == 1);
  const ScratchDirectory scratch;
  CHECK(RunCached(scratch.Path(), AnswerModule(1), options).statistics.remote_loads == 1);
  const CachedRun miss = RunRemote(options, AnswerModule(2));
  CHECK(miss.answer == 2);
  REQUIRE(miss.problems.size() == 1);
  CHECK(miss.problems[0].kind == CacheProblemKind::Missing);
  CHECK(store->puts == 1);
  CHECK(store->touches == 0);
  options.mode = CacheMode::MustHit;
  CHECK(RunRemote(options, AnswerModule(1)).statistics.loads == 1);
  const auto error = Thrown<tenon::ConfigError>([&] { RunRemote(options, AnswerModule(2)); });
  CHECK(error.Id() == tenon::ErrorCode::CacheMiss);
  CHECK(std::string{error.what()}.find("remote store") != std::string::npos);
}

TEST_CASE("what was changed in a remote store, or signed by others, is compiled and replaced") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(4));
  const Bytes good = store->OnlyEntry();
  Bytes& entry = store->OnlyEntry();
  CacheProblemKind kind = CacheProblemKind::NotAuthentic;
  SECTION("a flipped byte of the code") { entry.back() ^= 1; }
  SECTION("a flipped byte of the signature") { entry[40] ^= 1; }
  SECTION("half of it") {
    entry.resize(entry.size() / 2);
    kind = CacheProblemKind::Damaged;
  }
  SECTION("more than it") { entry.push_back(0); }
  SECTION("nothing") {
    entry.clear();
    kind = CacheProblemKind::Damaged;
  }
  SECTION("text") {
    entry = {'h', 'e', 'l', 'l', 'o'};
    kind = CacheProblemKind::Damaged;
  }
  SECTION("another key's") {
    const auto other = std::make_shared<FleetStore>();
    RunRemote(With(other, 2), AnswerModule(4));
    entry = other->OnlyEntry();
  }
  SECTION("no key's") {
    const ScratchDirectory scratch;
    RunCached(scratch.Path(), AnswerModule(4));
    entry = ReadBytes(scratch.Files(".tenon").at(0));
  }
  SECTION("another module's") {
    const auto other = std::make_shared<FleetStore>();
    RunRemote(With(other), AnswerModule(5));
    entry = other->OnlyEntry();
    kind = CacheProblemKind::Mismatched;
  }
  const CachedRun run = RunRemote(With(store), AnswerModule(4));
  CHECK(run.answer == 4);
  CHECK(run.statistics.loads == 0);
  CHECK(run.statistics.rejected == 1);
  REQUIRE(run.problems.size() == 1);
  CHECK(run.problems[0].kind == kind);
  CHECK(store->OnlyEntry() == good);
  CHECK(RunRemote(With(store), AnswerModule(4)).statistics.loads == 1);
}

TEST_CASE("a remote store that is out of order costs reports, not the guest") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(4));
  const bool has_directory = GENERATE(false, true);
  std::string reason;
  SECTION("it refuses") {
    reason = "connection refused";
    store->before_call = [] { throw std::runtime_error{"connection refused"}; };
  }
  SECTION("it throws what is no std::exception") {
    reason = "an exception that is not a std::exception";
    store->before_call = [] { throw 42; };
  }
  SECTION("it does not answer in time") {
    reason = "timed out";
    store->before_call = [] {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      throw std::runtime_error{"timed out"};
    };
  }
  const ScratchDirectory scratch;
  const auto run_it = [&] {
    return has_directory ? RunCached(scratch.Path(), AnswerModule(4), With(store))
                         : RunRemote(With(store), AnswerModule(4));
  };
  const CachedRun run = run_it();
  CHECK(run.answer == 4);
  CHECK(run.statistics.misses == 1);
  CHECK(run.statistics.loads == 0);
  REQUIRE(run.problems.size() == 2);
  CHECK(run.problems[0].kind == CacheProblemKind::NotRead);
  CHECK(run.problems[1].kind == CacheProblemKind::NotWritten);
  CHECK(run.problems[0].text.find(reason) != std::string::npos);
  // The nearer level has it meanwhile; without one, it is compiled as long as that lasts.
  CHECK(run_it().statistics.loads == (has_directory ? 1 : 0));
  store->before_call = nullptr;
  CHECK(run_it().statistics.loads == 1);
}

TEST_CASE("a remote store that fails to note a use costs nothing") {
  const auto store = std::make_shared<FleetStore>();
  RunRemote(With(store), AnswerModule(4));
  // The first call is the question.
  store->before_call = [calls = 0]() mutable {
    if (++calls > 1) throw 42;
  };
  const CachedRun run = RunRemote(With(store), AnswerModule(4));
  CHECK(run.statistics.loads == 1);
  CHECK(run.problems.empty());
  CHECK(store->touches == 1);
}

TEST_CASE("of the processes of a machine one asks the remote store") {
  const auto store = std::make_shared<FleetStore>();
  const bool has_entry = GENERATE(true, false);
  if (has_entry) RunRemote(With(store), AnswerModule(4));
  store->gets = 0;
  // Others look for the entry while the first waits for it.
  store->before_call = [] { std::this_thread::sleep_for(std::chrono::milliseconds{100}); };
  const ScratchDirectory scratch;
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> from_remote{0};
  std::atomic<std::uint64_t> compiled{0};
  std::vector<std::thread> processes;
  for (int i = 0; i < 6; ++i) {
    processes.emplace_back([&] {
      const CachedRun run = RunCached(scratch.Path(), AnswerModule(4), With(store));
      wrong += run.answer == 4 && run.problems.empty() ? 0 : 1;
      from_remote += run.statistics.remote_loads;
      compiled += run.statistics.misses;
    });
  }
  for (std::thread& process : processes) process.join();
  CHECK(wrong == 0);
  CHECK(store->gets == 1);
  CHECK(store->puts == 1);
  CHECK(from_remote == (has_entry ? 1 : 0));
  CHECK(compiled == (has_entry ? 0 : 1));
}

TEST_CASE("nobody waits for what a remote store is given") {
  using tenon::cache::DirectoryStore;
  const ScratchDirectory scratch;
  const auto store = std::make_shared<FleetStore>();
  DirectoryStore directory{
      {scratch.Path(), tenon::cache::VersionDirectoryName(), 0, 0, false, false}};
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), With(store));
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  bool was_free = false;
  std::uint64_t hits = 0;
  store->before_put = [&](const tenon::CacheKey& key) {
    bool timed_out = false;
    was_free = static_cast<bool>(directory.Lock(key, 0, timed_out));
    runtime.CompileModule(AnswerModule(4));
    hits = cache.Statistics().hits;
  };
  runtime.CompileModule(AnswerModule(4));
  CHECK(was_free);
  CHECK(hits == 1);
  CHECK(store->puts == 1);
}

TEST_CASE("code for memories without guard pages comes from a remote store too") {
  guests::Guest guest;
  guest.Memory(1, 1);
  guest.Add("answer", {{}, {guests::kI32}}, [](guests::CodeBuilder& code) { code.I32Const(9); });
  const Bytes module = guest.Build();
  const auto store = std::make_shared<FleetStore>();
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto cache = tenon::CompilationCache::Remote(With(store));
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
    const AddressSpaceLimit limit{std::uint64_t{2} << 30};
    CHECK(runtime.Instantiate(module).ExportedFunction<std::int32_t()>("answer")() == 9);
    CHECK(cache.Statistics().remote_loads == 2 * i);
    CHECK(cache.Statistics().misses == 2 - 2 * i);
  }
}

TEST_CASE("of files that may go while they are used nothing stays mapped") {
  using tenon::cache::DirectoryStore;
  const ScratchDirectory scratch;
  const bool is_copied = GENERATE(true, false);
  const auto make_store = [&] {
    return std::make_shared<DirectoryStore>(DirectoryStore::Settings{
        scratch.Path(), tenon::cache::VersionDirectoryName(), 0, 0, false, false, is_copied});
  };
  RunRemote(With(make_store()), AnswerModule(12));
  const auto cache = tenon::CompilationCache::Remote(With(make_store()));
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const tenon::Module module = runtime.Instantiate(AnswerModule(12));
  CHECK(cache.Statistics().loads == 1);
  CHECK(MapsContain(scratch.Path()) == !is_copied);
  if (is_copied) {
    for (const std::string& file : scratch.Files(".tenon")) WriteBytes(file, {});
  }
  CHECK(module.ExportedFunction<std::int32_t()>("answer")() == 12);
}
