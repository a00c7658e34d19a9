// SPDX-License-Identifier: Apache-2.0
/// @file
/// Appends instructions to the block that is being built, simplifying them on the way.
#pragma once

#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/value_numbering.hpp>

namespace tenon::inline TENON_ABI::jit {

/// What a branch asks: whether `condition` is zero, or is not.
struct BranchCondition {
  ValueId condition = kNone;
  bool is_zero = false;
};

/// Pure instructions are folded where their operands are constants, replaced by simpler ones where
/// an identity of integers allows it, and found again if they have been computed already. Constants
/// end up on the right of integer instructions.
class IrBuilder {
 public:
  /// Starts a function. `numbering` must have been begun for it.
  void Begin(Function& function, ValueNumbering& numbering, bool fold_floats) {
    function_ = &function;
    numbering_ = &numbering;
    fold_floats_ = fold_floats;
  }

  /// Where instructions go from now on.
  void SetBlock(BlockId block) { block_ = block; }
  BlockId CurrentBlock() const { return block_; }
  void SetOffset(std::uint32_t wasm_offset) { wasm_offset_ = wasm_offset; }

  ValueId I32(std::uint32_t bits) {
    return numbering_->Constant(IrOpcode::I32Const, bits, wasm_offset_);
  }
  ValueId I64(std::uint64_t bits) {
    return numbering_->Constant(IrOpcode::I64Const, bits, wasm_offset_);
  }
  ValueId Constant(IrOpcode opcode, std::uint64_t bits) {
    return numbering_->Constant(opcode, bits, wasm_offset_);
  }
  ValueId VectorConstant(const V128& bytes) {
    return numbering_->VectorConstant(bytes, wasm_offset_);
  }

  /// An instruction as it is.
  ValueId Append(const Instruction& instruction) {
    const ValueId value = function_->Add(instruction, wasm_offset_);
    function_->Append(block_, value);
    return value;
  }
  ValueId Append(IrOpcode opcode, Type type, std::uint64_t immediate = 0, ValueId first = kNone,
                 ValueId second = kNone, ValueId third = kNone) {
    return Append({opcode, type, 0, {first, second, third}, immediate});
  }
  /// One with a list of values.
  TENON_DECL ValueId AppendList(IrOpcode opcode, Type type, std::uint64_t immediate,
                                std::span<const ValueId> values);

  /// The value of a pure instruction that nothing more is known of.
  ValueId Number(IrOpcode opcode, Type type, std::uint64_t immediate = 0, ValueId first = kNone,
                 ValueId second = kNone, ValueId third = kNone) {
    return numbering_->FindOrAppend({opcode, type, 0, {first, second, third}, immediate}, block_,
                                    wasm_offset_);
  }

  /// A scalar instruction without immediate. Those that trap are left unless they certainly do not.
  TENON_DECL ValueId Unary(IrOpcode opcode, Type type, ValueId operand);
  TENON_DECL ValueId Binary(IrOpcode opcode, Type type, ValueId first, ValueId second);
  TENON_DECL ValueId Select(Type type, ValueId first, ValueId second, ValueId condition);
  /// One on vectors without immediate; operands that it has not are kNone.
  TENON_DECL ValueId Vector(IrOpcode opcode, Type type, ValueId first, ValueId second,
                            ValueId third);

  /// The simplest value to ask the same question of as whether `condition` is not zero.
  TENON_DECL BranchCondition Simplify(ValueId condition) const;

  /// The largest unsigned number that an integer value may be, as far as a short look tells.
  TENON_DECL std::uint64_t MaximumOf(ValueId value, int depth = 3) const;

  bool IsConstant(ValueId value) const { return jit::IsConstant((*function_)[value].opcode); }
  std::uint64_t Bits(ValueId value) const { return (*function_)[value].immediate; }

 private:
  TENON_DECL ValueId BinaryInteger(IrOpcode opcode, Type type, ValueId first, ValueId second);
  TENON_DECL ValueId WithConstant(IrOpcode opcode, Type type, ValueId first, std::uint64_t bits);
  TENON_DECL ValueId CompareWithConstant(IrOpcode opcode, ValueId first, std::uint64_t bits);
  TENON_DECL ValueId Not(Type operand_type, ValueId operand);
  TENON_DECL ValueId DivideUnsigned(ValueId value, std::uint32_t divisor);
  TENON_DECL ValueId DivideSigned(Type type, ValueId value, std::int64_t divisor);
  TENON_DECL ValueId RemainderSigned(Type type, ValueId value, std::int64_t divisor);
  TENON_DECL ValueId RoundingBias(Type type, ValueId value, std::uint32_t exponent);

  ValueId IntegerConstant(Type type, std::uint64_t bits) {
    return type == Type::I32 ? I32(static_cast<std::uint32_t>(bits)) : I64(bits);
  }
  bool IsConstant(ValueId value, std::uint64_t& bits) const {
    bits = (*function_)[value].immediate;
    return IsConstant(value);
  }

  Function* function_ = nullptr;
  ValueNumbering* numbering_ = nullptr;
  BlockId block_ = kNone;
  std::uint32_t wasm_offset_ = 0;
  bool fold_floats_ = false;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/ir_builder.ipp>
#include <tenon/jit/ir_builder_vector.ipp>
#endif
