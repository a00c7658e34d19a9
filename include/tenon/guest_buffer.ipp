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

TENON_DECL GuestBuffer GuestAllocator::Allocate(std::uint64_t size, std::uint32_t alignment) const {
  const detail::GuestBlock block =
      AllocateBlock(size, alignment, detail::GuestClass::ArrayBuffer, nullptr);
  return GuestBuffer{*this, block, static_cast<std::uint32_t>(size)};
}

TENON_DECL GuestBuffer GuestAllocator::CopyString(std::string_view text) const {
  const detail::GuestBlock block =
      AllocateBlock(std::uint64_t{text.size()} + 1, 1, detail::GuestClass::ArrayBuffer, nullptr);
  Memory memory = GuestMemory();
  memory.WriteString(block.offset, text);
  memory.WriteByte(std::uint64_t{block.offset} + text.size(), 0);
  return GuestBuffer{*this, block, static_cast<std::uint32_t>(text.size())};
}

TENON_DECL std::span<std::uint8_t> GuestBuffer::Bytes() const noexcept {
  if (size_ == 0) return {};
  return allocator_.GuestMemory().View(block_.offset, size_).value_or(std::span<std::uint8_t>{});
}

TENON_DECL void GuestBuffer::Free() noexcept {
  size_ = 0;
  allocator_.FreeBlock(std::exchange(block_, {}), nullptr);
}

}  // namespace tenon::inline TENON_ABI
