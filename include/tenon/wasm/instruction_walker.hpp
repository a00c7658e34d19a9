// SPDX-License-Identifier: Apache-2.0
/// @file
/// Visits the instructions of a validated function body.
#pragma once

#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace walk {

inline bool SkipU32(ByteReader& in, int times = 1) {
  std::uint32_t value = 0;
  for (int i = 0; i < times; ++i) {
    if (!in.ReadU32(value)) return false;
  }
  return true;
}

/// A value type or a heap type: a signed LEB number, behind a prefix where it is a reference.
inline bool SkipType(ByteReader& in) {
  const int first = in.Peek();
  std::int64_t value = 0;
  if (first == 0x63 || first == 0x64) {
    std::uint8_t prefix = 0;
    if (!in.ReadByte(prefix)) return false;
  }
  return in.ReadS33(value);
}

inline bool SkipMemoryArgument(ByteReader& in) {
  std::uint32_t alignment = 0;
  std::uint64_t offset = 0;
  if (!in.ReadU32(alignment)) return false;
  // Bit 6 announces a memory index.
  if ((alignment & 0x40) != 0 && !SkipU32(in)) return false;
  return in.ReadU64(offset);
}

inline bool SkipVector(ByteReader& in, bool (*skip_item)(ByteReader&)) {
  std::uint32_t count = 0;
  if (!in.ReadU32(count)) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!skip_item(in)) return false;
  }
  return true;
}

inline bool SkipImmediate(ByteReader& in, Immediate immediate) {
  std::int64_t number = 0;
  switch (immediate) {
    case Immediate::None:
      return true;
    case Immediate::Block:
    case Immediate::HeapType:
      return SkipType(in);
    case Immediate::BrTable:
      return SkipVector(in, [](ByteReader& item) { return SkipU32(item); }) && SkipU32(in);
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
    case Immediate::Atomic:
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
    case Immediate::Fence:
      return in.Skip(1);
    case Immediate::MemoryLane:
      return SkipMemoryArgument(in) && in.Skip(1);
  }
  return false;
}

}  // namespace walk

/// Calls `visit(opcode, offset)` for each instruction of a body (as in Module::bodies: locals
/// first), the offset being that of its opcode from the module's first byte. False if the body is
/// not what a validator accepts; what came before has been visited.
template <class Visit>
bool WalkBody(std::span<const std::uint8_t> module, ByteRange body, Visit visit) {
  ByteReader in{module, body};
  std::uint32_t runs = 0;
  if (!in.ReadU32(runs)) return false;
  for (std::uint32_t i = 0; i < runs; ++i) {
    if (!walk::SkipU32(in) || !walk::SkipType(in)) return false;
  }
  while (!in.AtEnd()) {
    const std::uint32_t offset = in.Offset();
    std::uint32_t code = 0;
    if (!in.ReadOpcode(code)) return false;
    const OpcodeInfo& info = FindOpcode(code);
    if (!info.IsValid() || !walk::SkipImmediate(in, info.immediate)) return false;
    visit(info.opcode, offset);
  }
  return true;
}

}  // namespace tenon::inline TENON_ABI::wasm
