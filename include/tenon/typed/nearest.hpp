// SPDX-License-Identifier: Apache-2.0
/// @file
/// The names nearest to one that was not found, for compilers' messages.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/judgement.hpp>
#include <tenon/fixed_text.hpp>
#include <tenon/typed/interface.hpp>
#include <tenon/typed/interface_refusal.hpp>
#include <tenon/wasm/edit_distance.hpp>

namespace tenon::inline TENON_ABI::typed {

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
    const std::size_t distance = wasm::EditDistance(wanted, name);
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

/// The `Nearest` of a list's names, which has `kNameCount` and `NameAt(position)`.
template <class List, FixedText kWanted>
struct NearestIn {
  static constexpr Ranking kRanking = RankNames(kWanted.View(), List::kNameCount, List::NameAt);
  template <std::size_t... I>
  static consteval auto Of(std::index_sequence<I...>) {
    return bind::detail::TypeTag<Nearest<FixedOf<NameIn<List, kRanking.positions[I]>>()...>>{};
  }
  using Type = typename decltype(Of(std::make_index_sequence<kRanking.count>{}))::Type;
};

}  // namespace tenon::inline TENON_ABI::typed
