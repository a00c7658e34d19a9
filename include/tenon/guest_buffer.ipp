// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of guest_buffer.hpp, and of what makes buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <tenon/guest_buffer.hpp>
#include <tenon/memory.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

TENON_DECL GuestBuffer AllocateBuffer(GuestAllocator allocator, std::uint64_t size,
                                      std::uint32_t alignment, const CallContext* context) {
  const GuestBlock block =
      allocator.AllocateBlock(size, alignment, GuestClass::ArrayBuffer, context);
  return GuestBuffer{std::move(allocator), block, static_cast<std::uint32_t>(size)};
}

TENON_DECL GuestBuffer CopyStringToBuffer(GuestAllocator allocator, std::string_view text,
                                          const CallContext* context) {
  const GuestBlock block =
      allocator.AllocateBlock(std::uint64_t{text.size()} + 1, 1, GuestClass::ArrayBuffer, context);
  Memory memory = allocator.GuestMemory();
  memory.WriteString(block.offset, text);
  memory.WriteByte(std::uint64_t{block.offset} + text.size(), 0);
  return GuestBuffer{std::move(allocator), block, static_cast<std::uint32_t>(text.size())};
}

}  // namespace detail

TENON_DECL std::span<std::uint8_t> GuestBuffer::Bytes() const noexcept {
  if (size_ == 0) return {};
  return allocator_.GuestMemory().View(block_.offset, size_).value_or(std::span<std::uint8_t>{});
}

TENON_DECL void GuestBuffer::FreeUnder(const CallContext* context) noexcept {
  size_ = 0;
  // The guest that this runs may reach the buffer.
  const GuestAllocator allocator = std::exchange(allocator_, {});
  allocator.FreeBlock(std::exchange(block_, {}), context);
}

}  // namespace tenon::inline TENON_ABI
