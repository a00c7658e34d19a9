// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds what satisfies the imports of a module, and checks that it fits.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/error.hpp>
#include <tenon/instance_handle.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {

class Store;
struct CompiledState;
struct InstanceSettings;

/// An export that satisfies an import.
struct ResolvedImport {
  InstanceHandle exporter;
  std::uint32_t index;  ///< in the exporter's index space
};

/// One for each import of the module, in order. Throws LinkError, with a line for each import that
/// is missing, of another type or not granted.
TENON_DECL std::vector<ResolvedImport> ResolveImports(const CompiledState& compiled, Store& store,
                                                      const InstanceSettings& settings);

/// The problems that ResolveImports would report.
TENON_DECL std::vector<ImportProblem> CheckImports(const CompiledState& compiled, Store& store,
                                                   const InstanceSettings& settings);

}  // namespace vm
}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/linker.ipp>
#endif
