// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of code.hpp.
#pragma once

#include <tenon/vm/code.hpp>
#include <tenon/vm/spelling.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

[[gnu::cold]] inline void FillExtern(const ModuleCode& code, const std::string& module_name,
                                     ExternKind kind, std::uint32_t index,
                                     ExternDefinition& definition) {
  const wasm::Module& module = code.module;
  definition.module_name = module_name;
  definition.index = index;
  // A host module's functions are imports of its encoding only.
  const wasm::Import* import = code.is_host ? nullptr : code.externs.ImportOf(module, kind, index);
  if (import != nullptr) {
    definition.import = ImportName{std::string{module.Text(import->module)},
                                   std::string{module.Text(import->name)}};
  }
  for (const std::uint32_t position : code.externs.ExportsOf(module, kind, index)) {
    definition.export_names.emplace_back(module.Text(module.exports[position].name));
  }
}

/// One name each, or none if one is missing.
template <class Name>
std::vector<std::string> CollectNames(std::size_t count, Name name_of) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view name = name_of(i);
    if (name.empty()) return {};
    names.emplace_back(name);
  }
  return names;
}

template <class Definition>
void FillLimits(const wasm::Limits& limits, Definition& definition) {
  definition.minimum = limits.minimum;
  if (limits.has_maximum) definition.maximum = limits.maximum;
}

}  // namespace detail

[[gnu::cold]] TENON_DECL FunctionDefinition DefineFunction(const ModuleCode& code,
                                                           const HostCallables* host,
                                                           const std::string& module_name,
                                                           std::uint32_t index) {
  FunctionDefinition definition;
  detail::FillExtern(code, module_name, ExternKind::Func, index, definition);
  const std::uint32_t type = code.module.functions[index];
  const auto parameters = code.module.Parameters(type);
  const auto results = code.module.Results(type);
  definition.parameter_types.assign(parameters.begin(), parameters.end());
  definition.result_types.assign(results.begin(), results.end());
  definition.name = code.names.Function(index);
  definition.parameter_names = detail::CollectNames(
      parameters.size(), [&](std::uint32_t i) { return code.names.Local(index, i); });
  definition.result_names = detail::CollectNames(
      results.size(), [&](std::uint32_t i) { return code.names.Result(index, i); });
  definition.is_host_function = code.is_host;
  if (host != nullptr) {
    const HostCallables::Function& function = host->functions[index];
    const abi::HostSignature& signature = *function.callable->Get().signature;
    definition.cpp_signature = CppSignature(signature);
    if (signature.spellings != nullptr) {
      for (std::uint32_t i = 0; i < signature.cpp_parameter_count; ++i) {
        definition.parameter_cpp_types.insert(definition.parameter_cpp_types.end(),
                                              signature.parameter_widths[i],
                                              CppParameterType(signature, i));
      }
      if (results.size() == 1) {
        definition.result_cpp_types.push_back(CppTypeName(signature.spellings[0]));
      }
    }
    definition.capabilities = function.policy.capabilities;
    definition.cost = function.policy.cost;
    definition.is_traced = function.policy.is_traced;
  }
  return definition;
}

[[gnu::cold]] TENON_DECL TableDefinition DefineTable(const ModuleCode& code,
                                                     const std::string& module_name,
                                                     std::uint32_t index) {
  TableDefinition definition;
  detail::FillExtern(code, module_name, ExternKind::Table, index, definition);
  detail::FillLimits(code.module.tables[index].limits, definition);
  definition.element_type = code.module.tables[index].element;
  return definition;
}

[[gnu::cold]] TENON_DECL MemoryDefinition DefineMemory(const ModuleCode& code,
                                                       const std::string& module_name,
                                                       std::uint32_t index) {
  MemoryDefinition definition;
  detail::FillExtern(code, module_name, ExternKind::Memory, index, definition);
  detail::FillLimits(code.module.memories[index].limits, definition);
  definition.is_64 = code.module.memories[index].limits.is_64;
  definition.is_shared = code.module.memories[index].limits.is_shared;
  return definition;
}

[[gnu::cold]] TENON_DECL GlobalDefinition DefineGlobal(const ModuleCode& code,
                                                       const std::string& module_name,
                                                       std::uint32_t index) {
  GlobalDefinition definition;
  detail::FillExtern(code, module_name, ExternKind::Global, index, definition);
  definition.type = code.module.globals[index].type;
  definition.is_mutable = code.module.globals[index].is_mutable;
  return definition;
}

[[gnu::cold]] TENON_DECL std::string FunctionDebugName(const ModuleCode& code,
                                                       const std::string& module_name,
                                                       std::uint32_t index) {
  const std::string_view name = code.names.Function(index);
  std::string text = module_name + ".";
  return name.empty() ? text + "$" + std::to_string(index) : text.append(name);
}

}  // namespace tenon::inline TENON_ABI::vm
