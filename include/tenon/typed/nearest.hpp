// SPDX-License-Identifier: Apache-2.0
/// @file
/// The names nearest to one that was not found, for compilers' messages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::typed {

/// Insertions, deletions and replacements between the first 32 characters of two names.
constexpr std::size_t DistanceBetween(std::string_view a, std::string_view b) {
  constexpr std::size_t kLongest = 32;
  a = a.substr(0, kLongest);
  b = b.substr(0, kLongest);
  std::size_t row[kLongest + 1] = {};
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

/// Positions of names, best first.
struct Ranking {
  static constexpr std::size_t kLimit = 3;

  std::size_t positions[kLimit]{};
  std::size_t count = 0;
};

/// The nearest of the first 100 of `count` names; `name_at` gives one, or "" for none.
template <class NameAt>
constexpr Ranking RankNames(std::string_view wanted, std::size_t count, NameAt name_at) {
  Ranking ranking;
  std::size_t distances[Ranking::kLimit] = {};
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 100); ++i) {
    const std::string_view name = name_at(i);
    if (name.empty()) continue;
    const std::size_t distance = DistanceBetween(wanted, name);
    std::size_t place = ranking.count;
    while (place > 0 && distances[place - 1] > distance) --place;
    if (place == Ranking::kLimit) continue;
    if (ranking.count < Ranking::kLimit) ++ranking.count;
    for (std::size_t j = ranking.count - 1; j > place; --j) {
      distances[j] = distances[j - 1];
      ranking.positions[j] = ranking.positions[j - 1];
    }
    distances[place] = distance;
    ranking.positions[place] = i;
  }
  return ranking;
}

}  // namespace tenon::inline TENON_ABI::typed
