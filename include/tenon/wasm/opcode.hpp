// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instructions as values, and what the table knows of each.
#pragma once

#include <cstdint>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/opcode_table.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// An instruction. The value is the code column of the table.
enum class Opcode : std::uint16_t {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) name = code,
  TENON_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// Codes of an Opcode lie below this; they index tables.
inline constexpr std::uint32_t kOpcodeLimit = 0x400;

inline constexpr std::uint8_t kPrefixMisc = 0xFC;
inline constexpr std::uint8_t kPrefixSimd = 0xFD;
inline constexpr std::uint8_t kPrefixAtomic = 0xFE;

/// What is added to the numbers behind this byte to make codes of them; 0: no prefix.
constexpr std::uint32_t PrefixPlane(std::uint8_t byte) {
  return byte < kPrefixMisc || byte > kPrefixAtomic ? 0u : (byte - kPrefixMisc + 1u) * 0x100u;
}
/// The prefix of a code of 0x100 or more.
constexpr std::uint8_t PrefixOf(std::uint32_t code) {
  return static_cast<std::uint8_t>(kPrefixMisc + (code >> 8) - 1);
}

/// What follows the opcode in the binary format, in this order.
enum class Immediate : std::uint8_t {
  None,
  Block,         ///< block type
  Label,         ///< label index
  BrTable,       ///< vector of label indices, default label index
  Function,      ///< function index
  CallIndirect,  ///< type index, table index
  SelectTypes,   ///< vector of value types
  Local,
  Global,
  Table,
  Memory,       ///< memarg
  MemoryIndex,  ///< memory index
  I32,
  I64,
  F32,
  F64,
  HeapType,
  DataMemory,    ///< data index, memory index
  Data,          ///< data index
  MemoryMemory,  ///< destination memory index, source memory index
  ElementTable,  ///< element index, table index
  Element,       ///< element index
  TableTable,    ///< destination table index, source table index
  V128,          ///< 16 bytes
  Shuffle,       ///< 16 lane numbers below 32
  Lane,          ///< lane number
  MemoryLane,    ///< memarg, lane number
  Atomic,        ///< memarg whose alignment is the natural one
  Fence,         ///< order of memory accesses: a zero byte
};

/// A row of the opcode table.
struct OpcodeInfo {
  std::string_view text;       ///< name in the text format; empty: no such instruction
  std::string_view signature;  ///< see TENON_OPCODES
  Opcode opcode{};
  Immediate immediate = Immediate::None;
  std::uint8_t width = 0;
  Feature feature = Feature::Mvp;

  constexpr bool IsValid() const { return !text.empty(); }
  /// Lanes of a Lane or MemoryLane instruction.
  constexpr std::uint32_t LaneCount() const { return 16u >> width; }
};

/// What an atomic access does.
enum class AtomicKind : std::uint8_t {
  Load,
  Store,
  Add,
  Sub,
  And,
  Or,
  Xor,
  Exchange,
  CompareExchange,
};

/// Of an instruction with Immediate::Atomic other than notify and wait. The table has seven widths
/// and types of each, in the order of AtomicKind.
constexpr AtomicKind AtomicKindOf(Opcode opcode) {
  return static_cast<AtomicKind>(
      (static_cast<std::uint32_t>(opcode) - static_cast<std::uint32_t>(Opcode::I32AtomicLoad)) / 7);
}
static_assert(AtomicKindOf(Opcode::I64AtomicLoad32U) == AtomicKind::Load &&
              AtomicKindOf(Opcode::I32AtomicStore) == AtomicKind::Store &&
              AtomicKindOf(Opcode::I64AtomicRmw32AddU) == AtomicKind::Add &&
              AtomicKindOf(Opcode::I32AtomicRmwXor) == AtomicKind::Xor &&
              AtomicKindOf(Opcode::I64AtomicRmw32CmpxchgU) == AtomicKind::CompareExchange);

namespace detail {

struct OpcodeTable {
  OpcodeInfo rows[kOpcodeLimit + 1];
  constexpr OpcodeTable() : rows{} {
#define TENON_DETAIL_ROW(name, text, code, immediate, signature, width, feature) \
  rows[code] = {text, signature, Opcode::name, Immediate::immediate, width, Feature::feature};
    TENON_OPCODES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  }
};

inline constexpr OpcodeTable kOpcodeTable{};

}  // namespace detail

/// The row for a code (as in the table: prefix and code combined). Codes without an instruction,
/// also those past kOpcodeLimit, give a row that is not valid.
constexpr const OpcodeInfo& FindOpcode(std::uint32_t code) {
  return detail::kOpcodeTable.rows[code < kOpcodeLimit ? code : kOpcodeLimit];
}

constexpr const OpcodeInfo& Info(Opcode opcode) {
  return detail::kOpcodeTable.rows[static_cast<std::uint16_t>(opcode)];
}

}  // namespace tenon::inline TENON_ABI::wasm
