// SPDX-License-Identifier: Apache-2.0
/// @file
/// CompilationCache::Directory: what is kept, what is believed, and what is not.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/cache/entry.hpp>
#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/guests.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"
#include "child_process.hpp"

using namespace tenon_test;
using tenon::CacheMode;
using tenon::CacheOptions;
using tenon::CacheProblemKind;

namespace {

std::string OnlyFile(const ScratchDirectory& scratch, const std::string& suffix = ".tenon") {
  const std::vector<std::string> files = scratch.Files(suffix);
  REQUIRE(files.size() == 1);
  return files[0];
}

std::size_t Count(const CachedRun& run, CacheProblemKind kind) {
  std::size_t count = 0;
  for (const tenon::CacheProblem& problem : run.problems) count += problem.kind == kind ? 1 : 0;
  return count;
}

CacheOptions Signed(std::uint8_t first_byte = 1) {
  CacheOptions options;
  options.mac_key.assign(32, first_byte);
  return options;
}

/// What a damaged or foreign entry must come to: compiled, counted, replaced.
void CheckReplaced(const ScratchDirectory& scratch, const std::vector<std::uint8_t>& module,
                   std::int32_t answer, CacheProblemKind kind, const CacheOptions& options = {}) {
  const CachedRun run = RunCached(scratch.Path(), module, options);
  CHECK(run.answer == answer);
  CHECK(run.statistics.loads == 0);
  CHECK(run.statistics.misses == 1);
  CHECK(run.statistics.rejected >= 1);
  CHECK(Count(run, kind) >= 1);
  const CachedRun again = RunCached(scratch.Path(), module, options);
  CHECK(again.answer == answer);
  CHECK(again.statistics.loads == 1);
  CHECK(again.problems.empty());
}

}  // namespace

TEST_CASE("a guest is compiled once, and loaded by those who come later") {
  const ScratchDirectory scratch;
  const CachedRun first = RunCached(scratch / "a/b", AnswerModule(42));
  CHECK(first.answer == 42);
  CHECK(first.statistics.misses == 1);
  CHECK(first.statistics.writes == 1);
  CHECK(first.statistics.loads == 0);
  const CachedRun second = RunCached(scratch / "a/b", AnswerModule(42));
  CHECK(second.answer == 42);
  CHECK(second.statistics.misses == 0);
  CHECK(second.statistics.writes == 0);
  CHECK(second.statistics.loads == 1);
  CHECK(second.statistics.mapped_loads == 1);
  CHECK(first.problems.empty());
  CHECK(second.problems.empty());
}

TEST_CASE("one cache asks its directory once and then its memory") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const tenon::Runtime first{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const tenon::Runtime second{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  first.CompileModule(AnswerModule(1));
  second.CompileModule(AnswerModule(1));
  CHECK(cache.Statistics().loads == 1);
  CHECK(cache.Statistics().hits == 1);
  CHECK(cache.Statistics().misses == 0);
}

TEST_CASE("loaded guests have their names, traps, backtraces and definitions") {
  const ScratchDirectory scratch;
  std::string texts[2];
  std::size_t exports[2] = {};
  for (int i = 0; i < 2; ++i) {
    const auto cache = tenon::CompilationCache::Directory(scratch.Path());
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
    const auto compiled = runtime.CompileModule(guests::Arithmetic());
    CHECK(cache.Statistics().loads == static_cast<std::uint64_t>(i));
    exports[i] = compiled.ExportedFunctions().size();
    CHECK(compiled.Name() == "guest");
    CHECK(compiled.CodeSize() > 0);
    const tenon::Module guest = runtime.InstantiateModule(compiled);
    CHECK(guest.ExportedFunction<std::int32_t(std::int32_t, std::int32_t)>("add")(2, 3) == 5);
    try {
      guest.ExportedFunction("deep_trap").Call({});
    } catch (const tenon::Trap& trap) {
      texts[i] = trap.what();
    }
  }
  CHECK(exports[0] == exports[1]);
  CHECK(texts[0] == texts[1]);
  CHECK(texts[0].find("middle") != std::string::npos);
}

TEST_CASE("a loaded guest outlives its cache, its file and its directory") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(5));
  std::unique_ptr<tenon::Runtime> runtime;
  tenon::Module guest;
  {
    const auto cache = tenon::CompilationCache::Directory(scratch.Path());
    runtime = std::make_unique<tenon::Runtime>(tenon::RuntimeConfig{}.WithCompilationCache(cache));
    guest = runtime->Instantiate(AnswerModule(5));
    CHECK(cache.Statistics().loads == 1);
    CHECK(cache.Purge() == 1);
    cache.Clear();
  }
  std::filesystem::remove_all(scratch.Path());
  CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 5);
}

