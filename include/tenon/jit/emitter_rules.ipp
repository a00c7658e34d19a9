// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine code of each MachineOpcode.
#pragma once

#include <tenon/jit/emitter.ipp>

namespace tenon::inline TENON_ABI::jit {

inline Xbyak::RegExp Emitter::Writer::AddressExpression() const {
  using namespace Xbyak::util;
  const MachineAddress& address = instruction_->address;
  Xbyak::RegExp expression;
  switch (address.base) {
    case MachineAddress::kAbsent:
      break;
    case MachineAddress::kInstanceBase:
      expression = Xbyak::RegExp(r15);
      break;
    case MachineAddress::kStackBase:
      expression = Xbyak::RegExp(rsp);
      break;
    case MachineAddress::kFrameBase:
      expression = Xbyak::RegExp(rbp);
      break;
    case MachineAddress::kLocalBase:
      expression = SlotExpression(function_->spill_slots, false) - (function_->local_bytes - 8);
      break;
    default:
      expression = Xbyak::RegExp(Wide(address.base));
      break;
  }
  if (address.index != MachineAddress::kAbsent) {
    expression = expression + Xbyak::RegExp(Wide(address.index), address.scale);
  }
  return expression + static_cast<std::size_t>(static_cast<std::int64_t>(address.displacement));
}

// --- Dispatch ------------------------------------------------------------------------------------

inline void Emitter::Writer::Write(std::uint32_t number) {
  instruction_ = &function_->instructions[number];
  if (Opcode() > MachineOpcode::BeforeOwn) {
    WriteOwn();
  } else if (!WriteInteger() && !WriteAccess()) {
    WritePlanned();
  }
}

inline void Emitter::Writer::WriteOwn() {
  using namespace Xbyak::util;
  auto& code = *code_;
  switch (Opcode()) {
    case MachineOpcode::Parameters:
      return;
    case MachineOpcode::Immediate:
    case MachineOpcode::FloatImmediate:
    case MachineOpcode::VectorImmediate:
    case MachineOpcode::LoadField:
      return WriteImmediate();
    case MachineOpcode::Lea: {
      const MachineAddress& address = instruction_->address;
      // A shift in place is shorter than lea without base.
      if (address.base == MachineAddress::kAbsent && address.displacement == 0 &&
          RegisterAt(address.index) == RegisterAt(0)) {
        code.shl(Sized(0), std::countr_zero(address.scale));
        return;
      }
      code.lea(Sized(0), ptr[AddressExpression()]);
      return;
    }
    case MachineOpcode::Add:
      return WriteAdd();
    case MachineOpcode::Sub:
    case MachineOpcode::And:
    case MachineOpcode::Or:
    case MachineOpcode::Xor:
      WriteArithmetic();
      return NoteFlags();
    case MachineOpcode::AndNot:
      if (instruction_->size == 8) {
        code.andn(Wide(0), Wide(1), Wide(2));
      } else {
        code.andn(Half(0), Half(1), Half(2));
      }
      return NoteFlags();
    case MachineOpcode::Multiply:
      return WriteMultiply();
    case MachineOpcode::ShiftLeft:
    case MachineOpcode::ShiftRightSigned:
    case MachineOpcode::ShiftRightUnsigned:
    case MachineOpcode::RotateLeft:
    case MachineOpcode::RotateRight:
      return WriteShift();
    case MachineOpcode::Negate:
      code.neg(Sized(0));
      return;
    case MachineOpcode::Not:
      code.not_(Sized(0));
      return;
    case MachineOpcode::ZeroExtend8:
      code.movzx(Half(0), Half(1).cvt8());
      return;
    case MachineOpcode::ZeroExtend16:
      code.movzx(Half(0), Half(1).cvt16());
      return;
    case MachineOpcode::SetCompare: {
      WriteComparison();
      const auto condition = static_cast<Condition>(instruction_->condition);
      const Xbyak::Reg8 low = Half(0).cvt8();
      if (condition == Condition::FloatEqual || condition == Condition::FloatNotEqual) {
        // ZF and PF both say it.
        const bool equal = condition == Condition::FloatEqual;
        Xbyak::Label done;
        code.mov(Half(0), equal ? 0 : 1);
        code.jp(done);
        code.db(0x40 | (low.getIdx() >= 8 ? 1 : 0));
        code.db(0x0F);
        code.db(equal ? 0x94 : 0x95);
        code.db(0xC0 | (low.getIdx() & 7));
        code.L(done);
        return;
      }
      // A REX prefix makes the low byte of any register reachable.
      code.db(0x40 | (low.getIdx() >= 8 ? 1 : 0));
      code.db(0x0F);
      code.db(0x90 | static_cast<int>(condition));
      code.db(0xC0 | (low.getIdx() & 7));
      code.movzx(Half(0), low);
      return;
    }
    case MachineOpcode::CompareSelect:
      return WriteSelect();
    case MachineOpcode::CompareBranch:
      return WriteBranch();
    case MachineOpcode::CompareTrap:
      WriteComparison();
      TrapOn(static_cast<Condition>(instruction_->condition),
             static_cast<TrapCode>(instruction_->trap));
      return;
    case MachineOpcode::StoreField:
      return WriteField();
    case MachineOpcode::CheckBounds:
      return WriteCheckBounds();
    case MachineOpcode::CheckBounds64:
      return WriteCheckBounds64();
    case MachineOpcode::CheckInterrupt:
      return WriteCheckInterrupt();
    case MachineOpcode::AtomicAdd:
    case MachineOpcode::AtomicSub:
    case MachineOpcode::AtomicExchange:
    case MachineOpcode::AtomicUpdate:
    case MachineOpcode::AtomicApply:
    case MachineOpcode::AtomicCompareExchange:
      return WriteAtomic();
    case MachineOpcode::Fence:
      code.mfence();
      return;
    case MachineOpcode::CallDirect:
    case MachineOpcode::CallImport:
    case MachineOpcode::CallRecord:
    case MachineOpcode::CallTable:
    case MachineOpcode::CallRuntime:
      return WriteCall();
    case MachineOpcode::Jump:
      return JumpTo(function_->blocks[block_].successors[0]);
    case MachineOpcode::Switch:
      return WriteSwitch();
    case MachineOpcode::Return:
      return Epilogue();
    case MachineOpcode::Trap:
      code.db(0xE8);
      code.dd(0);
      Relocate(Relocation::Kind::TrapStub, static_cast<std::uint32_t>(instruction_->immediate));
      CallSite(instruction_->wasm_offset, instruction_->context);
      return;
    case MachineOpcode::BeforeOwn:
      return;
  }
}

/// Instructions that make a value from nothing, and may be repeated.
inline void Emitter::Writer::WriteImmediate() {
  auto& code = *code_;
  const Register target = remade_ != kNoRegister ? remade_ : RegisterAt(0);
  const std::uint64_t bits = instruction_->immediate;
  switch (Opcode()) {
    case MachineOpcode::Immediate:
      if (bits == 0) {
        code.xor_(Reg32{target}, Reg32{target});
      } else if (bits <= 0xFFFFFFFF) {
        code.mov(Reg32{target}, static_cast<std::uint32_t>(bits));
      } else {
        code.mov(Reg64{target}, bits);
      }
      return;
    case MachineOpcode::FloatImmediate:
      if (instruction_->size == 4) {
        EmitF32Constant(code, constants_, cpu_, target, static_cast<std::uint32_t>(bits));
      } else {
        EmitF64Constant(code, constants_, cpu_, target, bits);
      }
      return;
    case MachineOpcode::VectorImmediate: {
      VectorOperands operands;
      operands.result = target;
      operands.bytes = &ir_->vectors[bits];
      EmitVector(code, constants_, cpu_, wasm::Opcode::V128Const, operands);
      return;
    }
    default: {
      const Xbyak::Address address = Memory(instruction_->size * 8u);
      if (target >= kXmm0) {
        LoadVector(Xmm{target - kXmm0}, address, instruction_->size);
      } else if (instruction_->size == 4) {
        code.mov(Reg32{target}, address);
      } else {
        code.mov(Reg64{target}, address);
      }
      return;
    }
  }
}

// --- Integers ------------------------------------------------------------------------------------

inline void Emitter::Writer::WriteAdd() {
  auto& code = *code_;
  if (Form() == OperandForm::Memory) return WriteArithmetic();
  const Register target = RegisterAt(0);
  const Register first = RegisterAt(1);
  if (Form() == OperandForm::Immediate) {
    const auto immediate = static_cast<std::int32_t>(instruction_->immediate);
    if (target == first) {
      code.add(Sized(0), static_cast<std::uint32_t>(immediate));
      NoteFlags();
    } else {
      code.lea(Sized(0), Xbyak::util::ptr[Wide(1) + static_cast<std::size_t>(immediate)]);
    }
    return;
  }
  if (LocationAt(2).IsSlot()) {
    if (target != first) code.mov(Sized(0), Sized(1));
    code.add(Sized(0), Slot(LocationAt(2), false, instruction_->size * 8u));
    return;
  }
  if (target == first) {
    code.add(Sized(0), Sized(2));
    NoteFlags();
  } else if (target == RegisterAt(2)) {
    code.add(Sized(0), Sized(1));
    NoteFlags();
  } else {
    code.lea(Sized(0), Xbyak::util::ptr[Wide(1) + Wide(2)]);
  }
}

/// The flags say now whether operand 0 is zero.
inline void Emitter::Writer::NoteFlags() {
  flags_offset_ = Offset();
  flags_register_ = RegisterAt(0);
  flags_size_ = instruction_->size;
}

/// Calls `apply` with the result's register and the last source, whatever its form.
template <class F>
void Emitter::Writer::ForBinary(F apply) {
  const Xbyak::Reg target = Sized(0);
  switch (Form()) {
    case OperandForm::Operand:
      if (LocationAt(2).IsSlot()) {
        apply(target, Slot(LocationAt(2), false, instruction_->size * 8u));
      } else {
        apply(target, Sized(2));
      }
      return;
    case OperandForm::Memory:
      Fault();
      apply(target, Memory(instruction_->size * 8u));
      return;
    case OperandForm::Immediate:
      return;
  }
}

inline void Emitter::Writer::WriteArithmetic() {
  auto& code = *code_;
  const auto immediate = static_cast<std::uint32_t>(instruction_->immediate);
  const bool is_immediate = Form() == OperandForm::Immediate;
  switch (Opcode()) {
    case MachineOpcode::Add:
      return ForBinary([&](const auto& to, const auto& from) { code.add(to, from); });
    case MachineOpcode::Sub:
      if (is_immediate) return code.sub(Sized(0), immediate);
      return ForBinary([&](const auto& to, const auto& from) { code.sub(to, from); });
    case MachineOpcode::And:
      if (is_immediate) return code.and_(Sized(0), immediate);
      return ForBinary([&](const auto& to, const auto& from) { code.and_(to, from); });
    case MachineOpcode::Or:
      if (is_immediate) return code.or_(Sized(0), immediate);
      return ForBinary([&](const auto& to, const auto& from) { code.or_(to, from); });
    default:
      if (is_immediate) return code.xor_(Sized(0), immediate);
      return ForBinary([&](const auto& to, const auto& from) { code.xor_(to, from); });
  }
}

inline void Emitter::Writer::WriteMultiply() {
  auto& code = *code_;
  if (Form() != OperandForm::Immediate) {
    return ForBinary([&](const auto& to, const auto& from) { code.imul(to, from); });
  }
  const auto immediate = static_cast<int>(instruction_->immediate);
  if (LocationAt(1).IsSlot()) {
    code.imul(Sized(0), Slot(LocationAt(1), false, instruction_->size * 8u), immediate);
  } else {
    code.imul(Sized(0), Sized(1), immediate);
  }
}

inline void Emitter::Writer::WriteShift() {
  auto& code = *code_;
  if (Form() == OperandForm::Immediate) {
    const auto count = static_cast<int>(instruction_->immediate);
    if (RegisterAt(0) != RegisterAt(1)) {
      const int bits = instruction_->size * 8;
      const int right = Opcode() == MachineOpcode::RotateLeft ? (bits - count) & (bits - 1) : count;
      if (bits == 64) return code.rorx(Wide(0), Wide(1), static_cast<std::uint8_t>(right));
      return code.rorx(Half(0), Half(1), static_cast<std::uint8_t>(right));
    }
    switch (Opcode()) {
      case MachineOpcode::ShiftLeft:
        return code.shl(Sized(0), count);
      case MachineOpcode::ShiftRightSigned:
        return code.sar(Sized(0), count);
      case MachineOpcode::ShiftRightUnsigned:
        return code.shr(Sized(0), count);
      case MachineOpcode::RotateLeft:
        return code.rol(Sized(0), count);
      default:
        return code.ror(Sized(0), count);
    }
  }
  const bool rotates =
      Opcode() == MachineOpcode::RotateLeft || Opcode() == MachineOpcode::RotateRight;
  if (cpu_.Has(CpuFeature::Bmi2) && !rotates) {
    const bool is_wide = instruction_->size == 8;
    const auto apply = [&](auto to, auto from, auto count) {
      switch (Opcode()) {
        case MachineOpcode::ShiftLeft:
          return code.shlx(to, from, count);
        case MachineOpcode::ShiftRightSigned:
          return code.sarx(to, from, count);
        default:
          return code.shrx(to, from, count);
      }
    };
    return is_wide ? apply(Wide(0), Wide(1), Wide(2)) : apply(Half(0), Half(1), Half(2));
  }
  const Xbyak::Reg8& count = Xbyak::util::cl;
  switch (Opcode()) {
    case MachineOpcode::ShiftLeft:
      return code.shl(Sized(0), count);
    case MachineOpcode::ShiftRightSigned:
      return code.sar(Sized(0), count);
    case MachineOpcode::ShiftRightUnsigned:
      return code.shr(Sized(0), count);
    case MachineOpcode::RotateLeft:
      return code.rol(Sized(0), count);
    default:
      return code.ror(Sized(0), count);
  }
}

inline void Emitter::Writer::WriteDivision() {
  using namespace Xbyak::util;
  auto& code = *code_;
  const IrOpcode opcode = ToIr(Opcode());
  const bool is_signed = opcode == IrOpcode::I32DivS || opcode == IrOpcode::I64DivS ||
                         opcode == IrOpcode::I32RemS || opcode == IrOpcode::I64RemS;
  const bool is_remainder = opcode == IrOpcode::I32RemS || opcode == IrOpcode::I64RemS ||
                            opcode == IrOpcode::I32RemU || opcode == IrOpcode::I64RemU;
  const bool may_be_zero = (instruction_->immediate & 1) == 0;
  const bool may_be_minus_one = (instruction_->immediate & 2) == 0;
  const Xbyak::Reg divisor = Sized(2);
  const Xbyak::Reg dividend = InSize(kRax);
  if (may_be_zero) {
    code.test(divisor, divisor);
    TrapOn(Condition::Equal, TrapCode::IntegerDivideByZero);
  }
  if (!is_signed) {
    code.xor_(edx, edx);
    code.div(divisor);
    return;
  }
  Xbyak::Label divide;
  Xbyak::Label done;
  if (may_be_minus_one) {
    code.cmp(divisor, ~std::uint32_t{0});
    code.jne(divide);
    if (is_remainder) {
      code.xor_(edx, edx);
      code.jmp(done);
    } else {
      // Overflows for the least number only.
      code.cmp(dividend, 1);
      TrapOn(Condition::Overflow, TrapCode::IntegerOverflow);
    }
    code.L(divide);
  }
  if (instruction_->size == 8) {
    code.cqo();
  } else {
    code.cdq();
  }
  code.idiv(divisor);
  code.L(done);
}

inline void Emitter::Writer::WriteBitCount() {
  auto& code = *code_;
  const bool is_wide = instruction_->size == 8;
  const std::uint32_t bits = is_wide ? 64 : 32;
  // Without temporaries the processor has the instruction.
  const bool is_native = instruction_->operand_count == 2;
  switch (ToIr(Opcode())) {
    case IrOpcode::I32Clz:
    case IrOpcode::I64Clz:
      if (is_native) {
        code.lzcnt(is_wide ? Xbyak::Reg{Wide(0)} : Xbyak::Reg{Half(0)}, Sized(1));
        return;
      }
      code.mov(Half(2), 2 * bits - 1);
      code.bsr(Sized(0), Sized(1));
      code.cmovz(Sized(0), Sized(2));
      code.xor_(Half(0), bits - 1);
      return;
    case IrOpcode::I32Ctz:
    case IrOpcode::I64Ctz:
      if (is_native) {
        code.tzcnt(is_wide ? Xbyak::Reg{Wide(0)} : Xbyak::Reg{Half(0)}, Sized(1));
        return;
      }
      code.mov(Half(2), bits);
      code.bsf(Sized(0), Sized(1));
      code.cmovz(Sized(0), Sized(2));
      return;
    default:
      break;
  }
  if (is_native) {
    code.popcnt(is_wide ? Xbyak::Reg{Wide(0)} : Xbyak::Reg{Half(0)}, Sized(1));
    return;
  }
  // Sums of bits, then of pairs, of fours, of bytes.
  const auto mask = [&](std::uint32_t pattern) {
    const std::uint64_t wide = std::uint64_t{pattern} << 32 | pattern;
    if (is_wide) {
      code.mov(Wide(3), wide);
    } else {
      code.mov(Half(3), pattern);
    }
  };
  code.mov(Sized(0), Sized(1));
  code.mov(Sized(2), Sized(1));
  code.shr(Sized(2), 1);
  mask(0x55555555);
  code.and_(Sized(2), Sized(3));
  code.sub(Sized(0), Sized(2));
  mask(0x33333333);
  code.mov(Sized(2), Sized(0));
  code.shr(Sized(2), 2);
  code.and_(Sized(2), Sized(3));
  code.and_(Sized(0), Sized(3));
  code.add(Sized(0), Sized(2));
  code.mov(Sized(2), Sized(0));
  code.shr(Sized(2), 4);
  code.add(Sized(0), Sized(2));
  mask(0x0F0F0F0F);
  code.and_(Sized(0), Sized(3));
  mask(0x01010101);
  code.imul(Sized(0), Sized(3));
  code.shr(Sized(0), static_cast<int>(bits - 8));
}

/// Integer instructions that have wasm's code.
inline bool Emitter::Writer::WriteInteger() {
  auto& code = *code_;
  switch (ToIr(Opcode())) {
    case IrOpcode::I32DivS:
    case IrOpcode::I32DivU:
    case IrOpcode::I32RemS:
    case IrOpcode::I32RemU:
    case IrOpcode::I64DivS:
    case IrOpcode::I64DivU:
    case IrOpcode::I64RemS:
    case IrOpcode::I64RemU:
      WriteDivision();
      return true;
    case IrOpcode::I32Clz:
    case IrOpcode::I32Ctz:
    case IrOpcode::I32Popcnt:
    case IrOpcode::I64Clz:
    case IrOpcode::I64Ctz:
    case IrOpcode::I64Popcnt:
      WriteBitCount();
      return true;
    case IrOpcode::I32WrapI64:
      code.mov(Half(0), Half(1));
      return true;
    case IrOpcode::I32Extend8S:
      code.movsx(Half(0), Half(1).cvt8());
      return true;
    case IrOpcode::I32Extend16S:
      code.movsx(Half(0), Half(1).cvt16());
      return true;
    case IrOpcode::I64Extend8S:
      code.movsx(Wide(0), Half(1).cvt8());
      return true;
    case IrOpcode::I64Extend16S:
      code.movsx(Wide(0), Half(1).cvt16());
      return true;
    case IrOpcode::I64ExtendI32S:
    case IrOpcode::I64Extend32S:
      code.movsxd(Wide(0), Half(1));
      return true;
    default:
      return false;
  }
}

// --- Comparisons ---------------------------------------------------------------------------------

inline void Emitter::Writer::WriteComparison() {
  auto& code = *code_;
  const std::uint32_t first = instruction_->compare_operand;
  const std::uint32_t second = first + 1;
  const std::uint32_t bits = instruction_->size * 8u;
  if (static_cast<CompareKind>(instruction_->compare) == CompareKind::Float) {
    const auto compare = [&](const auto& source) {
      const bool avx = cpu_.Has(CpuFeature::Avx);
      if (bits == 32) {
        return avx ? code.vucomiss(Vector(first), source) : code.ucomiss(Vector(first), source);
      }
      return avx ? code.vucomisd(Vector(first), source) : code.ucomisd(Vector(first), source);
    };
    if (Form() == OperandForm::Memory) {
      Fault();
      return compare(Memory(bits));
    }
    if (LocationAt(second).IsSlot()) return compare(Slot(LocationAt(second), false, bits));
    return compare(Vector(second));
  }
  const bool is_test = static_cast<CompareKind>(instruction_->compare) == CompareKind::Test;
  switch (Form()) {
    case OperandForm::Immediate: {
      const auto immediate = static_cast<std::uint32_t>(instruction_->immediate);
      if (instruction_->size == 1) {
        code.cmp(Half(first).cvt8(), immediate);
      } else if (is_test) {
        code.test(Sized(first), immediate);
      } else {
        code.cmp(Sized(first), immediate);
      }
      return;
    }
    case OperandForm::Memory:
      // Fields of the runtime's records have no offset in the module.
      if (Opcode() != MachineOpcode::CompareTrap) Fault();
      code.cmp(Sized(first), Memory(bits));
      return;
    case OperandForm::Operand:
      break;
  }
  if (LocationAt(second).IsSlot()) {
    const Xbyak::Address slot = Slot(LocationAt(second), false, bits);
    if (is_test) {
      code.test(slot, Sized(first));
    } else {
      code.cmp(Sized(first), slot);
    }
    return;
  }
  if (is_test) {
    const auto condition = static_cast<Condition>(instruction_->condition);
    const bool is_zero_test = RegisterAt(first) == RegisterAt(second) &&
                              (condition == Condition::Equal || condition == Condition::NotEqual);
    if (is_zero_test && flags_offset_ == Offset() && flags_register_ == RegisterAt(first) &&
        flags_size_ == instruction_->size) {
      return;
    }
    code.test(Sized(first), Sized(second));
  } else {
    code.cmp(Sized(first), Sized(second));
  }
}

inline void Emitter::Writer::WriteBranch() {
  WriteComparison();
  auto condition = static_cast<Condition>(instruction_->condition);
  std::uint32_t so = function_->blocks[block_].successors[0];
  std::uint32_t not_so = function_->blocks[block_].successors[1];
  if (condition == Condition::FloatNotEqual) {
    std::swap(so, not_so);
    condition = Condition::FloatEqual;
  }
  if (condition == Condition::FloatEqual) {
    JumpIf(Condition::Parity, not_so);
    if (Target(so) == next_block_) {
      JumpIf(Condition::NotEqual, not_so);
      return;
    }
    JumpIf(Condition::Equal, so);
    JumpTo(not_so);
    return;
  }
  if (Target(so) == next_block_) {
    JumpIf(Invert(condition), not_so);
    return;
  }
  JumpIf(condition, so);
  JumpTo(not_so);
}

/// Definition in the place of operand 1, the value if the comparison does not hold; operand 2 if it
/// does.
inline void Emitter::Writer::WriteSelect() {
  auto& code = *code_;
  WriteComparison();
  auto condition = static_cast<Condition>(instruction_->condition);
  if (IsVector(0)) {
    Xbyak::Label done;
    Xbyak::Label take;
    if (condition == Condition::FloatEqual) {
      code.jp(done);
      code.jne(done);
    } else if (condition == Condition::FloatNotEqual) {
      code.jp(take);
      code.je(done);
    } else {
      // Jumps over the copy.
      const std::uint32_t at = Offset();
      code.db(0x70 | static_cast<int>(Invert(condition)));
      code.db(0);
      CopyVector(Vector(0), Vector(2));
      code.rewrite(at + 1, Offset() - at - 2, 1);
      return;
    }
    code.L(take);
    CopyVector(Vector(0), Vector(2));
    code.L(done);
    return;
  }
  // Whole registers: what is selected may be wider than what is compared.
  const auto move = [&](Condition when, Register to, Register from) {
    code.db(0x48 | ((to >> 3) << 2) | (from >> 3));
    code.db(0x0F);
    code.db(0x40 | static_cast<int>(when));
    code.db(0xC0 | ((to & 7) << 3) | (from & 7));
  };
  if (condition == Condition::FloatNotEqual) {
    move(Condition::Parity, RegisterAt(0), RegisterAt(2));
    move(Condition::NotEqual, RegisterAt(0), RegisterAt(2));
  } else if (condition == Condition::FloatEqual) {
    Xbyak::Label done;
    code.jp(done);
    move(Condition::Equal, RegisterAt(0), RegisterAt(2));
    code.L(done);
  } else {
    move(condition, RegisterAt(0), RegisterAt(2));
  }
}

inline void Emitter::Writer::WriteSwitch() {
  using namespace Xbyak::util;
  auto& code = *code_;
  const auto number = static_cast<std::uint32_t>(instruction_->immediate);
  const FlatArray<std::uint32_t>& targets = ir_->switches[number].targets;
  const ShortList<std::uint32_t>& successors = function_->blocks[block_].successors;
  const std::uint32_t otherwise = successors[targets.back()];
  const auto count = static_cast<std::uint32_t>(targets.size() - 1);
  constexpr std::uint32_t kFewTargets = 4;
  if (count <= kFewTargets) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (Target(successors[targets[i]]) == Target(otherwise)) continue;
      code.cmp(Half(0), i);
      JumpIf(Condition::Equal, successors[targets[i]]);
    }
    JumpTo(otherwise);
    return;
  }
  code.cmp(Half(0), count);
  JumpIf(Condition::AboveOrEqual, otherwise);
  code.lea(Wide(1), ptr[rip + 0]);
  jump_tables_.push_back({Offset() - 4, block_, number});
  code.movsxd(Wide(2), dword[Wide(1) + Wide(0) * 4]);
  code.add(Wide(1), Wide(2));
  code.jmp(Wide(1));
}

