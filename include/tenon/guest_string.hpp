// SPDX-License-Identifier: Apache-2.0
/// @file
/// Texts that a guest returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/bind/call_signature.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_buffer.hpp>

namespace tenon::inline TENON_ABI {

/// A text that a guest allocated, returned, and left to the host to free: as result of a
/// GuestFunction. Its destructor is that of a GuestBuffer. To take a text that stays the guest's (a
/// constant, a buffer that it uses again), name std::string as the result: that is a copy, and
/// nothing is freed.
template <class C>
class [[nodiscard]] BasicGuestString {
 public:
  /// Empty, and false.
  BasicGuestString() noexcept = default;

  /// False if the guest returned a null pointer, and for what was moved from, freed or released.
  explicit operator bool() const noexcept { return Offset() != 0; }
  /// Where it begins, as the guest counts.
  std::uint32_t Offset() const noexcept { return buffer_.Offset(); }
  /// In characters, without a terminating zero.
  std::size_t Size() const noexcept { return buffer_.Size() / sizeof(C); }
  /// The text in the guest's memory; empty once the guest was closed. Valid until the guest runs or
  /// its memory grows.
  std::basic_string_view<C> View() const noexcept {
    const std::span<std::uint8_t> bytes = buffer_.Bytes();
    return {reinterpret_cast<const C*>(bytes.data()), bytes.size() / sizeof(C)};
  }

  /// Gives it back to the guest now.
  void Free() noexcept { buffer_.Free(); }
  /// The same under a stop token or deadline.
  void Free(const CallContext& context) noexcept { buffer_.Free(context); }
  /// Leaves it to the guest: where it begins.
  std::uint32_t Release() noexcept { return buffer_.Release(); }

  /// For the library's own rooms.
  explicit BasicGuestString(GuestBuffer buffer) noexcept : buffer_{std::move(buffer)} {}

 private:
  GuestBuffer buffer_;
};

/// Bytes, usually UTF-8.
using GuestString = BasicGuestString<char>;
/// UTF-16, as AssemblyScript has it.
using GuestU16String = BasicGuestString<char16_t>;

namespace detail {

/// How a function returns text.
enum class GuestTextForm : std::uint8_t {
  None,        ///< it does not
  Terminated,  ///< i32: a pointer to characters with a zero behind them
  Object,      ///< i32: a pointer to an object of AssemblyScript, which knows its length
  Packed,      ///< i64: pointer in the upper half, length in the lower
  Pair,        ///< (i32, i32): pointer and length
  Area,        ///< to an address that is passed first: pointer and length, 32 bits each
};

/// Text in a guest's memory: it lies within. At offset 0 for a null pointer.
struct GuestText {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;        ///< in bytes
  std::uint32_t block_size = 0;  ///< in bytes, with the terminating zero; 0: nothing to be freed
};

/// Finds what a function returned in `slots`, or at `area`. Throws Trap if it is not in the memory,
/// not aligned, or has no end.
TENON_DECL GuestText FindGuestText(const GuestAllocator& allocator, GuestTextForm form,
                                   const abi::Slot* slots, std::uint32_t area,
                                   std::uint32_t character_size);

/// Makes a result of type T out of what a function returned.
template <class T>
struct GuestTextResult;
template <class C>
struct GuestTextResult<BasicGuestString<C>> {
  using Character = C;
  static BasicGuestString<C> Make(const GuestAllocator& allocator, const GuestText& text,
                                  const CallContext* context) {
    if (text.offset == 0) return {};
    GuestBlock block;
    block.offset = text.offset;
    if (text.block_size != 0) {
      block = allocator.AdoptBlock(text.offset, text.block_size, alignof(C), context);
    }
    return BasicGuestString<C>{GuestBuffer{allocator, block, text.size}};
  }
};
template <class C>
struct GuestTextResult<std::basic_string<C>> {
  using Character = C;
  static std::basic_string<C> Make(const GuestAllocator& allocator, const GuestText& text,
                                   const CallContext*) {
    std::basic_string<C> copy(text.size / sizeof(C), C{});
    allocator.CopyOut(text.offset, copy.data(), text.size);
    return copy;
  }
};

}  // namespace detail

template <class C>
inline constexpr bool bind::kIsGuestText<BasicGuestString<C>> = true;
template <class C>
inline constexpr bool bind::kOwnsGuestMemory<BasicGuestString<C>> = true;
template <>
inline constexpr bool bind::kIsGuestText<std::string> = true;
template <>
inline constexpr bool bind::kIsGuestText<std::u16string> = true;

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/guest_string.ipp>
#endif