TEST_CASE("flipped bytes of an entry are never executed, and the entry is replaced") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(77);
  RunCached(scratch.Path(), module);
  const std::string file = OnlyFile(scratch);
  const std::vector<std::uint8_t> good = ReadBytes(file);
  std::size_t wrong = 0;
  std::size_t kept = 0;
  // Of the zeros that fill pages, those near borders and a sample; entry_test flips all.
  for (std::size_t i = 0; i < good.size(); ++i) {
    const bool is_filling = good[i] == 0 && i >= 256 && i % 512 >= 16 && i % 37 != 0;
    const bool is_signature = i >= 32 && i < 64;  // means nothing to those without a key
    if (is_filling || is_signature) continue;
    std::vector<std::uint8_t> bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1 + i % 255);
    WriteBytes(file, bad);
    const CachedRun run = RunCached(scratch.Path(), module);
    const bool is_right = run.answer == 77 && run.statistics.loads == 0 &&
                          run.statistics.misses == 1 && run.statistics.rejected != 0;
    wrong += is_right ? 0 : 1;
    kept += ReadBytes(file) == good ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(kept == 0);
}

TEST_CASE("truncated entries are never executed, and the entry is replaced") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(78);
  RunCached(scratch.Path(), module);
  const std::string file = OnlyFile(scratch);
  const std::vector<std::uint8_t> good = ReadBytes(file);
  std::size_t wrong = 0;
  for (std::size_t size = 0; size < good.size(); size += size < 300 ? 13 : 251) {
    std::filesystem::resize_file(file, size);
    const CachedRun run = RunCached(scratch.Path(), module);
    const bool is_right = run.answer == 78 && run.statistics.loads == 0;
    wrong += is_right && ReadBytes(file) == good ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("swapped entries are never executed") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const std::string one = OnlyFile(scratch);
  RunCached(scratch.Path(), AnswerModule(2));
  const auto files = scratch.Files(".tenon");
  REQUIRE(files.size() == 2);
  const std::string two = files[0] == one ? files[1] : files[0];
  const auto bytes = ReadBytes(one);
  WriteBytes(one, ReadBytes(two));
  WriteBytes(two, bytes);
  CheckReplaced(scratch, AnswerModule(1), 1, CacheProblemKind::Mismatched);
  CheckReplaced(scratch, AnswerModule(2), 2, CacheProblemKind::Mismatched);
}

TEST_CASE("entries of other versions, processors and layouts are replaced") {
  using tenon::cache::EntryHeader;
  const ScratchDirectory scratch;
  const auto module = AnswerModule(9);
  RunCached(scratch.Path(), module);
  const std::string file = OnlyFile(scratch);
  const auto good = ReadBytes(file);
  tenon::cache::EntryView view;
  REQUIRE(tenon::cache::CheckEntry(good, {}, view) == tenon::cache::EntryFault::None);
  const auto write = [&](auto change) {
    tenon::cache::EntryIdentity identity;
    identity.key = view.header.key;
    identity.engine = view.header.engine;
    identity.engine_revision = view.header.engine_revision;
    identity.version = view.header.version;
    identity.layout = view.header.layout;
    identity.cpu = view.header.cpu;
    change(identity);
    WriteBytes(file, tenon::cache::BuildEntry(identity, view.module, view.object, {}));
  };
  using tenon::cache::EntryIdentity;
  SECTION("an older library") {
    write([](EntryIdentity& x) { x.version -= 1; });
  }
  SECTION("a newer library") {
    write([](EntryIdentity& x) { x.version += 1; });
  }
  SECTION("another layout") {
    write([](EntryIdentity& x) { x.layout ^= 1; });
  }
  SECTION("another engine") {
    write([](EntryIdentity& x) { x.engine[0] = 'J'; });
  }
  SECTION("another revision of it") {
    write([](EntryIdentity& x) { x.engine_revision += 1; });
  }
  SECTION("another processor") {
    write([](EntryIdentity& x) { x.cpu ^= 0x100; });
  }
  CheckReplaced(scratch, module, 9, CacheProblemKind::Mismatched);
}

