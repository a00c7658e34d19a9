// SPDX-License-Identifier: Apache-2.0
/// @file
/// Structs in a guest's memory that belong to the host.
#pragma once

// First, so that compilers print few "included from" lines above a refusal.
#include <tenon/bind/refusal.hpp>

// What it takes.
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/fwd.hpp>
#include <tenon/guest_allocator.hpp>
#include <tenon/guest_buffer.hpp>
#include <tenon/guest_pointer.hpp>
#include <tenon/vm/entry.hpp>

namespace tenon::inline TENON_ABI {

/// Owns one value of type T in a guest's memory, in the layout that C for wasm32 gives it, and
/// gives it back to the guest's allocator when it goes. Made by GuestAllocator::CopyObject; or the
/// result of a GuestFunction, for a struct that the guest allocated and leaves to the host. Pass
/// `Pointer()` where the guest expects one.
///
/// T is a number, enum, bool, V128, GuestPtr or GuestSize; a struct with <tenon/aggregate.hpp> or a
/// list of fields. The destructor is that of a GuestBuffer. One thread at a time, as all handles of
/// the guest's linkage group.
template <class T>
class [[nodiscard]] GuestObject {
  static_assert(std::is_same_v<T, std::remove_cvref_t<T>>,
                "tenon: the object of a GuestObject<T> can be written: drop the const or & of T");

 public:
  /// Empty, and false.
  GuestObject() noexcept = default;

  /// False for a null pointer that the guest returned, and for what was moved from, freed or
  /// released.
  explicit operator bool() const noexcept { return Offset() != 0; }
  /// Where it begins, as the guest counts.
  std::uint32_t Offset() const noexcept { return buffer_.Offset(); }
  /// The same as the guest's `T*`.
  GuestPtr<T> Pointer() const noexcept { return GuestPtr<T>{Offset()}; }

  /// The value as the guest has it now. Throws ConfigError if there is none, ExitError if the guest
  /// was closed.
  T Read() const {
    T value{};
    if (!*this) vm::ThrowEmptyHandle("GuestObject");
    detail::RaiseValues(detail::GuestCallScope{buffer_.Allocator(), nullptr}, Offset(),
                        std::addressof(value), 1);
    return value;
  }
  /// Replaces the value; what lies between fields is left as it is. Throws as Read does.
  void Write(const T& value) {
    using Layout = bind::GuestLayout<T>;
    if (!*this) vm::ThrowEmptyHandle("GuestObject");
    Layout::Store(buffer_.Allocator().BytesAt(Offset(), Layout::kSize), value);
  }

  /// Gives it back to the guest now; the object is empty then.
  void Free() noexcept { buffer_.Free(); }
  /// The same under a stop token or deadline.
  void Free(const CallContext& context) noexcept { buffer_.Free(context); }
  /// Leaves it to the guest: where it is. The object is empty then.
  GuestPtr<T> Release() noexcept { return GuestPtr<T>{buffer_.Release()}; }

  /// For the library's own rooms.
  explicit GuestObject(GuestBuffer buffer) noexcept : buffer_{std::move(buffer)} {}

 private:
  GuestBuffer buffer_;
};

namespace detail {

template <class T>
GuestObject<T> CopyToObject(GuestAllocator allocator, const T& value, const CallContext* context) {
  if constexpr (bind::HasGuestLayout<T>) {
    const GuestBlock block = LowerValues<true>(GuestCallScope{allocator, context},
                                               std::addressof(value), 1, GuestClass::ArrayBuffer);
    return GuestObject<T>{
        GuestBuffer{std::move(allocator), block, std::uint32_t{bind::GuestLayout<T>::kSize}}};
  } else {
    return {};
  }
}

}  // namespace detail

template <class T>
GuestObject<T> GuestAllocator::CopyObject(const T& value) const {
  static_assert(bind::HasGuestLayout<T> || bind::HasFields<T>, TENON_REFUSED_ELEMENT);
  static_assert(sizeof(detail::LayoutFault<T>) != 0);
  return detail::CopyToObject(*this, value, nullptr);
}
template <class T>
GuestObject<T> GuestAllocator::CopyObject(const CallContext& context, const T& value) const {
  static_assert(bind::HasGuestLayout<T> || bind::HasFields<T>, TENON_REFUSED_ELEMENT);
  static_assert(sizeof(detail::LayoutFault<T>) != 0);
  return detail::CopyToObject(*this, value, &context);
}

}  // namespace tenon::inline TENON_ABI
