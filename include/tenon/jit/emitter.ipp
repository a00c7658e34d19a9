// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of emitter.hpp: frames, moves, control flow and calls.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include <tenon/abi/records.hpp>
#include <tenon/abi/runtime_calls.hpp>
#include <tenon/jit/constant_pool.hpp>
#include <tenon/jit/emitter.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/float_emitter.hpp>
#include <tenon/jit/frame_placement.hpp>
#include <tenon/jit/machine_opcode.hpp>
#include <tenon/jit/size_bounds.hpp>
#include <tenon/jit/vector_emitter.hpp>
#include <tenon/jit/xbyak.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The state of one function's emission.
class Emitter::Writer {
 public:
  explicit Writer(const CompileOptions& options) : cpu_{options.cpu} {}

  void Run(const MachineFunction& function, const Function& ir, CompiledFunction& out);
  void ReleaseLarge() {
    constexpr std::size_t kKeptBuffer = std::size_t{1024} * 1024;
    jit::ReleaseLarge(block_offsets_, forwards_, move_counts_, block_fix_ups_, trap_fix_ups_,
                      interrupt_fix_ups_, foreign_calls_, relocations_, faults_, calls_);
    if (buffer_.capacity() <= kKeptBuffer) return;
    code_.reset();
    buffer_.Release(0);
  }

 private:
  using Reg32 = Xbyak::Reg32;
  using Reg64 = Xbyak::Reg64;
  using Xmm = Xbyak::Xmm;

  /// A rel32 field that leads to a block.
  struct BlockFixUp {
    std::uint32_t field;
    std::uint32_t block;
  };
  /// The displacement of a jump of two bytes to a block further on.
  struct ShortFixUp {
    std::uint32_t field;
    std::uint32_t block;
  };
  /// A jump to code behind the blocks that raises a trap.
  struct TrapFixUp {
    std::uint32_t field;
    std::uint32_t wasm_offset;
    InlineContext context;
    TrapCode trap;
    bool is_prologue;
  };
  /// A place that asks the runtime whether to go on.
  struct InterruptFixUp {
    std::uint32_t field;
    std::uint32_t back;
    std::uint32_t wasm_offset;
    InlineContext context;
  };
  /// A call through a table that turns out to leave the instance.
  struct ForeignCall {
    std::uint32_t field;
    std::uint32_t back;
    const MachineInstruction* instruction;
  };
  struct JumpTable {
    std::uint32_t lea_field;
    std::uint32_t block;
    std::uint32_t number;
  };

  // Operands of the current instruction.
  const Operand& OperandAt(std::uint32_t i) const {
    return function_->operands[instruction_->first_operand + i];
  }
  Location LocationAt(std::uint32_t i) const {
    return function_->locations[instruction_->first_operand + i];
  }
  Register RegisterAt(std::uint32_t i) const { return LocationAt(i).AsRegister(); }
  Reg64 Wide(std::uint32_t i) const { return Reg64{RegisterAt(i)}; }
  Reg32 Half(std::uint32_t i) const { return Reg32{RegisterAt(i)}; }
  /// Register `i` in the instruction's size.
  Xbyak::Reg Sized(std::uint32_t i) const { return InSize(RegisterAt(i)); }
  Xbyak::Reg InSize(Register reg) const {
    if (instruction_->size == 8) return Reg64{reg};
    return Reg32{reg};
  }
  Xmm Vector(std::uint32_t i) const { return Xmm{RegisterAt(i) - kXmm0}; }
  bool IsVector(std::uint32_t i) const { return RegisterAt(i) >= kXmm0; }
  MachineOpcode Opcode() const { return static_cast<MachineOpcode>(instruction_->opcode); }
  OperandForm Form() const { return static_cast<OperandForm>(instruction_->form); }
  std::uint32_t Offset() { return static_cast<std::uint32_t>(code_->getSize()); }

