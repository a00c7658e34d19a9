// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of guest_string.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include <tenon/error.hpp>
#include <tenon/guest_string.hpp>
#include <tenon/memory.hpp>

namespace tenon::inline TENON_ABI::detail {

[[noreturn]] inline void RefuseText(TrapCode code, const char* what) {
  throw Trap{code, std::string{TrapText(code)} + ": the result is a text " + what, {}};
}

/// Bytes of the characters at the start of `memory` up to one of zero.
inline std::uint64_t SizeOfTerminated(std::span<const std::uint8_t> memory,
                                      std::uint32_t character_size) {
  if (character_size == 1) {
    const void* const end = memory.empty() ? nullptr : std::memchr(memory.data(), 0, memory.size());
    if (end == nullptr) RefuseText(TrapCode::OutOfBoundsMemoryAccess, "without an end");
    return static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(end) - memory.data());
  }
  for (std::uint64_t size = 0; memory.size() - size >= character_size; size += character_size) {
    std::uint8_t bits = 0;
    for (std::uint32_t i = 0; i < character_size; ++i) bits |= memory[size + i];
    if (bits == 0) return size;
  }
  RefuseText(TrapCode::OutOfBoundsMemoryAccess, "without an end");
}

TENON_DECL GuestText FindGuestText(const GuestAllocator& allocator, GuestTextForm form,
                                   const abi::Slot* slots, std::uint32_t area,
                                   std::uint32_t character_size) {
  const Memory& memory = allocator.GuestMemory();
  GuestText text;
  std::uint64_t size = 0;
  std::uint64_t behind = 0;  // bytes of the allocation behind the text
  switch (form) {
    case GuestTextForm::Area: {
      std::uint32_t values[2];
      allocator.CopyOut(area, values, sizeof values);
      text.offset = values[0];
      size = std::uint64_t{values[1]} * character_size;
      break;
    }
    case GuestTextForm::Pair:
      text.offset = static_cast<std::uint32_t>(slots[0]);
      size = (slots[1] & 0xFFFFFFFF) * character_size;
      break;
    case GuestTextForm::Packed:
      text.offset = static_cast<std::uint32_t>(slots[0] >> 32);
      size = (slots[0] & 0xFFFFFFFF) * character_size;
      break;
    default:
      text.offset = static_cast<std::uint32_t>(slots[0]);
  }
  if (text.offset == 0) return {};
  if (text.offset % character_size != 0) {
    RefuseText(TrapCode::UnalignedAccess, "that is not aligned");
  }
  if (form == GuestTextForm::Object) {
    // Its size stands in front of it.
    const auto object_size =
        text.offset < 4 ? std::nullopt : memory.ReadUint32Le(std::uint64_t{text.offset} - 4);
    if (!object_size) RefuseText(TrapCode::OutOfBoundsMemoryAccess, "outside of the memory");
    size = *object_size - *object_size % character_size;
  } else if (form == GuestTextForm::Terminated) {
    const auto rest = memory.View(
        text.offset, memory.Size() - std::min<std::uint64_t>(text.offset, memory.Size()));
    if (!rest) RefuseText(TrapCode::OutOfBoundsMemoryAccess, "outside of the memory");
    size = SizeOfTerminated(*rest, character_size);
    behind = character_size;
  }
  if (!memory.View(text.offset, size)) {
    RefuseText(TrapCode::OutOfBoundsMemoryAccess, "outside of the memory");
  }
  text.size = static_cast<std::uint32_t>(size);
  text.block_size = form == GuestTextForm::Object ? 1 : static_cast<std::uint32_t>(size + behind);
  return text;
}

}  // namespace tenon::inline TENON_ABI::detail
