// SPDX-License-Identifier: Apache-2.0
/// @file
/// Words in which code objects and their stubs are described.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Stands for "there is none" where an offset is expected.
inline constexpr std::uint32_t kNoCode = 0xFFFFFFFF;

/// Rows of one table, or a range of the code.
struct CodeRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool Contains(std::uint64_t offset) const { return offset >= first && offset - first < count; }
};

/// All that compiled code raises itself lie below this; others are raised by what it calls.
inline constexpr std::size_t kTrapCodes = static_cast<std::size_t>(TrapCode::HostTrap) + 1;
static_assert(static_cast<std::size_t>(TrapCode::UnalignedAtomic) < kTrapCodes);

}  // namespace tenon::inline TENON_ABI::jit