  Xbyak::RegExp SlotExpression(std::uint32_t slot, bool is_wide) const {
    const std::uint32_t end = (slot + (is_wide ? 2u : 1u)) * 8;
    return Xbyak::util::rbp - (saved_bytes_ + end);
  }
  Xbyak::Address Slot(Location location, bool is_wide, std::uint32_t bits) {
    return Sizing(SlotExpression(location.AsSlot(), is_wide), bits);
  }
  static Xbyak::Address Sizing(const Xbyak::RegExp& expression, std::uint32_t bits) {
    using namespace Xbyak::util;
    switch (bits) {
      case 8:
        return byte[expression];
      case 16:
        return word[expression];
      case 32:
        return dword[expression];
      case 64:
        return qword[expression];
      default:
        return xword[expression];
    }
  }
  Xbyak::RegExp AddressExpression() const;
  Xbyak::Address Memory(std::uint32_t bits) const { return Sizing(AddressExpression(), bits); }

  static constexpr std::uint32_t kPrologueBytes = 64;
  /// Of a Switch behind its first jump.
  static constexpr std::uint32_t kSwitchBytes = 40;

  // Frames and moves.
  bool IsShortLoop(std::uint32_t header) const;
  std::uint32_t AlignmentOf(std::uint32_t number) const;
  void Prologue(Register first, Register second);
  void Epilogue();
  void MakeMove(const MachineMove& move);
  void CopyVector(Xmm to, Xmm from);
  void LoadVector(Xmm to, const Xbyak::Address& from, std::uint32_t bytes);
  void StoreVector(const Xbyak::Address& to, Xmm from, std::uint32_t bytes);

  // Jumps.
  std::uint32_t Target(std::uint32_t block);
  bool IsNear(std::uint32_t block, std::uint8_t& distance);
  void MakeShort(std::uint32_t block, std::uint8_t opcode, std::uint8_t distance);
  void BoundBlocks();
  void JumpTo(std::uint32_t block);
  void JumpIf(Condition condition, std::uint32_t block);
  std::uint32_t EmitJcc(Condition condition);
  void TrapOn(Condition condition, TrapCode trap);
  void Relocate(Relocation::Kind kind, std::uint32_t target);
  void Fault() { Fault(Offset()); }
  void Fault(std::uint32_t offset);
  void CallSite(std::uint32_t wasm_offset, InlineContext context, bool is_prologue = false);
  std::uint32_t FunctionOf(InlineContext context) const;
  void PlaceSite(CodeSite& site, std::uint32_t wasm_offset, InlineContext context) const;
  void PatchTo(std::uint32_t field, std::uint32_t target);

  // Instructions.
  void Write(std::uint32_t number);
  void WriteOwn();
  void WriteImmediate();
  void NoteFlags();
  void WriteAdd();
  void WriteArithmetic();
  void WriteShift();
  void WriteMultiply();
  void WriteDivision();
  void WriteBitCount();
  bool WriteInteger();
  void WriteComparison();
  void WriteBranch();
  void WriteSelect();
  void WriteSwitch();
  bool WriteAccess();
  Xbyak::Reg Part(std::uint32_t operand) const;
  void ExtendPart();
  void ApplyBits(const Xbyak::Operand& to, std::uint32_t source);
  void WriteAtomic();
  void WriteField();
  void WriteCheckBounds();
  void WriteCheckBounds64();
  void CompareWithMemorySize();
  void WriteCheckInterrupt();
  void WriteCall();
  void WriteForeignCall();
  void WritePlanned();
  void WriteForeignCalls();
  void WriteTraps();
  void WriteTables();

  template <class F>
  void ForBinary(F apply);

  const CpuFeatures cpu_;
  FlatArray<std::uint8_t> buffer_;  ///< empty, with room: most of it is never touched
  std::unique_ptr<Xbyak::CodeGenerator> code_;
  ConstantPool constants_;