// --- Memory --------------------------------------------------------------------------------------

/// Scalar loads and stores.
inline bool Emitter::Writer::WriteAccess() {
  auto& code = *code_;
  const std::uint32_t offset = Offset();
  const auto store = [&](std::uint32_t bytes) {
    const Xbyak::Address address = Memory(bytes * 8);
    if (Form() == OperandForm::Immediate) {
      const std::uint64_t mask =
          bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (bytes * 8)) - 1;
      code.mov(address, instruction_->immediate & mask);
    } else if (bytes == 1) {
      code.mov(address, Half(0).cvt8());
    } else if (bytes == 2) {
      code.mov(address, Half(0).cvt16());
    } else if (bytes == 4) {
      code.mov(address, Half(0));
    } else {
      code.mov(address, Wide(0));
    }
  };
  switch (ToIr(Opcode())) {
    case IrOpcode::I32Load:
    case IrOpcode::I64Load32U:
      code.mov(Half(0), Memory(32));
      break;
    case IrOpcode::I64Load:
      code.mov(Wide(0), Memory(64));
      break;
    case IrOpcode::I32Load8S:
      code.movsx(Half(0), Memory(8));
      break;
    case IrOpcode::I64Load8S:
      code.movsx(Wide(0), Memory(8));
      break;
    case IrOpcode::I32Load8U:
    case IrOpcode::I64Load8U:
      code.movzx(Half(0), Memory(8));
      break;
    case IrOpcode::I32Load16S:
      code.movsx(Half(0), Memory(16));
      break;
    case IrOpcode::I64Load16S:
      code.movsx(Wide(0), Memory(16));
      break;
    case IrOpcode::I32Load16U:
    case IrOpcode::I64Load16U:
      code.movzx(Half(0), Memory(16));
      break;
    case IrOpcode::I64Load32S:
      code.movsxd(Wide(0), Memory(32));
      break;
    case IrOpcode::F32Load:
      LoadVector(Vector(0), Memory(32), 4);
      break;
    case IrOpcode::F64Load:
      LoadVector(Vector(0), Memory(64), 8);
      break;
    case IrOpcode::I32Store8:
    case IrOpcode::I64Store8:
      store(1);
      break;
    case IrOpcode::I32Store16:
    case IrOpcode::I64Store16:
      store(2);
      break;
    case IrOpcode::I32Store:
    case IrOpcode::I64Store32:
      store(4);
      break;
    case IrOpcode::I64Store:
      store(8);
      break;
    case IrOpcode::F32Store:
      StoreVector(Memory(32), Vector(0), 4);
      break;
    case IrOpcode::F64Store:
      StoreVector(Memory(64), Vector(0), 8);
      break;
    default:
      return false;
  }
  Fault(offset);
  return true;
}

