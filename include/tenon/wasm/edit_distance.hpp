// SPDX-License-Identifier: Apache-2.0
/// @file
/// How far one name is from another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Longer names are compared by as much as this of them.
inline constexpr std::size_t kComparedLength = 64;

/// Insertions, deletions and replacements that turn one name into the other. Allocates nothing;
/// usable in constant expressions.
constexpr std::size_t EditDistance(std::string_view a, std::string_view b) {
  a = a.substr(0, kComparedLength);
  b = b.substr(0, kComparedLength);
  std::size_t row[kComparedLength + 1] = {};
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

}  // namespace tenon::inline TENON_ABI::wasm
