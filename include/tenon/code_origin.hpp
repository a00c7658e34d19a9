// SPDX-License-Identifier: Apache-2.0
/// @file
/// What asking for code came to.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// Where the code of a module came from.
enum class CodeOrigin : std::uint8_t {
  InMemory,  ///< from the runtime's cache, where it was already or another thread made it
  Loaded,    ///< from the cache's directory or remote store
  Compiled,  ///< it was made now; a cache keeps it
  Refused,   ///< there is none; see WarmUpResult::error
};

}  // namespace tenon::inline TENON_ABI
