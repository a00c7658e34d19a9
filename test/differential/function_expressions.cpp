// SPDX-License-Identifier: Apache-2.0
/// @file
/// Generated instructions that leave one value.
#include <algorithm>
#include <bit>

#include "constants.hpp"
#include "function_generator.hpp"

namespace differential {

namespace {

using tenon::wasm::Immediate;

constexpr std::uint32_t kPage = 65536;

std::array<std::uint8_t, 16> BytesOf(ConstantBits bits) {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(bits.low >> 8 * i);
    bytes[8 + i] = static_cast<std::uint8_t>(bits.high >> 8 * i);
  }
  return bytes;
}

}  // namespace

void FunctionGenerator::Expression(ValueType type) {
  const std::size_t mark = choices_.Mark();
  --budget_;
  ++depth_;
  if (budget_ <= 0 || depth_ > plan_.weights.depth) {
    Leaf(type);
  } else if (type.IsReference()) {
    ReferenceExpression(type);
  } else {
    ExpressionOf(type);
  }
  --depth_;
  choices_.Note(mark);
}

void FunctionGenerator::ExpressionOf(ValueType type) {
  const Weights& weights = plan_.weights;
  const std::size_t choice = choices_.Below(100);
  if (choice < 7) return Constant(type);
  if (choice < 22) return Get(type);
  if (choice < 24) return GlobalGet(type);
  if (choice < 26) {
    Expression(type);
    const std::uint32_t local = FindLocal(type, true);
    if (local != kNoFunction) code_.LocalTee(local);
    return;
  }
  if (choice < 30) return SelectExpression(type);
  if (choice < 34 && type == ValueType::I32) return SizeExpression();
  if (choice < 38 && choices_.Chance(weights.blocks)) return BlockExpression(type);
  if (choice < 44 && choices_.Chance(weights.calls) && CallExpression(type)) return;
  if (choice < 46 && choices_.Chance(weights.pressure)) return PressureExpression(type);
  Operate(choices_.Pick(OperationsOf(type)));
}

void FunctionGenerator::Leaf(ValueType type) {
  if (choices_.Below(3) == 0) {
    Constant(type);
  } else {
    Get(type);
  }
}

void FunctionGenerator::Constant(ValueType type) {
  if (type.IsReference()) {
    code_.RefNull(type.Heap());
    return;
  }
  const ConstantBits bits = InterestingBits(choices_, type);
  if (type == ValueType::I32) {
    code_.I32Const(static_cast<std::int32_t>(static_cast<std::uint32_t>(bits.low)));
  } else if (type == ValueType::I64) {
    code_.I64Const(static_cast<std::int64_t>(bits.low));
  } else if (type == ValueType::F32) {
    code_.F32ConstBits(static_cast<std::uint32_t>(bits.low));
  } else if (type == ValueType::F64) {
    code_.F64ConstBits(bits.low);
  } else {
    code_.V128Const(BytesOf(bits));
  }
}

void FunctionGenerator::Get(ValueType type) {
  if (type == ValueType::I32 && !readable_counters_.empty() && choices_.Chance(30)) {
    code_.LocalGet(choices_.Pick(readable_counters_));
    return;
  }
  const std::uint32_t local = FindLocal(type, false);
  if (local == kNoFunction) return Constant(type);
  code_.LocalGet(local);
}

void FunctionGenerator::GlobalGet(ValueType type) {
  const std::size_t first = choices_.Below(plan_.globals.size());
  for (std::size_t i = 0; i < plan_.globals.size(); ++i) {
    const GlobalInfo& global = plan_.globals[(first + i) % plan_.globals.size()];
    if (global.type.type == type) {
      code_.GlobalGet(global.index);
      return;
    }
  }
  Constant(type);
}

