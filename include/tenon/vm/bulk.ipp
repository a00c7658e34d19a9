// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of bulk.hpp.
#pragma once

#include <cstring>

#include <tenon/abi/shared_bytes.hpp>
#include <tenon/vm/bulk.hpp>
#include <tenon/vm/instance.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

constexpr bool IsInBounds(std::uint64_t offset, std::uint64_t count, std::uint64_t size) {
  return offset <= size && count <= size - offset;
}

/// Writes to a range of memory that is in bounds.
inline void WriteBytes(abi::MemoryRecord& memory, std::uint64_t offset, const std::uint8_t* bytes,
                       std::uint64_t count) noexcept {
  if ((memory.flags & abi::kMemoryShared) != 0) {
    abi::StoreShared(memory.base + offset, bytes, static_cast<std::size_t>(count));
  } else {
    std::memcpy(memory.base + offset, bytes, static_cast<std::size_t>(count));
  }
}

}  // namespace detail

TENON_DECL TrapCode MemoryInit(Instance& instance, std::uint32_t segment, std::uint32_t memory,
                               std::uint64_t destination, std::uint64_t source,
                               std::uint64_t count) noexcept {
  abi::MemoryRecord& record = *instance.memory_records[memory];
  const wasm::ByteRange bytes = instance.Module().data[segment].bytes;
  const std::uint64_t available = instance.dropped_data[segment] ? 0 : bytes.size;
  if (!detail::IsInBounds(source, count, available) ||
      !detail::IsInBounds(destination, count, record.size.LoadRelaxed())) {
    return TrapCode::OutOfBoundsMemoryAccess;
  }
  if (count != 0) {
    detail::WriteBytes(record, destination, instance.Module().bytes.data() + bytes.offset + source,
                       count);
  }
  return TrapCode::None;
}

TENON_DECL TrapCode MemoryCopy(Instance& instance, std::uint32_t destination_memory,
                               std::uint32_t source_memory, std::uint64_t destination,
                               std::uint64_t source, std::uint64_t count) noexcept {
  abi::MemoryRecord& to = *instance.memory_records[destination_memory];
  abi::MemoryRecord& from = *instance.memory_records[source_memory];
  if (!detail::IsInBounds(source, count, from.size.LoadRelaxed()) ||
      !detail::IsInBounds(destination, count, to.size.LoadRelaxed())) {
    return TrapCode::OutOfBoundsMemoryAccess;
  }
  if (((to.flags | from.flags) & abi::kMemoryShared) != 0) {
    abi::MoveShared(to.base + destination, from.base + source, static_cast<std::size_t>(count));
  } else if (count != 0) {
    std::memmove(to.base + destination, from.base + source, static_cast<std::size_t>(count));
  }
  return TrapCode::None;
}

TENON_DECL TrapCode MemoryFill(Instance& instance, std::uint32_t memory, std::uint64_t destination,
                               std::uint8_t value, std::uint64_t count) noexcept {
  abi::MemoryRecord& record = *instance.memory_records[memory];
  if (!detail::IsInBounds(destination, count, record.size.LoadRelaxed())) {
    return TrapCode::OutOfBoundsMemoryAccess;
  }
  if ((record.flags & abi::kMemoryShared) != 0) {
    abi::FillShared(record.base + destination, value, static_cast<std::size_t>(count));
  } else if (count != 0) {
    std::memset(record.base + destination, value, static_cast<std::size_t>(count));
  }
  return TrapCode::None;
}

TENON_DECL void DataDrop(Instance& instance, std::uint32_t segment) noexcept {
  instance.dropped_data[segment] = true;
}

TENON_DECL std::uint64_t MemoryGrow(Instance& instance, std::uint32_t memory,
                                    std::uint64_t delta) noexcept {
  const auto former = instance.memories[memory]->Grow(delta);
  if (!former.has_value()) return UINT64_MAX;
  if (memory == 0 && (instance.memory_records[0]->flags & abi::kMemoryImmovable) != 0) {
    instance.header->memory_base = instance.memory_records[0]->base;
  }
  return *former;
}

TENON_DECL TrapCode TableInit(Instance& instance, std::uint32_t segment, std::uint32_t table,
                              std::uint64_t destination, std::uint64_t source,
                              std::uint64_t count) noexcept {
  TableInstance& target = *instance.tables[table];
  const wasm::FlatArray<abi::Slot>& elements = instance.elements[segment];
  if (!detail::IsInBounds(source, count, elements.size()) || !target.Contains(destination, count)) {
    return TrapCode::OutOfBoundsTableAccess;
  }
  if (count != 0) {
    std::memcpy(&target[destination], elements.data() + source,
                static_cast<std::size_t>(count) * sizeof(abi::Slot));
  }
  return TrapCode::None;
}

TENON_DECL TrapCode TableCopy(Instance& instance, std::uint32_t destination_table,
                              std::uint32_t source_table, std::uint64_t destination,
                              std::uint64_t source, std::uint64_t count) noexcept {
  TableInstance& to = *instance.tables[destination_table];
  TableInstance& from = *instance.tables[source_table];
  if (!from.Contains(source, count) || !to.Contains(destination, count)) {
    return TrapCode::OutOfBoundsTableAccess;
  }
  if (count != 0) {
    std::memmove(&to[destination], &from[source],
                 static_cast<std::size_t>(count) * sizeof(abi::Slot));
  }
  return TrapCode::None;
}

TENON_DECL TrapCode TableFill(Instance& instance, std::uint32_t table, std::uint64_t destination,
                              abi::Slot value, std::uint64_t count) noexcept {
  TableInstance& target = *instance.tables[table];
  if (!target.Contains(destination, count)) return TrapCode::OutOfBoundsTableAccess;
  for (std::uint64_t i = 0; i < count; ++i) target[destination + i] = value;
  return TrapCode::None;
}

TENON_DECL void ElementDrop(Instance& instance, std::uint32_t segment) noexcept {
  wasm::FlatArray<abi::Slot>{}.swap(instance.elements[segment]);
}

TENON_DECL std::uint64_t TableGrow(Instance& instance, std::uint32_t table, std::uint64_t delta,
                                   abi::Slot init) noexcept {
  return instance.tables[table]->Grow(delta, init).value_or(UINT64_MAX);
}

}  // namespace tenon::inline TENON_ABI::vm
