// SPDX-License-Identifier: Apache-2.0
/// @file
/// Side tables as bytes, for caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/interp/side_table.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::interp {

/// Changes whenever another table may come of the same module.
inline constexpr std::uint32_t kSideTableRevision = 1;
inline std::uint32_t SideTableRevision() noexcept { return kSideTableRevision; }

/// Bytes of modules from which on reading a table is quicker than making it. Below, looking for a
/// file takes as long.
inline constexpr std::size_t kLeastStoredModule = 64 << 10;

/// The table as bytes; always the same for the same table.
TENON_DECL std::vector<std::uint8_t> WriteSideTable(const SideTable& table);

/// Reads what WriteSideTable wrote for this module. False if it is something else: indices into its
/// tables are in bounds, functions are where the module has them, with the slots of their types,
/// and branches move no more than their operands. `out` is unspecified then. Where between
/// instructions a branch leads, and where locals are that are not written out, is believed, so the
/// bytes must be those that were written, as a checksum tells.
TENON_DECL bool ReadSideTable(std::span<const std::uint8_t> bytes, const wasm::Module& module,
                              SideTable& out);

}  // namespace tenon::inline TENON_ABI::interp

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/interp/stored_table.ipp>
#endif
