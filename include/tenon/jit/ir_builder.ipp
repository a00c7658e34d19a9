// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of ir_builder.hpp.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/jit/division.hpp>
#include <tenon/jit/folding.hpp>
#include <tenon/jit/integer_opcode.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_builder.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL ValueId IrBuilder::AppendList(IrOpcode opcode, Type type, std::uint64_t immediate,
                                         std::span<const ValueId> values) {
  const auto first = static_cast<std::uint32_t>(function_->pool.size());
  function_->pool.insert(function_->pool.end(), values.begin(), values.end());
  return Append(opcode, type, immediate, first, static_cast<std::uint32_t>(values.size()));
}

TENON_DECL std::uint64_t IrBuilder::MaximumOf(ValueId value, int depth) const {
  const Instruction& instruction = (*function_)[value];
  const std::uint64_t all = instruction.type == Type::I32 ? 0xFFFFFFFF : ~std::uint64_t{0};
  if (integer::IsBoolean(instruction.opcode)) return 1;
  std::uint64_t bits = 0;
  const auto first = [&] {
    return depth == 0 ? all : MaximumOf(instruction.operands[0], depth - 1);
  };
  switch (instruction.opcode) {
    case IrOpcode::I32Const:
    case IrOpcode::I64Const:
      return instruction.immediate;
    case IrOpcode::I32Clz:
    case IrOpcode::I32Ctz:
    case IrOpcode::I32Popcnt:
      return 32;
    case IrOpcode::I64Clz:
    case IrOpcode::I64Ctz:
    case IrOpcode::I64Popcnt:
      return 64;
    case IrOpcode::I32Add:
      if (IsConstant(instruction.operands[1], bits)) {
        const std::uint64_t most = first();
        return most + bits <= all ? most + bits : all;
      }
      return all;
    case IrOpcode::I32Shl:
      if (IsConstant(instruction.operands[1], bits)) {
        const std::uint64_t most = first();
        return most <= all >> bits ? most << bits : all;
      }
      return all;
    case IrOpcode::I32Load8U:
    case IrOpcode::I64Load8U:
    case IrOpcode::I8x16ExtractLaneU:
      return 0xFF;
    case IrOpcode::I32Load16U:
    case IrOpcode::I64Load16U:
    case IrOpcode::I16x8ExtractLaneU:
      return 0xFFFF;
    case IrOpcode::I64Load32U:
      return 0xFFFFFFFF;
    case IrOpcode::I64ExtendI32U:
      return std::min(std::uint64_t{0xFFFFFFFF}, first());
    case IrOpcode::I32And:
    case IrOpcode::I64And:
      return IsConstant(instruction.operands[1], bits) ? std::min(bits, first()) : all;
    case IrOpcode::I32ShrU:
    case IrOpcode::I64ShrU:
      return IsConstant(instruction.operands[1], bits)
                 ? first() >> (bits & (instruction.type == Type::I32 ? 31 : 63))
                 : all;
    default:
      return all;
  }
}

TENON_DECL BranchCondition IrBuilder::Simplify(ValueId condition) const {
  BranchCondition simple{condition, false};
  while (true) {
    const Instruction& instruction = (*function_)[simple.condition];
    if (instruction.opcode == IrOpcode::I32Eqz) {
      simple.is_zero = !simple.is_zero;
    } else if (instruction.opcode != IrOpcode::I32Ne || !IsConstant(instruction.operands[1]) ||
               Bits(instruction.operands[1]) != 0) {
      return simple;
    }
    simple.condition = instruction.operands[0];
  }
}

/// Whether an integer is zero.
TENON_DECL ValueId IrBuilder::Not(Type operand_type, ValueId operand) {
  const Instruction instruction = (*function_)[operand];
  if (operand_type == Type::I32) {
    if (integer::IsIntegerCompare(instruction.opcode)) {
      const bool is_wide = integer::IsCompare64(instruction.opcode);
      return Binary(integer::For(is_wide ? Type::I64 : Type::I32,
                                 integer::Inverted(integer::Narrow(instruction.opcode))),
                    Type::I32, instruction.operands[0], instruction.operands[1]);
    }
    switch (instruction.opcode) {
      case IrOpcode::I32Eqz:
        return Binary(IrOpcode::I32Ne, Type::I32, instruction.operands[0], I32(0));
      case IrOpcode::I64Eqz:
        return Binary(IrOpcode::I64Ne, Type::I32, instruction.operands[0], I64(0));
      case IrOpcode::F32Eq:
        return Number(IrOpcode::F32Ne, Type::I32, 0, instruction.operands[0],
                      instruction.operands[1]);
      case IrOpcode::F32Ne:
        return Number(IrOpcode::F32Eq, Type::I32, 0, instruction.operands[0],
                      instruction.operands[1]);
      case IrOpcode::F64Eq:
        return Number(IrOpcode::F64Ne, Type::I32, 0, instruction.operands[0],
                      instruction.operands[1]);
      case IrOpcode::F64Ne:
        return Number(IrOpcode::F64Eq, Type::I32, 0, instruction.operands[0],
                      instruction.operands[1]);
      default:
        break;
    }
  } else if (instruction.opcode == IrOpcode::I64ExtendI32S ||
             instruction.opcode == IrOpcode::I64ExtendI32U) {
    return Not(Type::I32, instruction.operands[0]);
  }
  return Number(integer::For(operand_type, IrOpcode::I32Eqz), Type::I32, 0, operand);
}