TEST_CASE("well-formed entries whose contents do not fit the module are replaced") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(9);
  RunCached(scratch.Path(), module);
  const std::string file = OnlyFile(scratch);
  const auto good = ReadBytes(file);
  tenon::cache::EntryView view;
  REQUIRE(tenon::cache::CheckEntry(good, {}, view) == tenon::cache::EntryFault::None);
  tenon::cache::EntryIdentity identity{
      view.header.key,     view.header.engine, view.header.engine_revision,
      view.header.version, view.header.layout, view.header.cpu};
  const auto write = [&](const std::vector<std::uint8_t>& new_module,
                         const std::vector<std::uint8_t>& object) {
    WriteBytes(file, tenon::cache::BuildEntry(identity, new_module, object, {}));
  };
  const std::vector<std::uint8_t> object{view.object.begin(), view.object.end()};
  SECTION("no object") { write(module, {}); }
  SECTION("no module") { write({}, object); }
  SECTION("a module of more functions") { write(guests::Arithmetic(), object); }
  SECTION("a header of zeros") {
    auto changed = object;
    std::fill_n(changed.begin(), 64, std::uint8_t{0});
    write(module, changed);
  }
  SECTION("half an object") { write(module, {object.begin(), object.begin() + 200}); }
  CheckReplaced(scratch, module, 9, CacheProblemKind::Damaged);
}

TEST_CASE("what is no file, or no entry, in an entry's place does not stop anybody") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(3);
  RunCached(scratch.Path(), module);
  const std::string file = OnlyFile(scratch);
  std::filesystem::remove(file);
  SECTION("nothing in it") { WriteBytes(file, {}); }
  SECTION("text") { WriteBytes(file, {'h', 'e', 'l', 'l', 'o'}); }
  SECTION("a link") { std::filesystem::create_symlink("/etc/passwd", file); }
  SECTION("a pipe") { REQUIRE(mkfifo(file.c_str(), 0600) == 0); }
  const CachedRun run = RunCached(scratch.Path(), module);
  CHECK(run.answer == 3);
  CHECK(run.statistics.problems >= 1);
  CHECK(RunCached(scratch.Path(), module).statistics.loads == 1);
}

TEST_CASE("a directory in an entry's place is reported and compiled around") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(3));
  const std::string file = OnlyFile(scratch);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(3));
  CHECK(run.answer == 3);
  CHECK(Count(run, CacheProblemKind::NotRead) >= 1);
  CHECK(Count(run, CacheProblemKind::NotWritten) == 1);
}

namespace {

/// Memories on the heap, without guard pages.
class HeapAllocator final : public tenon::MemoryAllocator {
 public:
  std::unique_ptr<tenon::LinearMemory> Allocate(std::uint64_t,
                                                std::uint64_t maximum) noexcept override {
    struct Memory final : tenon::LinearMemory {
      explicit Memory(std::uint64_t size) : bytes(static_cast<std::size_t>(size)) {}
      std::uint8_t* Reallocate(std::uint64_t size) noexcept override {
        return size <= bytes.size() ? bytes.data() : nullptr;
      }
      std::vector<std::uint8_t> bytes;
    };
    return std::make_unique<Memory>(maximum);
  }
};

/// "answer" stores and loads `answer` in a memory of its own, at an address of 32 or 64 bits;
/// "beyond" loads from outside of it.
std::vector<std::uint8_t> MemoryModule(std::int32_t answer, bool is_64) {
  guests::Guest guest;
  tenon::wasm::MemoryType type;
  type.limits = {1, 1, true, is_64, false};
  guest.Memory(type);
  const auto address = [&](guests::CodeBuilder& code, std::int32_t place) -> guests::CodeBuilder& {
    return is_64 ? code.I64Const(place) : code.I32Const(place);
  };
  guest.Add("answer", {{}, {guests::kI32}}, [&](guests::CodeBuilder& code) {
    address(code, 65532).I32Const(answer).Memory(guests::Opcode::I32Store);
    address(code, 65532).Memory(guests::Opcode::I32Load);
  });
  guest.Add("beyond", {{}, {guests::kI32}}, [&](guests::CodeBuilder& code) {
    address(code, 65533).Memory(guests::Opcode::I32Load);
  });
  return guest.Build();
}

}  // namespace