void FunctionGenerator::ReferenceExpression(ValueType type) {
  switch (choices_.Below(10)) {
    case 1:
    case 2:
    case 3:
      return Get(type);
    case 4:
      return GlobalGet(type);
    case 5:
      return SelectExpression(type);
    case 6: {
      const std::uint32_t first = choices_.Index(plan_.tables.size());
      for (std::uint32_t i = 0; i < plan_.tables.size(); ++i) {
        const std::uint32_t table = (first + i) % static_cast<std::uint32_t>(plan_.tables.size());
        if (plan_.tables[table].element != type) continue;
        if (IsRisky()) {
          Expression(ValueType::I32);
        } else {
          code_.I32Const(static_cast<std::int32_t>(choices_.Index(plan_.tables[table].size)));
        }
        code_.TableGet(table);
        return;
      }
      return Constant(type);
    }
    case 7:
      if (choices_.Chance(plan_.weights.blocks)) return BlockExpression(type);
      return Constant(type);
    case 8:
      if (choices_.Chance(plan_.weights.calls) && CallExpression(type)) return;
      return Constant(type);
    case 9:
      if (type == ValueType::FuncRef) {
        code_.RefFunc(choices_.Pick(plan_.functions).index);
        return;
      }
      return Get(type);
    default:
      return Constant(type);
  }
}

void FunctionGenerator::AlignAtomic(std::uint32_t bytes) {
  if (bytes == 1 || IsRisky()) return;
  if (plan_.has_memory64) {
    code_.I64Const(-std::int64_t{bytes}).Emit(Opcode::I64And);
  } else {
    code_.I32Const(-static_cast<std::int32_t>(bytes)).Emit(Opcode::I32And);
  }
}

/// On one thread nothing wakes a function that waits: it waits for no time, or next to none.
void FunctionGenerator::Atomic(const Operation& operation) {
  const bool waits = operation.opcode == Opcode::MemoryAtomicWait32 ||
                     operation.opcode == Opcode::MemoryAtomicWait64;
  if (waits && !plan_.has_shared_memory && !IsRisky()) return Constant(ValueType::I32);
  if (choices_.Chance(5)) code_.Emit(Opcode::AtomicFence);
  const std::uint32_t bytes = 1u << operation.width;
  tenon::wasm::MemoryArgument argument{.offset = Offset()};
  if (!IsRisky()) argument.offset &= ~std::uint64_t{bytes - 1};
  Address(bytes, argument.offset);
  AlignAtomic(bytes);
  for (std::size_t i = 1; i < operation.operand_count; ++i) {
    if (waits && i == 2) {
      code_.I64Const(static_cast<std::int64_t>(choices_.Below(2) * 100));
    } else {
      Operand(operation, i);
    }
  }
  code_.Memory(operation.opcode, argument);
}

void FunctionGenerator::Operate(const Operation& operation, bool keeps_nan) {
  if (operation.immediate == Immediate::Atomic) return Atomic(operation);
  tenon::wasm::MemoryArgument argument;
  if (operation.has_address) {
    argument.offset = Offset();
    argument.align = choices_.Index(operation.width + 1u);
    Address(1u << operation.width, argument.offset);
  }
  for (std::size_t i = operation.has_address ? 1 : 0; i < operation.operand_count; ++i) {
    Operand(operation, i);
  }
  switch (operation.immediate) {
    case Immediate::Memory:
      code_.Memory(operation.opcode, argument);
      break;
    case Immediate::MemoryLane:
      code_.MemoryLane(operation.opcode, argument,
                       static_cast<std::uint8_t>(choices_.Below(16u >> operation.width)));
      break;
    case Immediate::Lane:
      code_.Lane(operation.opcode,
                 static_cast<std::uint8_t>(choices_.Below(16u >> operation.width)));
      break;
    case Immediate::Shuffle: {
      std::array<std::uint8_t, 16> lanes{};
      // Patterns that machines have instructions for, and arbitrary ones.
      const std::size_t pattern = choices_.Below(4);
      const std::size_t unit = std::size_t{1} << choices_.Below(4);
      for (std::size_t i = 0; i < 16; i += unit) {
        std::size_t from = choices_.Below(32 / unit) * unit;
        if (pattern == 1) from = (i / 2 / unit) * unit + (i / unit % 2) * 16;
        if (pattern == 2) from = (15 - i) / unit * unit;
        if (pattern == 3) from = (i + unit) % 32;
        for (std::size_t k = 0; k < unit; ++k) lanes[i + k] = static_cast<std::uint8_t>(from + k);
      }
      code_.Shuffle(lanes);
      break;
    }
    default:
      code_.Emit(operation.opcode);
  }
  if (!keeps_nan) CanonicalVector(operation.nan_result);
}