TENON_DECL ValueId IrBuilder::Unary(IrOpcode opcode, Type type, ValueId operand) {
  const Instruction inner = (*function_)[operand];
  std::uint64_t bits = 0;
  if (jit::IsConstant(inner.opcode) && Evaluate(opcode, inner.immediate, 0, fold_floats_, bits)) {
    switch (type) {
      case Type::I32:
        return I32(static_cast<std::uint32_t>(bits));
      case Type::I64:
        return I64(bits);
      case Type::F32:
        return Constant(IrOpcode::F32Const, bits);
      default:
        return Constant(IrOpcode::F64Const, bits);
    }
  }
  const auto is = [&](IrOpcode other) { return inner.opcode == other; };
  switch (opcode) {
    case IrOpcode::I32Eqz:
      return Not(Type::I32, operand);
    case IrOpcode::I64Eqz:
      return Not(Type::I64, operand);
    case IrOpcode::I32WrapI64:
      if (is(IrOpcode::I64ExtendI32S) || is(IrOpcode::I64ExtendI32U)) return inner.operands[0];
      if (is(IrOpcode::I64Extend32S)) operand = inner.operands[0];
      break;
    case IrOpcode::I64Extend32S:
      if (is(IrOpcode::I64ExtendI32S) || is(opcode)) return operand;
      if (is(IrOpcode::I64ExtendI32U)) {
        return Unary(IrOpcode::I64ExtendI32S, type, inner.operands[0]);
      }
      break;
    case IrOpcode::I64Extend16S:
      if (is(opcode) || is(IrOpcode::I64Extend8S)) return operand;
      break;
    case IrOpcode::I64Extend8S:
      if (is(opcode)) return operand;
      break;
    case IrOpcode::I32Extend16S:
      if (is(opcode) || is(IrOpcode::I32Extend8S)) return operand;
      break;
    case IrOpcode::I32Extend8S:
      if (is(opcode)) return operand;
      break;
    case IrOpcode::I64ExtendI32S:
      if (MaximumOf(operand) <= 0x7FFFFFFF) opcode = IrOpcode::I64ExtendI32U;
      break;
    case IrOpcode::I32ReinterpretF32:
      if (is(IrOpcode::F32ReinterpretI32)) return inner.operands[0];
      break;
    case IrOpcode::F32ReinterpretI32:
      if (is(IrOpcode::I32ReinterpretF32)) return inner.operands[0];
      break;
    case IrOpcode::I64ReinterpretF64:
      if (is(IrOpcode::F64ReinterpretI64)) return inner.operands[0];
      break;
    case IrOpcode::F64ReinterpretI64:
      if (is(IrOpcode::I64ReinterpretF64)) return inner.operands[0];
      break;
    default:
      break;
  }
  return Number(opcode, type, 0, operand);
}

TENON_DECL ValueId IrBuilder::Binary(IrOpcode opcode, Type type, ValueId first, ValueId second) {
  const bool is_first_constant = IsConstant(first);
  const bool is_second_constant = IsConstant(second);
  std::uint64_t bits = 0;
  if (is_first_constant && is_second_constant &&
      Evaluate(opcode, Bits(first), Bits(second), fold_floats_, bits)) {
    switch (type) {
      case Type::I32:
        return I32(static_cast<std::uint32_t>(bits));
      case Type::I64:
        return I64(bits);
      case Type::F32:
        return Constant(IrOpcode::F32Const, bits);
      default:
        return Constant(IrOpcode::F64Const, bits);
    }
  }
  const bool is_compare = integer::IsIntegerCompare(opcode);
  if (!is_compare && !integer::IsArithmetic32(opcode) && !integer::IsArithmetic64(opcode)) {
    return Number(opcode, type, 0, first, second);
  }
  if (is_first_constant && !is_second_constant) {
    const IrOpcode narrow = integer::Narrow(opcode);
    if (is_compare) {
      const Type operand_type = integer::IsCompare64(opcode) ? Type::I64 : Type::I32;
      opcode = integer::For(operand_type, integer::Mirrored(narrow));
      std::swap(first, second);
    } else if (integer::IsCommutative(narrow)) {
      std::swap(first, second);
    }
  }
  if (IsConstant(second)) {
    return is_compare ? CompareWithConstant(opcode, first, Bits(second))
                      : WithConstant(opcode, type, first, Bits(second));
  }
  return BinaryInteger(opcode, type, first, second);
}