TEST_CASE("runtimes of different memories share a directory and get their own code") {
  const ScratchDirectory scratch;
  const tenon::RuntimeConfig plain;
  const auto wide =
      plain.WithCoreFeatures(tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Memory64, true));
  struct Row {
    tenon::RuntimeConfig config;
    bool is_64;
  };
  const std::vector<Row> rows = {
      {plain, false},
      {plain.WithMemoryAllocator(std::make_shared<HeapAllocator>()), false},
      {wide, false},
      {wide, true},
      {wide.WithMemoryAllocator(std::make_shared<HeapAllocator>()), true},
  };
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (const Row& row : rows) {
      const auto cache = tenon::CompilationCache::Directory(scratch.Path());
      const tenon::Runtime runtime{row.config.WithCompilationCache(cache)};
      const tenon::Module guest = runtime.Instantiate(MemoryModule(8, row.is_64));
      CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 8);
      CHECK_THROWS_AS(guest.ExportedFunction<std::int32_t()>("beyond")(), tenon::Trap);
      CHECK(cache.Statistics().loads == round);
      CHECK(cache.Statistics().misses == 1 - round);
      CHECK(cache.Statistics().problems == 0);
    }
  }
  CHECK(scratch.Files(".tenon").size() == rows.size());
  // An entry that is there does not lift what a runtime forbids.
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const tenon::Runtime runtime{plain.WithCompilationCache(cache)};
  CHECK_THROWS_AS(runtime.CompileModule(MemoryModule(8, true)), tenon::Error);
  CHECK(cache.Statistics().loads == 0);
}

TEST_CASE("runtimes that tell debuggers and profilers of code share it with others") {
  const ScratchDirectory scratch;
  const ScratchDirectory dumps;
  const tenon::RuntimeConfig plain;
  const std::vector<tenon::RuntimeConfig> configs = {
      plain,
      plain.WithGdbJit(true),
      plain.WithCodeMap(tenon::CodeMapKind::JitDump),
      plain.WithGdbJit(true).WithCodeMap(tenon::CodeMapKind::JitDump),
  };
  const auto first = GENERATE(0u, 3u);
  // A process has one file for profilers, in the directory that it is told first.
  const int code = ExitCodeOf(Spawn([&] {
    setenv("JITDUMPDIR", dumps.Path().c_str(), 1);
    RunCached(scratch.Path(), AnswerModule(8), {}, configs[first]);
    for (const tenon::RuntimeConfig& config : configs) {
      const CachedRun run = RunCached(scratch.Path(), AnswerModule(8), {}, config);
      if (run.answer != 8 || run.statistics.loads != 1 || !run.problems.empty()) return 1;
    }
    return 0;
  }));
  CHECK(code == 0);
  CHECK_FALSE(dumps.Files(".dump").empty());
}