/// The part of an integer register that an access of `size` bytes takes.
inline Xbyak::Reg Emitter::Writer::Part(std::uint32_t operand) const {
  switch (instruction_->size) {
    case 1:
      return Half(operand).cvt8();
    case 2:
      return Half(operand).cvt16();
    case 4:
      return Half(operand);
    default:
      return Wide(operand);
  }
}

/// Clears what lies above an access in the register of the result. Instructions on 32 bits do that.
inline void Emitter::Writer::ExtendPart() {
  if (instruction_->size == 1) {
    code_->movzx(Half(0), Half(0).cvt8());
  } else if (instruction_->size == 2) {
    code_->movzx(Half(0), Half(0).cvt16());
  }
}

inline void Emitter::Writer::ApplyBits(const Xbyak::Operand& to, std::uint32_t source) {
  auto& code = *code_;
  switch (static_cast<wasm::AtomicKind>(instruction_->immediate)) {
    case wasm::AtomicKind::And:
      code.and_(to, Part(source));
      return;
    case wasm::AtomicKind::Or:
      code.or_(to, Part(source));
      return;
    default:
      code.xor_(to, Part(source));
      return;
  }
}

inline void Emitter::Writer::WriteAtomic() {
  auto& code = *code_;
  const Xbyak::Address memory = Memory(instruction_->size * 8u);
  switch (Opcode()) {
    case MachineOpcode::AtomicSub:
      code.neg(instruction_->size == 8 ? Xbyak::Reg{Wide(0)} : Xbyak::Reg{Half(0)});
      [[fallthrough]];
    case MachineOpcode::AtomicAdd:
      Fault();
      code.lock();
      code.xadd(memory, Part(0));
      if (instruction_->immediate != 0) ExtendPart();
      return;
    case MachineOpcode::AtomicExchange:
      // Locks by itself.
      Fault();
      code.xchg(Part(0), memory);
      if (instruction_->immediate != 0) ExtendPart();
      return;
    case MachineOpcode::AtomicApply:
      Fault();
      code.lock();
      return ApplyBits(memory, 0);
    case MachineOpcode::AtomicCompareExchange:
      Fault();
      code.lock();
      code.cmpxchg(memory, Part(2));
      // If it was as expected, what was expected stays: of 64 bits, perhaps.
      if (instruction_->size == 4) code.mov(Half(0), Half(0));
      return ExtendPart();
    default: {
      // The definition is rax, which cmpxchg compares and gives what was found.
      Fault();
      if (instruction_->size < 4) {
        code.movzx(Half(0), memory);
      } else {
        code.mov(Part(0), memory);
      }
      Xbyak::Label again;
      code.L(again);
      code.mov(Wide(2), Wide(0));
      ApplyBits(Part(2), 1);
      Fault();
      code.lock();
      code.cmpxchg(memory, Part(2));
      code.jne(again);
      return;
    }
  }
}

