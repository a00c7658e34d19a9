// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds the imports and exports of a module by what they refer to, and exports by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Made once for each module, so that going through all definitions, or linking all exports, does
/// not take a walk over the whole lists for each. Holds positions in the module's lists; every
/// call wants the module that it was made of.
class ExternIndex {
 public:
  /// Of a module without imports and exports.
  ExternIndex() = default;
  TENON_DECL explicit ExternIndex(const wasm::Module& module);

  /// The import that brings an extern; null if the module defines it.
  TENON_DECL const wasm::Import* ImportOf(const wasm::Module& module, ExternKind kind,
                                          std::uint32_t index) const;
  /// Positions of the exports of an extern, in the order of the export section.
  TENON_DECL std::span<const std::uint32_t> ExportsOf(const wasm::Module& module, ExternKind kind,
                                                      std::uint32_t index) const;
  /// The export of this name; null if there is none.
  TENON_DECL const wasm::Export* FindExport(const wasm::Module& module,
                                            std::string_view name) const;

 private:
  wasm::FlatArray<std::uint32_t> imports_;            ///< by kind, then index
  wasm::FlatArray<std::uint32_t> exports_by_target_;  ///< by kind, index, position
  wasm::FlatArray<std::uint32_t> exports_by_name_;
};

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/extern_index.ipp>
#endif