  const MachineFunction* function_ = nullptr;
  const Function* ir_ = nullptr;
  const MachineInstruction* instruction_ = nullptr;
  std::uint32_t block_ = 0;
  std::uint32_t next_block_ = 0;   ///< that is written behind the current one
  Register remade_ = kNoRegister;  ///< the result of an instruction that is repeated
  // Where the flags say whether a register is zero, if nothing has been written since.
  std::uint32_t flags_offset_ = 0;
  Register flags_register_ = kNoRegister;
  std::uint8_t flags_size_ = 0;
  std::uint32_t saved_bytes_ = 0;
  std::uint32_t frame_size_ = 0;
  bool is_leaf_ = true;
  bool has_frame_ = true;
  FlatArray<std::uint32_t> block_offsets_;
  FlatArray<std::uint32_t> forwards_;  ///< where a jump to a block that only jumps leads
  FlatArray<std::uint32_t> move_counts_;
  FlatArray<std::uint32_t> block_bounds_;  ///< where blocks begin at most
  FlatArray<BlockFixUp> block_fix_ups_;
  FlatArray<ShortFixUp> short_fix_ups_;
  FlatArray<TrapFixUp> trap_fix_ups_;
  FlatArray<InterruptFixUp> interrupt_fix_ups_;
  FlatArray<ForeignCall> foreign_calls_;
  FlatArray<JumpTable> jump_tables_;
  FlatArray<Relocation> relocations_;
  FlatArray<CodeSite> faults_;
  FlatArray<CodeSite> calls_;
};

// --- Frames and moves ----------------------------------------------------------------------------

namespace detail {

inline constexpr Register kSavedRegisters[] = {kRbx, kR12, kR13, kR14};

/// Frames of functions that call nothing may be this large without a check of the stack: the room
/// that NativeStackLimit leaves is far larger.
inline constexpr std::uint32_t kUncheckedFrameBytes = 4096;

/// Processors fetch lines: a loop that lies in one takes a cycle less than one that lies in two.
inline constexpr std::uint32_t kShortLoopAlignment = 64;
inline constexpr std::uint32_t kShortLoop = 24;  ///< most instructions

}  // namespace detail

/// Uses `first` and `second`, which hold nothing.
inline void Emitter::Writer::Prologue(Register first, Register second) {
  using namespace Xbyak::util;
  auto& code = *code_;
  if (!has_frame_) return;
  code.push(rbp);
  code.mov(rbp, rsp);
  if (!is_leaf_ || frame_size_ > detail::kUncheckedFrameBytes) {
    const Reg64 exec{first};
    code.mov(exec, qword[r15 + offsetof(abi::InstanceHeader, exec)]);
    if (frame_size_ > detail::kUncheckedFrameBytes) {
      const Reg64 lowest{second};
      code.lea(lowest, ptr[rsp - std::size_t{frame_size_}]);
      code.cmp(lowest, qword[exec + offsetof(abi::ExecContext, stack_limit)]);
    } else {
      code.cmp(rsp, qword[exec + offsetof(abi::ExecContext, stack_limit)]);
    }
    trap_fix_ups_.push_back({EmitJcc(Condition::Below), 0, 0, TrapCode::StackOverflow, true});
  }
  if (frame_size_ != 0) code.sub(rsp, frame_size_);
  std::uint32_t offset = 8;
  for (const Register reg : detail::kSavedRegisters) {
    if ((function_->used_registers & Bit(reg)) == 0) continue;
    code.mov(qword[rbp - offset], Reg64{reg});
    offset += 8;
  }
}

inline void Emitter::Writer::Epilogue() {
  using namespace Xbyak::util;
  auto& code = *code_;
  if (function_->blocks[block_].is_frameless) return code.ret();
  std::uint32_t offset = 8;
  for (const Register reg : detail::kSavedRegisters) {
    if ((function_->used_registers & Bit(reg)) == 0) continue;
    code.mov(Reg64{reg}, qword[rbp - offset]);
    offset += 8;
  }
  if (frame_size_ != 0) code.mov(rsp, rbp);
  if (has_frame_) code.pop(rbp);
  code.ret();
}

inline void Emitter::Writer::CopyVector(Xmm to, Xmm from) {
  if (to.getIdx() == from.getIdx()) return;
  if (cpu_.Has(CpuFeature::Avx)) {
    code_->vmovaps(to, from);
  } else {
    code_->movaps(to, from);
  }
}

inline void Emitter::Writer::LoadVector(Xmm to, const Xbyak::Address& from, std::uint32_t bytes) {
  const bool avx = cpu_.Has(CpuFeature::Avx);
  switch (bytes) {
    case 4:
      return avx ? code_->vmovss(to, from) : code_->movss(to, from);
    case 8:
      return avx ? code_->vmovsd(to, from) : code_->movsd(to, from);
    default:
      return avx ? code_->vmovups(to, from) : code_->movups(to, from);
  }
}

