// SPDX-License-Identifier: Apache-2.0
/// @file
/// A function in SSA form: what the front end builds, the passes change and selection reads.
///
/// Values are numbered by the instruction that makes them. Constants stand in no block and are made
/// anew where they are used. Blocks are lists of instructions, phis first, one terminator last.
/// Everything is in flat arrays that are kept from function to function.
///
/// References (funcref, externref) are I64. An I32 value is a number of 32 bits here; that its
/// register's upper half is zero is an invariant of the machine code (see convention.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir_opcode.hpp>
#include <tenon/jit/short_list.hpp>

namespace tenon::inline TENON_ABI::jit {

enum class Type : std::uint8_t { None, I32, I64, F32, F64, V128 };

constexpr Type TypeOf(ValueType type) {
  if (type == ValueType::I32) return Type::I32;
  if (type == ValueType::F32) return Type::F32;
  if (type == ValueType::F64) return Type::F64;
  if (type == ValueType::V128) return Type::V128;
  return Type::I64;
}

/// Index of the instruction that makes a value.
using ValueId = std::uint32_t;
using BlockId = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

// clang-format off
/// One instruction. What `operands` and `immediate` hold depends on the opcode:
///
/// | opcodes | operands | immediate |
/// |---|---|---|
/// | pure instructions | the values, in wasm's order | lane number, if any |
/// | i32.const ... f64.const | none | the bits, zero-extended |
/// | v128.const | none | index of the bytes in Function::vectors |
/// | i8x16.shuffle | two values | index of the mask in Function::vectors |
/// | loads | address, vector of lane loads, memory.base | offset + (lane << 32) |
/// | stores | address, value, memory.base | offset + (lane << 32) |
/// | ref.func | none | function index |
/// | table.get, table.set | index, value of set | table index |
/// | table.size | none | table index |
/// | call | list | function index |
/// | call_indirect | list; the table index last | type index + (table index << 32) |
/// | other memory.* and table.*, elem.drop, data.drop | list, in wasm's order | indices: first + (second << 32) |
/// | memory.atomic.wait*, .notify | list, in wasm's order | offset |
/// | other *.atomic.* | place (i64: address of the byte at offset 0), the values | offset |
/// | return | list | none |
/// | phi | list | none |
///
/// Memory accesses have memory.base in operand 2 whatever their number of operands. A list is
/// `operands[0]` = first index in Function::pool, `operands[1]` = number of values. Indices are in
/// the order of the binary format. global.get and .set, local.*, memory.size, ref.null, ref.is_null,
/// block structure and branches do not occur: the front end says them with other instructions.
// clang-format on
struct Instruction {
  IrOpcode opcode{};
  Type type = Type::None;  ///< of the value it makes
  std::uint8_t flags = 0;  ///< InstructionFlags
  ValueId operands[3] = {kNone, kNone, kNone};
  std::uint64_t immediate = 0;
};
static_assert(sizeof(Instruction) == 24);

/// Whether two instructions are the same function of the same operands.
inline bool IsSame(const Instruction& left, const Instruction& right) {
  return std::memcmp(&left, &right, sizeof(Instruction)) == 0;
}
inline std::size_t HashOf(const Instruction& instruction) {
  std::uint64_t words[3];
  static_assert(sizeof(words) == sizeof(Instruction));
  std::memcpy(words, &instruction, sizeof(words));
  std::uint64_t hash = words[0] * 0x9E3779B97F4A7C15;
  hash = (hash ^ (hash >> 29) ^ words[1]) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 32) ^ words[2]) * 0x94D049BB133111EB;
  return static_cast<std::size_t>(hash ^ (hash >> 31));
}

enum InstructionFlags : std::uint8_t {
  /// Loads and stores: the address needs no bounds check, because guard pages catch it or a check
  /// that dominates it has been made.
  kInstructionChecked = 1,
};

/// Whether operands are a list in the pool.
constexpr bool HasList(IrOpcode opcode) {
  switch (opcode) {
    case IrOpcode::Phi:
    case IrOpcode::Call:
    case IrOpcode::CallIndirect:
    case IrOpcode::Return:
    case IrOpcode::MemoryGrow:
    case IrOpcode::MemoryInit:
    case IrOpcode::MemoryCopy:
    case IrOpcode::MemoryFill:
    case IrOpcode::DataDrop:
    case IrOpcode::TableInit:
    case IrOpcode::TableCopy:
    case IrOpcode::TableFill:
    case IrOpcode::TableGrow:
    case IrOpcode::ElemDrop:
    case IrOpcode::MemoryAtomicNotify:
    case IrOpcode::MemoryAtomicWait32:
    case IrOpcode::MemoryAtomicWait64:
      return true;
    default:
      return false;
  }
}

/// Whether the instruction is a call: of a function, or of the runtime.
constexpr bool IsCall(IrOpcode opcode) {
  return HasList(opcode) && opcode != IrOpcode::Phi && opcode != IrOpcode::Return;
}

constexpr bool IsConstant(IrOpcode opcode) {
  return opcode == IrOpcode::I32Const || opcode == IrOpcode::I64Const ||
         opcode == IrOpcode::F32Const || opcode == IrOpcode::F64Const ||
         opcode == IrOpcode::V128Const;
}

constexpr bool IsTerminator(IrOpcode opcode) {
  return opcode == IrOpcode::Trap || opcode == IrOpcode::Jump || opcode == IrOpcode::Branch ||
         opcode == IrOpcode::Switch || opcode == IrOpcode::Return;
}