/// Stores to memory of the runtime.
inline void Emitter::Writer::WriteField() {
  const Xbyak::Address address = Memory(instruction_->size * 8u);
  if (IsVector(0)) {
    StoreVector(address, Vector(0), instruction_->size);
  } else if (instruction_->size == 4) {
    code_->mov(address, Half(0));
  } else {
    code_->mov(address, Wide(0));
  }
}

inline void Emitter::Writer::WriteCheckBounds() {
  using namespace Xbyak::util;
  auto& code = *code_;
  const std::uint64_t behind = instruction_->immediate;
  if (behind <= INT32_MAX) {
    code.lea(Wide(1), ptr[Wide(0) + static_cast<std::size_t>(behind)]);
  } else {
    code.mov(Wide(1), behind);
    code.add(Wide(1), Wide(0));
  }
  CompareWithMemorySize();
}

inline void Emitter::Writer::WriteCheckBounds64() {
  auto& code = *code_;
  const std::uint64_t behind = instruction_->immediate;
  if (behind <= INT32_MAX) {
    code.mov(Wide(1), Wide(0));
    code.add(Wide(1), static_cast<std::uint32_t>(behind));
  } else {
    code.mov(Wide(1), behind);
    code.add(Wide(1), Wide(0));
  }
  TrapOn(Condition::Below, TrapCode::OutOfBoundsMemoryAccess);
  CompareWithMemorySize();
}

