// SPDX-License-Identifier: Apache-2.0
/// @file
/// Satisfies the imports of any module, so that it can be instantiated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <tenon/tenon.hpp>
#include <tenon/wasi.hpp>

namespace bench {

namespace detail {

/// Host modules under construction, by name.
class StubModules {
 public:
  explicit StubModules(const tenon::Runtime& runtime) : runtime_{runtime} {}

  tenon::HostModuleBuilder& For(const tenon::ExternDefinition& definition) {
    const std::string& name = definition.import->module;
    return builders_.try_emplace(name, runtime_.NewHostModuleBuilder(name)).first->second;
  }

  /// Instances of them all, as imports.
  tenon::ModuleConfig Instantiate() const {
    tenon::ModuleConfig config;
    for (const auto& [name, builder] : builders_) {
      config = config.WithImport(
          name, runtime_.InstantiateModule(builder.Compile(), tenon::ModuleConfig{}.WithName("")));
    }
    return config;
  }

 private:
  const tenon::Runtime& runtime_;
  std::map<std::string, tenon::HostModuleBuilder> builders_;
};

inline std::optional<std::uint32_t> Narrow(const std::optional<std::uint64_t>& maximum) {
  if (!maximum) return std::nullopt;
  return static_cast<std::uint32_t>(*maximum);
}

}  // namespace detail

/// Settings with an import for each module that `compiled` names: functions that return zeros and
/// nulls, memories, tables and globals as declared; wasi_snapshot_preview1 is tenon's own, with the
/// process's standard streams and clocks.
inline tenon::ModuleConfig StubImports(const tenon::Runtime& runtime,
                                       const tenon::CompiledModule& compiled) {
  detail::StubModules stubs{runtime};
  std::set<std::string> wasi_names;
  for (const tenon::FunctionDefinition& function : compiled.ImportedFunctions()) {
    const std::string& name = function.import->module;
    if (name == tenon::wasi::kModuleName || name == tenon::wasi::kUnstableModuleName) {
      wasi_names.insert(name);
      continue;
    }
    stubs.For(function)
        .NewFunctionBuilder()
        .WithHostFunction(
            [](std::span<tenon::abi::Slot> slots) { std::fill(slots.begin(), slots.end(), 0); },
            function.parameter_types, function.result_types)
        .Export(function.import->name);
  }
  for (const tenon::MemoryDefinition& memory : compiled.ImportedMemories()) {
    stubs.For(memory).ExportMemory(memory.import->name, static_cast<std::uint32_t>(memory.minimum),
                                   detail::Narrow(memory.maximum));
  }
  for (const tenon::TableDefinition& table : compiled.ImportedTables()) {
    stubs.For(table).ExportTable(table.import->name, table.element_type,
                                 static_cast<std::uint32_t>(table.minimum),
                                 detail::Narrow(table.maximum));
  }
  for (const tenon::GlobalDefinition& global : compiled.ImportedGlobals()) {
    const tenon::abi::Slot zero[2] = {0, 0};
    stubs.For(global).ExportGlobal(global.import->name, tenon::Value::FromSlots(global.type, zero),
                                   global.is_mutable);
  }
  tenon::ModuleConfig config = stubs.Instantiate();
  for (const std::string& name : wasi_names) {
    config = config.WithImport(name, runtime.InstantiateModule(tenon::wasi::Compile(runtime, name),
                                                               tenon::ModuleConfig{}.WithName("")));
  }
  if (!wasi_names.empty()) {
    config = config.WithSystem(
        tenon::SystemConfig{}.WithArgs({"guest"}).WithInheritedStdio().WithSystemClocks());
  }
  return config;
}

}  // namespace bench
