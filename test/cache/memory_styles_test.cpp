// SPDX-License-Identifier: Apache-2.0
/// @file
/// Code for memories with and without guard pages: both are kept, and loaded by those who come
/// later.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/entry.hpp>
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

constexpr std::uint64_t kTooLittleForGuardPages = std::uint64_t{2} << 30;

/// "answer" stores and loads `answer` in a memory of its own; "beyond" loads from outside of it.
std::vector<std::uint8_t> MemoryModule(std::int32_t answer) {
  guests::Guest guest;
  guest.Memory(1, 1);
  guest.Add("answer", {{}, {guests::kI32}}, [&](guests::CodeBuilder& code) {
    code.I32Const(65532).I32Const(answer).Memory(guests::Opcode::I32Store);
    code.I32Const(65532).Memory(guests::Opcode::I32Load);
  });
  guest.Add("beyond", {{}, {guests::kI32}}, [&](guests::CodeBuilder& code) {
    code.I32Const(65533).Memory(guests::Opcode::I32Load);
  });
  return guest.Build();
}

std::int32_t AnswerOf(const tenon::Module& guest) {
  CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t()>("beyond")(), tenon::Trap);
  return guest.ExportedFunction<std::int32_t()>("answer")();
}

/// A process of its own, as far as the cache can tell: instances with and without guard pages.
struct Process {
  explicit Process(const std::string& path, CacheOptions options = {}) {
    const auto report = std::move(options.on_problem);
    options.on_problem = [this, report](const tenon::CacheProblem& problem) {
      problems.push_back(problem);
      if (report) report(problem);
    };
    cache = tenon::CompilationCache::Directory(path, options);
    runtime = std::make_unique<tenon::Runtime>(tenon::RuntimeConfig{}.WithCompilationCache(cache));
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  tenon::Module Instantiate(const tenon::CompiledModule& compiled) const {
    return runtime->InstantiateModule(compiled, tenon::ModuleConfig{}.WithName(""));
  }
  tenon::Module InstantiateWithoutGuardPages(const tenon::CompiledModule& compiled) const {
    const AddressSpaceLimit limit{kTooLittleForGuardPages};
    return Instantiate(compiled);
  }
  /// Both answers and then the figures.
  tenon::CacheStatistics RunBoth(std::int32_t answer) const {
    const auto compiled = runtime->CompileModule(MemoryModule(answer));
    CHECK(AnswerOf(Instantiate(compiled)) == answer);
    CHECK(AnswerOf(InstantiateWithoutGuardPages(compiled)) == answer);
    return cache.Statistics();
  }

  std::vector<tenon::CacheProblem> problems;
  tenon::CompilationCache cache;
  std::unique_ptr<tenon::Runtime> runtime;
};

/// The entry of code without guard pages: the one of two that came later.
std::string SecondFile(const ScratchDirectory& scratch, std::int32_t answer) {
  const Process process{scratch.Path()};
  const auto compiled = process.runtime->CompileModule(MemoryModule(answer));
  const std::vector<std::string> first = scratch.Files(".tenon");
  REQUIRE(first.size() == 1);
  process.InstantiateWithoutGuardPages(compiled);
  const std::vector<std::string> both = scratch.Files(".tenon");
  REQUIRE(both.size() == 2);
  return both[0] == first[0] ? both[1] : both[0];
}

}  // namespace

TEST_CASE("code for either kind of memory is compiled once and then comes from the directory") {
  const ScratchDirectory scratch;
  const tenon::CacheStatistics first = Process{scratch.Path()}.RunBoth(17);
  CHECK(first.misses == 2);
  CHECK(first.writes == 2);
  CHECK(first.loads == 0);
  const tenon::CacheStatistics second = Process{scratch.Path()}.RunBoth(17);
  CHECK(second.misses == 0);
  CHECK(second.writes == 0);
  CHECK(second.loads == 2);
  CHECK(second.mapped_loads == 2);
  CHECK(second.problems == 0);
  CHECK(scratch.Files(".lock").size() == 1);  // that of eviction
}

