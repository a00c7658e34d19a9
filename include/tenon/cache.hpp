// SPDX-License-Identifier: Apache-2.0
/// @file
/// Compiled code shared between runtimes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <tenon/abi/config.hpp>
#include <tenon/cache/statistics.hpp>

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

  friend bool operator==(const CompilationCache&, const CompilationCache&) noexcept = default;

  TENON_DECL CacheStatistics Statistics() const;
  /// Forgets every entry; modules compiled before keep their code.
  TENON_DECL void Clear() const;

  /// For the library's own rooms.
  const std::shared_ptr<cache::CodeMap>& Map() const noexcept { return map_; }

 private:
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
