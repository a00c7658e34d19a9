// SPDX-License-Identifier: Apache-2.0
/// @file
/// Figures of a cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Figures of a CompilationCache.
struct CacheStatistics {
  std::uint64_t hits = 0;    ///< compilations that found code, or waited for another thread's
  std::uint64_t misses = 0;  ///< compilations that did the work
  std::size_t entries = 0;   ///< modules held
  std::size_t bytes = 0;     ///< bytes of modules, side tables and code held
};

}  // namespace tenon::inline TENON_ABI
