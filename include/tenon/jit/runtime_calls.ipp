// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of runtime_calls.hpp.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>

#include <tenon/jit/mapped_code.hpp>
#include <tenon/jit/runtime_calls.hpp>
#include <tenon/vm/atomic.hpp>
#include <tenon/vm/bulk.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

constexpr std::uint32_t FirstIndex(std::uint64_t indices) {
  return static_cast<std::uint32_t>(indices);
}
constexpr std::uint32_t SecondIndex(std::uint64_t indices) {
  return static_cast<std::uint32_t>(indices >> 32);
}

inline std::uint64_t Finish(abi::InstanceHeader& caller, TrapCode trap) noexcept {
  if (trap != TrapCode::None) [[unlikely]]
    vm::RaiseTrap(caller, trap);
  return 0;
}

inline std::uint64_t RaiseTrapCall(abi::InstanceHeader* caller, std::uint64_t, std::uint64_t code,
                                   std::uint64_t, std::uint64_t) {
  return Finish(*caller, static_cast<TrapCode>(code));
}

inline std::uint64_t InterruptCall(abi::InstanceHeader* caller, std::uint64_t, std::uint64_t,
                                   std::uint64_t, std::uint64_t) {
  vm::Group& group = vm::GroupOf(*caller);
  vm::Store& store = *vm::InstanceOf(*caller).store;
  store.ClearAttention(group);
  if (!store.settings.close_on_context_done) return 0;
  std::uint64_t asked = group.interrupt.Load();
  if (asked == group.activation.LoadRelaxed()) {
    vm::HandleInterrupt(*caller);
  } else {
    // Meant for a call that has ended.
    group.interrupt.CompareExchange(asked, 0);
  }
  return 0;
}

inline std::uint64_t MemoryGrowCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                    std::uint64_t delta, std::uint64_t, std::uint64_t) {
  const std::uint32_t memory = FirstIndex(indices);
  const std::uint64_t former = vm::MemoryGrow(vm::InstanceOf(*caller), memory, delta);
  const bool is_64 = (caller->memories[memory]->flags & abi::kMemory64) != 0;
  return is_64 ? former : static_cast<std::uint32_t>(former);
}
inline std::uint64_t MemoryInitCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                    std::uint64_t destination, std::uint64_t source,
                                    std::uint64_t count) {
  return Finish(*caller, vm::MemoryInit(vm::InstanceOf(*caller), FirstIndex(indices),
                                        SecondIndex(indices), destination, source, count));
}
inline std::uint64_t MemoryCopyCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                    std::uint64_t destination, std::uint64_t source,
                                    std::uint64_t count) {
  return Finish(*caller, vm::MemoryCopy(vm::InstanceOf(*caller), FirstIndex(indices),
                                        SecondIndex(indices), destination, source, count));
}
inline std::uint64_t MemoryFillCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                    std::uint64_t destination, std::uint64_t value,
                                    std::uint64_t count) {
  return Finish(*caller, vm::MemoryFill(vm::InstanceOf(*caller), FirstIndex(indices), destination,
                                        static_cast<std::uint8_t>(value), count));
}
inline std::uint64_t DataDropCall(abi::InstanceHeader* caller, std::uint64_t indices, std::uint64_t,
                                  std::uint64_t, std::uint64_t) {
  vm::DataDrop(vm::InstanceOf(*caller), FirstIndex(indices));
  return 0;
}
inline std::uint64_t TableInitCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                   std::uint64_t destination, std::uint64_t source,
                                   std::uint64_t count) {
  return Finish(*caller, vm::TableInit(vm::InstanceOf(*caller), FirstIndex(indices),
                                       SecondIndex(indices), destination, source, count));
}
inline std::uint64_t TableCopyCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                   std::uint64_t destination, std::uint64_t source,
                                   std::uint64_t count) {
  return Finish(*caller, vm::TableCopy(vm::InstanceOf(*caller), FirstIndex(indices),
                                       SecondIndex(indices), destination, source, count));
}
inline std::uint64_t TableFillCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                   std::uint64_t destination, std::uint64_t value,
                                   std::uint64_t count) {
  return Finish(*caller, vm::TableFill(vm::InstanceOf(*caller), FirstIndex(indices), destination,
                                       value, count));
}
inline std::uint64_t TableGrowCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                   std::uint64_t init, std::uint64_t delta, std::uint64_t) {
  return static_cast<std::uint32_t>(
      vm::TableGrow(vm::InstanceOf(*caller), FirstIndex(indices), delta, init));
}
inline std::uint64_t ElementDropCall(abi::InstanceHeader* caller, std::uint64_t indices,
                                     std::uint64_t, std::uint64_t, std::uint64_t) {
  vm::ElementDrop(vm::InstanceOf(*caller), FirstIndex(indices));
  return 0;
}

