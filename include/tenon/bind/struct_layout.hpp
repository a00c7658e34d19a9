// SPDX-License-Identifier: Apache-2.0
/// @file
/// The layout that C for wasm32 gives a struct, computed while compiling from its fields.
///
/// A list of fields `L` of a struct S has `kCount`, `template <std::size_t I> using Type`, the type
/// of a field, `Get<I>(s)`, a reference to it, and `kIsComplete`: whether these are all fields, in
/// the order in which they lie in S.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_layout.hpp>

namespace tenon::inline TENON_ABI::bind {
namespace detail {

constexpr std::uint64_t AlignedTo(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

template <class S, class L, class Indices = std::make_index_sequence<L::kCount>>
struct StructLayout;

template <class S, class L, std::size_t... I>
struct StructLayout<S, L, std::index_sequence<I...>> {
 private:
  template <std::size_t kIndex>
  using Field = GuestLayout<typename L::template Type<kIndex>>;

  struct Places {
    std::uint64_t offsets[sizeof...(I) + 1] = {};
    std::uint64_t fields_size = 0;  ///< without padding
    std::uint64_t size = 0;
    std::uint32_t alignment = 1;
  };
  static consteval Places Lay() {
    const std::uint64_t sizes[] = {Field<I>::kSize...};
    const std::uint32_t alignments[] = {Field<I>::kAlignment...};
    Places places;
    // An alignment that the struct demands, the guest's declaration demands too; but what is not
    // listed may demand it on the host.
    if (L::kIsComplete && alignof(S) > kHostAlignment) places.alignment = alignof(S);
    for (std::size_t i = 0; i < sizeof...(I); ++i) {
      places.offsets[i] = AlignedTo(places.size, alignments[i]);
      places.size = places.offsets[i] + sizes[i];
      places.fields_size += sizes[i];
      if (alignments[i] > places.alignment) places.alignment = alignments[i];
    }
    places.size = AlignedTo(places.size, places.alignment);
    return places;
  }
  /// Largest of the fields on the host.
  static consteval std::size_t HostAlignmentOfFields() {
    const std::size_t alignments[] = {alignof(typename L::template Type<I>)...};
    std::size_t most = 1;
    for (const std::size_t alignment : alignments) most = alignment > most ? alignment : most;
    return most;
  }
  static constexpr std::size_t kHostAlignment = HostAlignmentOfFields();
  static constexpr Places kPlaces = Lay();

  /// Field by field the bytes are the same; where the fields lie is another matter.
  static constexpr bool kSameFields =
      L::kIsComplete && std::is_trivially_copyable_v<S> && std::is_standard_layout_v<S> &&
      sizeof(S) == kPlaces.size &&
      (... && (sizeof(typename L::template Type<I>) == Field<I>::kSize));

 public:
  static constexpr std::uint64_t kSize = kPlaces.size;
  static constexpr std::uint32_t kAlignment = kPlaces.alignment;
  /// Of the fields, in bytes from the start.
  static constexpr const std::uint64_t (&kOffsets)[sizeof...(I) + 1] = kPlaces.offsets;
  /// Without padding there is one way only to lay out the same fields.
  static constexpr bool kReadsWhole =
      kSameFields && kPlaces.fields_size == kPlaces.size && (... && Field<I>::kReadsWhole);
  static constexpr bool kWritesWhole =
      kSameFields && kPlaces.fields_size == kPlaces.size && (... && Field<I>::kWritesWhole);

  static S Load(const std::uint8_t* from) {
    S value{};
    LoadInto(value, from);
    return value;
  }
  static void LoadInto(S& value, const std::uint8_t* from) {
    if constexpr (kSameFields && (... && Field<I>::kReadsWhole)) {
      if (HasGuestOffsets(value)) {
        std::memcpy(&value, from, sizeof(S));
        return;
      }
    }
    (LoadField<I>(value, from), ...);
  }
  static void Store(std::uint8_t* to, const S& value) noexcept {
    if constexpr (kWritesWhole) {
      std::memcpy(to, &value, sizeof(S));
    } else {
      (StoreField<I>(to, value), ...);
    }
  }

 private:
  /// Known while compiling in optimised code.
  static bool HasGuestOffsets(const S& value) noexcept {
    const auto* const start = reinterpret_cast<const unsigned char*>(&value);
    return (... && (AddressOf<I>(value) == start + kPlaces.offsets[I]));
  }
  template <std::size_t kIndex>
  static const unsigned char* AddressOf(const S& value) noexcept {
    return reinterpret_cast<const unsigned char*>(&L::template Get<kIndex>(value));
  }
  template <std::size_t kIndex>
  static void StoreField(std::uint8_t* to, const S& value) noexcept {
    Field<kIndex>::Store(to + kPlaces.offsets[kIndex], L::template Get<kIndex>(value));
  }
  template <std::size_t kIndex>
  static void LoadField(S& value, const std::uint8_t* from) {
    using Type = typename L::template Type<kIndex>;
    if constexpr (std::is_array_v<Type>) {
      Field<kIndex>::LoadInto(L::template Get<kIndex>(value), from + kPlaces.offsets[kIndex]);
    } else {
      L::template Get<kIndex>(value) = Field<kIndex>::Load(from + kPlaces.offsets[kIndex]);
    }
  }
};

}  // namespace detail

/// As C's array.
template <class T, std::size_t kCount>
  requires(kCount > 0 && HasGuestLayout<T>)
struct GuestLayout<std::array<T, kCount>> {
  using Element = GuestLayout<T>;
  static constexpr std::uint64_t kSize = Element::kSize * kCount;
  static constexpr std::uint32_t kAlignment = Element::kAlignment;
  static constexpr bool kReadsWhole = Element::kReadsWhole;
  static constexpr bool kWritesWhole = Element::kWritesWhole;

