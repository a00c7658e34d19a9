// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of compiled_module.hpp.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <tenon/cache/compile.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/error.hpp>
#include <tenon/function.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/vm/store.hpp>

namespace tenon::inline TENON_ABI {

namespace detail {

[[gnu::cold]] inline const vm::CompiledState& RequireState(const CompiledModule& module) {
  if (!module) vm::ThrowEmptyHandle("CompiledModule");
  if (module.State()->is_closed.load()) {
    throw ConfigError{ErrorCode::AlreadyClosed, ErrorText(ErrorCode::AlreadyClosed)};
  }
  return *module.State();
}

/// The definitions of all imports, or exports, of one kind.
template <class Entry, class Define>
auto Collect(const std::vector<Entry>& entries, ExternKind kind, Define define) {
  std::vector<decltype(define(std::uint32_t{0}))> definitions;
  std::set<std::uint32_t> known;
  for (const Entry& entry : entries) {
    // Something exported under several names has one definition with all of them.
    if (entry.kind == kind && known.insert(entry.index).second) {
      definitions.push_back(define(entry.index));
    }
  }
  return definitions;
}

template <class Define>
auto CollectImports(const vm::CompiledState& state, ExternKind kind, Define define) {
  static const std::vector<wasm::Import> none;
  return Collect(state.code->is_host ? none : state.code->module.imports, kind, define);
}
template <class Define>
auto CollectExports(const vm::CompiledState& state, ExternKind kind, Define define) {
  return Collect(state.code->module.exports, kind, define);
}

[[gnu::cold]] inline auto FunctionDefiner(const vm::CompiledState& state) {
  return [&state](std::uint32_t index) {
    return vm::DefineFunction(*state.code, state.host.get(), state.name, index);
  };
}
inline auto TableDefiner(const vm::CompiledState& state) {
  return [&state](std::uint32_t index) { return vm::DefineTable(*state.code, state.name, index); };
}
inline auto MemoryDefiner(const vm::CompiledState& state) {
  return [&state](std::uint32_t index) { return vm::DefineMemory(*state.code, state.name, index); };
}
inline auto GlobalDefiner(const vm::CompiledState& state) {
  return [&state](std::uint32_t index) { return vm::DefineGlobal(*state.code, state.name, index); };
}

}  // namespace detail

TENON_DECL std::string CompiledModule::Name() const { return detail::RequireState(*this).name; }

TENON_DECL bool CompiledModule::IsHostModule() const {
  return detail::RequireState(*this).code->is_host;
}

TENON_DECL std::vector<FunctionDefinition> CompiledModule::ImportedFunctions() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectImports(state, ExternKind::Func, detail::FunctionDefiner(state));
}
TENON_DECL std::vector<TableDefinition> CompiledModule::ImportedTables() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectImports(state, ExternKind::Table, detail::TableDefiner(state));
}
TENON_DECL std::vector<MemoryDefinition> CompiledModule::ImportedMemories() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectImports(state, ExternKind::Memory, detail::MemoryDefiner(state));
}
TENON_DECL std::vector<GlobalDefinition> CompiledModule::ImportedGlobals() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectImports(state, ExternKind::Global, detail::GlobalDefiner(state));
}
TENON_DECL std::vector<FunctionDefinition> CompiledModule::ExportedFunctions() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectExports(state, ExternKind::Func, detail::FunctionDefiner(state));
}
TENON_DECL std::vector<TableDefinition> CompiledModule::ExportedTables() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectExports(state, ExternKind::Table, detail::TableDefiner(state));
}
TENON_DECL std::vector<MemoryDefinition> CompiledModule::ExportedMemories() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectExports(state, ExternKind::Memory, detail::MemoryDefiner(state));
}
TENON_DECL std::vector<GlobalDefinition> CompiledModule::ExportedGlobals() const {
  const vm::CompiledState& state = detail::RequireState(*this);
  return detail::CollectExports(state, ExternKind::Global, detail::GlobalDefiner(state));
}

[[gnu::cold]] TENON_DECL std::vector<CustomSectionDefinition> CompiledModule::CustomSections()
    const {
  const vm::CompiledState& state = detail::RequireState(*this);
  std::vector<CustomSectionDefinition> sections;
  if (!state.store->settings.custom_sections) return sections;
  const wasm::Module& module = state.code->module;
  for (const wasm::CustomSection& section : module.custom_sections) {
    if (module.Text(section.name) == "name") continue;
    const std::span<const std::uint8_t> data = module.Bytes(section.data);
    sections.push_back({std::string{module.Text(section.name)}, {data.begin(), data.end()}});
  }
  return sections;
}

TENON_DECL std::size_t CompiledModule::CodeSize() const {
  return detail::RequireState(*this).code->EngineSize();
}

TENON_DECL std::vector<std::uint8_t> CompiledModule::Serialize(
    std::span<const std::uint8_t> mac_key) const {
  return cache::Serialize(detail::RequireState(*this), mac_key);
}

TENON_DECL void CompiledModule::Close() {
  if (state_ != nullptr) state_->is_closed.store(true);
}

}  // namespace tenon::inline TENON_ABI
