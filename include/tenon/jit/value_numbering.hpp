// SPDX-License-Identifier: Apache-2.0
/// @file
/// Finds instructions that compute what has been computed already.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A hash table of a function's constants and of instructions that are functions of their operands
/// and immediate. Of equal instructions it knows the last; that one is used again where its block
/// dominates.
class ValueNumbering {
 public:
  /// `expected` values, roughly; the dominators have a node for each block.
  void Begin(Function& function, const AncestorTree& dominators, std::size_t expected) {
    function_ = &function;
    dominators_ = &dominators;
    const std::size_t capacity = std::bit_ceil(expected < 32 ? std::size_t{32} : expected);
    table_.assign(capacity, kNone);
    count_ = 0;
    hits_ = 0;
  }

  void ReleaseLarge() { jit::ReleaseLarge(table_); }

  /// The constant of the function with this opcode and these bits.
  ValueId Constant(IrOpcode opcode, std::uint64_t bits, std::uint32_t wasm_offset) {
    Instruction instruction;
    instruction.opcode = opcode;
    instruction.type = TypeOfConstant(opcode);
    instruction.immediate = bits;
    ValueId& entry = Find(instruction);
    if (entry != kNone) return entry;
    return Insert(entry, function_->Add(instruction, wasm_offset));
  }

  ValueId Zero(Type type, std::uint32_t wasm_offset) {
    switch (type) {
      case Type::I32:
        return Constant(IrOpcode::I32Const, 0, wasm_offset);
      case Type::F32:
        return Constant(IrOpcode::F32Const, 0, wasm_offset);
      case Type::F64:
        return Constant(IrOpcode::F64Const, 0, wasm_offset);
      case Type::V128:
        return VectorConstant({}, wasm_offset);
      default:
        return Constant(IrOpcode::I64Const, 0, wasm_offset);
    }
  }

  ValueId VectorConstant(const V128& bytes, std::uint32_t wasm_offset) {
    return Constant(IrOpcode::V128Const, VectorIndex(bytes), wasm_offset);
  }

  /// Index of these bytes in Function::vectors.
  std::uint64_t VectorIndex(const V128& bytes) {
    // Few functions have more than a handful; a search back through some finds most repetitions.
    constexpr std::size_t kLooks = 16;
    FlatArray<V128>& vectors = function_->vectors;
    for (std::size_t i = vectors.size(), looks = 0; i-- > 0 && looks < kLooks; ++looks) {
      if (vectors[i] == bytes) return i;
    }
    vectors.push_back(bytes);
    return vectors.size() - 1;
  }

  /// A value equal to `instruction` that is there in `block`; if there is none, the instruction is
  /// appended to the block.
  ValueId FindOrAppend(const Instruction& instruction, BlockId block, std::uint32_t wasm_offset) {
    ValueId& entry = Find(instruction);
    if (entry != kNone) {
      const BlockId owner = function_->block_of[entry];
      if (owner == block || (owner != kNone && dominators_->IsAncestorOrSelf(owner, block))) {
        ++hits_;
        return entry;
      }
      entry = function_->Add(instruction, wasm_offset);
      function_->Append(block, entry);
      return entry;
    }
    const ValueId value = function_->Add(instruction, wasm_offset);
    function_->Append(block, value);
    return Insert(entry, value);
  }

  std::size_t Hits() const { return hits_; }

 private:
  static constexpr Type TypeOfConstant(IrOpcode opcode) {
    switch (opcode) {
      case IrOpcode::I32Const:
        return Type::I32;
      case IrOpcode::F32Const:
        return Type::F32;
      case IrOpcode::F64Const:
        return Type::F64;
      case IrOpcode::V128Const:
        return Type::V128;
      default:
        return Type::I64;
    }
  }

  /// The place of an equal instruction, or an empty one.
  ValueId& Find(const Instruction& instruction) {
    if (count_ * 2 >= table_.size()) Grow();
    const std::size_t mask = table_.size() - 1;
    std::size_t at = HashOf(instruction) & mask;
    while (table_[at] != kNone && !IsSame((*function_)[table_[at]], instruction)) {
      at = (at + 1) & mask;
    }
    return table_[at];
  }

  ValueId Insert(ValueId& entry, ValueId value) {
    ++count_;
    entry = value;
    return value;
  }

  void Grow() {
    FlatArray<ValueId> old(table_.size() * 2, kNone);
    old.swap(table_);
    const std::size_t mask = table_.size() - 1;
    for (const ValueId value : old) {
      if (value == kNone) continue;
      std::size_t at = HashOf((*function_)[value]) & mask;
      while (table_[at] != kNone) at = (at + 1) & mask;
      table_[at] = value;
    }
  }

  Function* function_ = nullptr;
  const AncestorTree* dominators_ = nullptr;
  FlatArray<ValueId> table_;
  std::size_t count_ = 0;
  std::size_t hits_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
