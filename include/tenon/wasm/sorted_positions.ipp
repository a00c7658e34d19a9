// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of sorted_positions.hpp.
#pragma once

#include <algorithm>
#include <numeric>

#include <tenon/wasm/sorted_positions.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

TENON_DECL FlatArray<std::uint32_t> SortPositions(std::size_t count, PositionCompare is_less,
                                                  const void* state) {
  FlatArray<std::uint32_t> positions(count);
  std::iota(positions.begin(), positions.end(), 0u);
  std::sort(positions.begin(), positions.end(), [=](std::uint32_t left, std::uint32_t right) {
    if (is_less(state, left, right)) return true;
    return left < right && !is_less(state, right, left);
  });
  return positions;
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
