// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guest memory that belongs to the host.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/bind/guest_layout.hpp>
#include <tenon/bind/view.hpp>
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
TENON_DECL GuestBuffer CopyToBuffer(GuestAllocator allocator, const void* bytes, std::uint64_t size,
                                    std::uint32_t alignment, const CallContext* context);
TENON_DECL GuestBuffer CopyStringToBuffer(GuestAllocator allocator, std::string_view text,
                                          const CallContext* context);

template <class T, std::size_t kExtent>
GuestBuffer CopyElements(const GuestAllocator& allocator, std::span<T, kExtent> elements,
                         const CallContext* context) {
  static_assert(
      bind::detail::IsViewElement<T>(),
      "tenon: these elements cannot be shared with a guest: use integers of 8 to 64 bits, "
      "float, double, std::byte or V128");
  return CopyToBuffer(allocator, elements.data(), elements.size_bytes(), alignof(T), context);
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
  return detail::CopyElements(*this, elements, nullptr);
}
template <class T, std::size_t kExtent>
GuestBuffer GuestAllocator::Copy(const CallContext& context, std::span<T, kExtent> elements) const {
  return detail::CopyElements(*this, elements, &context);
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
