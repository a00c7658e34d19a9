// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instructions on memory that several threads use, for both engines.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>

namespace tenon::inline TENON_ABI::vm {

/// Where an atomic access of `width` bytes lies in a memory: None, or why it cannot be made. Sums
/// may exceed 64 bits. Alignment comes first, as compiled code finds bounds by the access itself.
constexpr TrapCode FindAtomic(std::uint64_t operand, std::uint64_t offset, std::uint64_t width,
                              std::uint64_t size, std::uint64_t& address) {
  address = operand + offset;
  if ((address & (width - 1)) != 0) return TrapCode::UnalignedAtomic;
  if (address < operand || width > size || address > size - width) {
    return TrapCode::OutOfBoundsMemoryAccess;
  }
  return TrapCode::None;
}

// On memory 0 of `caller`, at `operand` + `offset`. A trap or exit is pending afterwards if one of
// them cannot be carried out; the result is nothing then.

/// memory.atomic.notify: how many threads were woken.
TENON_DECL std::uint32_t AtomicNotify(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint32_t count) noexcept;
/// memory.atomic.wait32 and wait64: a WaitOutcome.
TENON_DECL std::uint32_t AtomicWait32(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint32_t expected,
                                      std::int64_t nanoseconds) noexcept;
TENON_DECL std::uint32_t AtomicWait64(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint64_t expected,
                                      std::int64_t nanoseconds) noexcept;

}  // namespace tenon::inline TENON_ABI::vm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/atomic.ipp>
#endif