/// Operand 1 is where an access ends, operand 2 is free.
inline void Emitter::Writer::CompareWithMemorySize() {
  using namespace Xbyak::util;
  auto& code = *code_;
  code.mov(Wide(2), qword[r15 + offsetof(abi::InstanceHeader, memory)]);
  code.cmp(Wide(1), qword[Wide(2) + offsetof(abi::MemoryRecord, size)]);
  TrapOn(Condition::Above, TrapCode::OutOfBoundsMemoryAccess);
}

inline void Emitter::Writer::WriteCheckInterrupt() {
  using namespace Xbyak::util;
  code_->cmp(r15, qword[r15 + offsetof(abi::InstanceHeader, attention)]);
  const std::uint32_t field = EmitJcc(Condition::Equal);
  interrupt_fix_ups_.push_back({field, Offset(), instruction_->wasm_offset, instruction_->context});
}

// --- Calls ---------------------------------------------------------------------------------------

inline void Emitter::Writer::WriteCall() {
  using namespace Xbyak::util;
  auto& code = *code_;
  if (Opcode() == MachineOpcode::CallDirect) {
    code.db(0xE8);
    code.dd(0);
    Relocate(Relocation::Kind::Function, static_cast<std::uint32_t>(instruction_->immediate));
    CallSite(instruction_->wasm_offset, instruction_->context);
    return;
  }
  if (Opcode() == MachineOpcode::CallTable) {
    // A function of the same instance is entered as if called by number.
    code.cmp(qword[rax + offsetof(abi::FunctionRecord, instance)], r15);
    const std::uint32_t field = EmitJcc(Condition::NotEqual);
    code.call(qword[rax + offsetof(abi::FunctionRecord, body)]);
    CallSite(instruction_->wasm_offset, instruction_->context);
    foreign_calls_.push_back({field, Offset(), instruction_});
    return;
  }
  WriteForeignCall();
}

