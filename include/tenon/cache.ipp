// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of cache.hpp.
#pragma once

#include <tenon/cache.hpp>
#include <tenon/cache/code_map.hpp>
#include <tenon/vm/call.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL CompilationCache::CompilationCache() : map_{std::make_shared<cache::CodeMap>()} {}

TENON_DECL CacheStatistics CompilationCache::Statistics() const {
  if (map_ == nullptr) vm::ThrowEmptyHandle("CompilationCache");
  return map_->Statistics();
}

TENON_DECL void CompilationCache::Clear() const {
  if (map_ == nullptr) vm::ThrowEmptyHandle("CompilationCache");
  map_->Clear();
}

}  // namespace tenon::inline TENON_ABI