TEST_CASE("runtimes of different settings share a directory and get their own code") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(8);
  struct Listener final : tenon::FunctionListener {
    void Before(tenon::Module&, const tenon::FunctionDefinition&, const tenon::TypedValues&,
                tenon::StackIterator&) override {}
    void After(tenon::Module&, const tenon::FunctionDefinition&,
               const tenon::TypedValues&) override {}
    void Abort(tenon::Module&, const tenon::FunctionDefinition&,
               const std::exception_ptr&) override {}
  };
  const auto factory = [](const tenon::FunctionDefinition&) {
    return std::make_shared<Listener>();
  };
  const tenon::RuntimeConfig plain;
  const std::vector<tenon::RuntimeConfig> configs = {
      plain,
      plain.WithCloseOnContextDone(true),
      plain.WithCanonicalNaN(true),
      plain.WithCoreFeatures(tenon::CoreFeatures::V1()),
      plain.WithCoreFeatures(tenon::CoreFeatures::V2().SetEnabled(tenon::Feature::Threads, true)),
      plain.WithCpuFeatures(tenon::CpuFeatures::Floor()),
      plain.WithSignalHandlers(tenon::SignalHandlers::None),
      plain.WithFunctionListenerFactory(factory),
  };
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (const tenon::RuntimeConfig& config : configs) {
      const CachedRun run = RunCached(scratch.Path(), module, {}, config);
      CHECK(run.answer == 8);
      CHECK(run.statistics.loads == round);
      CHECK(run.problems.empty());
    }
  }
  CHECK(scratch.Files(".tenon").size() == configs.size());
  // What does not change the code does not change the key.
  CHECK(RunCached(scratch.Path(), module, {}, plain.WithMemoryLimitPages(10)).statistics.loads ==
        1);
}

TEST_CASE("a guest of the directory may have any memory that it could have when compiled") {
  const ScratchDirectory scratch;
  for (int i = 0; i < 2; ++i) {
    const auto cache = tenon::CompilationCache::Directory(scratch.Path());
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
    const auto compiled = runtime.CompileModule(guests::Counter());
    const tenon::Module one =
        runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("one"));
    const tenon::Module two =
        runtime.InstantiateModule(compiled, tenon::ModuleConfig{}.WithName("two"));
    CHECK(one.ExportedFunction<std::int32_t()>("increment")() == 1);
    CHECK(one.ExportedFunction<std::int32_t()>("increment")() == 2);
    CHECK(two.ExportedFunction<std::int32_t()>("increment")() == 1);
  }
}

TEST_CASE("modules without functions are kept too") {
  const ScratchDirectory scratch;
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto cache = tenon::CompilationCache::Directory(scratch.Path());
    const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
    runtime.Instantiate(guests::Empty());
    CHECK(cache.Statistics().loads == i);
    CHECK(cache.Statistics().problems == 0);
  }
}

TEST_CASE("modules that are refused are refused as without a directory, and not kept") {
  const ScratchDirectory scratch;
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  CHECK_THROWS_AS(runtime.CompileModule(std::vector<std::uint8_t>{1, 2, 3}), tenon::DecodeError);
  CHECK(scratch.Files(".tenon").empty());
  CHECK(scratch.Files(".lock").empty());
}

