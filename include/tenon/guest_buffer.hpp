// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guest memory that belongs to the host.
#pragma once

#include <cstdint>
#include <span>
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
/// was closed or has trapped since they were allocated. One thread at a time, as all handles of the
/// guest's linkage group.
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
  TENON_DECL void Free() noexcept;
  /// Leaves the bytes to the guest, which is to free them: where they begin. The buffer is empty
  /// then. An object of AssemblyScript stays pinned.
  std::uint32_t Release() noexcept {
    size_ = 0;
    return std::exchange(block_, {}).offset;
  }

  /// For the library's own rooms.
  GuestBuffer(GuestAllocator allocator, const detail::GuestBlock& block,
              std::uint32_t size) noexcept
      : allocator_{std::move(allocator)}, block_{block}, size_{size} {}

 private:
  GuestAllocator allocator_;
  detail::GuestBlock block_;
  std::uint32_t size_ = 0;
};

template <class T, std::size_t kExtent>
GuestBuffer GuestAllocator::Copy(std::span<T, kExtent> elements) const {
  static_assert(
      bind::detail::IsViewElement<T>(),
      "tenon: these elements cannot be shared with a guest: use integers of 8 to 64 bits, "
      "float, double, std::byte or V128");
  const std::uint64_t size = elements.size_bytes();
  const detail::GuestBlock block =
      CopyBlock(elements.data(), size, alignof(T), detail::GuestClass::ArrayBuffer, nullptr);
  return GuestBuffer{*this, block, static_cast<std::uint32_t>(size)};
}

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/guest_buffer.ipp>
#endif
