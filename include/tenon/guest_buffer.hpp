// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guest memory that belongs to the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/refusal.hpp>
#include <tenon/guest_allocator.hpp>

namespace tenon::inline TENON_ABI {

/// Owns bytes in a guest's memory, and gives them back to the guest's allocator when it goes. Pass
/// `Offset()` where the guest expects a pointer.
///
/// The destructor never throws. It leaves the bytes to the guest, without calling it, if the guest
/// was closed or has trapped since they were allocated. Else it runs the guest's own function for
/// as long as that likes: free a guest that is not trusted with `Free(context)`. One thread at a
/// time, as all handles of the guest's linkage group.
class [[nodiscard]] GuestBuffer {
 public:
  /// An empty buffer at offset 0.
  GuestBuffer() noexcept = default;
  GuestBuffer(GuestBuffer&& other) noexcept
      : allocator_{std::move(other.allocator_)},
        block_{std::exchange(other.block_, {})},
        size_{std::exchange(other.size_, 0)} {}
  GuestBuffer& operator=(GuestBuffer&& other) noexcept {
    if (this != &other) {
      Free();
      allocator_ = std::move(other.allocator_);
      block_ = std::exchange(other.block_, {});
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~GuestBuffer() { Free(); }

  /// Where it begins, as the guest counts.
  std::uint32_t Offset() const noexcept { return block_.offset; }
  /// In bytes.
  std::uint32_t Size() const noexcept { return size_; }
  /// What the bytes go back to; an empty handle once they are gone.
  const GuestAllocator& Allocator() const noexcept { return allocator_; }
  /// The bytes themselves; none once the guest was closed. Valid until the guest runs or its memory
  /// grows.
  TENON_DECL std::span<std::uint8_t> Bytes() const noexcept;

  /// Gives the bytes back now; the buffer is empty then.
  void Free() noexcept { FreeUnder(nullptr); }
  /// The same under a stop token or deadline. A guest that is interrupted is closed, as by any
  /// call.
  void Free(const CallContext& context) noexcept { FreeUnder(&context); }
  /// Leaves the bytes to the guest, which is to free them: where they begin. The buffer is empty
  /// then. An object of AssemblyScript stays pinned.
  std::uint32_t Release() noexcept {
    size_ = 0;
    allocator_ = {};
    return std::exchange(block_, {}).offset;
  }

  /// For the library's own rooms.
  GuestBuffer(GuestAllocator allocator, const detail::GuestBlock& block,
              std::uint32_t size) noexcept
      : allocator_{std::move(allocator)}, block_{block}, size_{size} {}

 private:
  TENON_DECL void FreeUnder(const CallContext* context) noexcept;

  GuestAllocator allocator_;
  detail::GuestBlock block_;
  std::uint32_t size_ = 0;
};

namespace detail {

TENON_DECL GuestBuffer AllocateBuffer(GuestAllocator allocator, std::uint64_t size,
                                      std::uint32_t alignment, const CallContext* context);
TENON_DECL GuestBuffer CopyStringToBuffer(GuestAllocator allocator, std::string_view text,
                                          const CallContext* context);

/// A type whose size is to be asked for: there is none if T is a struct with a field that cannot
/// lie in a guest's memory, and the error says which.
template <class T>
using LayoutFault = std::conditional_t<bind::HasFields<T> && !bind::HasGuestLayout<T>,
                                       bind::Refused<bind::Refusal::BadField, 0, T>, char>;

/// What everything that a call has in the guest's memory needs.
struct GuestCallScope {
  const GuestAllocator& allocator;
  const CallContext* context;
};

/// Room for values in the guest, with copies of them or, unless kIsCopied, full of zeros. Nothing
/// of the host's memory but the values gets there: not what lies between fields.
template <bool kIsCopied, class T>
GuestBlock LowerValues(const GuestCallScope& scope, const T* values, std::size_t count,
                       GuestClass object_class) {
  using Layout = bind::GuestLayout<T>;
  const std::uint64_t size = std::uint64_t{count} * Layout::kSize;
  if constexpr (kIsCopied && Layout::kWritesWhole) {
    return scope.allocator.CopyBlock(values, size, Layout::kAlignment, object_class, scope.context);
  } else {
    const GuestBlock block =
        scope.allocator.AllocateBlock(size, Layout::kAlignment, object_class, scope.context);
    if (count == 0) return block;
    std::uint8_t* to = scope.allocator.BytesAt(block.offset, size);
    if constexpr (kIsCopied) {
      for (std::size_t i = 0; i < count; ++i, to += Layout::kSize) Layout::Store(to, values[i]);
    } else {
      std::memset(to, 0, static_cast<std::size_t>(size));
    }
    return block;
  }
}

/// Copies out of the guest what it made of values.
template <class T>
void RaiseValues(const GuestCallScope& scope, std::uint32_t offset, T* values, std::size_t count) {
  using Layout = bind::GuestLayout<T>;
  const std::uint64_t size = std::uint64_t{count} * Layout::kSize;
  if (count == 0) return;
  const std::uint8_t* from = scope.allocator.BytesAt(offset, size);
  if constexpr (Layout::kReadsWhole && std::is_trivially_copyable_v<T>) {
    // The values may be the guest's memory themselves, and a guest chooses where its places are.
    std::memmove(values, from, static_cast<std::size_t>(size));
  } else {
    for (std::size_t i = 0; i < count; ++i, from += Layout::kSize) {
      // Fields that are not listed stay as they are.
      if constexpr (requires { Layout::LoadInto(values[i], from); }) {
        Layout::LoadInto(values[i], from);
      } else {
        values[i] = Layout::Load(from);
      }
    }
  }
}

template <class T, std::size_t kExtent>
GuestBuffer CopyElements(GuestAllocator allocator, std::span<T, kExtent> elements,
                         const CallContext* context) {
  using Element = std::remove_const_t<T>;
  if constexpr (bind::HasGuestLayout<Element>) {
    const GuestBlock block =
        LowerValues<true, Element>(GuestCallScope{allocator, context}, elements.data(),
                                   elements.size(), GuestClass::ArrayBuffer);
    const std::uint64_t size = std::uint64_t{elements.size()} * bind::GuestLayout<Element>::kSize;
    return GuestBuffer{std::move(allocator), block, static_cast<std::uint32_t>(size)};
  } else {
    return GuestBuffer{};
  }
}

}  // namespace detail

inline GuestBuffer GuestAllocator::Allocate(std::uint64_t size, std::uint32_t alignment) const {
  return detail::AllocateBuffer(*this, size, alignment, nullptr);
}
inline GuestBuffer GuestAllocator::Allocate(const CallContext& context, std::uint64_t size,
                                            std::uint32_t alignment) const {
  return detail::AllocateBuffer(*this, size, alignment, &context);
}
template <class T, std::size_t kExtent>
GuestBuffer GuestAllocator::Copy(std::span<T, kExtent> elements) const {
  using Element = std::remove_const_t<T>;
  static_assert(bind::HasGuestLayout<Element> || bind::HasFields<Element>, TENON_REFUSED_ELEMENT);
  static_assert(sizeof(detail::LayoutFault<Element>) != 0);
  return detail::CopyElements(*this, elements, nullptr);
}
template <class T, std::size_t kExtent>
GuestBuffer GuestAllocator::Copy(const CallContext& context, std::span<T, kExtent> elements) const {
  using Element = std::remove_const_t<T>;
  static_assert(bind::HasGuestLayout<Element> || bind::HasFields<Element>, TENON_REFUSED_ELEMENT);
  static_assert(sizeof(detail::LayoutFault<Element>) != 0);
  return detail::CopyElements(*this, elements, &context);
}
template <detail::SpanSource Elements>
GuestBuffer GuestAllocator::Copy(const Elements& elements) const {
  return Copy(std::span{elements});
}
template <detail::SpanSource Elements>
GuestBuffer GuestAllocator::Copy(const CallContext& context, const Elements& elements) const {
  return Copy(context, std::span{elements});
}
inline GuestBuffer GuestAllocator::CopyString(std::string_view text) const {
  return detail::CopyStringToBuffer(*this, text, nullptr);
}
inline GuestBuffer GuestAllocator::CopyString(const CallContext& context,
                                              std::string_view text) const {
  return detail::CopyStringToBuffer(*this, text, &context);
}

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/guest_buffer.ipp>
#endif
