// SPDX-License-Identifier: Apache-2.0
/// @file
/// Visits the instructions of a validated function body.
#pragma once

#include <cstdint>
#include <span>

#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace spec {

namespace detail {

inline bool SkipU32(tenon::wasm::ByteReader& in, int times = 1) {
  std::uint32_t value = 0;
  for (int i = 0; i < times; ++i) {
    if (!in.ReadU32(value)) return false;
  }
  return true;
}

/// A value type or a heap type: a signed LEB number, behind a prefix where it is a reference.
inline bool SkipType(tenon::wasm::ByteReader& in) {
  const int first = in.Peek();
  std::int64_t value = 0;
  if (first == 0x63 || first == 0x64) {
    std::uint8_t prefix = 0;
    if (!in.ReadByte(prefix)) return false;
  }
  return in.ReadS33(value);
}

inline bool SkipMemoryArgument(tenon::wasm::ByteReader& in) {
  std::uint32_t alignment = 0;
  std::uint64_t offset = 0;
  if (!in.ReadU32(alignment)) return false;
  // Bit 6 announces a memory index.
  if ((alignment & 0x40) != 0 && !SkipU32(in)) return false;
  return in.ReadU64(offset);
}

inline bool SkipVector(tenon::wasm::ByteReader& in, bool (*skip_item)(tenon::wasm::ByteReader&)) {
  std::uint32_t count = 0;
  if (!in.ReadU32(count)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!skip_item(in)) return false;
  }
  return true;
}

inline bool SkipImmediate(tenon::wasm::ByteReader& in, tenon::wasm::Immediate immediate) {
  using tenon::wasm::Immediate;
  std::int64_t number = 0;
  switch (immediate) {
    case Immediate::None:
      return true;
    case Immediate::Block:
    case Immediate::HeapType:
      return SkipType(in);
    case Immediate::BrTable:
      return SkipVector(in, [](tenon::wasm::ByteReader& item) { return SkipU32(item); }) &&
             SkipU32(in);
    case Immediate::SelectTypes:
      return SkipVector(in, SkipType);
    case Immediate::Label:
    case Immediate::Function:
    case Immediate::Local:
    case Immediate::Global:
    case Immediate::Table:
    case Immediate::MemoryIndex:
    case Immediate::Data:
    case Immediate::Element:
      return SkipU32(in);
    case Immediate::CallIndirect:
    case Immediate::DataMemory:
    case Immediate::MemoryMemory:
    case Immediate::ElementTable:
    case Immediate::TableTable:
      return SkipU32(in, 2);
    case Immediate::Memory:
      return SkipMemoryArgument(in);
    case Immediate::I32:
    case Immediate::I64:
      return in.ReadS64(number);
    case Immediate::F32:
      return in.Skip(4);
    case Immediate::F64:
      return in.Skip(8);
    case Immediate::V128:
    case Immediate::Shuffle:
      return in.Skip(16);
    case Immediate::Lane:
      return in.Skip(1);
    case Immediate::MemoryLane:
      return SkipMemoryArgument(in) && in.Skip(1);
  }
  return false;
}

}  // namespace detail

/// Calls `visit(Opcode)` for each instruction of a body (as in Module::bodies: locals first). False
/// if the body is not what a validator accepts; what came before has been visited.
template <class Visit>
bool WalkBody(std::span<const std::uint8_t> module, tenon::wasm::ByteRange body, Visit visit) {
  tenon::wasm::ByteReader in{module, body};
  std::uint32_t runs = 0;
  if (!in.ReadU32(runs)) return false;
  for (std::uint32_t i = 0; i < runs; ++i) {
    if (!detail::SkipU32(in) || !detail::SkipType(in)) return false;
  }
  while (!in.AtEnd()) {
    std::uint32_t code = 0;
    if (!in.ReadOpcode(code)) return false;
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::FindOpcode(code);
    if (!info.IsValid() || !detail::SkipImmediate(in, info.immediate)) return false;
    visit(info.opcode);
  }
  return true;
}

}  // namespace spec