TEST_CASE("memory alone keeps code for either kind of memory") {
  const tenon::CompilationCache cache;
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const auto compiled = runtime.CompileModule(MemoryModule(3));
  const std::size_t bytes = cache.Statistics().bytes;
  const AddressSpaceLimit limit{kTooLittleForGuardPages};
  CHECK(AnswerOf(runtime.InstantiateModule(compiled)) == 3);
  CHECK(cache.Statistics().bytes > bytes);
  CHECK(cache.Statistics().misses == 1);
}

TEST_CASE("runtimes that expect no guard pages share the entry of instances that got none") {
  const ScratchDirectory scratch;
  const auto config = tenon::RuntimeConfig{}.WithSignalHandlers(tenon::SignalHandlers::None);
  Process{scratch.Path()}.RunBoth(18);
  CHECK(RunCached(scratch.Path(), MemoryModule(18), {}, config).statistics.loads == 1);
  CHECK(RunCached(scratch.Path(), MemoryModule(19), {}, config).statistics.misses == 1);
  CHECK(Process{scratch.Path()}.RunBoth(19).loads == 1);
}

TEST_CASE(
    "what is damaged in the entry for memories without guard pages is compiled and replaced") {
  const ScratchDirectory scratch;
  const std::string file = SecondFile(scratch, 20);
  const std::vector<std::uint8_t> good = ReadBytes(file);
  std::vector<std::uint8_t> bad = good;
  SECTION("a flipped byte") { bad[bad.size() - 1] ^= 1; }
  SECTION("half of it") { bad.resize(bad.size() / 2); }
  SECTION("nothing") { bad.clear(); }
  SECTION("the entry for memories with guard pages") {
    const auto files = scratch.Files(".tenon");
    bad = ReadBytes(files[0] == file ? files[1] : files[0]);
  }
  SECTION("well-formed, with code for memories with guard pages") {
    const auto files = scratch.Files(".tenon");
    const auto other = ReadBytes(files[0] == file ? files[1] : files[0]);
    tenon::cache::EntryView view;
    REQUIRE(tenon::cache::CheckEntry(other, {}, view) == tenon::cache::EntryFault::None);
    const tenon::cache::EntryIdentity identity{
        tenon::cache::DirectoryStore::KeyOfPath(file).value(),
        view.header.engine,
        view.header.engine_revision,
        view.header.version,
        view.header.layout,
        view.header.cpu};
    bad = tenon::cache::BuildEntry(identity, view.module, view.object, {});
  }
  WriteBytes(file, bad);
  const Process process{scratch.Path()};
  const tenon::CacheStatistics statistics = process.RunBoth(20);
  CHECK(statistics.loads == 1);
  CHECK(statistics.misses == 1);
  CHECK(statistics.rejected == 1);
  CHECK(process.problems.size() == 1);
  CHECK(ReadBytes(file) == good);
  CHECK(Process{scratch.Path()}.RunBoth(20).loads == 2);
}

TEST_CASE("a signature is asked of code for memories without guard pages too") {
  const ScratchDirectory scratch;
  Process{scratch.Path()}.RunBoth(21);
  CacheOptions options;
  options.mac_key.assign(32, 1);
  const Process process{scratch.Path(), options};
  CHECK(process.RunBoth(21).misses == 2);
  REQUIRE(process.problems.size() == 2);
  CHECK(process.problems[1].kind == CacheProblemKind::NotAuthentic);
  CHECK(Process{scratch.Path(), options}.RunBoth(21).loads == 2);
}

