// SPDX-License-Identifier: Apache-2.0
/// @file
/// Registers, and how compiled functions call each other.
///
/// Private convention of compiled functions (direct calls inside a module):
/// - r15 holds the InstanceHeader, in the whole of every compiled function;
/// - i32, i64 and references go in rdx, rcx, r8, r9, rdi, rsi, floats and vectors in xmm0..xmm7, in
///   the order of the parameters; the others on the stack from [rsp] at the call, in that order,
///   8 bytes each, vectors 16 bytes at a multiple of 16 from there. The caller removes them;
/// - one result comes in rax or xmm0; several are written to an area of Slots (v128: two) whose
///   address is one more integer parameter behind the others, as in the thunk convention;
/// - rbx, rbp, r12, r13, r14, r15 are kept by the callee, all others are not.
///
/// The thunk convention (abi::NativeCode) differs by context and caller in rdi and rsi and the rest
/// being the platform's. Its first four integer parameters come in the same registers.
///
/// The upper half of a register that holds an i32 is zero, always, in the thunk convention too:
/// what comes from slots is cleared where it enters. Upper parts of vector registers that hold f32
/// or f64 mean nothing.
///
/// A compiled function pushes rbp, sets rbp to rsp, and moves rsp once: rsp is constant between
/// prologue and epilogue, a multiple of 16 at calls. Before it calls anything that is not a
/// compiled function of the same module (thunks, external entries, runtime helpers) it stores rsp
/// to ExecContext::exit_stack_pointer, so that the frame can be found: the return address is below
/// it.
#pragma once

#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Machine registers: 0..15 are rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8..r15 (their encoding),
/// 16..31 xmm0..xmm15.
using Register = std::uint8_t;
using RegisterSet = std::uint32_t;

inline constexpr Register kRax = 0, kRcx = 1, kRdx = 2, kRbx = 3, kRsp = 4, kRbp = 5, kRsi = 6,
                          kRdi = 7, kR8 = 8, kR9 = 9, kR10 = 10, kR11 = 11, kR12 = 12, kR13 = 13,
                          kR14 = 14, kR15 = 15, kXmm0 = 16, kXmm15 = 31;
inline constexpr Register kNoRegister = 0xFF;

inline constexpr Register kInstanceRegister = kR15;
/// Never allocated: breaks cycles of moves, carries values from slot to slot.
inline constexpr Register kScratchVector = kXmm15;

constexpr RegisterSet Bit(Register reg) { return RegisterSet{1} << reg; }

inline constexpr RegisterSet kAllIntegers = 0x0000FFFF;
inline constexpr RegisterSet kAllVectors = 0xFFFF0000;
/// What the allocator may use.
inline constexpr RegisterSet kAllocatable =
    (kAllIntegers & ~(Bit(kRsp) | Bit(kRbp) | Bit(kInstanceRegister))) |
    (kAllVectors & ~Bit(kScratchVector));
inline constexpr RegisterSet kCalleeSaved = Bit(kRbx) | Bit(kR12) | Bit(kR13) | Bit(kR14);
/// What a call of anything leaves changed.
inline constexpr RegisterSet kCallClobbers = kAllocatable & ~kCalleeSaved;

inline constexpr Register kIntegerParameters[] = {kRdx, kRcx, kR8, kR9, kRdi, kRsi};
inline constexpr std::uint32_t kIntegerParameterCount = 6;
inline constexpr std::uint32_t kVectorParameterCount = 8;
/// Of the thunk convention, behind context and caller.
inline constexpr std::uint32_t kThunkIntegerParameterCount = 4;

/// Where one parameter goes.
struct ParameterPlace {
  Register reg = kNoRegister;      ///< kNoRegister: on the stack
  std::uint32_t stack_offset = 0;  ///< in bytes from the first stack parameter
};

/// Hands out places, parameter by parameter.
class ParameterPlaces {
 public:
  /// `integer_registers` as above: kIntegerParameterCount or kThunkIntegerParameterCount.
  explicit constexpr ParameterPlaces(std::uint32_t integer_registers)
      : integer_registers_{integer_registers} {}

  constexpr ParameterPlace Next(Type type) {
    ParameterPlace place;
    if (type == Type::I32 || type == Type::I64) {
      if (integers_ < integer_registers_) {
        place.reg = kIntegerParameters[integers_++];
        return place;
      }
    } else if (vectors_ < kVectorParameterCount) {
      place.reg = static_cast<Register>(kXmm0 + vectors_++);
      return place;
    }
    const std::uint32_t size = type == Type::V128 ? 16 : 8;
    stack_bytes_ = (stack_bytes_ + size - 1) & ~(size - 1);
    place.stack_offset = stack_bytes_;
    stack_bytes_ += size;
    return place;
  }

  /// Bytes on the stack so far, rounded up to 16.
  constexpr std::uint32_t StackBytes() const { return (stack_bytes_ + 15) & ~15u; }

 private:
  std::uint32_t integer_registers_;
  std::uint32_t integers_ = 0;
  std::uint32_t vectors_ = 0;
  std::uint32_t stack_bytes_ = 0;
};

}  // namespace tenon::inline TENON_ABI::jit
