// SPDX-License-Identifier: Apache-2.0
/// @file
/// Views of guest memory as parameters: std::string_view and std::span<T>.
///
/// A view takes two i32 operands, offset and length; a span's length counts elements. Both are read
/// as unsigned. The whole range must lie in the calling instance's memory
/// (TrapCode::OutOfBoundsMemoryAccess) and, unless it is empty, be aligned for T
/// (TrapCode::UnalignedAccess). An empty view may stand anywhere up to the end of the memory; its
/// data() is never null. A view is valid until the host function returns, or until it lets the
/// guest run or grow a memory that can move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

/// What kind of view a type is; `Element` is its element type as written.
template <class T>
struct ViewTraits {
  static constexpr bool kIsView = false;
};
template <class C>
struct ViewTraits<std::basic_string_view<C>> {
  static constexpr bool kIsView = true;
  static constexpr bool kIsDynamic = true;
  using Element = const C;
};
template <class T, std::size_t kExtent>
struct ViewTraits<std::span<T, kExtent>> {
  static constexpr bool kIsView = true;
  static constexpr bool kIsDynamic = kExtent == std::dynamic_extent;
  using Element = T;
};

/// Types for which every bit pattern is a value and whose layout is the guest's.
template <class T>
consteval bool IsViewElement() {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_volatile_v<T>) {
    return false;
  } else if constexpr (std::is_enum_v<Plain>) {
    return !std::is_same_v<std::underlying_type_t<Plain>, bool> && requires { Plain{0}; };
  } else if constexpr (std::is_integral_v<Plain>) {
    return !std::is_same_v<Plain, bool> && sizeof(Plain) <= 8;
  } else {
    return std::is_same_v<Plain, float> || std::is_same_v<Plain, double> ||
           std::is_same_v<Plain, V128>;
  }
}

/// Makes the trap pending that names a parameter. Out of line: thunks keep only the call.
[[gnu::cold, gnu::noinline]] inline void FailParameter(abi::InstanceHeader* caller, TrapCode code,
                                                       std::uint32_t parameter) noexcept {
  caller->operations->raise_parameter_trap(caller, code, parameter);
}

/// Whether `length` elements at `offset` lie in memory and are aligned; makes a trap pending if
/// not.
template <std::size_t kSize, std::size_t kAlignment>
inline bool CheckView(abi::InstanceHeader* caller, std::uint32_t offset, std::uint32_t length,
                      std::uint32_t parameter) noexcept {
  const abi::MemoryRecord* memory = caller->memory;
  // 2^32 * 16 + 2^32 cannot overflow.
  const std::uint64_t end = std::uint64_t{offset} + std::uint64_t{length} * kSize;
  if (end > memory->size) [[unlikely]] {
    FailParameter(caller, TrapCode::OutOfBoundsMemoryAccess, parameter);
    return false;
  }
  if constexpr (kAlignment > 1) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory->base) + offset;
    if (address % kAlignment != 0 && length != 0) [[unlikely]] {
      FailParameter(caller, TrapCode::UnalignedAccess, parameter);
      return false;
    }
  }
  return true;
}

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
