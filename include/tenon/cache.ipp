// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of cache.hpp.
#pragma once

#include <tenon/cache.hpp>
#include <tenon/cache/code_map.hpp>
#include <tenon/cache/persistent_cache.hpp>
#include <tenon/vm/call.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL CompilationCache::CompilationCache() : map_{std::make_shared<cache::CodeMap>()} {}

TENON_DECL CompilationCache CompilationCache::Directory(const std::string& path) {
  return Directory(path, CacheOptions{});
}

TENON_DECL CompilationCache CompilationCache::Directory(const std::string& path,
                                                        const CacheOptions& options) {
  return CompilationCache{
      std::make_shared<cache::CodeMap>(std::make_shared<cache::PersistentCache>(path, options))};
}

TENON_DECL CompilationCache CompilationCache::Remote(const CacheOptions& options) {
  if (options.remote == nullptr) vm::ThrowEmptyHandle("CacheOptions::remote");
  return CompilationCache{
      std::make_shared<cache::CodeMap>(std::make_shared<cache::PersistentCache>(options))};
}

inline cache::CodeMap& CompilationCache::RequireMap() const {
  if (map_ == nullptr) vm::ThrowEmptyHandle("CompilationCache");
  return *map_;
}

TENON_DECL CacheStatistics CompilationCache::Statistics() const {
  return RequireMap().Statistics();
}

TENON_DECL void CompilationCache::Clear() const { RequireMap().Clear(); }

TENON_DECL std::vector<CacheEntry> CompilationCache::Entries() const {
  const auto& persistent = RequireMap().Persistent();
  return persistent == nullptr ? std::vector<CacheEntry>{} : persistent->List();
}

TENON_DECL std::vector<CacheProblem> CompilationCache::Verify() const {
  const auto& persistent = RequireMap().Persistent();
  return persistent == nullptr ? std::vector<CacheProblem>{} : persistent->Verify();
}

TENON_DECL std::size_t CompilationCache::Purge() const {
  const auto& persistent = RequireMap().Persistent();
  return persistent == nullptr ? 0 : persistent->Purge();
}

}  // namespace tenon::inline TENON_ABI
