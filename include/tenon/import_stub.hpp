// SPDX-License-Identifier: Apache-2.0
/// @file
/// Modules that stand for imports that nothing satisfies.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/instance_handle.hpp>
#include <tenon/link_policy.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
struct ModuleCode;
class Store;
}  // namespace vm

namespace detail {

/// A host module with one thing for each of these imports of `importer`, in their order within each
/// kind. It has the name of the imported module, but nobody finds it.
TENON_DECL InstanceHandle MakeImportStub(const std::shared_ptr<vm::Store>& store,
                                         UnknownImports policy, const vm::ModuleCode& importer,
                                         std::span<const std::uint32_t> imports);

}  // namespace detail
}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/import_stub.ipp>
#endif