TEST_CASE("a read-only cache compiles for memories without guard pages and says what is missing") {
  const ScratchDirectory scratch;
  const std::string file = SecondFile(scratch, 22);
  std::filesystem::remove(file);
  CacheOptions options;
  options.mode = CacheMode::ReadOnly;
  const Process process{scratch.Path(), options};
  const tenon::CacheStatistics statistics = process.RunBoth(22);
  CHECK(statistics.loads == 1);
  CHECK(statistics.misses == 1);
  REQUIRE(process.problems.size() == 1);
  CHECK(process.problems[0].kind == CacheProblemKind::Missing);
  CHECK(process.problems[0].text.find(file) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("a cache that must have code for memories without guard pages says why it has not") {
  const ScratchDirectory scratch;
  const std::string file = SecondFile(scratch, 23);
  CacheOptions options;
  options.mode = CacheMode::MustHit;
  CHECK(Process{scratch.Path(), options}.RunBoth(23).loads == 2);
  std::filesystem::remove(file);
  const Process process{scratch.Path(), options};
  const auto compiled = process.runtime->CompileModule(MemoryModule(23));
  const auto error =
      Thrown<tenon::ConfigError>([&] { process.InstantiateWithoutGuardPages(compiled); });
  CHECK(error.Id() == tenon::ErrorCode::CacheMiss);
  CHECK(std::string{error.what()}.find(file) != std::string::npos);
  // The other kind is there, and another attempt is as good as the first.
  CHECK(AnswerOf(process.Instantiate(compiled)) == 23);
  CHECK_THROWS_AS(process.InstantiateWithoutGuardPages(compiled), tenon::ConfigError);
}

TEST_CASE("code for memories without guard pages is compiled once, however many threads ask") {
  const ScratchDirectory scratch;
  const Process one{scratch.Path()};
  const Process other{scratch.Path()};
  const auto compiled = one.runtime->CompileModule(MemoryModule(24));
  const auto elsewhere = other.runtime->CompileModule(MemoryModule(24));
  std::atomic<std::uint64_t> wrong{0};
  {
    const AddressSpaceLimit limit{kTooLittleForGuardPages};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const tenon::Module guest =
            i % 2 == 0 ? one.Instantiate(compiled) : other.Instantiate(elsewhere);
        wrong += guest.ExportedFunction<std::int32_t()>("answer")() == 24 ? 0 : 1;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(wrong == 0);
  CHECK(one.cache.Statistics().misses + other.cache.Statistics().misses == 2);
  CHECK(one.cache.Statistics().loads + other.cache.Statistics().loads == 2);
  CHECK(scratch.Files(".tenon").size() == 2);
}

TEST_CASE("figures do not wait for code that is compiled, and a report may ask for it") {
  const ScratchDirectory scratch;
  std::filesystem::remove(SecondFile(scratch, 25));
  const Process* running = nullptr;
  std::optional<tenon::CompiledModule> compiled;
  std::size_t bytes = 0;
  std::size_t size = 0;
  std::int32_t answer = 0;
  CacheOptions options;
  options.mode = CacheMode::ReadOnly;
  options.on_problem = [&](const tenon::CacheProblem&) {
    bytes = running->cache.Statistics().bytes;
    size = compiled->CodeSize();
    answer = AnswerOf(running->Instantiate(*compiled));
  };
  const Process process{scratch.Path(), options};
  running = &process;
  compiled = process.runtime->CompileModule(MemoryModule(25));
  CHECK(AnswerOf(process.InstantiateWithoutGuardPages(*compiled)) == 25);
  CHECK(bytes > 0);
  CHECK(size > 0);
  CHECK(answer == 25);
  CHECK(process.cache.Statistics().misses == 1);
}

TEST_CASE("a store that asks for the code that it is asked for is refused") {
  struct Store final : tenon::CacheStore {
    std::optional<tenon::CacheBlob> Get(const tenon::CacheKey&) override {
      if (before_answer) before_answer();
      return std::nullopt;
    }
    void Put(const tenon::CacheKey&, std::span<const std::uint8_t>) override {}
    void Touch(const tenon::CacheKey&) override {}
    void Remove(const tenon::CacheKey&) override {}
    std::function<void()> before_answer;
  };
  const ScratchDirectory scratch;
  const auto store = std::make_shared<Store>();
  CacheOptions options;
  options.mac_key.assign(32, 1);
  options.remote = store;
  const Process process{scratch.Path(), options};
  const auto compiled = process.runtime->CompileModule(MemoryModule(26));
  std::size_t bytes = 0;
  store->before_answer = [&] {
    bytes = process.cache.Statistics().bytes;
    process.Instantiate(compiled);
  };
  CHECK(AnswerOf(process.InstantiateWithoutGuardPages(compiled)) == 26);
  CHECK(bytes > 0);
  REQUIRE(process.problems.size() == 1);
  CHECK(process.problems[0].text.find("would wait for itself") != std::string::npos);
}
