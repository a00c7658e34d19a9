// SPDX-License-Identifier: Apache-2.0
/// @file
/// A function as a list of machine instructions on virtual registers: what selection makes, the
/// register allocator completes, and the emitter writes down.
///
/// It is in SSA form: every virtual register has one definition, an operand or a block parameter.
/// An instruction reads its early uses, then writes its definitions; late uses and temporaries live
/// through the whole instruction.
#pragma once

#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/convention.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/short_list.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A virtual register.
using VirtualId = std::uint32_t;

enum class RegisterClass : std::uint8_t { Integer, Vector };

struct VirtualRegister {
  RegisterClass register_class = RegisterClass::Integer;
  bool is_wide = false;  ///< a v128: takes two slots when spilled
  /// The instruction that defines it can be repeated anywhere (it has no register uses and no
  /// effects), so that it need not be spilled. Index in MachineFunction::instructions, or kNone.
  std::uint32_t rematerialization = kNone;
};

enum class OperandRole : std::uint8_t {
  Use,        ///< read before the definitions are written
  LateUse,    ///< must not share a register with a definition or temporary
  Define,     ///< written after the early uses are read
  Temporary,  ///< scratch throughout; must not share a register with any other operand
};

enum class OperandPolicy : std::uint8_t {
  InRegister,  ///< any register of its class
  Any,         ///< (uses only) a register or a spill slot
  Fixed,       ///< `fixed`
  Reuse,       ///< (definitions only) the register of the use that is operand `fixed` of the
               ///< instruction; the allocator copies that use if it lives on
};

struct Operand {
  VirtualId value = kNone;
  OperandRole role = OperandRole::Use;
  OperandPolicy policy = OperandPolicy::InRegister;
  std::uint8_t fixed = 0;
};
static_assert(sizeof(Operand) == 8);

/// An address in terms of the instruction's own operands.
struct MachineAddress {
  std::uint8_t base = 0xFF;   ///< number of the operand, or 0xFF; kInstanceBase: r15
  std::uint8_t index = 0xFF;  ///< number of the operand, or 0xFF
  std::uint8_t scale = 1;     ///< 1, 2, 4, 8
  std::int32_t displacement = 0;

  static constexpr std::uint8_t kAbsent = 0xFF;
  static constexpr std::uint8_t kInstanceBase = 0xFE;
  static constexpr std::uint8_t kStackBase = 0xFD;  ///< rsp: outgoing parameters and results
  static constexpr std::uint8_t kFrameBase = 0xFC;  ///< rbp: incoming parameters
  static constexpr std::uint8_t kLocalBase = 0xFB;  ///< cell 0 of Function::local_cells
};

struct MachineInstruction {
  std::uint16_t opcode = 0;          ///< MachineOpcode; nothing to the allocator
  std::uint8_t size = 8;             ///< operand size in bytes where the opcode leaves it open
  std::uint8_t condition = 0;        ///< Condition
  std::uint8_t form = 0;             ///< OperandForm of the last source
  std::uint8_t compare = 0;          ///< CompareKind of instructions that compare
  std::uint8_t compare_operand = 0;  ///< number of the first operand of the comparison
  std::uint8_t trap = 0;             ///< TrapCode of instructions that trap on a condition
  std::uint32_t first_operand = 0;
  std::uint8_t operand_count = 0;
  bool is_call = false;  ///< values should rather live in registers that calls keep
  MachineAddress address;
  std::uint64_t immediate = 0;
  RegisterSet clobbers =
      0;  ///< registers whose contents are lost, between the uses and definitions
  std::uint32_t wasm_offset = 0;
  std::uint32_t context = 0;  ///< InlineContext of the instruction at wasm_offset
};