inline void Emitter::Writer::StoreVector(const Xbyak::Address& to, Xmm from, std::uint32_t bytes) {
  const bool avx = cpu_.Has(CpuFeature::Avx);
  switch (bytes) {
    case 4:
      return avx ? code_->vmovss(to, from) : code_->movss(to, from);
    case 8:
      return avx ? code_->vmovsd(to, from) : code_->movsd(to, from);
    default:
      return avx ? code_->vmovups(to, from) : code_->movups(to, from);
  }
}

inline void Emitter::Writer::MakeMove(const MachineMove& move) {
  auto& code = *code_;
  const std::uint32_t bytes = move.is_wide ? 16 : 8;
  switch (move.kind) {
    case MoveKind::Swap:
      code.xchg(Reg64{move.from.AsRegister()}, Reg64{move.to.AsRegister()});
      return;
    case MoveKind::Rematerialize: {
      const MachineInstruction* const saved = instruction_;
      instruction_ = &function_->instructions[move.instruction];
      // Its definition is somewhere else now.
      remade_ = move.to.AsRegister();
      WriteImmediate();
      remade_ = kNoRegister;
      instruction_ = saved;
      return;
    }
    case MoveKind::Copy:
      break;
  }
  if (move.from.IsRegister() && move.to.IsRegister()) {
    const Register from = move.from.AsRegister();
    const Register to = move.to.AsRegister();
    if (from >= kXmm0) {
      CopyVector(Xmm{to - kXmm0}, Xmm{from - kXmm0});
    } else {
      code.mov(Reg64{to}, Reg64{from});
    }
  } else if (move.to.IsRegister()) {
    const Register to = move.to.AsRegister();
    const Xbyak::Address slot = Slot(move.from, move.is_wide, bytes * 8);
    if (to >= kXmm0) {
      LoadVector(Xmm{to - kXmm0}, slot, bytes);
    } else {
      code.mov(Reg64{to}, slot);
    }
  } else if (move.from.IsRegister()) {
    const Register from = move.from.AsRegister();
    const Xbyak::Address slot = Slot(move.to, move.is_wide, bytes * 8);
    if (from >= kXmm0) {
      StoreVector(slot, Xmm{from - kXmm0}, bytes);
    } else {
      code.mov(slot, Reg64{from});
    }
  } else {
    const Xmm scratch{kScratchVector - kXmm0};
    LoadVector(scratch, Slot(move.from, move.is_wide, bytes * 8), bytes);
    StoreVector(Slot(move.to, move.is_wide, bytes * 8), scratch, bytes);
  }
}

// --- Jumps ---------------------------------------------------------------------------------------

/// Where a jump to `block` leads in the end.
inline std::uint32_t Emitter::Writer::Target(std::uint32_t block) {
  while (forwards_[block] != block) {
    forwards_[block] = forwards_[forwards_[block]];
    block = forwards_[block];
  }
  return block;
}

inline std::uint32_t Emitter::Writer::EmitJcc(Condition condition) {
  code_->db(0x0F);
  code_->db(0x80 | static_cast<int>(condition));
  code_->dd(0);
  return Offset() - 4;
}

/// Where each block begins at most, counted from the first: distances between the begins of two
/// blocks are not greater.
inline void Emitter::Writer::BoundBlocks() {
  const SizeBounds bounds{*function_};
  const auto count = static_cast<std::uint32_t>(function_->blocks.size());
  block_bounds_.resize(count + 1);
  std::uint32_t at = 0;
  std::size_t move = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const MachineBlock& block = function_->blocks[i];
    at += AlignmentOf(i) - 1;
    block_bounds_[i] = at;
    if (i != 0 && i == function_->frame_block) at += kPrologueBytes;
    for (std::uint32_t k = block.first; k < block.end; ++k) {
      for (; move < function_->moves.size() && function_->moves[move].before <= k; ++move) {
        at += bounds.Of(function_->moves[move]);
      }
      at += bounds.Of(function_->instructions[k]);
    }
  }
  block_bounds_[count] = at;
}