TEST_CASE("the directory and its files are for their user alone") {
  const ScratchDirectory scratch;
  const mode_t before = umask(0);
  RunCached(scratch / "cache", AnswerModule(1));
  umask(before);
  struct stat status;
  REQUIRE(stat((scratch / "cache").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  const std::string file = OnlyFile(scratch);
  REQUIRE(stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(stat(std::filesystem::path{file}.parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("a directory that others can write to is refused without a key") {
  const ScratchDirectory scratch;
  REQUIRE(chmod(scratch.Path().c_str(), 0777) == 0);
  const auto error =
      Thrown<tenon::ConfigError>([&] { tenon::CompilationCache::Directory(scratch.Path()); });
  CHECK(error.Id() == tenon::ErrorCode::CacheDirectory);
  CHECK(std::string{error.what()}.find("others may write to it (mode 0777)") != std::string::npos);
  CHECK(std::string{error.what()}.find("chmod go-w") != std::string::npos);
  CHECK(std::string{error.what()}.find("mac_key") != std::string::npos);
}

TEST_CASE("a version's directory that others can write to is refused without a key") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const auto version = std::filesystem::path{OnlyFile(scratch)}.parent_path();
  REQUIRE(chmod(version.c_str(), 0770) == 0);
  CHECK_THROWS_AS(tenon::CompilationCache::Directory(scratch.Path()), tenon::ConfigError);
}

TEST_CASE("a directory of another user is refused without a key") {
  if (geteuid() != 0) return;  // only the administrator can give files away
  const ScratchDirectory scratch;
  REQUIRE(chown(scratch.Path().c_str(), 12345, 12345) == 0);
  const auto error =
      Thrown<tenon::ConfigError>([&] { tenon::CompilationCache::Directory(scratch.Path()); });
  CHECK(std::string{error.what()}.find("it belongs to user 12345") != std::string::npos);
}

TEST_CASE("with a key a directory may be everybody's, and its code is copied") {
  const ScratchDirectory scratch;
  REQUIRE(chmod(scratch.Path().c_str(), 0777) == 0);
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(6), Signed());
  CHECK(run.answer == 6);
  CHECK(run.statistics.loads == 1);
  CHECK(run.statistics.mapped_loads == 0);
}

TEST_CASE("files are read in place of being mapped if that is asked for") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(6));
  CacheOptions options;
  options.copy_files = true;
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(6), options);
  CHECK(run.answer == 6);
  CHECK(run.statistics.loads == 1);
  CHECK(run.statistics.mapped_loads == 0);
  CHECK(RunCached(scratch.Path(), AnswerModule(6)).statistics.mapped_loads == 1);
}

TEST_CASE("a relative path leads where it led first, wherever the process goes") {
  const ScratchDirectory scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.Path());
  const auto cache = tenon::CompilationCache::Directory("cache");
  std::filesystem::create_directory("elsewhere");
  std::filesystem::current_path("elsewhere");
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  // Gone, so that it must be made again.
  std::filesystem::remove_all(scratch / "cache");
  runtime.CompileModule(AnswerModule(1));
  CHECK(cache.Statistics().writes == 1);
  CHECK(OnlyFile(scratch).starts_with(scratch / "cache/"));
  CHECK(cache.Entries().at(0).path == OnlyFile(scratch));
  CHECK(cache.Purge() == 1);
  std::filesystem::current_path(before);
  CHECK(std::filesystem::is_empty(scratch / "elsewhere"));
}

TEST_CASE("a file that others can write to is copied, and refused without a key") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  REQUIRE(chmod(OnlyFile(scratch).c_str(), 0666) == 0);
  const CachedRun is_signed = RunCached(scratch.Path(), AnswerModule(6), Signed());
  CHECK(is_signed.statistics.loads == 1);
  CHECK(is_signed.statistics.mapped_loads == 0);
  const CachedRun is_not = RunCached(scratch.Path(), AnswerModule(6));
  CHECK(is_not.answer == 6);
  CHECK(is_not.statistics.loads == 0);
  CHECK(is_not.statistics.misses == 1);
}

TEST_CASE("entries without our signature are not executed") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(6));
  CheckReplaced(scratch, AnswerModule(6), 6, CacheProblemKind::NotAuthentic, Signed(1));
  CheckReplaced(scratch, AnswerModule(6), 6, CacheProblemKind::NotAuthentic, Signed(2));
}

TEST_CASE("a signature covers every byte") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  const std::string file = OnlyFile(scratch);
  auto bytes = ReadBytes(file);
  bytes[bytes.size() - 1] ^= 1;
  WriteBytes(file, bytes);
  CheckReplaced(scratch, AnswerModule(6), 6, CacheProblemKind::NotAuthentic, Signed());
}

TEST_CASE("without a checksum entries load, and what contradicts itself is still refused") {
  const ScratchDirectory scratch;
  CacheOptions options;
  options.skip_checksum = true;
  RunCached(scratch.Path(), AnswerModule(6), options);
  CHECK(RunCached(scratch.Path(), AnswerModule(6), options).statistics.loads == 1);
  const std::string file = OnlyFile(scratch);
  const auto good = ReadBytes(file);
  std::filesystem::resize_file(file, good.size() - 1);
  CheckReplaced(scratch, AnswerModule(6), 6, CacheProblemKind::Damaged, options);
}

TEST_CASE("a read-only cache changes nothing and says what is missing") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const auto before = scratch.Files("");
  CacheOptions options;
  options.mode = CacheMode::ReadOnly;
  const CachedRun hit = RunCached(scratch.Path(), AnswerModule(1), options);
  CHECK(hit.statistics.loads == 1);
  CHECK(hit.problems.empty());
  const CachedRun miss = RunCached(scratch.Path(), AnswerModule(2), options);
  CHECK(miss.answer == 2);
  CHECK(miss.statistics.misses == 1);
  CHECK(miss.statistics.writes == 0);
  REQUIRE(miss.problems.size() == 1);
  CHECK(miss.problems[0].kind == CacheProblemKind::Missing);
  CHECK(miss.problems[0].text.find(scratch.Path()) != std::string::npos);
  CHECK(scratch.Files("") == before);
}