/// A basic block.
struct Block {
  ValueId first = kNone;  ///< instruction; kNone: empty
  ValueId last = kNone;
  ShortList<BlockId> predecessors;  ///< one entry for each edge
  ShortList<BlockId> successors;    ///< of the terminator; no block twice but in Branch
  std::uint32_t loop_depth = 0;
  bool is_loop_header = false;
  bool is_cold = false;       ///< ends in a trap
  BlockId dominator = kNone;  ///< immediate; kNone for the entry
};

/// Targets of a Switch: `targets[i]` is the position in Block::successors to which index i leads;
/// the last is the default.
struct SwitchTable {
  FlatArray<std::uint32_t> targets;
};

/// A call that the body of what it calls stands for.
struct InlineSite {
  std::uint32_t function = 0;     ///< index of the function called
  std::uint32_t wasm_offset = 0;  ///< of the call, from the module's first byte
  std::uint32_t outer = 0;        ///< context of the call
};

/// Whose code an instruction is: 0 for the function's own, else 1 + a position in
/// Function::inline_sites.
using InlineContext = std::uint32_t;

/// A function. Block 0 is the entry and has no predecessors.
struct Function {
  FlatArray<Instruction> instructions;
  FlatArray<ValueId> next;                ///< by instruction: the one behind it in its block
  FlatArray<ValueId> previous;            ///< by instruction: the one before it
  FlatArray<BlockId> block_of;            ///< by instruction; kNone: in no block
  FlatArray<std::uint32_t> wasm_offsets;  ///< by instruction: of the wasm instruction, from the
                                          ///< module's first byte
  FlatArray<InlineContext> contexts;      ///< by instruction
  FlatArray<InlineSite> inline_sites;     ///< outer ones first
  FlatArray<ValueId> pool;
  std::vector<Block> blocks;
  FlatArray<BlockId> order;           ///< the blocks that can be reached, in reverse post-order
  std::vector<SwitchTable> switches;  ///< by the immediate of Switch
  FlatArray<V128> vectors;
  std::uint32_t index = 0;             ///< function index in the module
  std::uint32_t type = 0;              ///< type index
  InlineContext context = 0;           ///< of instructions that are added from now on
  std::uint32_t local_cells = 0;       ///< cells of the frame, for LoadLocal and StoreLocal
  std::uint32_t local_cell_bytes = 8;  ///< of each: 16 if a v128 is among them

  Instruction& operator[](ValueId value) { return instructions[value]; }
  const Instruction& operator[](ValueId value) const { return instructions[value]; }

  /// The values of an instruction with a list.
  std::span<ValueId> List(const Instruction& instruction) {
    return std::span{pool}.subspan(instruction.operands[0], instruction.operands[1]);
  }
  std::span<const ValueId> List(const Instruction& instruction) const {
    return std::span{pool}.subspan(instruction.operands[0], instruction.operands[1]);
  }

  /// The value that stands for `value` after replacements.
  ValueId Resolve(ValueId value) const {
    while (instructions[value].opcode == IrOpcode::Forward) {
      value = instructions[value].operands[0];
    }
    return value;
  }

  /// Adds an instruction that stands in no block.
  ValueId Add(const Instruction& instruction, std::uint32_t wasm_offset) {
    const auto value = static_cast<ValueId>(instructions.size());
    instructions.push_back(instruction);
    next.push_back(kNone);
    previous.push_back(kNone);
    block_of.push_back(kNone);
    wasm_offsets.push_back(wasm_offset);
    contexts.push_back(context);
    return value;
  }

  void Append(BlockId block, ValueId value) { InsertBefore(block, kNone, value); }

  /// Puts an instruction that stands in no block before `place`, at the end if that is kNone.
  void InsertBefore(BlockId block, ValueId place, ValueId value) {
    Block& target = blocks[block];
    const ValueId before = place == kNone ? target.last : previous[place];
    block_of[value] = block;
    next[value] = place;
    previous[value] = before;
    (before == kNone ? target.first : next[before]) = value;
    (place == kNone ? target.last : previous[place]) = value;
  }

  /// Takes an instruction out of its block.
  void Remove(ValueId value) {
    Block& source = blocks[block_of[value]];
    const ValueId before = previous[value];
    const ValueId behind = next[value];
    (before == kNone ? source.first : next[before]) = behind;
    (behind == kNone ? source.last : previous[behind]) = before;
    block_of[value] = kNone;
    next[value] = previous[value] = kNone;
  }

  /// Empties the function and lets go of what has become large.
  void ClearLarge() {
    constexpr std::size_t kKeptBlocks = 512;
    Clear();
    ReleaseLarge(instructions, next, previous, block_of, wasm_offsets, contexts, inline_sites, pool,
                 order);
    if (blocks.capacity() > kKeptBlocks) blocks = {};
  }

  /// Empties the function; the arrays keep their room.
  void Clear() {
    instructions.clear();
    next.clear();
    previous.clear();
    block_of.clear();
    wasm_offsets.clear();
    contexts.clear();
    inline_sites.clear();
    context = 0;
    local_cells = 0;
    local_cell_bytes = 8;
    pool.clear();
    blocks.clear();
    order.clear();
    switches.clear();
    vectors.clear();
  }
};

}  // namespace tenon::inline TENON_ABI::jit
