// SPDX-License-Identifier: Apache-2.0
/// @file
/// Views of guest memory as parameters: std::string_view and std::span<T>.
///
/// A view takes two i32 operands, offset and length; a span's length counts elements. Both are read
/// as unsigned. The whole range must lie in the calling instance's memory
/// (TrapCode::OutOfBoundsMemoryAccess) and, unless it is empty, be aligned for T
/// (TrapCode::UnalignedAccess). An empty view may stand anywhere up to the end of the memory; its
/// data() is never null.
///
/// A view is valid until the host function returns. A memory that can move does not grow meanwhile:
/// memory.grow answers -1 and Memory::Grow nothing, in whatever the function calls too.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>

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

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::bind