TEST_CASE("a read-only cache that is not there is reported and makes nothing") {
  const ScratchDirectory scratch;
  CacheOptions options;
  options.mode = CacheMode::ReadOnly;
  const CachedRun run = RunCached(scratch / "none", AnswerModule(2), options);
  CHECK(run.answer == 2);
  CHECK(Count(run, CacheProblemKind::NotRead) == 1);
  CHECK_FALSE(std::filesystem::exists(scratch / "none"));
}

TEST_CASE("a cache that must have a guest says why it has not") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  CacheOptions options;
  options.mode = CacheMode::MustHit;
  CHECK(RunCached(scratch.Path(), AnswerModule(1), options).statistics.loads == 1);
  const auto error =
      Thrown<tenon::ConfigError>([&] { RunCached(scratch.Path(), AnswerModule(2), options); });
  CHECK(error.Id() == tenon::ErrorCode::CacheMiss);
  CHECK(std::string{error.what()}.find(scratch.Path()) != std::string::npos);
  // Host modules have nothing to miss.
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  runtime.NewHostModuleBuilder("env")
      .NewFunctionBuilder()
      .WithFunc([] { return 1; })
      .Export("one")
      .Instantiate();
}

TEST_CASE("a directory that cannot be made costs a report, not the guest") {
  const ScratchDirectory scratch;
  WriteBytes(scratch / "file", {1});
  const CachedRun run = RunCached(scratch / "file/cache", AnswerModule(4));
  CHECK(run.answer == 4);
  CHECK(run.statistics.misses == 1);
  CHECK(Count(run, CacheProblemKind::NotWritten) == 1);
  CHECK(run.problems[0].text.find("Not a directory") != std::string::npos);
}

TEST_CASE("a directory that somebody removed is made again") {
  const ScratchDirectory scratch;
  const auto cache = tenon::CompilationCache::Directory(scratch / "cache");
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  runtime.CompileModule(AnswerModule(1));
  std::filesystem::remove_all(scratch / "cache");
  runtime.CompileModule(AnswerModule(2));
  CHECK(cache.Statistics().writes == 2);
  CHECK(cache.Statistics().problems == 0);
  CHECK(RunCached(scratch / "cache", AnswerModule(2)).statistics.loads == 1);
}

TEST_CASE("the least recently used entries go when the directory is full") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(0));
  const std::uint64_t size = std::filesystem::file_size(OnlyFile(scratch));
  for (std::int32_t i = 1; i < 4; ++i) {
    usleep(5000);  // times of files are those of the system's clock ticks
    RunCached(scratch.Path(), AnswerModule(i));
  }
  usleep(5000);
  CHECK(RunCached(scratch.Path(), AnswerModule(1)).statistics.loads == 1);
  usleep(5000);
  CacheOptions options;
  options.max_bytes = 3 * size + size / 2;
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(4), options);
  CHECK(run.statistics.evictions == 2);
  CacheOptions look;
  look.mode = CacheMode::ReadOnly;
  std::string kept;
  for (std::int32_t i = 0; i < 5; ++i) {
    kept += RunCached(scratch.Path(), AnswerModule(i), look).statistics.loads == 1 ? '1' : '0';
  }
  CHECK(kept == "01011");
}

TEST_CASE("an entry larger than the directory may be is not written") {
  const ScratchDirectory scratch;
  CacheOptions options;
  options.max_bytes = 1000;
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(4), options);
  CHECK(run.answer == 4);
  CHECK(Count(run, CacheProblemKind::NotWritten) == 1);
  CHECK(scratch.Files(".tenon").empty());
}

