// SPDX-License-Identifier: Apache-2.0
/// @file
/// What processes leave that are killed while they use a cache directory.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/tenon.hpp>

#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"
#include "child_process.hpp"

using namespace tenon_test;
using tenon::CacheKey;
using tenon::CacheOptions;
using tenon::cache::DirectoryStore;
using tenon::cache::KeyLock;

namespace {

/// Kills a process at every step of `body`, and then looks whether all is well. Returns the number
/// of steps; 0 where the system does not let processes be traced.
int KillEverywhere(const std::function<void()>& prepare, const std::function<void()>& body,
                   const std::function<bool()>& is_well, int step = kStep) {
  std::size_t wrong = 0;
  for (int stop = 2;; stop += step) {
    prepare();
    const Killed killed = KillAt(stop, body);
    if (killed == Killed::CannotTrace) {
      WARN("this system does not let processes be traced");
      return 0;
    }
    wrong += is_well() ? 0 : 1;
    if (killed != Killed::Finished) continue;
    CHECK(wrong == 0);
    CHECK(stop > 30);
    return stop;
  }
}

CacheOptions Signed(std::shared_ptr<tenon::CacheStore> remote = nullptr) {
  CacheOptions options;
  options.mac_key.assign(32, 1);
  options.remote = std::move(remote);
  return options;
}

/// Of a directory that others may write to.
DirectoryStore::Settings SharedSettings(const std::string& path) {
  DirectoryStore::Settings settings;
  settings.path = path;
  settings.version = tenon::cache::VersionDirectoryName();
  settings.may_be_shared = true;
  return settings;
}

mode_t ModeOf(const std::string& path) {
  struct stat status{};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

/// Whether whoever may write to the directory, which has mode 0770, may use what is in it.
bool IsForTheGroup(const ScratchDirectory& scratch) {
  const std::string version = scratch / tenon::cache::VersionDirectoryName();
  if (!std::filesystem::exists(version)) return true;
  if (ModeOf(version) != 0770) return false;
  for (const auto& file : std::filesystem::directory_iterator{version}) {
    const std::string name = file.path().string();
    if (name.ends_with(".tmp")) continue;
    if (ModeOf(name) != (name.ends_with(".tenon") ? 0640u : 0660u)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a process that is killed at any step of a write leaves a cache that works") {
  const ScratchDirectory scratch;
  const auto module = AnswerModule(55);
  RunCached(scratch.Path(), module);
  const std::string file = scratch.Files(".tenon").at(0);
  const CacheKey key = DirectoryStore::KeyOfPath(file).value();
  const auto good = ReadBytes(file);
  const bool replaces_damage = GENERATE(false, true);
  KillEverywhere(
      [&] {
        std::filesystem::remove(file);
        if (replaces_damage) WriteBytes(file, {good.begin(), good.begin() + 100});
      },
      [&] {
        DirectoryStore store = MakeStore(scratch);
        bool timed_out = false;
        const KeyLock lock = store.Lock(key, 0, timed_out);
        store.Put(key, good);
      },
      [&] {
        const auto after = ReadBytes(file);
        const bool is_whole = after == good;
        const bool is_untouched = replaces_damage ? after.size() == 100 : after.empty();
        const CachedRun run = RunCached(scratch.Path(), module);
        const CachedRun again = RunCached(scratch.Path(), module);
        MakeStore(scratch).Trim(UINT64_MAX);
        return (is_whole || is_untouched) && run.answer == 55 && again.answer == 55 &&
               again.statistics.loads == 1 && again.problems.empty() && Leftovers(scratch).empty();
      });
}

TEST_CASE("a process that is killed at any step of making and using a directory locks nobody out") {
  const auto module = AnswerModule(56);
  std::vector<std::uint8_t> entry;
  CacheKey key{};
  {
    const ScratchDirectory other;
    RunCached(other.Path(), module, Signed());
    key = DirectoryStore::KeyOfPath(other.Files(".tenon").at(0)).value();
    entry = ReadBytes(other.Files(".tenon").at(0));
  }
  const ScratchDirectory scratch;
  REQUIRE(chmod(scratch.Path().c_str(), 0770) == 0);
  KillEverywhere(
      [&] {
        for (const auto& left : std::filesystem::directory_iterator{scratch.Path()}) {
          std::filesystem::remove_all(left.path());
        }
      },
      [&] {
        umask(0077);
        DirectoryStore store{SharedSettings(scratch.Path())};
        bool timed_out = false;
        const KeyLock lock = store.Lock(key, 0, timed_out);
        store.Put(key, entry);
        store.Touch(key);
      },
      [&] {
        const bool is_open = IsForTheGroup(scratch);
        const CachedRun run = RunCached(scratch.Path(), module, Signed());
        const CachedRun again = RunCached(scratch.Path(), module, Signed());
        DirectoryStore store{SharedSettings(scratch.Path())};
        store.Trim(UINT64_MAX);
        const bool is_clean = Leftovers(scratch).empty();
        store.Purge();
        const auto left = std::filesystem::directory_iterator{scratch.Path()};
        return is_open && run.answer == 56 && again.answer == 56 && again.statistics.loads == 1 &&
               again.problems.empty() && is_clean && std::distance(begin(left), end(left)) == 1;
      });
}

TEST_CASE("a process that is killed between the levels of a cache leaves all of them usable") {
  const auto module = AnswerModule(57);
  const ScratchDirectory machine;
  const ScratchDirectory fleet;
  const bool is_there = GENERATE(true, false);
  const auto remote = [&] {
    return std::make_shared<DirectoryStore>(SharedSettings(fleet.Path()));
  };
  const auto run = [&](const ScratchDirectory& scratch) {
    return RunCached(scratch.Path(), module, Signed(remote()));
  };
  const auto clear = [](const ScratchDirectory& scratch) {
    for (const std::string& file : scratch.Files("")) std::filesystem::remove(file);
  };
  // Most steps are the compiler's and the loader's, who leave nothing.
  constexpr int kWide = 7 * kStep / 2;
  KillEverywhere(
      [&] {
        clear(fleet);
        clear(machine);
        if (is_there) run(machine);
        clear(machine);
      },
      [&] { run(machine); },
      [&] {
        const CachedRun next = run(machine);
        const CachedRun again = run(machine);
        const ScratchDirectory other;
        const CachedRun elsewhere = run(other);
        MakeStore(machine).Trim(UINT64_MAX);
        remote()->Trim(UINT64_MAX);
        return next.answer == 57 && again.answer == 57 && again.statistics.loads == 1 &&
               elsewhere.answer == 57 && next.problems.empty() && elsewhere.problems.empty() &&
               Leftovers(machine).empty() && Leftovers(fleet).empty();
      },
      kWide);
}