/// Whether a jump of two bytes reaches `block` from the end of the current one: backwards it is
/// known, forwards if all between is short enough.
inline bool Emitter::Writer::IsNear(std::uint32_t block, std::uint8_t& distance) {
  distance = 0;
  if (block > block_) {
    // Other jumps of the block may stand between.
    const std::uint32_t between = Opcode() == MachineOpcode::Switch ? kSwitchBytes : 2 * 6;
    return block_bounds_[block] - block_bounds_[block_ + 1] + between <= 127;
  }
  const std::uint32_t back = Offset() + 2 - block_offsets_[block];
  if (back > 128) return false;
  distance = static_cast<std::uint8_t>(0 - back);
  return true;
}

/// A jump of two bytes, which IsNear has found to be possible.
inline void Emitter::Writer::MakeShort(std::uint32_t block, std::uint8_t opcode,
                                       std::uint8_t distance) {
  code_->db(opcode);
  code_->db(distance);
  if (block > block_) short_fix_ups_.push_back({Offset() - 1, block});
}

inline void Emitter::Writer::JumpTo(std::uint32_t block) {
  const std::uint32_t target = Target(block);
  if (target == next_block_) return;
  if (std::uint8_t distance = 0; IsNear(target, distance)) {
    return MakeShort(target, 0xEB, distance);
  }
  code_->db(0xE9);
  code_->dd(0);
  block_fix_ups_.push_back({Offset() - 4, target});
}

inline void Emitter::Writer::JumpIf(Condition condition, std::uint32_t block) {
  const std::uint32_t target = Target(block);
  if (std::uint8_t distance = 0; IsNear(target, distance)) {
    return MakeShort(target, static_cast<std::uint8_t>(0x70 | static_cast<int>(condition)),
                     distance);
  }
  block_fix_ups_.push_back({EmitJcc(condition), target});
}

/// Leaves for a trap if the condition holds.
inline void Emitter::Writer::TrapOn(Condition condition, TrapCode trap) {
  trap_fix_ups_.push_back(
      {EmitJcc(condition), instruction_->wasm_offset, instruction_->context, trap, false});
}

/// The rel32 field that has just been written leads out of the function.
inline void Emitter::Writer::Relocate(Relocation::Kind kind, std::uint32_t target) {
  relocations_.push_back({Offset() - 4, kind, target});
}

inline void Emitter::Writer::Fault(std::uint32_t offset) {
  CodeSite& site = faults_.emplace_back();
  site.code_offset = offset;
  PlaceSite(site, instruction_->wasm_offset, instruction_->context);
}

inline void Emitter::Writer::CallSite(std::uint32_t wasm_offset, InlineContext context,
                                      bool is_prologue) {
  CodeSite& site = calls_.emplace_back();
  site.code_offset = Offset();
  site.is_prologue = is_prologue;
  PlaceSite(site, wasm_offset, context);
}

inline std::uint32_t Emitter::Writer::FunctionOf(InlineContext context) const {
  return context == 0 ? ir_->index : ir_->inline_sites[context - 1].function;
}

inline void Emitter::Writer::PlaceSite(CodeSite& site, std::uint32_t wasm_offset,
                                       InlineContext context) const {
  site.wasm_offset = wasm_offset;
  site.function = FunctionOf(context);
  // Without context this is none.
  site.inlined_at = context - 1;
}

inline void Emitter::Writer::PatchTo(std::uint32_t field, std::uint32_t target) {
  code_->rewrite(field, static_cast<std::uint32_t>(target - (field + 4)), 4);
}

// --- Functions -----------------------------------------------------------------------------------

