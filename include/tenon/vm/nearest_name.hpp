// SPDX-License-Identifier: Apache-2.0
/// @file
/// Suggestions for names that were not found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Insertions, deletions and replacements that turn one name into the other.
inline std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

/// "; did you mean "sum"?" for the nearest of `names`, or "" where none is near.
inline std::string SuggestNames(std::string_view wanted, std::span<const std::string_view> names) {
  constexpr std::size_t kLongestName = 64, kMostNames = 1000;
  if (wanted.size() > kLongestName) return "";
  std::size_t best = wanted.size() / 3 + 2;
  std::string_view nearest;
  for (const std::string_view name : names.first(std::min(names.size(), kMostNames))) {
    if (name.size() > kLongestName) continue;
    const std::size_t distance = EditDistance(wanted, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest.empty() ? "" : "; did you mean \"" + std::string{nearest} + "\"?";
}

}  // namespace tenon::inline TENON_ABI::vm