/// A block: the instructions [first, end). The last is its terminator. Edges from blocks with
/// several successors to blocks with several predecessors do not occur if the target has
/// parameters.
struct MachineBlock {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
  ShortList<VirtualId> parameters;
  ShortList<std::uint32_t> predecessors;
  ShortList<std::uint32_t> successors;
  /// For a block whose only successor has parameters: their values, in order.
  ShortList<VirtualId> arguments;
  std::uint32_t loop_depth = 0;
  std::uint32_t loop_end = 0;  ///< loop headers: index behind the last block of the loop, else 0
  bool is_cold = false;
  bool is_frameless = false;  ///< executes before there is a frame, or without one

  // What allocation fills: registers that may hold values.
  RegisterSet begin_registers = 0;
  RegisterSet end_registers = 0;
};

/// Where a value is: a register, or a spill slot of 8 bytes (two for wide values, the lower given).
class Location {
 public:
  constexpr Location() = default;
  static constexpr Location InRegister(Register reg) { return Location{reg}; }
  static constexpr Location InSlot(std::uint32_t slot) {
    return Location{static_cast<std::int32_t>(slot) + kFirstSlot};
  }
  constexpr bool IsNone() const { return code_ < 0; }
  constexpr bool IsRegister() const { return code_ >= 0 && code_ < kFirstSlot; }
  constexpr bool IsSlot() const { return code_ >= kFirstSlot; }
  constexpr Register AsRegister() const { return static_cast<Register>(code_); }
  constexpr std::uint32_t AsSlot() const { return static_cast<std::uint32_t>(code_ - kFirstSlot); }
  friend constexpr bool operator==(Location, Location) = default;

 private:
  static constexpr std::int32_t kFirstSlot = 32;
  explicit constexpr Location(std::int32_t code) : code_{code} {}
  std::int32_t code_ = -1;
};

enum class MoveKind : std::uint8_t {
  Copy,           ///< from -> to; not slot to slot except through kScratchVector, which the emitter
                  ///< does itself
  Swap,           ///< exchanges two integer registers
  Rematerialize,  ///< runs instruction `instruction` again with `to` (a register) as its result
};

/// What the allocator inserts. Moves at one place are in the order in which they are to be made.
struct MachineMove {
  std::uint32_t before = 0;  ///< the instruction in front of which it stands
  MoveKind kind = MoveKind::Copy;
  RegisterClass register_class = RegisterClass::Integer;
  bool is_wide = false;
  Location from;
  Location to;
  std::uint32_t instruction = kNone;
};

/// A function on its way from selection to emission. Blocks are in layout order; block 0 is the
/// entry, without predecessors and parameters.
struct MachineFunction {
  FlatArray<VirtualRegister> registers;
  FlatArray<MachineInstruction> instructions;
  FlatArray<Operand> operands;
  std::vector<MachineBlock> blocks;
  std::uint32_t outgoing_bytes = 0;  ///< room at the lower end of the frame for calls
  std::uint32_t local_bytes = 0;     ///< room in the frame for Function::local_cells

  // What allocation fills.
  FlatArray<Location> locations;   ///< by operand
  FlatArray<MachineMove> moves;    ///< by rising `before`
  std::uint32_t spill_slots = 0;   ///< a wide value's first slot is even
  RegisterSet used_registers = 0;  ///< all that operands, moves and clobbers name

  /// Empties it and lets go of what has become large.
  void ClearLarge() {
    constexpr std::size_t kKeptBlocks = 512;
    Clear();
    ReleaseLarge(registers, instructions, operands, locations, moves);
    if (blocks.capacity() > kKeptBlocks) blocks = {};
  }

  // What frame placement fills.
  std::uint32_t frame_block = 0;  ///< the frame is made where it begins; before, there is none
  Register frame_registers[2] = {kRax, kR11};  ///< hold nothing there

  void Clear() {
    registers.clear();
    instructions.clear();
    operands.clear();
    blocks.clear();
    outgoing_bytes = local_bytes = 0;
    locations.clear();
    moves.clear();
    spill_slots = 0;
    used_registers = 0;
    frame_block = 0;
  }
};

}  // namespace tenon::inline TENON_ABI::jit