void FunctionGenerator::Operand(const Operation& operation, std::size_t index) {
  const ValueType type = operation.operands[index];
  if (operation.hazard == Hazard::Divide && index == 1) return Divisor(operation);
  if (operation.hazard == Hazard::Truncate) return TruncationOperand(operation);
  if (type.IsVector() && operation.nan_operands != Lanes::None && depth_ < plan_.weights.depth &&
      budget_ > 0 && choices_.Chance(35)) {
    ++depth_;
    --budget_;
    Operate(choices_.Pick(NanOperations(operation.nan_operands)), true);
    --depth_;
    return;
  }
  Expression(type);
  if ((operation.observed_operands & 1u << index) != 0) CanonicalScalar(type);
}

void FunctionGenerator::Divisor(const Operation& operation) {
  const ValueType type = operation.operands[1];
  const bool is_wide = type == ValueType::I64;
  if (IsRisky()) return Expression(type);
  if (choices_.Chance(50)) {
    Expression(type);
    // 1 to 0x7F..., so that neither 0 nor -1 is among them.
    if (is_wide) {
      code_.I64Const(1).Emit(Opcode::I64ShrU).I64Const(1).Emit(Opcode::I64Or);
    } else {
      code_.I32Const(1).Emit(Opcode::I32ShrU).I32Const(1).Emit(Opcode::I32Or);
    }
    return;
  }
  // Constant divisors are what compilers rewrite.
  constexpr std::array<std::int64_t, 14> kDivisors{1,  2,  3,  4,  5,    7,     8,
                                                   -2, -3, 10, 64, 1000, 65537, 0x7FFFFFFF};
  const std::int64_t divisor = choices_.Pick(kDivisors);
  if (is_wide) {
    code_.I64Const(divisor);
  } else {
    code_.I32Const(static_cast<std::int32_t>(divisor));
  }
}

void FunctionGenerator::TruncationOperand(const Operation& operation) {
  const ValueType type = operation.operands[0];
  if (IsRisky()) return Expression(type);
  if (choices_.Chance(30)) {
    if (type == ValueType::F32) {
      code_.F32Const(static_cast<float>(choices_.Below(3000)) / 4);
    } else {
      code_.F64Const(static_cast<double>(choices_.Below(3000)) / 4);
    }
    return;
  }
  // Non-negative and below every limit.
  Expression(ValueType::I32);
  code_.I32Const(1).Emit(Opcode::I32ShrU);
  code_.I32Const(1).Emit(Opcode::I32ShrU);
  code_.Emit(type == ValueType::F32 ? Opcode::F32ConvertI32S : Opcode::F64ConvertI32S);
}

void FunctionGenerator::Condition() {
  // Fresh comparisons are what branches fuse with; plain values must work too.
  if (choices_.Chance(50)) {
    constexpr std::array kCompares{
        Opcode::I32Eq,  Opcode::I32Ne,      Opcode::I32LtS, Opcode::I32LtU, Opcode::I32GtS,
        Opcode::I32GtU, Opcode::I32LeS,     Opcode::I32LeU, Opcode::I32GeS, Opcode::I32GeU,
        Opcode::I64Eq,  Opcode::I64Ne,      Opcode::I64LtS, Opcode::I64LtU, Opcode::I64GtS,
        Opcode::I64GeU, Opcode::F32Eq,      Opcode::F32Ne,  Opcode::F32Lt,  Opcode::F32Gt,
        Opcode::F32Le,  Opcode::F32Ge,      Opcode::F64Eq,  Opcode::F64Ne,  Opcode::F64Lt,
        Opcode::F64Gt,  Opcode::F64Le,      Opcode::F64Ge,  Opcode::I32Eqz, Opcode::I64Eqz,
        Opcode::I32And, Opcode::V128AnyTrue};
    const Opcode opcode = choices_.Pick(kCompares);
    const std::string_view signature = tenon::wasm::Info(opcode).signature;
    for (const char operand : signature.substr(0, signature.find(':'))) {
      Expression(operand == 'i'   ? ValueType::I32
                 : operand == 'l' ? ValueType::I64
                 : operand == 'f' ? ValueType::F32
                 : operand == 'd' ? ValueType::F64
                                  : ValueType::V128);
    }
    code_.Emit(opcode);
    if (choices_.Chance(20)) code_.Emit(Opcode::I32Eqz);
    return;
  }
  Expression(ValueType::I32);
}

void FunctionGenerator::SelectExpression(ValueType type) {
  Expression(type);
  Expression(type);
  Condition();
  if (type.IsReference() || choices_.Chance(40)) {
    code_.Select(tenon::wasm::ValueTypeList{type});
  } else {
    code_.Select();
  }
}

