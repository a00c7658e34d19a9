// SPDX-License-Identifier: Apache-2.0
/// @file
/// Loads and stores of memories with 64-bit addresses.
///
/// They are one function rather than handlers of the loop, which stays as it is for other memories.
#pragma once

#include <cstdint>
#include <cstring>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
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

struct Access64Result {
  const std::uint8_t* pc;  ///< behind the instruction
  abi::Slot* sp;           ///< null: out of bounds, and nothing was changed
};

/// Runs the load or store `code`, whose immediates begin at `pc`, on the memory at `base`. All its
/// operands end at `sp`, as does its result afterwards.
[[gnu::noinline]] inline Access64Result Access64(std::uint32_t code, const std::uint8_t* pc,
                                                 abi::Slot* sp, std::uint8_t* base,
                                                 std::uint64_t size) {
  SkipLeb(pc);
  const LongLeb offset = ReadLongLeb(pc);
  pc = offset.next;
  std::uint64_t address = 0;
  switch (static_cast<wasm::Opcode>(code)) {
#define TENON_DETAIL_ROW(name, Stored, Result)                                      \
  case wasm::Opcode::name:                                                          \
    if (!FindAddress64(sp[-1], offset.value, sizeof(Stored), size, address)) break; \
    sp[-1] = static_cast<Result>(LoadFrom<Stored>(base + address));                 \
    return {pc, sp};
    TENON_DETAIL_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                                              \
  case wasm::Opcode::name: {                                                        \
    if (!FindAddress64(sp[-2], offset.value, sizeof(Stored), size, address)) break; \
    const auto stored = static_cast<Stored>(sp[-1]);                                \
    std::memcpy(base + address, &stored, sizeof(Stored));                           \
    return {pc, sp - 2};                                                            \
  }
    TENON_DETAIL_STORES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    case wasm::Opcode::V128Load:
      if (!FindAddress64(sp[-1], offset.value, 16, size, address)) break;
      std::memcpy(sp - 1, base + address, 16);
      return {pc, sp + 1};
    case wasm::Opcode::V128Store:
      if (!FindAddress64(sp[-3], offset.value, 16, size, address)) break;
      std::memcpy(base + address, sp - 2, 16);
      return {pc, sp - 3};
#define TENON_DETAIL_ROW(name, Stored)                                              \
  case wasm::Opcode::name:                                                          \
    if (!FindAddress64(sp[-1], offset.value, sizeof(Stored), size, address)) break; \
    StoreVector(sp - 1, interp::name(LoadFrom<Stored>(base + address)));            \
    return {pc, sp + 1};
      TENON_DETAIL_VECTOR_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                                                            \
  case wasm::Opcode::name:                                                                        \
    if (!FindAddress64(sp[-3], offset.value, sizeof(Stored), size, address)) break;               \
    StoreVector(sp - 3, interp::name(LoadVector(sp - 2), LoadFrom<Stored>(base + address), *pc)); \
    return {pc + 1, sp - 1};
      TENON_DETAIL_LANE_LOADS(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
#define TENON_DETAIL_ROW(name, Stored)                                              \
  case wasm::Opcode::name: {                                                        \
    if (!FindAddress64(sp[-3], offset.value, sizeof(Stored), size, address)) break; \
    const Stored stored = interp::name(LoadVector(sp - 2), *pc);                    \
    std::memcpy(base + address, &stored, sizeof(Stored));                           \
    return {pc + 1, sp - 3};                                                        \
  }
      TENON_DETAIL_LANE_STORES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    default:
      __builtin_unreachable();
  }
  return {pc, nullptr};
}

}  // namespace tenon::inline TENON_ABI::interp::detail
