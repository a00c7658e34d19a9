// SPDX-License-Identifier: Apache-2.0
/// @file
/// Entries that outlive the process: levels of stores, and what is checked between them and code.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache/directory_store.hpp>
#include <tenon/cache/entry.hpp>
#include <tenon/cache/statistics.hpp>
#include <tenon/cache_options.hpp>
#include <tenon/vm/engine.hpp>

namespace tenon::inline TENON_ABI::cache {

/// An entry that may be used, as far as its form goes.
struct FoundEntry {
  EntryView view;
  std::shared_ptr<const void> owner;  ///< of the view's bytes: private pages
  bool is_shared = false;             ///< whether the pages are those of a file
  bool is_remote = false;
};

/// Makes code of an entry, if it fits.
using RestoreFunction = std::function<vm::Restored(const FoundEntry& entry)>;

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

  /// What one compilation asks of the levels. One thread. Nobody must wait for the end of a
  /// request: then it gives the remote store what is new to it, which may take long, and tells of
  /// the problems that it met, to a function that may compile.
  class Request {
   public:
    TENON_DECL Request(PersistentCache& cache, const EntryIdentity& identity);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    TENON_DECL ~Request();

    /// Gives `restore` the entry of the nearest level that has one; false if none fits. Then the
    /// guest is to be compiled, while others wait until this request keeps it or ends. Throws what
    /// `restore` throws, and ConfigError in CacheMode::MustHit.
    TENON_DECL bool Load(const RestoreFunction& restore);
    /// Keeps what was compiled; `object` gives it, for as long as this runs.
    TENON_DECL void Keep(std::span<const std::uint8_t> module,
                         const std::function<std::span<const std::uint8_t>()>& object) noexcept;

   private:
    using Reports = bool;  ///< whether what is wrong with an entry is counted and reported

    std::optional<FoundEntry> FindIn(CacheStore& store, const std::string& place, Reports reports);
    std::optional<FoundEntry> FindRemote();
    bool Take(std::optional<FoundEntry> found, const RestoreFunction& restore, Reports reports);
    void Accept(const FoundEntry& entry) noexcept;
    void Lock() noexcept;
    void PutInto(CacheStore& store, const std::string& place,
                 std::span<const std::uint8_t> entry) noexcept;
    void Report(CacheProblemKind kind, const std::string& place, std::string_view reason) noexcept;
    void ReportFault(EntryFault fault, const std::string& place) noexcept;

    PersistentCache& cache_;
    const EntryIdentity identity_;
    const std::string place_;  ///< of the entry in the nearest level, for people
    std::optional<KeyLock> lock_;
    bool touches_remote_ = false;
    std::vector<std::uint8_t> unsent_;
    std::vector<CacheProblem> untold_;
  };

  /// Counts code for memories that were not expected, which was loaded or had to be compiled.
  void CountVariant(bool was_loaded) noexcept {
    (was_loaded ? variant_loads_ : variant_misses_).fetch_add(1);
  }

  /// Adds the figures of these levels.
  TENON_DECL void AddTo(CacheStatistics& statistics) const;

  /// Entries of the directory, most recently used first.
  TENON_DECL std::vector<CacheEntry> List() const;
  /// Those whose form is wrong; they are removed if the cache may write.
  TENON_DECL std::vector<CacheProblem> Verify();
  TENON_DECL std::size_t Purge();

 private:
  bool IsWritable() const noexcept { return options_.mode == CacheMode::ReadWrite; }
  EntryTrust Trust() const noexcept { return {options_.mac_key, options_.skip_checksum}; }
  std::uint64_t LargestEntry() const noexcept {
    return options_.max_bytes != 0 ? options_.max_bytes : kLargestEntry;
  }
  std::uint32_t PatienceMs() const noexcept;

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
