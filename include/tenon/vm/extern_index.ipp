// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of extern_index.hpp.
#pragma once

#include <algorithm>
#include <compare>
#include <utility>

#include <tenon/vm/extern_index.hpp>
#include <tenon/wasm/sorted_positions.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// What an import or export refers to.
struct ExternTarget {
  ExternKind kind;
  std::uint32_t index;

  friend auto operator<=>(const ExternTarget&, const ExternTarget&) = default;
};

template <class Entry>
ExternTarget TargetOf(const Entry& entry) {
  return {entry.kind, entry.index};
}

/// Finds a target among positions that are sorted by it.
template <class Entry>
std::span<const std::uint32_t> PositionsOf(const std::vector<Entry>& entries,
                                           std::span<const std::uint32_t> positions,
                                           const ExternTarget& target) {
  const auto found = std::ranges::equal_range(
      positions, target, {}, [&](std::uint32_t position) { return TargetOf(entries[position]); });
  return {found.begin(), found.end()};
}

}  // namespace detail

TENON_DECL ExternIndex::ExternIndex(const wasm::Module& module) {
  const auto by_target = [](const auto& entries) {
    return wasm::SortedPositions(entries.size(), [&](std::uint32_t left, std::uint32_t right) {
      return detail::TargetOf(entries[left]) < detail::TargetOf(entries[right]);
    });
  };
  imports_ = by_target(module.imports);
  exports_by_target_ = by_target(module.exports);
  exports_by_name_ =
      wasm::SortedPositions(module.exports.size(), [&](std::uint32_t left, std::uint32_t right) {
        return module.Text(module.exports[left].name) < module.Text(module.exports[right].name);
      });
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
