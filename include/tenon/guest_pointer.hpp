// SPDX-License-Identifier: Apache-2.0
/// @file
/// Pointers and sizes as guests have them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/fwd.hpp>

namespace tenon::inline TENON_ABI {

/// A guest's `T*`: an offset into its memory, as parameter, result, global and field of structs. It
/// is a number until Read or Write, which check it: it may point anywhere.
///
/// `Index` is the number's type: std::uint32_t in memories with 32-bit addresses, which are all
/// that WebAssembly 2.0 has. T may be void, or a type without layout, for pointers that only pass
/// by.
template <class T, class Index = std::uint32_t>
class GuestPtr {
  static_assert(std::is_same_v<Index, std::uint32_t> || std::is_same_v<Index, std::uint64_t>);

 public:
  /// Null.
  constexpr GuestPtr() noexcept = default;
  /// To the byte at this offset; 0 is null.
  explicit constexpr GuestPtr(Index offset) noexcept : offset_{offset} {}

  constexpr Index Offset() const noexcept { return offset_; }
  constexpr bool IsNull() const noexcept { return offset_ == 0; }
  explicit constexpr operator bool() const noexcept { return offset_ != 0; }
  friend constexpr auto operator<=>(GuestPtr, GuestPtr) noexcept = default;

  /// The same offset as a pointer to another type.
  template <class U>
  constexpr GuestPtr<U, Index> As() const noexcept {
    return GuestPtr<U, Index>{offset_};
  }

  /// The element `index` places behind the one pointed to. nullopt if it is not inside the memory
  /// as a whole, or the pointer is null. Any alignment will do.
  template <class M = Memory>
    requires(!std::is_void_v<T>)
  std::optional<std::remove_const_t<T>> Read(const M& memory, std::uint64_t index = 0) const {
    using Layout = bind::GuestLayout<std::remove_const_t<T>>;
    static_assert(
        bind::HasGuestLayout<std::remove_const_t<T>>,
        "tenon: a GuestPtr<T> reads numbers, enums, bool, V128, GuestPtr and GuestSize; structs "
        "with <tenon/aggregate.hpp>");
    const std::optional<std::uint64_t> offset = Element(Layout::kSize, index);
    if (!offset) return std::nullopt;
    std::uint8_t bytes[Layout::kSize];
    if (!memory.Read(*offset, std::span<std::uint8_t>{bytes})) return std::nullopt;
    return Layout::Load(bytes);
  }
  /// Writes the element `index` places behind the one pointed to. False, with nothing written, in
  /// the cases in which Read has nothing.
  template <class M = Memory, class V = std::remove_const_t<T>>
    requires(!std::is_const_v<T> && !std::is_void_v<T>)
  [[nodiscard]] bool Write(M& memory, const std::type_identity_t<V>& value,
                           std::uint64_t index = 0) const {
    using Layout = bind::GuestLayout<T>;
    static_assert(
        bind::HasGuestLayout<T>,
        "tenon: a GuestPtr<T> writes numbers, enums, bool, V128, GuestPtr and GuestSize; structs "
        "with <tenon/aggregate.hpp>");
    const std::optional<std::uint64_t> offset = Element(Layout::kSize, index);
    if (!offset) return false;
    if (memory.IsShared()) {
      std::uint8_t bytes[Layout::kSize] = {};
      Layout::Store(bytes, value);
      return memory.Write(*offset, std::span<const std::uint8_t>{bytes});
    }
    const auto bytes = memory.View(*offset, Layout::kSize);
    if (!bytes) return false;
    Layout::Store(bytes->data(), value);
    return true;
  }

 private:
  constexpr std::optional<std::uint64_t> Element(std::uint64_t size,
                                                 std::uint64_t index) const noexcept {
    if (offset_ == 0 || index > (UINT64_MAX - offset_) / size) return std::nullopt;
    return offset_ + index * size;
  }

  Index offset_ = 0;
};

/// A guest's `size_t`, as parameter, result and field of structs.
template <class Index>
struct BasicGuestSize {
  Index value = 0;

  constexpr BasicGuestSize() noexcept = default;
  constexpr BasicGuestSize(Index size) noexcept : value{size} {}
  constexpr operator Index() const noexcept { return value; }
};
/// `size_t` of guests whose memory has 32-bit addresses.
using GuestSize = BasicGuestSize<std::uint32_t>;

template <class T, class Index>
struct WasmType<GuestPtr<T, Index>> {
  using Wire = Index;
  static constexpr GuestPtr<T, Index> FromWasm(Index offset) noexcept {
    return GuestPtr<T, Index>{offset};
  }
  static constexpr Index ToWasm(GuestPtr<T, Index> pointer) noexcept { return pointer.Offset(); }
};

template <class Index>
struct WasmType<BasicGuestSize<Index>> {
  using Wire = Index;
  static constexpr BasicGuestSize<Index> FromWasm(Index size) noexcept { return size; }
  static constexpr Index ToWasm(BasicGuestSize<Index> size) noexcept { return size; }
};

namespace bind {

template <class T, class Index>
struct GuestLayout<GuestPtr<T, Index>> : detail::SameLayout<GuestPtr<T, Index>> {};
template <class Index>
struct GuestLayout<BasicGuestSize<Index>> : detail::SameLayout<BasicGuestSize<Index>> {};

}  // namespace bind
}  // namespace tenon::inline TENON_ABI