/// Integer instructions without a constant on the right.
TENON_DECL ValueId IrBuilder::BinaryInteger(IrOpcode opcode, Type type, ValueId first,
                                            ValueId second) {
  const IrOpcode narrow = integer::Narrow(opcode);
  if (first == second) {
    switch (narrow) {
      case IrOpcode::I32Sub:
      case IrOpcode::I32Xor:
        return IntegerConstant(type, 0);
      case IrOpcode::I32And:
      case IrOpcode::I32Or:
        return first;
      case IrOpcode::I32Eq:
      case IrOpcode::I32LeS:
      case IrOpcode::I32LeU:
      case IrOpcode::I32GeS:
      case IrOpcode::I32GeU:
        return I32(1);
      case IrOpcode::I32Ne:
      case IrOpcode::I32LtS:
      case IrOpcode::I32LtU:
      case IrOpcode::I32GtS:
      case IrOpcode::I32GtU:
        return I32(0);
      default:
        break;
    }
  }
  if (IsConstant(first) && Bits(first) == 0) {
    switch (narrow) {
      case IrOpcode::I32Shl:
      case IrOpcode::I32ShrS:
      case IrOpcode::I32ShrU:
      case IrOpcode::I32Rotl:
      case IrOpcode::I32Rotr:
        return first;
      default:
        break;
    }
  }
  // One form for both orders, so that they are found to be the same.
  if (integer::IsCommutative(narrow) && second < first) std::swap(first, second);
  return Number(opcode, type, 0, first, second);
}

namespace detail {

constexpr std::int64_t SignedBits(Type type, std::uint64_t bits) {
  return type == Type::I32 ? std::int64_t{static_cast<std::int32_t>(bits)}
                           : static_cast<std::int64_t>(bits);
}

/// Whether a signed division by the constant never traps and can be done without a division: of 32
/// bits by any, of 64 bits by powers of two.
constexpr bool IsDivisible(Type type, std::uint64_t bits) {
  const std::int64_t divisor = SignedBits(type, bits);
  if (divisor >= -1 && divisor <= 1) return false;
  const std::uint64_t magnitude =
      divisor < 0 ? 0 - static_cast<std::uint64_t>(divisor) : static_cast<std::uint64_t>(divisor);
  return type == Type::I32 || std::has_single_bit(magnitude);
}

}  // namespace detail

