// SPDX-License-Identifier: Apache-2.0
/// @file
/// Suggestions for names that were not found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/edit_distance.hpp>

namespace tenon::inline TENON_ABI::vm {

/// How many names may still be compared: what a module asks for must not cost time without end.
using NameBudget = std::size_t;

/// The nearest of `names`, or "" where none is near.
inline std::string_view NearestName(std::string_view wanted,
                                    std::span<const std::string_view> names, NameBudget& budget) {
  if (wanted.size() > wasm::kComparedLength) return "";
  std::size_t best = wanted.size() / 3 + 2;
  std::string_view nearest;
  for (const std::string_view name : names) {
    if (budget == 0) break;
    --budget;
    const std::size_t longer = std::max(name.size(), wanted.size());
    const std::size_t shorter = std::min(name.size(), wanted.size());
    if (name.size() > wasm::kComparedLength || longer - shorter >= best) continue;
    const std::size_t distance = wasm::EditDistance(wanted, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

/// "; did you mean "sum"?", or "" for no name.
inline std::string SuggestName(std::string_view nearest) {
  return nearest.empty() ? "" : "; did you mean \"" + std::string{nearest} + "\"?";
}

/// "; did you mean "sum"?" for the nearest of `names`, or "" where none is near.
inline std::string SuggestNames(std::string_view wanted, std::span<const std::string_view> names) {
  NameBudget budget = 1000;
  return SuggestName(NearestName(wanted, names, budget));
}

}  // namespace tenon::inline TENON_ABI::vm
