// SPDX-License-Identifier: Apache-2.0
/// @file
/// Ranges of guest memory that a host function is given: bounds, alignment, overlap, and the pin
/// that keeps their addresses valid.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/operand.hpp>

namespace tenon::inline TENON_ABI::bind {

/// How offsets into the caller's memory and lengths are passed, unless the parameter is Wide: what
/// takes them is a template on their WireKind, I32 or I64.
inline constexpr WireKind kOffsetWire = WireKind::I32;
using Offset = Native<kOffsetWire>;

/// Bytes of guest memory that a parameter stands for.
struct GuestRange {
  std::uint64_t begin;
  std::uint64_t size;
};

/// The same with what is needed to compare it with others.
struct WrittenRange {
  GuestRange range;
  std::uint32_t parameter;
  bool is_copy;  ///< written back after the function returned
};

namespace detail {

/// Makes the trap pending that names a parameter. Out of line: thunks keep only the call.
[[gnu::cold, gnu::noinline]] inline void FailParameter(abi::InstanceHeader* caller, TrapCode code,
                                                       std::uint32_t parameter) noexcept {
  caller->operations->raise_parameter_trap(caller, code, parameter);
}

/// Whether `count` elements of kSize bytes at `offset` end within `size` bytes, for offsets of any
/// width.
template <std::size_t kSize, class Index>
constexpr bool IsInside(Index offset, Index count, std::uint64_t size) noexcept {
  if constexpr (sizeof(Index) <= 4 && kSize < (std::size_t{1} << 31)) {
    // At most 2^32 * 2^31 + 2^32: cannot overflow.
    return std::uint64_t{offset} + std::uint64_t{count} * kSize <= size;
  } else {
    return offset <= size && count <= (size - offset) / kSize;
  }
}

/// Whether a pointer is not null and kSize bytes behind it lie in the caller's memory; makes a trap
/// pending if not.
template <std::size_t kSize, class Index>
inline bool CheckPointer(abi::InstanceHeader* caller, Index offset,
                         std::uint32_t parameter) noexcept {
  if (offset != 0 && IsInside<kSize, Index>(offset, 1, caller->memory->size.LoadRelaxed()))
      [[likely]]
    return true;
  FailParameter(caller, offset == 0 ? TrapCode::NullReference : TrapCode::OutOfBoundsMemoryAccess,
                parameter);
  return false;
}

/// Whether `count` elements at `offset` lie in the caller's memory and, unless there are none, at
/// an address that is a multiple of kAlignment; makes a trap pending if not.
template <std::size_t kSize, std::size_t kAlignment, class Index>
inline bool CheckRange(abi::InstanceHeader* caller, Index offset, Index count,
                       std::uint32_t parameter) noexcept {
  const abi::MemoryRecord* memory = caller->memory;
  if (!IsInside<kSize>(offset, count, memory->size.LoadRelaxed())) [[unlikely]] {
    FailParameter(caller, TrapCode::OutOfBoundsMemoryAccess, parameter);
    return false;
  }
  if constexpr (kAlignment > 1) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory->base) + offset;
    if (address % kAlignment != 0 && count != 0) [[unlikely]] {
      FailParameter(caller, TrapCode::UnalignedAccess, parameter);
      return false;
    }
  }
  return true;
}

/// Whether the caller's memory is of one thread; makes a trap pending if not. Linking has refused
/// functions with raw views there, but they can be reached through tables.
inline bool CheckUnshared(abi::InstanceHeader* caller, std::uint32_t parameter) noexcept {
  if ((caller->memory->flags & abi::kMemoryShared) == 0) [[likely]]
    return true;
  FailParameter(caller, TrapCode::SharedMemoryView, parameter);
  return false;
}

/// Adds the range of `count` elements of kSize bytes, which was checked; returns the end.
template <std::size_t kSize, class Index>
inline WrittenRange* AppendRange(Index offset, Index count, std::uint32_t parameter, bool is_copy,
                                 WrittenRange* into) noexcept {
  *into = {{offset, std::uint64_t{count} * kSize}, parameter, is_copy};
  return into + 1;
}

/// Whether no copy that is written back shares bytes with another range that is written; makes a
/// trap pending for the first two that do. Out of line: one for all thunks.
[[gnu::noinline]] inline bool CheckDisjoint(abi::InstanceHeader* caller, const WrittenRange* ranges,
                                            std::size_t count) noexcept {
  for (std::size_t i = 1; i < count; ++i) {
    const GuestRange& later = ranges[i].range;
    for (std::size_t k = 0; k < i; ++k) {
      const GuestRange& earlier = ranges[k].range;
      if (!ranges[i].is_copy && !ranges[k].is_copy) continue;
      if (later.size == 0 || earlier.size == 0) continue;
      // Both lie in memory, so the sums do not overflow.
      if (later.begin < earlier.begin + earlier.size && earlier.begin < later.begin + later.size) {
        caller->operations->raise_overlap_trap(caller, ranges[k].parameter, ranges[i].parameter);
        return false;
      }
    }
  }
  return true;
}

/// Keeps a memory that can move where it is, by refusing its growth, while a host function has
/// addresses in it. Memories that never move are left alone.
template <bool kPins>
class MemoryPin {
 public:
  explicit MemoryPin(abi::InstanceHeader*) noexcept {}
};
template <>
class MemoryPin<true> {
 public:
  explicit MemoryPin(abi::InstanceHeader* caller) noexcept : memory_{caller->memory} {
    if ((memory_->flags & abi::kMemoryImmovable) == 0) [[unlikely]]
      ++memory_->pins;
  }
  MemoryPin(const MemoryPin&) = delete;
  MemoryPin& operator=(const MemoryPin&) = delete;
  ~MemoryPin() {
    if ((memory_->flags & abi::kMemoryImmovable) == 0) [[unlikely]]
      --memory_->pins;
  }

 private:
  abi::MemoryRecord* memory_;
};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
