// SPDX-License-Identifier: Apache-2.0
/// @file
/// Entries that outlive the process: levels of stores, and what is checked between them and code.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/entry.hpp>
#include <tenon/cache/statistics.hpp>
#include <tenon/cache_options.hpp>

namespace tenon::inline TENON_ABI::cache {

/// An entry that may be used, as far as its form goes.
struct FoundEntry {
  EntryView view;
  std::shared_ptr<const void> owner;  ///< of the view's bytes: private pages
  bool is_shared = false;             ///< whether the pages are those of a file
  bool is_remote = false;
};

/// The levels of a cache below memory: a directory, if there is one, and a store that others share,
/// if there is one; at least one of them. Any thread. What goes wrong in them is counted and
/// reported, and thrown only where this says so.
class PersistentCache {
 public:
  /// With a directory. Throws ConfigError if it or the options are not safe.
  TENON_DECL PersistentCache(const std::string& path, CacheOptions options);
  /// With nothing but the store of the options, which there must be. Throws ConfigError without a
  /// key.
  TENON_DECL explicit PersistentCache(CacheOptions options);

  /// The entry of this identity, from the nearest level that has it.
  TENON_DECL std::optional<FoundEntry> Find(const EntryIdentity& identity);
  /// The same once Lock returned, in case that another process kept it meanwhile: from the
  /// directory, and without a second report of what Find reported.
  TENON_DECL std::optional<FoundEntry> FindAgain(const EntryIdentity& identity);
  /// Says that what Find gave does not fit after all.
  TENON_DECL void Reject(const EntryIdentity& identity, const FoundEntry& entry);
  /// Notes that what Find gave is used.
  TENON_DECL void Accept(const EntryIdentity& identity, const FoundEntry& entry);
  /// Counts code for memories that were not expected, which was loaded or had to be compiled.
  void CountVariant(bool was_loaded) noexcept {
    (was_loaded ? variant_loads_ : variant_misses_).fetch_add(1);
  }
  /// Waits for those who compile the same; see DirectoryStore::Lock.
  TENON_DECL KeyLock Lock(const EntryIdentity& identity);
  /// Keeps what was compiled, in all levels.
  TENON_DECL void Keep(const EntryIdentity& identity, std::span<const std::uint8_t> module,
                       std::span<const std::uint8_t> object);
  /// Tells that there is no entry and may not be one. Throws ConfigError in CacheMode::MustHit.
  TENON_DECL void Miss(const EntryIdentity& identity);

  /// Adds the figures of these levels.
  TENON_DECL void AddTo(CacheStatistics& statistics) const;

  bool IsWritable() const noexcept { return options_.mode == CacheMode::ReadWrite; }

  /// Entries of the directory, most recently used first.
  TENON_DECL std::vector<CacheEntry> List() const;
  /// Those whose form is wrong; they are removed if the cache may write.
  TENON_DECL std::vector<CacheProblem> Verify();
  TENON_DECL std::size_t Purge();

 private:
  EntryTrust Trust() const noexcept { return {options_.mac_key, options_.skip_checksum}; }
  /// Of an entry, for people.
  std::string PlaceOf(const CacheKey& key) const;
  std::optional<FoundEntry> FindRemote(const EntryIdentity& identity);
  std::uint32_t PatienceMs() const noexcept;
  std::optional<FoundEntry> FindIn(CacheStore& store, const EntryIdentity& identity,
                                   const std::string& place, bool reports = true);
  void Report(CacheProblemKind kind, std::string text);
  void ReportFault(EntryFault fault, const std::string& place);
  void PutInto(CacheStore& store, const CacheKey& key, std::span<const std::uint8_t> entry,
               const std::string& place);

  const CacheOptions options_;
  std::unique_ptr<DirectoryStore> directory_;      ///< null if there is none
  std::atomic<std::int64_t> hurried_until_ms_{0};  ///< of the steady clock; see PatienceMs
  std::atomic<std::uint64_t> variant_loads_{0};
  std::atomic<std::uint64_t> variant_misses_{0};
  std::atomic<std::uint64_t> remote_loads_{0};
  std::atomic<std::uint64_t> mapped_loads_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<std::uint64_t> lock_timeouts_{0};
  std::atomic<std::uint64_t> problems_{0};
};

/// Of this version, ABI and machine.
TENON_DECL std::string VersionDirectoryName();

/// The library's version as a number.
constexpr std::uint32_t LibraryVersion() {
  return TENON_VERSION_MAJOR << 20 | TENON_VERSION_MINOR << 10 | TENON_VERSION_PATCH;
}

}  // namespace tenon::inline TENON_ABI::cache

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache/persistent_cache.ipp>
#endif
