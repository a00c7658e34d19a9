// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of cache.hpp.
#pragma once

#include <tenon/cache.hpp>
#include <tenon/cache/code_map.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL CompilationCache::CompilationCache() : map_{std::make_shared<cache::CodeMap>()} {}

TENON_DECL CacheStatistics CompilationCache::Statistics() const { return map_->Statistics(); }

TENON_DECL void CompilationCache::Clear() const { map_->Clear(); }

}  // namespace tenon::inline TENON_ABI
