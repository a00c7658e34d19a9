// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bulk operations on memories and tables, for engines and for active segments.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>

namespace tenon::inline TENON_ABI::vm {

class Instance;

// Operands are numbers of bytes or elements. All check their bounds before they change anything and
// give None, OutOfBoundsMemoryAccess or OutOfBoundsTableAccess. Dropped segments have size 0.

TENON_DECL TrapCode MemoryInit(Instance& instance, std::uint32_t segment, std::uint32_t memory,
                               std::uint64_t destination, std::uint64_t source,
                               std::uint64_t count) noexcept;
TENON_DECL TrapCode MemoryCopy(Instance& instance, std::uint32_t destination_memory,
                               std::uint32_t source_memory, std::uint64_t destination,
                               std::uint64_t source, std::uint64_t count) noexcept;
TENON_DECL TrapCode MemoryFill(Instance& instance, std::uint32_t memory, std::uint64_t destination,
                               std::uint8_t value, std::uint64_t count) noexcept;
TENON_DECL void DataDrop(Instance& instance, std::uint32_t segment) noexcept;
/// The former number of pages, or -1.
TENON_DECL std::uint64_t MemoryGrow(Instance& instance, std::uint32_t memory,
                                    std::uint64_t delta) noexcept;

TENON_DECL TrapCode TableInit(Instance& instance, std::uint32_t segment, std::uint32_t table,
                              std::uint64_t destination, std::uint64_t source,
                              std::uint64_t count) noexcept;
TENON_DECL TrapCode TableCopy(Instance& instance, std::uint32_t destination_table,
                              std::uint32_t source_table, std::uint64_t destination,
                              std::uint64_t source, std::uint64_t count) noexcept;
TENON_DECL TrapCode TableFill(Instance& instance, std::uint32_t table, std::uint64_t destination,
                              abi::Slot value, std::uint64_t count) noexcept;
TENON_DECL void ElementDrop(Instance& instance, std::uint32_t segment) noexcept;
/// The former number of elements, or -1.
TENON_DECL std::uint64_t TableGrow(Instance& instance, std::uint32_t table, std::uint64_t delta,
                                   abi::Slot init) noexcept;

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/bulk.ipp>
#endif