TENON_DECL ValueId IrBuilder::WithConstant(IrOpcode opcode, Type type, ValueId first,
                                           std::uint64_t bits) {
  const std::uint64_t all = type == Type::I32 ? 0xFFFFFFFF : ~std::uint64_t{0};
  const std::uint32_t width = type == Type::I32 ? 32 : 64;
  const bool is_power = std::has_single_bit(bits);
  const auto exponent = static_cast<std::uint64_t>(std::countr_zero(bits));
  using detail::IsDivisible;
  using detail::SignedBits;
  const Instruction inner = (*function_)[first];
  std::uint64_t inner_bits = 0;
  const bool nests = inner.opcode == opcode && IsConstant(inner.operands[1], inner_bits);
  switch (integer::Narrow(opcode)) {
    case IrOpcode::I32Sub:
      return WithConstant(integer::For(type, IrOpcode::I32Add), type, first, (0 - bits) & all);
    case IrOpcode::I32Add:
      if (bits == 0) return first;
      if (nests) return WithConstant(opcode, type, inner.operands[0], (inner_bits + bits) & all);
      break;
    case IrOpcode::I32Mul:
      if (bits == 0) return IntegerConstant(type, 0);
      if (bits == 1) return first;
      if (is_power)
        return WithConstant(integer::For(type, IrOpcode::I32Shl), type, first, exponent);
      break;
    case IrOpcode::I32DivS:
      if (bits == 1) return first;
      if (IsDivisible(type, bits)) return DivideSigned(type, first, SignedBits(type, bits));
      break;
    case IrOpcode::I32DivU:
      if (is_power) {
        return WithConstant(integer::For(type, IrOpcode::I32ShrU), type, first, exponent);
      }
      if (type == Type::I32 && bits != 0) {
        return DivideUnsigned(first, static_cast<std::uint32_t>(bits));
      }
      break;
    case IrOpcode::I32RemS:
      if (bits == 1 || bits == all) return IntegerConstant(type, 0);
      if (IsDivisible(type, bits)) return RemainderSigned(type, first, SignedBits(type, bits));
      break;
    case IrOpcode::I32RemU:
      if (is_power)
        return WithConstant(integer::For(type, IrOpcode::I32And), type, first, bits - 1);
      if (type == Type::I32 && bits != 0) {
        const ValueId quotient = DivideUnsigned(first, static_cast<std::uint32_t>(bits));
        return Binary(IrOpcode::I32Sub, type, first,
                      WithConstant(IrOpcode::I32Mul, type, quotient, bits));
      }
      break;
    case IrOpcode::I32And: {
      if (bits == 0) return IntegerConstant(type, 0);
      if (nests) return WithConstant(opcode, type, inner.operands[0], inner_bits & bits);
      const std::uint64_t maximum = MaximumOf(first);
      const std::uint64_t possible =
          maximum == 0 ? 0 : all >> (static_cast<std::uint32_t>(std::countl_zero(maximum)) % width);
      if ((possible & ~bits) == 0) return first;
      break;
    }
    case IrOpcode::I32Or:
      if (bits == 0) return first;
      if (bits == all) return IntegerConstant(type, all);
      if (nests) return WithConstant(opcode, type, inner.operands[0], inner_bits | bits);
      break;
    case IrOpcode::I32Xor:
      if (bits == 0) return first;
      if (nests) return WithConstant(opcode, type, inner.operands[0], inner_bits ^ bits);
      break;
    case IrOpcode::I32Shl:
    case IrOpcode::I32ShrS:
    case IrOpcode::I32ShrU:
      bits &= width - 1;
      if (bits == 0) return first;
      if (nests && inner_bits + bits < width) {
        return WithConstant(opcode, type, inner.operands[0], inner_bits + bits);
      }
      break;
    case IrOpcode::I32Rotl:
    case IrOpcode::I32Rotr:
      bits &= width - 1;
      if (bits == 0) return first;
      break;
    default:
      break;
  }
  return Number(opcode, type, 0, first, IntegerConstant(type, bits));
}

/// `divisor` is neither 0 nor a power of two.
TENON_DECL ValueId IrBuilder::DivideUnsigned(ValueId value, std::uint32_t divisor) {
  if (divisor > 0x80000000) return CompareWithConstant(IrOpcode::I32GeU, value, divisor);
  const UnsignedDivision division = DivisionBy(divisor);
  const ValueId product =
      WithConstant(IrOpcode::I64Mul, Type::I64, Unary(IrOpcode::I64ExtendI32U, Type::I64, value),
                   division.multiplier);
  const auto shift = [&](std::uint32_t by) {
    return Unary(IrOpcode::I32WrapI64, Type::I32,
                 WithConstant(IrOpcode::I64ShrU, Type::I64, product, by));
  };
  if (!division.adds) return shift(division.shift);
  const ValueId high = shift(32);
  const ValueId half = WithConstant(IrOpcode::I32ShrU, Type::I32,
                                    Binary(IrOpcode::I32Sub, Type::I32, value, high), 1);
  return WithConstant(IrOpcode::I32ShrU, Type::I32, Binary(IrOpcode::I32Add, Type::I32, half, high),
                      division.shift);
}

/// What makes a negative number's shift to the right round to zero: 2^exponent - 1, or 0.
TENON_DECL ValueId IrBuilder::RoundingBias(Type type, ValueId value, std::uint32_t exponent) {
  const std::uint32_t width = type == Type::I32 ? 32 : 64;
  const ValueId sign =
      exponent == 1 ? value
                    : WithConstant(integer::For(type, IrOpcode::I32ShrS), type, value, width - 1);
  return WithConstant(integer::For(type, IrOpcode::I32ShrU), type, sign, width - exponent);
}

