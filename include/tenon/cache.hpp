// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiled code shared between runtimes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache/statistics.hpp>
#include <tenon/cache_options.hpp>

namespace tenon::inline TENON_ABI {

namespace cache {
class CodeMap;
}  // namespace cache

/// Shares compiled code between any number of runtimes and threads: a module is compiled once for
/// each set of settings that changes the code, however many threads ask at the same time. Host
/// modules are shared by their signatures; their callables never enter the cache.
///
/// A handle: copies refer to the same cache. Any thread. An entry lives while the cache or any
/// CompiledModule or instance uses it; the cache may die before the runtimes that use it, and the
/// other way round.
class CompilationCache {
 public:
  /// A new, empty cache in memory.
  TENON_DECL CompilationCache();

  /// A cache that also keeps compiled guests as files in a directory, which any number of processes
  /// share. A guest that is there starts without being compiled: its bytes are hashed, its entry is
  /// checked and mapped. What is damaged, of another version or made for other settings is compiled
  /// and replaced; what goes wrong with the directory is counted and reported
  /// (CacheOptions::on_problem) and stops nothing.
  ///
  /// The directory is made if it is missing, for this user alone. Throws ConfigError if others can
  /// write to it, or could put another one in its place, and `options` have no mac_key. Host
  /// modules stay in memory, and so do modules of less than 64 KiB where the interpreter runs
  /// guests, which validates them in the time that it takes to look.
  TENON_DECL static CompilationCache Directory(const std::string& path);
  TENON_DECL static CompilationCache Directory(const std::string& path,
                                               const CacheOptions& options);

  /// A cache whose code is kept in CacheOptions::remote and nowhere else, for machines without a
  /// directory that outlives them. What comes from the store is copied to memory of this process
  /// before it is checked. Processes do not wait for each other: several that start at once may
  /// compile the same module. Options that are about a directory have no effect.
  ///
  /// Throws ConfigError if `options` have no remote or no mac_key.
  TENON_DECL static CompilationCache Remote(const CacheOptions& options);

  friend bool operator==(const CompilationCache&, const CompilationCache&) noexcept = default;

  TENON_DECL CacheStatistics Statistics() const;
  /// Forgets every entry in memory; modules compiled before keep their code.
  TENON_DECL void Clear() const;

  /// Entries of the directory of this version and machine, most recently used first; none for a
  /// cache without a directory, or with one that cannot be read.
  TENON_DECL std::vector<CacheEntry> Entries() const;
  /// Checks every entry of the directory, and removes what is not as it was written, unless the
  /// cache is read-only. Throws as Entries.
  TENON_DECL std::vector<CacheProblem> Verify() const;
  /// Removes all entries of all versions from the directory; processes that use them keep what they
  /// have. Returns how many. Throws std::system_error if that is not allowed.
  TENON_DECL std::size_t Purge() const;

  /// For the library's own rooms.
  const std::shared_ptr<cache::CodeMap>& Map() const noexcept { return map_; }

 private:
  explicit CompilationCache(std::shared_ptr<cache::CodeMap> map) noexcept : map_{std::move(map)} {}
  cache::CodeMap& RequireMap() const;

  std::shared_ptr<cache::CodeMap> map_;
};

}  // namespace tenon::inline TENON_ABI

template <>
struct std::hash<tenon::CompilationCache> {
  std::size_t operator()(const tenon::CompilationCache& handle) const noexcept {
    return std::hash<const void*>{}(handle.Map().get());
  }
};

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache.ipp>
#endif