void FunctionGenerator::PressureExpression(ValueType type) {
  // Many values wait on the stack before the first is used.
  const std::size_t count = 2 + choices_.Below(28);
  std::vector<Opcode> folds;
  if (type == ValueType::I32) folds = {Opcode::I32Add, Opcode::I32Xor, Opcode::I32Sub};
  if (type == ValueType::I64) folds = {Opcode::I64Add, Opcode::I64Xor, Opcode::I64Sub};
  if (type == ValueType::F32) folds = {Opcode::F32Add, Opcode::F32Min, Opcode::F32Sub};
  if (type == ValueType::F64) folds = {Opcode::F64Add, Opcode::F64Max, Opcode::F64Sub};
  if (type.IsVector()) folds = {Opcode::I8x16Add, Opcode::V128Xor, Opcode::I32x4Sub};
  for (std::size_t i = 0; i < count; ++i) Expression(type);
  for (std::size_t i = 1; i < count; ++i) code_.Emit(choices_.Pick(folds));
}

void FunctionGenerator::SizeExpression() {
  switch (choices_.Below(6)) {
    case 1:
      return GrowExpression();
    case 2:
      code_.TableSize(choices_.Index(plan_.tables.size()));
      return;
    case 3: {
      const std::uint32_t table = choices_.Index(plan_.tables.size());
      Expression(plan_.tables[table].element);
      code_.I32Const(static_cast<std::int32_t>(choices_.Index(3)));
      code_.TableGrow(table);
      return;
    }
    case 4:
    case 5:
      Expression(choices_.Chance(50) ? ValueType::FuncRef : ValueType::ExternRef);
      code_.Emit(Opcode::RefIsNull);
      return;
    default:
      code_.MemorySize();
      if (plan_.has_memory64) NarrowPages();
  }
}

void FunctionGenerator::GrowExpression() {
  const ValueType type = plan_.has_memory64 ? ValueType::I64 : ValueType::I32;
  if (IsRisky()) {
    Expression(type);
  } else if (plan_.has_memory64) {
    code_.I64Const(static_cast<std::int64_t>(choices_.Index(2)));
  } else {
    code_.I32Const(static_cast<std::int32_t>(choices_.Index(2)));
  }
  code_.MemoryGrow();
  if (plan_.has_memory64) NarrowPages();
}

void FunctionGenerator::NarrowPages() {
  if (choices_.Chance(50)) code_.I64Const(28).Emit(Opcode::I64Rotl);
  code_.Emit(Opcode::I32WrapI64);
}

bool FunctionGenerator::CallExpression(ValueType type) {
  if (function_.is_leaf) return false;
  const std::size_t count = plan_.functions.size();
  const std::size_t first = choices_.Below(count);
  for (std::size_t i = 0; i < count; ++i) {
    const CallableFunction& callee = plan_.functions[(first + i) % count];
    if (callee.type.results.empty() || callee.type.results[0] != type) continue;
    Call(callee);
    Consume({callee.type.results.begin() + 1, callee.type.results.end()});
    return true;
  }
  return false;
}

void FunctionGenerator::BlockExpression(ValueType type) {
  if (labels_.size() > plan_.weights.nesting) return Leaf(type);
  std::vector<const BlockSignature*> fitting;
  for (const BlockSignature& one : plan_.signatures) {
    if (!one.type.results.empty() && one.type.results[0] == type) fitting.push_back(&one);
  }
  const BlockSignature& signature = *choices_.Pick(fitting);
  constexpr std::array kKinds{Opcode::Block, Opcode::If, Opcode::Loop};
  Block(choices_.Pick(kKinds), signature);
  Consume({signature.type.results.begin() + 1, signature.type.results.end()});
}

