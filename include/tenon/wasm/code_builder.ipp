// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of CodeBuilder.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/detail/byte_writer.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

/// Whether the only immediate is one u32.
[[gnu::cold]] constexpr bool TakesOneIndex(Immediate immediate) {
  switch (immediate) {
    case Immediate::Label:
    case Immediate::Function:
    case Immediate::Local:
    case Immediate::Global:
    case Immediate::Table:
    case Immediate::MemoryIndex:
    case Immediate::Data:
    case Immediate::Element:
      return true;
    default:
      return false;
  }
}

}  // namespace detail

[[gnu::cold]] TENON_DECL void CodeBuilder::WriteOpcode(Opcode opcode) {
  const auto code = static_cast<std::uint32_t>(opcode);
  assert(Info(opcode).IsValid());
  if (code < 0x100) {
    bytes_.push_back(static_cast<std::uint8_t>(code));
    return;
  }
  bytes_.push_back(PrefixOf(code));
  detail::WriteUnsigned(bytes_, code & 0xFF);
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Emit(Opcode opcode) {
  const Immediate immediate = Info(opcode).immediate;
  assert(immediate == Immediate::None || immediate == Immediate::Fence);
  WriteOpcode(opcode);
  if (immediate == Immediate::Fence) bytes_.push_back(0);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Index(Opcode opcode, std::uint32_t index) {
  const Immediate immediate = Info(opcode).immediate;
  assert(detail::TakesOneIndex(immediate));
  uses_data_ = uses_data_ || immediate == Immediate::Data;
  WriteOpcode(opcode);
  detail::WriteUnsigned(bytes_, index);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::TwoIndices(Opcode opcode, std::uint32_t first,
                                                              std::uint32_t second) {
  WriteOpcode(opcode);
  detail::WriteUnsigned(bytes_, first);
  detail::WriteUnsigned(bytes_, second);
  return *this;
}

[[gnu::cold]] TENON_DECL void CodeBuilder::WriteMemoryArgument(Opcode opcode,
                                                               MemoryArgument argument) {
  const bool is_natural = argument.align == MemoryArgument::kNaturalAlign;
  detail::WriteUnsigned(bytes_, is_natural ? Info(opcode).width : argument.align);
  detail::WriteUnsigned(bytes_, argument.offset);
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Memory(Opcode opcode, MemoryArgument argument) {
  assert(Info(opcode).immediate == Immediate::Memory ||
         Info(opcode).immediate == Immediate::Atomic);
  WriteOpcode(opcode);
  WriteMemoryArgument(opcode, argument);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Lane(Opcode opcode, std::uint8_t lane) {
  assert(Info(opcode).immediate == Immediate::Lane);
  WriteOpcode(opcode);
  bytes_.push_back(lane);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::MemoryLane(Opcode opcode,
                                                              MemoryArgument argument,
                                                              std::uint8_t lane) {
  assert(Info(opcode).immediate == Immediate::MemoryLane);
  WriteOpcode(opcode);
  WriteMemoryArgument(opcode, argument);
  bytes_.push_back(lane);
  return *this;
}

TENON_DECL CodeBuilder& CodeBuilder::Raw(ListArgument<std::uint8_t> bytes) {
  detail::WriteBytes(bytes_, bytes.Items());
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Append(const CodeBuilder& other) {
  const std::vector<std::uint8_t> copy{other.bytes_};
  detail::WriteBytes(bytes_, copy);
  uses_data_ = uses_data_ || other.uses_data_;
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Begin(Opcode opcode, BlockType type) {
  assert(Info(opcode).immediate == Immediate::Block);
  WriteOpcode(opcode);
  switch (type.kind_) {
    case BlockType::Kind::Empty:
      bytes_.push_back(0x40);
      break;
    case BlockType::Kind::Result:
      detail::WriteValueType(bytes_, type.result_);
      break;
    case BlockType::Kind::Index:
      detail::WriteSigned(bytes_, type.index_);
      break;
  }
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::BrTable(IndexList labels,
                                                           std::uint32_t default_label) {
  WriteOpcode(Opcode::BrTable);
  detail::WriteUnsigned(bytes_, labels.Size());
  for (const std::uint32_t label : labels) detail::WriteUnsigned(bytes_, label);
  detail::WriteUnsigned(bytes_, default_label);
  return *this;
}

TENON_DECL CodeBuilder& CodeBuilder::CallIndirect(std::uint32_t type, std::uint32_t table) {
  return TwoIndices(Opcode::CallIndirect, type, table);
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::Select(ValueTypeList types) {
  WriteOpcode(Opcode::SelectT);
  detail::WriteUnsigned(bytes_, types.Size());
  for (const ValueType type : types) detail::WriteValueType(bytes_, type);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::I32Const(std::int32_t value) {
  WriteOpcode(Opcode::I32Const);
  detail::WriteSigned(bytes_, value);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::I64Const(std::int64_t value) {
  WriteOpcode(Opcode::I64Const);
  detail::WriteSigned(bytes_, value);
  return *this;
}

TENON_DECL CodeBuilder& CodeBuilder::F32Const(float value) {
  return F32ConstBits(std::bit_cast<std::uint32_t>(value));
}

TENON_DECL CodeBuilder& CodeBuilder::F64Const(double value) {
  return F64ConstBits(std::bit_cast<std::uint64_t>(value));
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::F32ConstBits(std::uint32_t bits) {
  WriteOpcode(Opcode::F32Const);
  detail::WriteFixed(bytes_, bits, 4);
  return *this;
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::F64ConstBits(std::uint64_t bits) {
  WriteOpcode(Opcode::F64Const);
  detail::WriteFixed(bytes_, bits, 8);
  return *this;
}

TENON_DECL CodeBuilder& CodeBuilder::V128Const(const std::array<std::uint8_t, 16>& bytes) {
  WriteOpcode(Opcode::V128Const);
  return Raw(bytes);
}

TENON_DECL CodeBuilder& CodeBuilder::Shuffle(const std::array<std::uint8_t, 16>& lanes) {
  WriteOpcode(Opcode::I8x16Shuffle);
  return Raw(lanes);
}

[[gnu::cold]] TENON_DECL CodeBuilder& CodeBuilder::RefNull(HeapType type) {
  WriteOpcode(Opcode::RefNull);
  detail::WriteHeapType(bytes_, type);
  return *this;
}

TENON_DECL CodeBuilder& CodeBuilder::TableInit(std::uint32_t element, std::uint32_t table) {
  return TwoIndices(Opcode::TableInit, element, table);
}

TENON_DECL CodeBuilder& CodeBuilder::TableCopy(std::uint32_t destination, std::uint32_t source) {
  return TwoIndices(Opcode::TableCopy, destination, source);
}

TENON_DECL CodeBuilder& CodeBuilder::MemoryInit(std::uint32_t data, std::uint32_t memory) {
  uses_data_ = true;
  return TwoIndices(Opcode::MemoryInit, data, memory);
}

TENON_DECL CodeBuilder& CodeBuilder::MemoryCopy(std::uint32_t destination, std::uint32_t source) {
  return TwoIndices(Opcode::MemoryCopy, destination, source);
}

}  // namespace tenon::inline TENON_ABI::wasm
