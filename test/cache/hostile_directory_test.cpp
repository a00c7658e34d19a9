// SPDX-License-Identifier: Apache-2.0
/// @file
/// Cache directories, stores and callbacks of those who mean harm, or do it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/cache/file.hpp>
#include <tenon/tenon.hpp>

#include "../support/expect_error.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;
using tenon::CacheOptions;
using tenon::CacheProblemKind;

namespace {

CacheOptions Signed() {
  CacheOptions options;
  options.mac_key.assign(32, 1);
  return options;
}

/// The entry of the only module in a directory, with another suffix.
std::string Beside(const ScratchDirectory& scratch, const std::string& suffix) {
  const std::vector<std::string> files = scratch.Files(".tenon");
  REQUIRE(files.size() == 1);
  return std::filesystem::path{files[0]}.replace_extension(suffix).string();
}

/// A store whose entries begin `offset` bytes behind a page's beginning.
class OffsetStore final : public tenon::CacheStore {
 public:
  explicit OffsetStore(std::size_t offset) : offset_{offset} {}

  std::optional<tenon::CacheBlob> Get(const tenon::CacheKey& key) override {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    const tenon::cache::FileMapping pages = tenon::cache::MapCopy(found->second);
    return tenon::CacheBlob{pages.bytes.subspan(offset_), pages.owner,
                            tenon::CacheBlob::Kind::OwnPages};
  }
  void Put(const tenon::CacheKey& key, std::span<const std::uint8_t> entry) override {
    const std::lock_guard lock{mutex_};
    std::vector<std::uint8_t> kept(offset_ + entry.size());
    std::ranges::copy(entry, kept.begin() + static_cast<std::ptrdiff_t>(offset_));
    entries_[key] = std::move(kept);
  }
  void Touch(const tenon::CacheKey&) override {}
  void Remove(const tenon::CacheKey&) override {}

 private:
  const std::size_t offset_;
  std::mutex mutex_;
  std::map<tenon::CacheKey, std::vector<std::uint8_t>> entries_;
};

}  // namespace

TEST_CASE("pipes in the places of locks and counts block nobody") {
  const ScratchDirectory scratch;
  REQUIRE(chmod(scratch.Path().c_str(), 0777) == 0);
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  const std::string lock = Beside(scratch, ".lock");
  const std::string use = Beside(scratch, ".use");
  const std::string trim = std::filesystem::path{lock}.parent_path() / "trim.lock";
  for (const std::string& name : {lock, use, trim}) {
    std::filesystem::remove(name);
    REQUIRE(mkfifo(name.c_str(), 0666) == 0);
  }
  CHECK(RunCached(scratch.Path(), AnswerModule(6), Signed()).statistics.loads == 1);
  std::filesystem::remove(Beside(scratch, ".tenon"));
  CHECK(RunCached(scratch.Path(), AnswerModule(6), Signed()).answer == 6);
  CHECK(RunCached(scratch.Path(), AnswerModule(6), Signed()).statistics.loads == 1);
}

TEST_CASE("a count with a second name is not written to") {
  const ScratchDirectory scratch;
  RunCached(scratch / "cache", AnswerModule(6));
  const std::string mine = scratch / "mine";
  WriteBytes(mine, {'m', 'i', 'n', 'e'});
  std::filesystem::create_hard_link(mine, Beside(scratch, ".use"));
  CHECK(RunCached(scratch / "cache", AnswerModule(6)).statistics.loads == 1);
  CHECK(ReadBytes(mine) == std::vector<std::uint8_t>{'m', 'i', 'n', 'e'});
}

TEST_CASE("a directory that becomes others' while it is used is not believed any more") {
  const ScratchDirectory scratch;
  RunCached(scratch / "cache", AnswerModule(6), Signed());
  const std::string version = std::filesystem::path{Beside(scratch, ".lock")}.parent_path();
  const bool has_key = GENERATE(false, true);
  if (!has_key) {
    std::filesystem::remove(Beside(scratch, ".tenon"));
    RunCached(scratch / "cache", AnswerModule(6));
  }
  const auto cache =
      tenon::CompilationCache::Directory(scratch / "cache", has_key ? Signed() : CacheOptions{});
  REQUIRE(chmod(version.c_str(), 0777) == 0);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const tenon::Module guest = runtime.Instantiate(AnswerModule(6));
  CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 6);
  CHECK(cache.Statistics().loads == (has_key ? 1 : 0));
  CHECK(cache.Statistics().mapped_loads == 0);
}

