// SPDX-License-Identifier: Apache-2.0
/// @file
/// The instructions behind prefix 0xFE.
///
/// They are one function rather than handlers of the loop: what they do takes longer than a call.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/code_reader.hpp>
#include <tenon/interp/rare_access.hpp>
#include <tenon/vm/atomic.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

/// Does `kind` with the number at `place`, and gives what was there; of stores, nothing.
template <class T>
std::uint64_t ApplyAtomic(wasm::AtomicKind kind, std::uint8_t* place, std::uint64_t operand,
                          std::uint64_t replacement) {
  using Word [[gnu::may_alias]] = T;
  auto* const word = reinterpret_cast<Word*>(place);
  const auto value = static_cast<T>(operand);
  switch (kind) {
    case wasm::AtomicKind::Load:
      return __atomic_load_n(word, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::Store:
      __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
      return 0;
    case wasm::AtomicKind::Add:
      return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::Sub:
      return __atomic_fetch_sub(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::And:
      return __atomic_fetch_and(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::Or:
      return __atomic_fetch_or(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::Xor:
      return __atomic_fetch_xor(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::Exchange:
      return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
    case wasm::AtomicKind::CompareExchange: {
      T expected = value;
      __atomic_compare_exchange_n(word, &expected, static_cast<T>(replacement), false,
                                  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      return expected;
    }
  }
  __builtin_unreachable();
}

struct AtomicResult {
  const std::uint8_t* pc;  ///< behind the instruction
  abi::Slot* sp;
  TrapCode trap;
};

/// Runs the instruction `code`, whose immediates begin at `pc`. All its operands end at `sp`, as
/// does its result afterwards. notify and wait may leave something pending.
[[gnu::noinline]] inline AtomicResult AccessAtomic(std::uint32_t code, const std::uint8_t* pc,
                                                   abi::Slot* sp, abi::InstanceHeader& header) {
  const auto opcode = static_cast<wasm::Opcode>(code);
  if (opcode == wasm::Opcode::AtomicFence) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return {pc + 1, sp, TrapCode::None};
  }
  SkipLeb(pc);
  const LongLeb offset = ReadLongLeb(pc);
  pc = offset.next;
  const wasm::OpcodeInfo& info = wasm::Info(opcode);
  abi::MemoryRecord& memory = *header.memory;
  sp -= info.signature.find(':');
  const std::uint64_t address = MemoryOperand(memory, sp[0]);
  switch (opcode) {
    case wasm::Opcode::MemoryAtomicNotify:
      *sp = vm::AtomicNotify(header, address, offset.value, static_cast<std::uint32_t>(sp[1]));
      return {pc, sp + 1, TrapCode::None};
    case wasm::Opcode::MemoryAtomicWait32:
      *sp = vm::AtomicWait32(header, address, offset.value, static_cast<std::uint32_t>(sp[1]),
                             static_cast<std::int64_t>(sp[2]));
      return {pc, sp + 1, TrapCode::None};
    case wasm::Opcode::MemoryAtomicWait64:
      *sp =
          vm::AtomicWait64(header, address, offset.value, sp[1], static_cast<std::int64_t>(sp[2]));
      return {pc, sp + 1, TrapCode::None};
    default:
      break;
  }
  std::uint64_t at = 0;
  const TrapCode trap = vm::FindAtomic(address, offset.value, std::uint64_t{1} << info.width,
                                       memory.size.LoadRelaxed(), at);
  if (trap != TrapCode::None) return {pc, sp, trap};
  const wasm::AtomicKind kind = wasm::AtomicKindOf(opcode);
  const std::uint64_t operand = kind == wasm::AtomicKind::Load ? 0 : sp[1];
  const std::uint64_t replacement = kind == wasm::AtomicKind::CompareExchange ? sp[2] : 0;
  std::uint8_t* const place = memory.base + at;
  std::uint64_t former = 0;
  switch (info.width) {
    case 0:
      former = ApplyAtomic<std::uint8_t>(kind, place, operand, replacement);
      break;
    case 1:
      former = ApplyAtomic<std::uint16_t>(kind, place, operand, replacement);
      break;
    case 2:
      former = ApplyAtomic<std::uint32_t>(kind, place, operand, replacement);
      break;
    default:
      former = ApplyAtomic<std::uint64_t>(kind, place, operand, replacement);
  }
  if (kind == wasm::AtomicKind::Store) return {pc, sp, TrapCode::None};
  *sp = former;
  return {pc, sp + 1, TrapCode::None};
}

}  // namespace tenon::inline TENON_ABI::interp::detail
