// SPDX-License-Identifier: Apache-2.0
/// @file
/// Storage of memories from the operating system.
#pragma once

#include <cstdint>
#include <memory>

#include <tenon/abi/config.hpp>
#include <tenon/memory_allocator.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Bytes behind the 4 GiB of a 32-bit memory that fault too, so that compiled code may fold
/// constant offsets below it into an access without a check.
inline constexpr std::uint64_t kGuardSize = std::uint64_t{32} << 20;

/// Address space reserved once and committed on growth: the base never moves. Null if the machine
/// refuses the reservation of `reserved` bytes.
TENON_DECL std::unique_ptr<LinearMemory> NewReservedMemory(std::uint64_t reserved);

/// Storage from the heap, as large as it needs to be; moves on growth.
TENON_DECL std::unique_ptr<LinearMemory> NewMovingMemory();

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/reserved_memory.ipp>
#endif