inline void Emitter::Writer::Run(const MachineFunction& function, const Function& ir,
                                 CompiledFunction& out) {
  function_ = &function;
  ir_ = &ir;
  relocations_.clear();
  faults_.clear();
  calls_.clear();
  out.inlinings.clear();
  out.alignment = kFunctionAlignment;
  out.inlinings.reserve(ir.inline_sites.size());
  for (const InlineSite& site : ir.inline_sites) {
    out.inlinings.push_back({FunctionOf(site.outer), site.wasm_offset, site.outer - 1});
  }
  block_fix_ups_.clear();
  short_fix_ups_.clear();
  trap_fix_ups_.clear();
  interrupt_fix_ups_.clear();
  foreign_calls_.clear();
  jump_tables_.clear();
  constants_.Clear();

  std::size_t room = 4096 + function.instructions.size() * (kMaxSequenceBytes + 64) +
                     function.moves.size() * 32 + function.blocks.size() * 16;
  for (const SwitchTable& table : ir.switches) room += table.targets.size() * 12;
  if (buffer_.capacity() < room) {
    code_.reset();
    buffer_.reserve(room + room / 4);
    code_ = std::make_unique<Xbyak::CodeGenerator>(buffer_.capacity(), buffer_.data());
  }
  code_->setSize(0);

  is_leaf_ = true;
  for (const MachineInstruction& instruction : function.instructions) {
    if (instruction.is_call) {
      is_leaf_ = false;
      break;
    }
  }
  saved_bytes_ = 0;
  for (const Register reg : detail::kSavedRegisters) {
    if ((function.used_registers & Bit(reg)) != 0) saved_bytes_ += 8;
  }
  frame_size_ = (saved_bytes_ + function.spill_slots * 8 + function.local_bytes +
                 function.outgoing_bytes + 15) &
                ~15u;
  out.frame_size = frame_size_;
  has_frame_ = frame_size_ != 0 || std::ranges::any_of(function.instructions, NeedsFrame);

  // Jumps to blocks that do nothing but jump lead on at once.
  const auto block_count = static_cast<std::uint32_t>(function.blocks.size());
  block_offsets_.assign(block_count + 1, 0);
  forwards_.resize(block_count);
  move_counts_.assign(function.instructions.size() + 1, 0);
  for (const MachineMove& move : function.moves) ++move_counts_[move.before];
  for (std::uint32_t i = 0; i < block_count; ++i) forwards_[i] = i;
  for (std::uint32_t i = 1; i < block_count; ++i) {
    // Every circle has a loop header, which stays. So does the block that makes the frame.
    const MachineBlock& block = function.blocks[i];
    if (i != function.frame_block && block.end - block.first == 1 && block.loop_end == 0 &&
        move_counts_[block.first] == 0 &&
        static_cast<MachineOpcode>(function.instructions[block.first].opcode) ==
            MachineOpcode::Jump) {
      forwards_[i] = block.successors[0];
    }
  }

  BoundBlocks();
  [[maybe_unused]] const SizeBounds bounds{function};

  if (function.frame_block == 0) Prologue(kRax, kR11);
  std::size_t move = 0;
  for (block_ = 0; block_ < block_count; ++block_) {
    const MachineBlock& block = function.blocks[block_];
    if (forwards_[block_] != block_) continue;
    next_block_ = block_ + 1;
    while (next_block_ < block_count && forwards_[next_block_] != next_block_) ++next_block_;
    if (const std::uint32_t alignment = AlignmentOf(block_); alignment != 1) {
      out.alignment = std::max(out.alignment, alignment);
      while (Offset() % alignment != 0) code_->nop(alignment - Offset() % alignment);
    }
    block_offsets_[block_] = Offset();
    if (block_ == function.frame_block && block_ != 0) {
      Prologue(function.frame_registers[0], function.frame_registers[1]);
    }
    flags_register_ = kNoRegister;
    for (std::uint32_t i = block.first; i < block.end; ++i) {
      while (move < function.moves.size() && function.moves[move].before < i) ++move;
      for (; move < function.moves.size() && function.moves[move].before == i; ++move) {
        instruction_ = &function.instructions[i];
        [[maybe_unused]] const std::uint32_t before = Offset();
        MakeMove(function.moves[move]);
        assert(Offset() - before <= bounds.Of(function.moves[move]));
      }
      [[maybe_unused]] const std::uint32_t before = Offset();
      Write(i);
      assert(Offset() - before <= bounds.Of(function.instructions[i]));
    }
  }
  WriteForeignCalls();
  WriteTraps();
  WriteTables();
  constants_.Finish(*code_);
  for (const BlockFixUp& fix_up : block_fix_ups_) {
    PatchTo(fix_up.field, block_offsets_[fix_up.block]);
  }
  for (const ShortFixUp& fix_up : short_fix_ups_) {
    const std::uint32_t distance = block_offsets_[fix_up.block] - (fix_up.field + 1);
    if (distance > 127) throw std::logic_error{"a short jump is too far"};
    code_->rewrite(fix_up.field, distance, 1);
  }
  // What is kept until all functions are done takes no more room than it must.
  out.code.assign(code_->getCode(), code_->getCode() + code_->getSize());
  out.relocations.assign(relocations_.begin(), relocations_.end());
  out.faults.assign(faults_.begin(), faults_.end());
  out.calls.assign(calls_.begin(), calls_.end());
}