/// A call that may leave the module.
inline void Emitter::Writer::WriteForeignCall() {
  using namespace Xbyak::util;
  auto& code = *code_;
  code.mov(r11, qword[r15 + offsetof(abi::InstanceHeader, exec)]);
  code.mov(qword[r11 + offsetof(abi::ExecContext, exit_stack_pointer)], rsp);
  switch (Opcode()) {
    case MachineOpcode::CallImport: {
      const std::size_t record =
          sizeof(abi::InstanceHeader) + instruction_->immediate * sizeof(abi::ImportRecord);
      code.mov(rdi, qword[r15 + record + offsetof(abi::ImportRecord, context)]);
      code.mov(rsi, r15);
      code.call(qword[r15 + record + offsetof(abi::ImportRecord, code)]);
      break;
    }
    case MachineOpcode::CallRuntime:
      code.mov(rdi, r15);
      if (instruction_->immediate <= 0xFFFFFFFF) {
        code.mov(esi, static_cast<std::uint32_t>(instruction_->immediate));
      } else {
        code.mov(rsi, instruction_->immediate);
      }
      code.mov(rax, qword[r15 + offsetof(abi::InstanceHeader, runtime_calls)]);
      code.call(qword[rax + static_cast<std::size_t>(instruction_->address.displacement)]);
      break;
    default:
      code.mov(rdi, qword[rax + offsetof(abi::FunctionRecord, context)]);
      code.mov(rsi, r15);
      code.call(qword[rax + offsetof(abi::FunctionRecord, code)]);
      break;
  }
  CallSite(instruction_->wasm_offset, instruction_->context);
  // Whether something is pending, and whether to stop: also for a host function that takes its
  // time, called by a guest that does nothing else.
  WriteCheckInterrupt();
}

