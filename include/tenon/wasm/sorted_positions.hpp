// SPDX-License-Identifier: Apache-2.0
/// @file
/// Orders of what stays where it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

using PositionCompare = bool (*)(const void* state, std::uint32_t left, std::uint32_t right);

TENON_DECL FlatArray<std::uint32_t> SortPositions(std::size_t count, PositionCompare is_less,
                                                  const void* state);

}  // namespace detail

/// The numbers below `count`, sorted by `is_less(left, right)`; those that are equal in order. The
/// sorting is compiled once for all comparisons.
template <class Compare>
FlatArray<std::uint32_t> SortedPositions(std::size_t count, const Compare& is_less) {
  const auto compare = [](const void* state, std::uint32_t left, std::uint32_t right) {
    return (*static_cast<const Compare*>(state))(left, right);
  };
  return detail::SortPositions(count, compare, &is_less);
}

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/sorted_positions.ipp>
#endif
