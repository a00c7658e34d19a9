// SPDX-License-Identifier: Apache-2.0
/// @file
/// The arrays of which the compiler is made.
#pragma once

#include <cstddef>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::jit {

using wasm::FlatArray;

/// Lets go of the memory of arrays that a large function has made large, so that another step can
/// have it; others keep theirs.
template <class... Arrays>
void ReleaseLarge(Arrays&... arrays) {
  constexpr std::size_t kKeptBytes = std::size_t{128} * 1024;
  (arrays.Release(kKeptBytes), ...);
}

}  // namespace tenon::inline TENON_ABI::jit
