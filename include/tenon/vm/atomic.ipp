// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of atomic.hpp.
#pragma once

#include <tenon/vm/atomic.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/memory_instance.hpp>
#include <tenon/vm/wait_queue.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

/// The place of an access; null with a trap pending if there is none.
inline const std::uint8_t* AtomicPlace(abi::InstanceHeader& caller, std::uint64_t operand,
                                       std::uint64_t offset, std::uint64_t width) noexcept {
  const abi::MemoryRecord& memory = *caller.memory;
  std::uint64_t address = 0;
  const TrapCode trap = FindAtomic(operand, offset, width, memory.size.LoadRelaxed(), address);
  if (trap == TrapCode::None) return memory.base + address;
  RaiseTrap(caller, trap);
  return nullptr;
}

template <class T>
std::uint32_t AtomicWait(abi::InstanceHeader& caller, std::uint64_t operand, std::uint64_t offset,
                         T expected, std::int64_t nanoseconds) noexcept {
  const std::uint8_t* const place = AtomicPlace(caller, operand, offset, sizeof(T));
  if (place == nullptr) return 0;
  WaitQueue* const waiters = InstanceOf(caller).memories[0]->Waiters();
  if (waiters == nullptr) {
    RaiseTrap(caller, TrapCode::ExpectedSharedMemory);
    return 0;
  }
  return static_cast<std::uint32_t>(
      waiters->Wait<T>(caller, place, expected, nanoseconds, HandleInterrupt));
}

}  // namespace detail

TENON_DECL std::uint32_t AtomicNotify(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint32_t count) noexcept {
  const std::uint8_t* const place = detail::AtomicPlace(caller, operand, offset, 4);
  if (place == nullptr) return 0;
  // Nobody can wait where memory is not shared.
  WaitQueue* const waiters = InstanceOf(caller).memories[0]->Waiters();
  return waiters == nullptr ? 0 : waiters->Notify(place, count);
}

TENON_DECL std::uint32_t AtomicWait32(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint32_t expected,
                                      std::int64_t nanoseconds) noexcept {
  return detail::AtomicWait(caller, operand, offset, expected, nanoseconds);
}

TENON_DECL std::uint32_t AtomicWait64(abi::InstanceHeader& caller, std::uint64_t operand,
                                      std::uint64_t offset, std::uint64_t expected,
                                      std::int64_t nanoseconds) noexcept {
  return detail::AtomicWait(caller, operand, offset, expected, nanoseconds);
}

}  // namespace tenon::inline TENON_ABI::vm