  static std::array<T, kCount> Load(const std::uint8_t* from) {
    std::array<T, kCount> value{};
    for (T& element : value) {
      element = Element::Load(from);
      from += Element::kSize;
    }
    return value;
  }
  static void Store(std::uint8_t* to, const std::array<T, kCount>& value) noexcept {
    for (const T& element : value) {
      Element::Store(to, element);
      to += Element::kSize;
    }
  }
};

/// C's array itself, as a field that is listed.
template <class T, std::size_t kCount>
  requires HasGuestLayout<T>
struct GuestLayout<T[kCount]> {
  using Element = GuestLayout<T>;
  static constexpr std::uint64_t kSize = Element::kSize * kCount;
  static constexpr std::uint32_t kAlignment = Element::kAlignment;
  static constexpr bool kReadsWhole = Element::kReadsWhole;
  static constexpr bool kWritesWhole = Element::kWritesWhole;

  static void LoadInto(T (&value)[kCount], const std::uint8_t* from) {
    for (T& element : value) {
      if constexpr (std::is_array_v<T>) {
        Element::LoadInto(element, from);
      } else {
        element = Element::Load(from);
      }
      from += Element::kSize;
    }
  }
  static void Store(std::uint8_t* to, const T (&value)[kCount]) noexcept {
    for (const T& element : value) {
      Element::Store(to, element);
      to += Element::kSize;
    }
  }
};

/// As `struct { bool has_value; T value; }`. Without a value only the first byte is written.
template <class T>
  requires HasGuestLayout<T>
struct GuestLayout<std::optional<T>> {
  using Element = GuestLayout<T>;
  static constexpr std::uint32_t kAlignment = Element::kAlignment;
  static constexpr std::uint64_t kSize = kAlignment + detail::AlignedTo(Element::kSize, kAlignment);
  static constexpr bool kReadsWhole = false;
  static constexpr bool kWritesWhole = false;

  static std::optional<T> Load(const std::uint8_t* from) {
    if (*from == 0) return std::nullopt;
    return Element::Load(from + kAlignment);
  }
  static void Store(std::uint8_t* to, const std::optional<T>& value) noexcept {
    *to = value.has_value() ? 1 : 0;
    if (value.has_value()) Element::Store(to + kAlignment, *value);
  }
};

}  // namespace tenon::inline TENON_ABI::bind