// --- Floats and vectors --------------------------------------------------------------------------

inline void Emitter::Writer::WritePlanned() {
  VectorOperands operands;
  std::uint32_t source = 0;
  std::uint32_t vector_temporary = 0;
  std::uint32_t integer_temporary = 0;
  const MachineAddress& address = instruction_->address;
  for (std::uint32_t i = 0; i < instruction_->operand_count; ++i) {
    if (i == address.base || i == address.index) continue;
    const Register reg = RegisterAt(i);
    switch (OperandAt(i).role) {
      case OperandRole::Define:
        operands.result = reg;
        break;
      case OperandRole::Temporary:
        if (reg >= kXmm0) {
          operands.vector_temporaries[vector_temporary++] = reg;
        } else {
          operands.integer_temporaries[integer_temporary++] = reg;
        }
        break;
      default:
        operands.operands[source++] = reg;
        break;
    }
  }
  const IrOpcode opcode = ToIr(Opcode());
  if (!IsWasm(opcode)) {
    EmitCanonicalNan(*code_, constants_, cpu_, opcode,
                     instruction_->size == 4 ? Type::F32 : Type::F64, operands);
    return;
  }
  const wasm::Opcode wasm_opcode = ToWasm(opcode);
  const wasm::OpcodeInfo& info = wasm::Info(wasm_opcode);
  operands.lane = static_cast<std::uint32_t>(instruction_->immediate);
  if (Form() == OperandForm::Memory) {
    Fault();
    EmitWithMemory(*code_, constants_, cpu_, wasm_opcode, Memory(0), operands);
    return;
  }
  if (static_cast<std::uint16_t>(opcode) >= 0x200) {
    if (wasm_opcode == wasm::Opcode::I8x16Shuffle) {
      operands.bytes = &ir_->vectors[instruction_->immediate];
    }
    if (info.immediate == wasm::Immediate::Memory ||
        info.immediate == wasm::Immediate::MemoryLane) {
      Fault(EmitVectorMemory(*code_, constants_, cpu_, wasm_opcode, Memory(128), operands));
      return;
    }
    EmitVector(*code_, constants_, cpu_, wasm_opcode, operands);
    return;
  }
  if (info.signature == "f:i" || info.signature == "d:i" || info.signature == "f:l" ||
      info.signature == "d:l") {
    if (info.text.find(".trunc_f") != std::string_view::npos) {
      TruncateTargets targets;
      targets.context = this;
      targets.invalid_conversion = [](void* context, std::uint32_t field) {
        auto& writer = *static_cast<Writer*>(context);
        writer.trap_fix_ups_.push_back({field, writer.instruction_->wasm_offset,
                                        writer.instruction_->context,
                                        TrapCode::InvalidConversionToInteger, false});
      };
      targets.integer_overflow = [](void* context, std::uint32_t field) {
        auto& writer = *static_cast<Writer*>(context);
        writer.trap_fix_ups_.push_back({field, writer.instruction_->wasm_offset,
                                        writer.instruction_->context, TrapCode::IntegerOverflow,
                                        false});
      };
      EmitTruncate(*code_, constants_, cpu_, wasm_opcode, operands, targets);
      return;
    }
  }
  EmitFloat(*code_, constants_, cpu_, wasm_opcode, operands);
}

}  // namespace tenon::inline TENON_ABI::jit