/// Whether the loop is an innermost one that may fit in a line of the cache.
inline bool Emitter::Writer::IsShortLoop(std::uint32_t header) const {
  const auto& blocks = function_->blocks;
  const std::uint32_t first = blocks[header].first;
  for (std::uint32_t i = header; i < blocks[header].loop_end; ++i) {
    if (blocks[i].end - first > detail::kShortLoop) return false;
    if (i != header && blocks[i].loop_end != 0) return false;
  }
  return true;
}

/// Loops that are entered often begin where the processor likes to fetch.
inline std::uint32_t Emitter::Writer::AlignmentOf(std::uint32_t number) const {
  const MachineBlock& block = function_->blocks[number];
  if (block.loop_end == 0 || block.is_cold || block.loop_depth == 0) return 1;
  return IsShortLoop(number) ? detail::kShortLoopAlignment : kFunctionAlignment;
}

/// Raises what inline checks have found, out of the way of the code that goes on.
inline void Emitter::Writer::WriteTraps() {
  for (const TrapFixUp& fix_up : trap_fix_ups_) {
    PatchTo(fix_up.field, Offset());
    code_->db(0xE8);
    code_->dd(0);
    Relocate(Relocation::Kind::TrapStub, static_cast<std::uint32_t>(fix_up.trap));
    CallSite(fix_up.wasm_offset, fix_up.context, fix_up.is_prologue);
  }
  for (const InterruptFixUp& fix_up : interrupt_fix_ups_) {
    PatchTo(fix_up.field, Offset());
    code_->db(0xE8);
    code_->dd(0);
    Relocate(Relocation::Kind::Interrupt, 0);
    CallSite(fix_up.wasm_offset, fix_up.context);
    code_->db(0xE9);
    code_->dd(0);
    PatchTo(Offset() - 4, fix_up.back);
  }
}

inline void Emitter::Writer::WriteForeignCalls() {
  for (const ForeignCall& call : foreign_calls_) {
    PatchTo(call.field, Offset());
    instruction_ = call.instruction;
    WriteForeignCall();
    code_->db(0xE9);
    code_->dd(0);
    PatchTo(Offset() - 4, call.back);
  }
}

/// The tables of switches: distances from the table's first byte.
inline void Emitter::Writer::WriteTables() {
  for (const JumpTable& table : jump_tables_) {
    while (Offset() % 4 != 0) code_->db(0xCC);
    const std::uint32_t base = Offset();
    PatchTo(table.lea_field, base);
    const MachineBlock& block = function_->blocks[table.block];
    const FlatArray<std::uint32_t>& targets = ir_->switches[table.number].targets;
    for (std::size_t i = 0; i + 1 < targets.size(); ++i) {
      const std::uint32_t target = Target(block.successors[targets[i]]);
      code_->dd(block_offsets_[target] - base);
    }
  }
}

TENON_DECL std::uint32_t AssemblerVersion() noexcept {
  return static_cast<std::uint32_t>(Xbyak::VERSION);
}

TENON_DECL Emitter::Emitter(const CompileOptions& options)
    : writer_{std::make_unique<Writer>(options)} {}

TENON_DECL Emitter::~Emitter() = default;

TENON_DECL void Emitter::ReleaseLarge() { writer_->ReleaseLarge(); }

TENON_DECL void Emitter::Run(const MachineFunction& function, const Function& ir,
                             CompiledFunction& out) {
  writer_->Run(function, ir, out);
}

}  // namespace tenon::inline TENON_ABI::jit

#include <tenon/jit/emitter_rules.ipp>
