// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of module.hpp.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <tenon/error.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/group.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/nearest_name.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

inline vm::Instance& RequireInstance(const Module& module) {
  if (!module) vm::ThrowEmptyHandle("Module");
  return *module.Get();
}

}  // namespace detail

TENON_DECL const std::string& Module::Name() const { return detail::RequireInstance(*this).name; }

TENON_DECL std::string Module::String() const { return "Module[" + Name() + "]"; }

TENON_DECL Function Module::ExportedFunction(std::string_view name) const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  const auto index = instance.FindExport(ExternKind::Func, name);
  if (!index.has_value()) return {};
  const abi::FunctionRecord* function = instance.functions[*index];
  if ((vm::FlagsOf(*function) & (abi::kFunctionNeedsCaller | abi::kFunctionNeedsMemory)) != 0) {
    const vm::Instance& owner = vm::OwnerOf(*function);
    throw ConfigError{
        ErrorCode::HostFunctionNeedsCaller,
        FormatError(ErrorCode::HostFunctionNeedsCaller,
                    {vm::FunctionDebugName(*owner.code, owner.name, function->index)})};
  }
  return Function::FromRecord(function);
}

TENON_DECL Function Module::RequireFunction(std::string_view name) const {
  Function function = ExportedFunction(name);
  if (!function) {
    const wasm::Module& module = Get()->Module();
    std::vector<std::string_view> names;
    for (const wasm::Export& exported : module.exports) {
      if (exported.kind == ExternKind::Func) names.push_back(module.Text(exported.name));
    }
    throw ConfigError{ErrorCode::ExportNotFound,
                      FormatError(ErrorCode::ExportNotFound,
                                  {Name(), "func", name, vm::SuggestNames(name, names)})};
  }
  return function;
}

TENON_DECL std::vector<FunctionDefinition> Module::ExportedFunctionDefinitions() const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  std::vector<FunctionDefinition> definitions;
  std::set<std::uint32_t> known;
  for (const wasm::Export& exported : instance.Module().exports) {
    if (exported.kind == ExternKind::Func && known.insert(exported.index).second) {
      definitions.push_back(
          vm::DefineFunction(*instance.code, instance.host.get(), instance.name, exported.index));
    }
  }
  return definitions;
}

TENON_DECL abi::InstanceHeader* Module::Header() const {
  return detail::RequireInstance(*this).header;
}

TENON_DECL std::uint64_t Module::IssueReference(const abi::ReferenceEntry* entry,
                                                const abi::ReferenceRequest& request) const {
  vm::Instance& instance = detail::RequireInstance(*this);
  if (entry != nullptr) {
    if (bind::detail::LiveEntryOf(instance.header, entry->token) == entry) return entry->token;
    throw ConfigError{ErrorCode::ForeignReference, ErrorText(ErrorCode::ForeignReference)};
  }
  if (request.object == nullptr) return 0;
  if (instance.IsClosed()) throw ExitError{instance.ExitCode()};
  const std::uint64_t token = vm::IssueReference(instance, request);
  if (token == 0) vm::ThrowTrap(TrapCode::ReferenceLimit);
  return token;
}

TENON_DECL Memory Module::DefaultMemory() const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  return Memory::FromInstance(instance.memories.empty() ? nullptr : instance.memories[0].get());
}

TENON_DECL Memory Module::ExportedMemory(std::string_view name) const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  const auto index = instance.FindExport(ExternKind::Memory, name);
  return Memory::FromInstance(index.has_value() ? instance.memories[*index].get() : nullptr);
}

TENON_DECL Table Module::ExportedTable(std::string_view name) const {
  vm::Instance& instance = detail::RequireInstance(*this);
  const auto index = instance.FindExport(ExternKind::Table, name);
  if (!index.has_value()) return {};
  return Table{InstanceHandle{&instance}, instance.tables[*index].get()};
}

TENON_DECL Global Module::ExportedGlobal(std::string_view name) const {
  vm::Instance& instance = detail::RequireInstance(*this);
  const auto index = instance.FindExport(ExternKind::Global, name);
  if (!index.has_value()) return {};
  return Global{InstanceHandle{&instance}, instance.globals[*index].get()};
}

TENON_DECL std::vector<MemoryDefinition> Module::ExportedMemoryDefinitions() const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  std::vector<MemoryDefinition> definitions;
  std::set<std::uint32_t> known;
  for (const wasm::Export& exported : instance.Module().exports) {
    if (exported.kind == ExternKind::Memory && known.insert(exported.index).second) {
      definitions.push_back(vm::DefineMemory(*instance.code, instance.name, exported.index));
    }
  }
  return definitions;
}

TENON_DECL void Module::CloseWithExitCode(std::uint32_t exit_code) const {
  vm::Instance& instance = detail::RequireInstance(*this);
  const Module keep_alive = *this;
  instance.store->Close(instance, exit_code);
}

TENON_DECL bool Module::IsClosed() const { return detail::RequireInstance(*this).IsClosed(); }

TENON_DECL bool Module::IsStopRequested() const {
  const vm::Instance& instance = detail::RequireInstance(*this);
  if (instance.IsClosed()) return true;
  const vm::Group& group = vm::GroupOf(*instance.header);
  const std::uint64_t activation = group.activation.LoadRelaxed();
  return activation != 0 && group.interrupt.Load() == activation && group.interrupt_is_exit.load();
}

TENON_DECL tenon::Budget Module::Budget() const { return detail::RequireInstance(*this).budget; }

TENON_DECL tenon::System& Module::System() const { return *detail::RequireInstance(*this).system; }

}  // namespace tenon::inline TENON_ABI