inline std::uint64_t AtomicNotifyCall(abi::InstanceHeader* caller, std::uint64_t offset,
                                      std::uint64_t address, std::uint64_t count, std::uint64_t) {
  return vm::AtomicNotify(*caller, address, offset, static_cast<std::uint32_t>(count));
}
inline std::uint64_t AtomicWait32Call(abi::InstanceHeader* caller, std::uint64_t offset,
                                      std::uint64_t address, std::uint64_t expected,
                                      std::uint64_t nanoseconds) {
  return vm::AtomicWait32(*caller, address, offset, static_cast<std::uint32_t>(expected),
                          static_cast<std::int64_t>(nanoseconds));
}
inline std::uint64_t AtomicWait64Call(abi::InstanceHeader* caller, std::uint64_t offset,
                                      std::uint64_t address, std::uint64_t expected,
                                      std::uint64_t nanoseconds) {
  return vm::AtomicWait64(*caller, address, offset, expected,
                          static_cast<std::int64_t>(nanoseconds));
}

inline constexpr abi::RuntimeCalls kCompiledCodeCalls{
    .raise_trap = RaiseTrapCall,
    .interrupt = InterruptCall,
    .memory_grow = MemoryGrowCall,
    .memory_init = MemoryInitCall,
    .memory_copy = MemoryCopyCall,
    .memory_fill = MemoryFillCall,
    .data_drop = DataDropCall,
    .table_init = TableInitCall,
    .table_copy = TableCopyCall,
    .table_fill = TableFillCall,
    .table_grow = TableGrowCall,
    .elem_drop = ElementDropCall,
    .memory_atomic_notify = AtomicNotifyCall,
    .memory_atomic_wait32 = AtomicWait32Call,
    .memory_atomic_wait64 = AtomicWait64Call,
};

/// A function of a group that executes on its own, called by a guest of another: as host code
/// would.
[[gnu::noinline]] inline void CallForeign(const abi::FunctionRecord& callee,
                                          abi::InstanceHeader& caller, abi::Slot* slots) noexcept {
  // Whoever listens to the function has been told already.
  abi::FunctionRecord plain = callee;
  plain.invoke = InvokeCompiled;
  std::exception_ptr error = vm::TryCall(plain, slots, nullptr);
  if (error == nullptr) return;
  try {
    std::rethrow_exception(std::move(error));
  } catch (...) {
    vm::CaptureException(caller);
  }
}

}  // namespace detail

TENON_DECL const abi::RuntimeCalls& CompiledCodeCalls() noexcept {
  return detail::kCompiledCodeCalls;
}

TENON_DECL void InvokeCompiled(const abi::FunctionRecord* callee, abi::InstanceHeader* caller,
                               abi::Slot* slots) {
  abi::InstanceHeader* const header = callee->instance;
  abi::ExecContext* const exec = header->exec;
  if (caller->exec != exec) [[unlikely]] {
    detail::CallForeign(*callee, *caller, slots);
    return;
  }
  if (vm::CurrentStackPointer() < exec->stack_limit) [[unlikely]] {
    vm::RaiseTrap(*caller, TrapCode::StackOverflow);
    return;
  }
  const auto& entry = *static_cast<const EntryPoint*>(callee->engine_code);
  entry.enter(header, entry.body, slots);
}

}  // namespace tenon::inline TENON_ABI::jit