TEST_CASE("entries are listed with sizes, times and loads") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  usleep(5000);
  RunCached(scratch.Path(), AnswerModule(2));
  usleep(5000);
  for (int i = 0; i < 3; ++i) RunCached(scratch.Path(), AnswerModule(1));
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  const std::vector<tenon::CacheEntry> entries = cache.Entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].loads == 3);
  CHECK(entries[1].loads == 0);
  for (const tenon::CacheEntry& entry : entries) {
    CHECK(entry.bytes == std::filesystem::file_size(entry.path));
    CHECK(entry.created > 1'600'000'000);
    CHECK(entry.last_used >= entry.created);
  }
  CHECK(tenon::CompilationCache{}.Entries().empty());
}

TEST_CASE("verifying finds and removes what is damaged, and nothing else") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const std::string file = OnlyFile(scratch);
  RunCached(scratch.Path(), AnswerModule(2));
  CacheOptions options;
  options.skip_checksum = true;  // does not hold for this
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  CHECK(cache.Verify().empty());
  auto bytes = ReadBytes(file);
  bytes.back() ^= 1;
  WriteBytes(file, bytes);
  const auto problems = cache.Verify();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].kind == CacheProblemKind::Damaged);
  CHECK(problems[0].text.find(file) != std::string::npos);
  CHECK(scratch.Files(".tenon").size() == 1);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("purging removes the entries of all versions, and nothing that is not the cache's") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const std::filesystem::path file = OnlyFile(scratch);
  const std::string other = scratch / "tenon-0.0.1-abc-x86_64-1";
  std::filesystem::create_directory(other);
  std::filesystem::copy_file(file, other + "/" + file.filename().string());
  WriteBytes(scratch / "notes.txt", {1});
  WriteBytes(file.parent_path().string() + "/notes.txt", {1});
  const auto cache = tenon::CompilationCache::Directory(scratch.Path());
  CHECK(cache.Purge() == 2);
  CHECK(scratch.Files(".tenon").empty());
  CHECK(scratch.Files("notes.txt").size() == 2);
  CHECK_FALSE(std::filesystem::exists(other));
}

TEST_CASE("directories of other versions go once they were not used for long") {
  const ScratchDirectory scratch;
  RunCached(scratch / "a", AnswerModule(1));
  const std::filesystem::path file = OnlyFile(scratch);
  const auto make_version = [&](const std::string& name, int days) {
    const std::filesystem::path directory = scratch / "b/" + name;
    std::filesystem::create_directories(directory);
    std::filesystem::permissions(scratch / "b", std::filesystem::perms::owner_all);
    const auto copy = directory / file.filename();
    std::filesystem::copy_file(file, copy);
    const auto time = std::filesystem::file_time_type::clock::now() - std::chrono::hours{24 * days};
    std::filesystem::last_write_time(copy, time);
    std::filesystem::last_write_time(directory, time);
    return directory;
  };
  const auto older = make_version("tenon-0.0.1-1-x86_64-1", 40);
  const auto newer = make_version("tenon-0.0.2-1-x86_64-1", 20);
  const auto foreign = make_version("precious", 400);
  CacheOptions options;
  SECTION("if asked") {
    RunCached(scratch / "b", AnswerModule(2), options);
    CHECK_FALSE(std::filesystem::exists(older));
  }
  SECTION("or not") {
    options.keep_other_versions_days = 0;
    RunCached(scratch / "b", AnswerModule(2), options);
    CHECK(std::filesystem::exists(older));
  }
  CHECK(std::filesystem::exists(newer / file.filename()));
  CHECK(std::filesystem::exists(foreign / file.filename()));
}

TEST_CASE("a remote store needs a key") {
  struct Store final : tenon::CacheStore {
    std::optional<tenon::CacheBlob> Get(const tenon::CacheKey&) override { return std::nullopt; }
    void Put(const tenon::CacheKey&, std::span<const std::uint8_t>) override {}
    void Touch(const tenon::CacheKey&) override {}
    void Remove(const tenon::CacheKey&) override {}
  };
  const ScratchDirectory scratch;
  CacheOptions options;
  options.remote = std::make_shared<Store>();
  const auto error = Thrown<tenon::ConfigError>(
      [&] { tenon::CompilationCache::Directory(scratch.Path(), options); });
  CHECK(error.Id() == tenon::ErrorCode::CacheKeyNeeded);
}
