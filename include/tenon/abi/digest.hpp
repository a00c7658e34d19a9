// SPDX-License-Identifier: Apache-2.0
/// @file
/// A number that changes whenever the layout that code relies on does.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/operations.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/abi/runtime_calls.hpp>
#include <tenon/abi/trap_code.hpp>

namespace tenon::inline TENON_ABI::abi {

/// Over the offsets and sizes of all records; part of every cache key.
constexpr std::uint64_t LayoutDigest() {
  constexpr std::size_t kFacts[] = {
      offsetof(ExecContext, stack_limit),
      offsetof(ExecContext, interrupt),
      offsetof(ExecContext, pending),
      offsetof(ExecContext, activation),
      offsetof(ExecContext, entry_stack_pointer),
      offsetof(ExecContext, call_context),
      offsetof(ExecContext, exit_stack_pointer),
      sizeof(ExecContext),
      offsetof(InstanceHeader, exec),
      offsetof(InstanceHeader, memory_base),
      offsetof(InstanceHeader, memory),
      offsetof(InstanceHeader, types),
      offsetof(InstanceHeader, functions),
      offsetof(InstanceHeader, tables),
      offsetof(InstanceHeader, memories),
      offsetof(InstanceHeader, globals),
      offsetof(InstanceHeader, operations),
      offsetof(InstanceHeader, runtime_calls),
      offsetof(InstanceHeader, attention),
      sizeof(InstanceHeader),
      offsetof(FunctionRecord, code),
      offsetof(FunctionRecord, context),
      offsetof(FunctionRecord, type),
      offsetof(FunctionRecord, flags),
      offsetof(FunctionRecord, invoke),
      offsetof(FunctionRecord, instance),
      offsetof(FunctionRecord, engine_code),
      offsetof(FunctionRecord, body),
      offsetof(FunctionRecord, host_entry),
      sizeof(FunctionRecord),
      offsetof(ImportRecord, code),
      offsetof(ImportRecord, context),
      offsetof(ImportRecord, function),
      sizeof(ImportRecord),
      offsetof(MemoryRecord, base),
      offsetof(MemoryRecord, size),
      sizeof(MemoryRecord),
      offsetof(TableRecord, elements),
      offsetof(TableRecord, size),
      sizeof(TableRecord),
      sizeof(GlobalRecord),
      sizeof(Operations),
      sizeof(RuntimeCalls),
      static_cast<std::size_t>(TrapCode::HostTrap),
  };
  std::uint64_t digest = 0xCBF29CE484222325;
  for (const std::size_t fact : kFacts) digest = (digest ^ fact) * 0x100000001B3;
  return digest;
}

}  // namespace tenon::inline TENON_ABI::abi
