// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of interpreter.hpp.
#pragma once

#include <memory>
#include <utility>

#include <tenon/interp/execute.ipp>
#include <tenon/interp/function_entry.hpp>
#include <tenon/interp/interpreter.hpp>
#include <tenon/interp/stored_table.hpp>
#include <tenon/wasm/validation_context.hpp>

namespace tenon::inline TENON_ABI::interp {

inline InterpreterCode::InterpreterCode(const wasm::Module& module, SideTable table,
                                        const vm::CompileSettings& settings)
    : EngineCode{&InterpreterEngine()}, table_{std::move(table)} {
  entries_.reserve(table_.functions.size());
  for (const FunctionCode& code : table_.functions) {
    FunctionEntry entry{};
    entry.begin = module.bytes.data() + code.code_offset;
    entry.end = module.bytes.data() + code.code_end;
    entry.branches = table_.entries.data() + code.first_entry;
    entry.places = table_.places.data() + code.first_place;
    entry.table = &table_;
    entry.place_count = code.place_count;
    entry.search = code.search;
    entry.local_slots = code.local_slots;
    entry.result_slots = code.result_slots;
    // One slot below the operands takes the register that holds the top of an empty stack.
    entry.frame_slots = code.local_slots + kFrameSlots + 1 + code.max_stack_slots;
    entry.is_wide = code.is_wide;
    entry.has_rare_memory = module.HasMemory64() || module.HasSharedMemory();
    entry.is_interruptible = settings.interruptible;
    entry.canonical_nan = settings.canonical_nan;
    entries_.push_back(entry);
  }
}

inline InterpreterCode::~InterpreterCode() = default;

[[gnu::cold]] inline std::size_t InterpreterCode::Size() const noexcept {
  return table_.entries.size() * sizeof(BranchEntry) + table_.places.size() * sizeof(LocalPlace) +
         table_.searches.size() * sizeof(LocalSearch) + table_.runs.size() * sizeof(LocalRun) +
         table_.functions.size() * sizeof(FunctionCode) + entries_.size() * sizeof(FunctionEntry);
}

inline const SideTable& InterpreterCode::Table() const noexcept { return table_; }

inline const FunctionEntry& InterpreterCode::Entry(std::uint32_t defined_function) const noexcept {
  return entries_[defined_function];
}

namespace detail {

[[gnu::cold]] inline wasm::Fault CompileForInterpreter(const wasm::ValidationContext& context,
                                                       const vm::CompileSettings& settings,
                                                       vm::EngineCodePointer& code) {
  SideTable table;
  const wasm::Fault fault = BuildSideTable(context, table);
  if (fault.IsNone()) {
    code.reset(new InterpreterCode{*context.module, std::move(table), settings});
  }
  return fault;
}

inline void DestroyInterpreted(const vm::EngineCode* code) noexcept {
  delete static_cast<const InterpreterCode*>(code);
}

inline std::size_t InterpretedSize(const vm::EngineCode& code) noexcept {
  return static_cast<const InterpreterCode&>(code).Size();
}

[[gnu::cold]] inline void BindInterpreted(const vm::EngineCode& code,
                                          std::uint32_t defined_function,
                                          abi::FunctionRecord& record) noexcept {
  record.code = nullptr;
  record.invoke = Invoke;
  record.engine_code = &static_cast<const InterpreterCode&>(code).Entry(defined_function);
}

inline std::vector<std::uint8_t> StoreInterpreted(const vm::EngineCode& code) {
  return WriteSideTable(static_cast<const InterpreterCode&>(code).Table());
}

inline vm::Restored RestoreInterpreted(const wasm::ValidationContext& context,
                                       const vm::CompileSettings& settings,
                                       const vm::StoredObject& object,
                                       vm::EngineCodePointer& code) {
  SideTable table;
  if (!ReadSideTable(object.bytes, *context.module, table)) return vm::Restored::Refused;
  code.reset(new InterpreterCode{*context.module, std::move(table), settings});
  // The table is a copy; what runs is the module, where it lies.
  return vm::Restored::InPlace;
}

inline constexpr vm::Engine kInterpreterEngine{.name = "interpreter",
                                               .revision = SideTableRevision,
                                               .compile = CompileForInterpreter,
                                               .destroy = DestroyInterpreted,
                                               .size = InterpretedSize,
                                               .bind = BindInterpreted,
                                               .store = StoreInterpreted,
                                               .restore = RestoreInterpreted,
                                               .least_stored = kLeastStoredModule};

}  // namespace detail

TENON_DECL const vm::Engine& InterpreterEngine() noexcept { return detail::kInterpreterEngine; }

}  // namespace tenon::inline TENON_ABI::interp
