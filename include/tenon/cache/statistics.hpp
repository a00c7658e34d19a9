// SPDX-License-Identifier: Apache-2.0
/// @file
/// Figures of a cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Figures of a CompilationCache, of this process.
struct CacheStatistics {
  std::uint64_t hits = 0;    ///< compilations that found code in memory, or waited for a thread's
  std::uint64_t misses = 0;  ///< compilations that did the work
  std::size_t entries = 0;   ///< modules held in memory
  std::size_t bytes = 0;     ///< bytes of modules, side tables and code held in memory

  /// Compilations that took code from the directory or store, or from a serialized module. With
  /// either of these, code for memories of a kind that was not expected counts in `loads` or
  /// `misses` too.
  std::uint64_t loads = 0;

  // Of caches with a directory.
  std::uint64_t remote_loads = 0;   ///< those of `loads` that came from CacheOptions::remote
  std::uint64_t mapped_loads = 0;   ///< those of `loads` whose code is shared with other processes
  std::uint64_t writes = 0;         ///< entries written
  std::uint64_t rejected = 0;       ///< entries found that were damaged, foreign or stale
  std::uint64_t evictions = 0;      ///< entries removed to keep to the size limit
  std::uint64_t lock_timeouts = 0;  ///< waits for other processes that were given up
  std::uint64_t problems = 0;       ///< of every CacheProblemKind
};

}  // namespace tenon::inline TENON_ABI
