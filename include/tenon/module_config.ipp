// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of module_config.hpp.
#pragma once

#include <algorithm>
#include <string_view>

#include <tenon/module_config.hpp>
#include <tenon/vm/settings.hpp>

namespace tenon::inline TENON_ABI::detail {

/// `config` must outlive the result.
[[gnu::cold]] inline vm::InstanceSettings InstanceSettingsOf(const ModuleConfig& config) {
  vm::InstanceSettings settings;
  settings.name = config.Name();
  settings.start_functions = config.StartFunctions();
  settings.system = &config.System();
  for (const auto& [name, module] : config.Imports()) {
    settings.given_names.push_back(name);
    const auto is_other = [&](const auto& given) {
      return given.first == name && given.second.Get() != module.Get();
    };
    if (std::ranges::any_of(config.Imports(), is_other)) settings.ambiguous_names.push_back(name);
  }
  settings.unknown_imports = config.UnknownImports();
  settings.import_shadowing = config.ImportShadowing();
  settings.grants = config.Grants();
  settings.budget = config.MakeBudget();
  settings.find_exporter = [&config](std::string_view module_name) -> InstanceHandle {
    for (const auto& [given, module] : config.Imports()) {
      if (given == module_name) return InstanceHandle{module.Get()};
    }
    if (!config.ImportResolver()) return {};
    return InstanceHandle{config.ImportResolver()(module_name).Get()};
  };
  return settings;
}

}  // namespace tenon::inline TENON_ABI::detail