TEST_CASE("a directory that others could replace is refused without a key, and says which") {
  const ScratchDirectory scratch;
  const std::string parent = scratch / "shared";
  const std::string path = parent + "/mine/cache";
  std::filesystem::create_directories(path);
  const auto refusal = [](const std::string& name) {
    const auto error =
        Thrown<tenon::ConfigError>([&] { tenon::CompilationCache::Directory(name); });
    CHECK(error.Id() == tenon::ErrorCode::CacheDirectory);
    return std::string{error.what()};
  };
  for (const mode_t mode : {0777u, 0775u, 0757u}) {
    REQUIRE(chmod(parent.c_str(), mode) == 0);
    const std::string text = refusal(path);
    CHECK(text.find("\"" + parent + "\" above it: others may write to it") != std::string::npos);
    CHECK(text.find("chmod go-w") != std::string::npos);
  }
  // The way there does not matter, only what is above what it leads to.
  std::filesystem::create_directory_symlink(path, scratch / "link");
  CHECK(refusal(scratch / "link").find(parent) != std::string::npos);
  RunCached(path, AnswerModule(6), Signed());
  const CachedRun is_signed = RunCached(path, AnswerModule(6), Signed());
  CHECK(is_signed.statistics.loads == 1);
  CHECK(is_signed.statistics.mapped_loads == 0);
  // Nobody can rename what is others' in a directory like /tmp.
  REQUIRE(chmod(parent.c_str(), 01777) == 0);
  CHECK(RunCached(path, AnswerModule(7)).statistics.misses == 1);
  CHECK(RunCached(path, AnswerModule(7)).statistics.mapped_loads == 1);
  if (geteuid() != 0) return;  // only the administrator can give files away
  REQUIRE(chmod(parent.c_str(), 0755) == 0);
  REQUIRE(chown(parent.c_str(), 12345, 12345) == 0);
  CHECK(refusal(path).find("above it: it belongs to user 12345") != std::string::npos);
}

TEST_CASE("files have the rights of their directory, whatever the umask") {
  const ScratchDirectory scratch;
  REQUIRE(chmod(scratch.Path().c_str(), 0770) == 0);
  const mode_t before = umask(0077);
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  RunCached(scratch.Path(), AnswerModule(6), Signed());
  umask(before);
  const auto mode_of = [&](const std::string& suffix) {
    struct stat status{};
    REQUIRE(stat(Beside(scratch, suffix).c_str(), &status) == 0);
    return status.st_mode & 0777;
  };
  CHECK(mode_of(".tenon") == 0640);
  CHECK(mode_of(".use") == 0660);
}

TEST_CASE("purging leaves alone what only looks like the cache's") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  const std::filesystem::path version = std::filesystem::path{Beside(scratch, ".x")}.parent_path();
  const std::vector<std::string> others = {
      version / "build.lock", version / "work.tmp", version / "notes.use",
      scratch / "tenon-notes/build.lock", scratch / "tenon-1.2-draft/work.tmp"};
  for (const std::string& other : others) {
    std::filesystem::create_directories(std::filesystem::path{other}.parent_path());
    WriteBytes(other, {1});
  }
  CHECK(tenon::CompilationCache::Directory(scratch.Path()).Purge() == 1);
  for (const std::string& other : others) CHECK(std::filesystem::exists(other));
}

TEST_CASE("purging removes the directories of other versions with their locks") {
  const ScratchDirectory scratch;
  const std::string other = scratch / "tenon-0.0.1-abc-x86_64-1";
  std::filesystem::create_directory(other);
  WriteBytes(other + "/trim.lock", {});
  tenon::CompilationCache::Directory(scratch.Path()).Purge();
  CHECK_FALSE(std::filesystem::exists(other));
}