std::uint64_t FunctionGenerator::Offset() {
  constexpr std::array<std::uint32_t, 8> kSmall{0, 0, 0, 1, 4, 8, 17, 1000};
  constexpr std::array<std::uint32_t, 14> kLarge{
      kPage - 1,       kPage,      kPage - 16, (32u << 20) - 1, 32u << 20,
      (32u << 20) + 1, 0x7FFFFFFF, 0x80000000, 0x80000001,      0xFFFFFFFF,
      0xFFFFFFFE,      0xFFFFFFF0, 0xFFFF0000, (32u << 20) - 8};
  constexpr std::array<std::uint64_t, 9> kLarge64{0x100000000,
                                                  0x100000008,
                                                  0xFFFFFFFF00000000,
                                                  std::uint64_t{1} << 63,
                                                  (std::uint64_t{1} << 63) - 1,
                                                  UINT64_MAX,
                                                  UINT64_MAX - 7,
                                                  UINT64_MAX - 15,
                                                  UINT64_MAX - kPage};
  if (!IsRisky()) return choices_.Pick(kSmall);
  if (plan_.has_memory64 && choices_.Chance(50)) return choices_.Pick(kLarge64);
  return choices_.Pick(kLarge);
}

void FunctionGenerator::Address(std::uint32_t bytes, std::uint64_t offset) {
  if (plan_.has_memory64) return Address64(bytes, offset);
  Address32(bytes, static_cast<std::uint32_t>(offset));
}

void FunctionGenerator::Address64(std::uint32_t bytes, std::uint64_t offset) {
  const std::uint64_t size = std::uint64_t{plan_.memory_pages} * kPage;
  constexpr std::array<std::int64_t, 5> kMasks{0x7FFF, 0xFF, 0x7F8, 0x3FFF, 0x1F};
  const auto constant = [&](std::uint64_t value) {
    code_.I64Const(static_cast<std::int64_t>(value));
  };
  --budget_;
  if (IsRisky()) {
    switch (choices_.Below(7)) {
      case 0:
        return Expression(ValueType::I64);
      case 1:  // one past the last
        return constant(size - offset - bytes + 1);
      case 2:  // wraps to a valid address if computed in 64 bits
        return constant(0u - offset);
      case 3:  // is a valid address if cut to 32 bits
        Expression(ValueType::I64);
        constant(0xFFFFFFFF00007FFF);
        code_.Emit(Opcode::I64And);
        return;
      case 4:  // wraps to a valid address, or is one that is negative
        Expression(ValueType::I64);
        code_.I64Const(choices_.Pick(kMasks)).Emit(Opcode::I64And);
        constant(choices_.Chance(50) ? offset : 64);
        code_.Emit(Opcode::I64Sub);
        return;
      case 5:
        return constant(std::uint64_t{1} << (31 + choices_.Below(33)));
      default:
        return constant(size - 1);
    }
  }
  // Everything here stays below 32 KiB plus offset, or is the last address.
  switch (choices_.Below(10)) {
    case 0:
      return constant(choices_.Below(1024));
    case 1:
      if (offset > 0x7000 || choices_.Below(2) == 0) return constant(8);
      return constant(size - offset - bytes);
    case 2:
      Get(ValueType::I32);
      code_.I32Const(0x7FFF).Emit(Opcode::I32And).Emit(Opcode::I64ExtendI32U);
      return;
    case 3:
      Expression(ValueType::I64);
      constant(49 + choices_.Below(12));
      code_.Emit(Opcode::I64ShrU);
      return;
    case 4: {  // a sum that wraps
      const std::uint64_t distance = kI64Constants[choices_.Below(kI64Constants.size())];
      Expression(ValueType::I64);
      code_.I64Const(choices_.Pick(kMasks)).Emit(Opcode::I64And);
      constant(distance);
      code_.Emit(Opcode::I64Sub);
      const std::uint32_t local = FindLocal(ValueType::I64, true);
      if (local != kNoFunction && choices_.Chance(50)) code_.LocalTee(local);
      constant(distance);
      code_.Emit(Opcode::I64Add);
      return;
    }
    case 5:  // base and index
      Expression(ValueType::I64);
      code_.I64Const(0x3FFF).Emit(Opcode::I64And);
      Get(ValueType::I64);
      code_.I64Const(0x7F).Emit(Opcode::I64And).I64Const(3).Emit(Opcode::I64Shl);
      code_.Emit(Opcode::I64Add);
      return;
    case 6:  // a constant beside a small offset
      code_.I64Const(choices_.Pick(kMasks));
      return;
    default:
      Expression(ValueType::I64);
      code_.I64Const(choices_.Pick(kMasks)).Emit(Opcode::I64And);
  }
}