/// `divisor` is one for which detail::IsDivisible holds.
TENON_DECL ValueId IrBuilder::DivideSigned(Type type, ValueId value, std::int64_t divisor) {
  const std::uint32_t width = type == Type::I32 ? 32 : 64;
  const std::uint64_t magnitude =
      divisor < 0 ? 0 - static_cast<std::uint64_t>(divisor) : static_cast<std::uint64_t>(divisor);
  ValueId quotient = kNone;
  if (std::has_single_bit(magnitude)) {
    const auto exponent = static_cast<std::uint32_t>(std::countr_zero(magnitude));
    const ValueId biased = Binary(integer::For(type, IrOpcode::I32Add), type, value,
                                  RoundingBias(type, value, exponent));
    quotient = WithConstant(integer::For(type, IrOpcode::I32ShrS), type, biased, exponent);
  } else {
    const SignedDivision division = SignedDivisionBy(static_cast<std::uint32_t>(magnitude));
    const ValueId product =
        WithConstant(IrOpcode::I64Mul, Type::I64, Unary(IrOpcode::I64ExtendI32S, Type::I64, value),
                     static_cast<std::uint64_t>(division.multiplier));
    const ValueId high = Unary(IrOpcode::I32WrapI64, Type::I32,
                               WithConstant(IrOpcode::I64ShrS, Type::I64, product, division.shift));
    quotient = Binary(IrOpcode::I32Add, Type::I32, high,
                      WithConstant(IrOpcode::I32ShrU, Type::I32, value, width - 1));
  }
  if (divisor > 0) return quotient;
  return Binary(integer::For(type, IrOpcode::I32Sub), type, IntegerConstant(type, 0), quotient);
}

/// The same; the sign of the divisor counts for nothing.
TENON_DECL ValueId IrBuilder::RemainderSigned(Type type, ValueId value, std::int64_t divisor) {
  const std::uint64_t all = type == Type::I32 ? 0xFFFFFFFF : ~std::uint64_t{0};
  const std::uint64_t magnitude =
      divisor < 0 ? 0 - static_cast<std::uint64_t>(divisor) : static_cast<std::uint64_t>(divisor);
  const IrOpcode subtract = integer::For(type, IrOpcode::I32Sub);
  if (std::has_single_bit(magnitude)) {
    const ValueId bias =
        RoundingBias(type, value, static_cast<std::uint32_t>(std::countr_zero(magnitude)));
    const ValueId biased = Binary(integer::For(type, IrOpcode::I32Add), type, value, bias);
    const ValueId low =
        WithConstant(integer::For(type, IrOpcode::I32And), type, biased, (magnitude - 1) & all);
    return Binary(subtract, type, low, bias);
  }
  const ValueId quotient = DivideSigned(type, value, static_cast<std::int64_t>(magnitude));
  return Binary(subtract, type, value,
                WithConstant(integer::For(type, IrOpcode::I32Mul), type, quotient, magnitude));
}

TENON_DECL ValueId IrBuilder::CompareWithConstant(IrOpcode opcode, ValueId first,
                                                  std::uint64_t bits) {
  const Type type = integer::IsCompare64(opcode) ? Type::I64 : Type::I32;
  const std::uint64_t all = type == Type::I32 ? 0xFFFFFFFF : ~std::uint64_t{0};
  const auto compare = [&](IrOpcode narrow, std::uint64_t constant) {
    return Number(integer::For(type, narrow), Type::I32, 0, first, IntegerConstant(type, constant));
  };
  const bool is_boolean = type == Type::I32 && integer::IsBoolean((*function_)[first].opcode);
  switch (integer::Narrow(opcode)) {
    case IrOpcode::I32Eq:
      if (bits == 0) return Not(type, first);
      if (is_boolean && bits == 1) return first;
      break;
    case IrOpcode::I32Ne:
      if (is_boolean && bits == 0) return first;
      if (is_boolean && bits == 1) return Not(type, first);
      break;
    case IrOpcode::I32LtU:
      if (bits == 0) return I32(0);
      if (bits == 1) return Not(type, first);
      break;
    case IrOpcode::I32GeU:
      if (bits == 0) return I32(1);
      if (bits == 1) return CompareWithConstant(integer::For(type, IrOpcode::I32Ne), first, 0);
      break;
    case IrOpcode::I32GtU:
      if (bits == 0) return CompareWithConstant(integer::For(type, IrOpcode::I32Ne), first, 0);
      if (bits == all) return I32(0);
      break;
    case IrOpcode::I32LeU:
      if (bits == 0) return Not(type, first);
      if (bits == all) return I32(1);
      break;
    default:
      break;
  }
  return compare(integer::Narrow(opcode), bits);
}

TENON_DECL ValueId IrBuilder::Select(Type type, ValueId first, ValueId second, ValueId condition) {
  if (first == second) return first;
  if (IsConstant(condition)) return Bits(condition) != 0 ? first : second;
  const BranchCondition simple = Simplify(condition);
  if (simple.is_zero) std::swap(first, second);
  return Number(IrOpcode::Select, type, 0, first, second, simple.condition);
}

}  // namespace tenon::inline TENON_ABI::jit
