// SPDX-License-Identifier: Apache-2.0
/// @file
/// Loads and stores of memories with 64-bit addresses, and of shared ones.
///
/// They are one function rather than handlers of the loop, which stays as it is for other memories:
/// that need not ask whether sums overflow, and knows the size, which of shared ones other threads
/// change. What it reads and writes are atomic words, for the sake of these threads.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/shared_bytes.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/code_reader.hpp>
#include <tenon/interp/memory_accesses.hpp>
#include <tenon/interp/operate.hpp>
#include <tenon/interp/simd.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

/// An operand that is an address or a number of bytes of `memory`.
inline std::uint64_t MemoryOperand(const abi::MemoryRecord& memory, abi::Slot operand) {
  return (memory.flags & abi::kMemory64) != 0 ? operand : static_cast<std::uint32_t>(operand);
}

/// Whether an access of `width` bytes lies in a memory of `size` bytes; the sum may exceed 64 bits.
constexpr bool FindAddress64(std::uint64_t operand, std::uint64_t offset, std::uint64_t width,
                             std::uint64_t size, std::uint64_t& address) {
  address = operand + offset;
  return address >= operand && width <= size && address <= size - width;
}

struct RareAccessResult {
  const std::uint8_t* pc;  ///< behind the instruction
  abi::Slot* sp;           ///< null: out of bounds, and nothing was changed
};

/// Runs the load or store `code`, whose immediates begin at `pc`. All its operands end at `sp`, as
/// does its result afterwards.
[[gnu::noinline]] inline RareAccessResult RareAccess(std::uint32_t code, const std::uint8_t* pc,
                                                     abi::Slot* sp,
                                                     const abi::MemoryRecord& memory) {
  std::uint8_t* const base = memory.base;
  const std::uint64_t size = memory.size.LoadRelaxed();
  const auto find = [&](abi::Slot operand, std::uint64_t offset, std::uint64_t width,
                        std::uint64_t& address) {
    return FindAddress64(MemoryOperand(memory, operand), offset, width, size, address);
  };
  SkipLeb(pc);
  const LongLeb offset = ReadLongLeb(pc);
  pc = offset.next;
  std::uint64_t address = 0;
  switch (static_cast<wasm::Opcode>(code)) {
#define TENON_DETAIL_ROW(name, Stored, Result)                                   \
  case wasm::Opcode::name:                                                       \
    if (!find(sp[-1], offset.value, sizeof(Stored), address)) break;             \
    sp[-1] = static_cast<Result>(abi::LoadSharedNumber<Stored>(base + address)); \
    return {pc, sp};
    TENON_DETAIL_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                               \
  case wasm::Opcode::name: {                                         \
    if (!find(sp[-2], offset.value, sizeof(Stored), address)) break; \
    const auto stored = static_cast<Stored>(sp[-1]);                 \
    abi::StoreSharedNumber(base + address, stored);                  \
    return {pc, sp - 2};                                             \
  }
    TENON_DETAIL_STORES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    case wasm::Opcode::V128Load:
      if (!find(sp[-1], offset.value, 16, address)) break;
      abi::LoadShared(sp - 1, base + address, 16);
      return {pc, sp + 1};
    case wasm::Opcode::V128Store:
      if (!find(sp[-3], offset.value, 16, address)) break;
      abi::StoreShared(base + address, sp - 2, 16);
      return {pc, sp - 3};
#define TENON_DETAIL_ROW(name, Stored)                                                \
  case wasm::Opcode::name:                                                            \
    if (!find(sp[-1], offset.value, sizeof(Stored), address)) break;                  \
    StoreVector(sp - 1, interp::name(abi::LoadSharedNumber<Stored>(base + address))); \
    return {pc, sp + 1};
      TENON_DETAIL_VECTOR_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                                                     \
  case wasm::Opcode::name:                                                                 \
    if (!find(sp[-3], offset.value, sizeof(Stored), address)) break;                       \
    StoreVector(sp - 3, interp::name(LoadVector(sp - 2),                                   \
                                     abi::LoadSharedNumber<Stored>(base + address), *pc)); \
    return {pc + 1, sp - 1};
      TENON_DETAIL_LANE_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                               \
  case wasm::Opcode::name: {                                         \
    if (!find(sp[-3], offset.value, sizeof(Stored), address)) break; \
    const Stored stored = interp::name(LoadVector(sp - 2), *pc);     \
    abi::StoreSharedNumber(base + address, stored);                  \
    return {pc + 1, sp - 3};                                         \
  }
      TENON_DETAIL_LANE_STORES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      __builtin_unreachable();
  }
  return {pc, nullptr};
}

}  // namespace tenon::inline TENON_ABI::interp::detail
