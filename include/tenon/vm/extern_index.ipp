// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of extern_index.hpp.
#pragma once

#include <algorithm>
#include <compare>
#include <numeric>
#include <utility>

#include <tenon/vm/extern_index.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// What an import or export refers to.
struct ExternTarget {
  ExternKind kind;
  std::uint32_t index;

  friend auto operator<=>(const ExternTarget&, const ExternTarget&) = default;
};

/// Finds a target among positions that are sorted by it.
template <class Entry>
std::span<const std::uint32_t> PositionsOf(const std::vector<Entry>& entries,
                                           std::span<const std::uint32_t> positions,
                                           const ExternTarget& target) {
  const auto found = std::ranges::equal_range(positions, target, {}, [&](std::uint32_t position) {
    return ExternTarget{entries[position].kind, entries[position].index};
  });
  return {found.begin(), found.end()};
}

/// The positions of all entries, sorted by `key`; those with equal keys in order.
template <class Entry, class Key>
wasm::FlatArray<std::uint32_t> SortedPositions(const std::vector<Entry>& entries, Key key) {
  wasm::FlatArray<std::uint32_t> positions(entries.size());
  std::iota(positions.begin(), positions.end(), 0u);
  std::ranges::sort(positions, {}, [&](std::uint32_t position) {
    return std::pair{key(entries[position]), position};
  });
  return positions;
}

}  // namespace detail

TENON_DECL ExternIndex::ExternIndex(const wasm::Module& module) {
  const auto target = [](const auto& entry) {
    return detail::ExternTarget{entry.kind, entry.index};
  };
  imports_ = detail::SortedPositions(module.imports, target);
  exports_by_target_ = detail::SortedPositions(module.exports, target);
  exports_by_name_ = detail::SortedPositions(
      module.exports, [&](const wasm::Export& entry) { return module.Text(entry.name); });
}

TENON_DECL const wasm::Import* ExternIndex::ImportOf(const wasm::Module& module, ExternKind kind,
                                                     std::uint32_t index) const {
  const auto positions = detail::PositionsOf(module.imports, imports_, {kind, index});
  return positions.empty() ? nullptr : &module.imports[positions.front()];
}

TENON_DECL std::span<const std::uint32_t> ExternIndex::ExportsOf(const wasm::Module& module,
                                                                 ExternKind kind,
                                                                 std::uint32_t index) const {
  return detail::PositionsOf(module.exports, exports_by_target_, {kind, index});
}

TENON_DECL const wasm::Export* ExternIndex::FindExport(const wasm::Module& module,
                                                       std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      exports_by_name_, name, {},
      [&](std::uint32_t position) { return module.Text(module.exports[position].name); });
  if (found == exports_by_name_.end()) return nullptr;
  const wasm::Export& candidate = module.exports[*found];
  return module.Text(candidate.name) == name ? &candidate : nullptr;
}

}  // namespace tenon::inline TENON_ABI::vm