void FunctionGenerator::Address32(std::uint32_t bytes, std::uint32_t offset) {
  const std::uint32_t size = plan_.memory_pages * kPage;
  constexpr std::array<std::int32_t, 5> kMasks{0x7FFF, 0xFF, 0x7F8, 0x3FFF, 0x1F};
  const auto constant = [&](std::uint32_t value) {
    code_.I32Const(static_cast<std::int32_t>(value));
  };
  --budget_;
  if (IsRisky()) {
    switch (choices_.Below(4)) {
      case 0:
        return Expression(ValueType::I32);
      case 1:  // one past the last
        return constant(size - offset - bytes + 1);
      case 2:  // wraps to a valid address if computed in 32 bits
        return constant(0u - offset);
      default:
        return constant(size - 1);
    }
  }
  // Everything here stays below 32 KiB plus offset, or is the last address.
  switch (choices_.Below(12)) {
    case 0:
      return constant(static_cast<std::uint32_t>(choices_.Below(1024)));
    case 1:
      if (offset > 0x7000 || choices_.Below(2) == 0) return constant(8);
      return constant(size - offset - bytes);
    case 2:
      Get(ValueType::I32);
      code_.I32Const(choices_.Pick(kMasks)).Emit(Opcode::I32And);
      return;
    case 3:  // the upper half of the register may hold anything
      Expression(ValueType::I64);
      code_.I64Const(-0x100000000 + 0x7FFF).Emit(Opcode::I64And);
      code_.I64Const(static_cast<std::int64_t>(0x5A5A5A5A00000000)).Emit(Opcode::I64Or);
      code_.Emit(Opcode::I32WrapI64);
      return;
    case 4:
      Expression(ValueType::I32);
      constant(17 + static_cast<std::uint32_t>(choices_.Below(12)));
      code_.Emit(Opcode::I32ShrU);
      return;
    case 5: {  // a sum that wraps
      const std::uint32_t distance =
          kI32Constants[choices_.Below(kI32Constants.size())] | 0x40000000;
      Expression(ValueType::I32);
      code_.I32Const(choices_.Pick(kMasks)).Emit(Opcode::I32And);
      constant(distance);
      code_.Emit(Opcode::I32Sub);
      const std::uint32_t local = FindLocal(ValueType::I32, true);
      if (local != kNoFunction && choices_.Chance(50)) code_.LocalTee(local);
      constant(distance);
      code_.Emit(Opcode::I32Add);
      return;
    }
    case 6: {
      const std::int32_t scale = 1 + static_cast<std::int32_t>(choices_.Below(3));
      Expression(ValueType::I32);
      code_.I32Const(0xFFF).Emit(Opcode::I32And).I32Const(scale).Emit(Opcode::I32Shl);
      return;
    }
    case 7:  // base and index
      Expression(ValueType::I32);
      code_.I32Const(0x3FFF).Emit(Opcode::I32And);
      Get(ValueType::I32);
      code_.I32Const(0x7F).Emit(Opcode::I32And).I32Const(3).Emit(Opcode::I32Shl);
      code_.Emit(Opcode::I32Add);
      return;
    case 8:  // a constant beside a small offset
      code_.I32Const(choices_.Pick(kMasks));
      return;
    default:
      Expression(ValueType::I32);
      code_.I32Const(choices_.Pick(kMasks)).Emit(Opcode::I32And);
  }
}

void FunctionGenerator::CanonicalScalar(ValueType type) {
  if (plan_.options.observes_nan_bits) return;
  const std::uint32_t value = Scratch(type);
  code_.LocalTee(value);
  if (type == ValueType::F32) {
    code_.F32Const(7).LocalGet(value).LocalGet(value).Emit(Opcode::F32Eq).Select();
  } else {
    code_.F64Const(7).LocalGet(value).LocalGet(value).Emit(Opcode::F64Eq).Select();
  }
}

void FunctionGenerator::CanonicalVector(Lanes lanes) {
  if (lanes == Lanes::None || plan_.options.observes_nan_bits) return;
  const std::uint32_t value = Scratch(ValueType::V128);
  std::array<std::uint8_t, 16> replacement{};
  replacement[3] = replacement[7] = replacement[11] = replacement[15] = 0x40;
  code_.LocalTee(value).V128Const(replacement).LocalGet(value).LocalGet(value);
  code_.Emit(lanes == Lanes::F32 ? Opcode::F32x4Eq : Opcode::F64x2Eq);
  code_.Emit(Opcode::V128Bitselect);
}

}  // namespace differential