TEST_CASE("a file of a size that nobody has memory for is not read, and replaced") {
  const ScratchDirectory scratch;
  const bool is_shared = GENERATE(false, true);
  CacheOptions options = is_shared ? Signed() : CacheOptions{};
  options.max_bytes = 0;
  RunCached(scratch.Path(), AnswerModule(1), options);
  std::error_code refusal;
  std::filesystem::resize_file(Beside(scratch, ".tenon"), std::uintmax_t{1} << 40, refusal);
  if (refusal) return;  // a file system without holes
  if (is_shared) REQUIRE(chmod(scratch.Path().c_str(), 0777) == 0);
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(1), options);
  CHECK(run.answer == 1);
  REQUIRE(run.problems.size() == 1);
  CHECK(run.problems[0].kind == CacheProblemKind::NotRead);
  CHECK(RunCached(scratch.Path(), AnswerModule(1), options).statistics.loads == 1);
}

TEST_CASE("an entry that is damaged is counted and reported once") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  WriteBytes(Beside(scratch, ".tenon"), {1, 2, 3});
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(1));
  CHECK(run.answer == 1);
  CHECK(run.statistics.rejected == 1);
  CHECK(run.problems.size() == 1);
}

TEST_CASE("a report that throws costs neither the guest nor the entry") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  WriteBytes(Beside(scratch, ".tenon"), {1, 2, 3});
  CacheOptions options;
  options.on_problem = [](const tenon::CacheProblem&) { throw 42; };
  const auto cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCompilationCache(cache)};
  const tenon::Module guest = runtime.Instantiate(AnswerModule(1));
  CHECK(guest.ExportedFunction<std::int32_t()>("answer")() == 1);
  CHECK(cache.Statistics().problems == 1);
  CHECK(RunCached(scratch.Path(), AnswerModule(1)).statistics.loads == 1);
}

TEST_CASE("a report may use the cache, and compile the module that it is about") {
  const ScratchDirectory scratch;
  RunCached(scratch.Path(), AnswerModule(1));
  WriteBytes(Beside(scratch, ".tenon"), {1, 2, 3});
  std::unique_ptr<tenon::Runtime> runtime;
  std::optional<tenon::CompilationCache> cache;
  tenon::CacheStatistics statistics;
  CacheOptions options;
  options.on_problem = [&](const tenon::CacheProblem&) {
    runtime->CompileModule(AnswerModule(1));
    runtime->CompileModule(AnswerModule(2));
    cache->Verify();
    statistics = cache->Statistics();
  };
  cache = tenon::CompilationCache::Directory(scratch.Path(), options);
  runtime = std::make_unique<tenon::Runtime>(tenon::RuntimeConfig{}.WithCompilationCache(*cache));
  runtime->CompileModule(AnswerModule(1));
  CHECK(statistics.misses == 2);
  CHECK(statistics.hits == 1);
}

TEST_CASE("entries that a store gives from within a page are copied") {
  const auto store = std::make_shared<OffsetStore>(GENERATE(0, 1, 4, 8, 2048));
  std::uint64_t loads = 0;
  for (int machine = 0; machine < 2; ++machine) {
    const ScratchDirectory scratch;
    CacheOptions options = Signed();
    options.remote = store;
    const CachedRun run = RunCached(scratch.Path(), AnswerModule(6), options);
    CHECK(run.answer == 6);
    CHECK(run.problems.empty());
    loads += run.statistics.remote_loads;
  }
  CHECK(loads == 1);
}

TEST_CASE("pages of files on other machines are not mapped") {
  using tenon::cache::IsKindOfNetwork;
  CHECK(IsKindOfNetwork(0x6969));            // NFS
  CHECK(IsKindOfNetwork(0xFF534D42));        // CIFS
  CHECK_FALSE(IsKindOfNetwork(0xEF53));      // ext4
  CHECK_FALSE(IsKindOfNetwork(0x01021994));  // tmpfs
  const ScratchDirectory scratch;
  WriteBytes(scratch / "file", {1});
  const tenon::cache::FileDescriptor missing;
  CHECK(tenon::cache::IsOfNetwork(missing));  // who does not tell is not trusted
}
