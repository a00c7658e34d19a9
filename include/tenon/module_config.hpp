// SPDX-License-Identifier: Apache-2.0
/// @file
/// Settings of one instance.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/budget.hpp>
#include <tenon/fs_config.hpp>
#include <tenon/link_policy.hpp>
#include <tenon/module.hpp>
#include <tenon/system.hpp>

namespace tenon::inline TENON_ABI {

/// Gives the module that satisfies the imports from `module_name`; an empty handle: look it up by
/// name in the runtime.
using ImportResolver = std::function<Module(std::string_view module_name)>;

/// Settings of one instance. A value: every With... returns a changed copy and leaves the original
/// alone. Any thread.
class ModuleConfig {
 public:
  ModuleConfig() = default;

  /// Name in the runtime; "" makes the instance anonymous: not importable by name, any number of
  /// them. Default: the name of the compiled module.
  [[nodiscard]] ModuleConfig WithName(std::string name) const {
    return Changed(&ModuleConfig::name_, std::optional{std::move(name)});
  }
  /// Exported functions without parameters called in this order after instantiation; missing ones
  /// are skipped. Default: "_start".
  [[nodiscard]] ModuleConfig WithStartFunctions(std::vector<std::string> names) const {
    return Changed(&ModuleConfig::start_functions_, std::move(names));
  }
  /// Asked for each imported module before the runtime's names.
  [[nodiscard]] ModuleConfig WithImportResolver(ImportResolver resolver) const {
    return Changed(&ModuleConfig::import_resolver_, std::move(resolver));
  }
  /// Satisfies imports from `module_name` with this module, before resolver and names.
  [[nodiscard]] ModuleConfig WithImport(std::string module_name, Module module) const {
    ModuleConfig changed = *this;
    changed.imports_.emplace_back(std::move(module_name), std::move(module));
    return changed;
  }
  /// What becomes of imports that nothing satisfies. Default: LinkError.
  [[nodiscard]] ModuleConfig WithUnknownImports(tenon::UnknownImports policy) const {
    return Changed(&ModuleConfig::unknown_imports_, policy);
  }
  /// Whether a module given by WithImport or the resolver may take the place of another one of that
  /// name in the runtime, or of one given before. Allow, the default: the first given counts, then
  /// the resolver's, then the runtime's. Refuse: LinkError.
  [[nodiscard]] ModuleConfig WithImportShadowing(Shadowing policy) const {
    return Changed(&ModuleConfig::import_shadowing_, policy);
  }
  /// The capabilities of this instance: labels of host functions that it may import; see
  /// HostFunctionBuilder::WithCapability. Default: none. Further calls replace them.
  [[nodiscard]] ModuleConfig WithGrants(std::vector<std::string> capabilities) const {
    return Changed(&ModuleConfig::grants_, std::move(capabilities));
  }
  /// What the instance may spend in its life on calls of host functions with a cost, see
  /// HostFunctionBuilder::WithCost: so many units for each instance. Default: no limit.
  [[nodiscard]] ModuleConfig WithBudget(std::uint64_t units) const {
    ModuleConfig changed = Changed(&ModuleConfig::budget_, tenon::Budget{});
    changed.budget_units_ = units;
    return changed;
  }
  /// The same, with a budget that all instances made with this configuration share.
  [[nodiscard]] ModuleConfig WithBudget(tenon::Budget budget) const {
    ModuleConfig changed = Changed(&ModuleConfig::budget_, std::move(budget));
    changed.budget_units_.reset();
    return changed;
  }
  /// Arguments, environment, streams, clocks, randomness, directories: all at once, instead of one
  /// after the other by the members below. Default: nothing of the host's.
  [[nodiscard]] ModuleConfig WithSystem(SystemConfig system) const {
    return Changed(&ModuleConfig::system_, std::move(system));
  }

  /// What follows changes the one part of WithSystem that SystemConfig has under the same name.
  [[nodiscard]] ModuleConfig WithArgs(std::vector<std::string> args) const {
    return WithSystem(system_.WithArgs(std::move(args)));
  }
  [[nodiscard]] ModuleConfig WithEnv(std::string key, std::string value) const {
    return WithSystem(system_.WithEnv(std::move(key), std::move(value)));
  }
  /// See SystemConfig::WithStdin for what it can be.
  template <class Stream>
    requires requires(const SystemConfig& system, Stream&& stream) {
      system.WithStdin(std::forward<Stream>(stream));
    }
  [[nodiscard]] ModuleConfig WithStdin(Stream&& stream) const {
    return WithSystem(system_.WithStdin(std::forward<Stream>(stream)));
  }
  /// See SystemConfig::WithStdout for what it can be.
  template <class Stream>
    requires requires(const SystemConfig& system, Stream&& stream) {
      system.WithStdout(std::forward<Stream>(stream));
    }
  [[nodiscard]] ModuleConfig WithStdout(Stream&& stream) const {
    return WithSystem(system_.WithStdout(std::forward<Stream>(stream)));
  }
  /// See SystemConfig::WithStderr for what it can be.
  template <class Stream>
    requires requires(const SystemConfig& system, Stream&& stream) {
      system.WithStderr(std::forward<Stream>(stream));
    }
  [[nodiscard]] ModuleConfig WithStderr(Stream&& stream) const {
    return WithSystem(system_.WithStderr(std::forward<Stream>(stream)));
  }
  [[nodiscard]] ModuleConfig WithWalltime(ClockSource clock,
                                          std::uint64_t resolution = 1000) const {
    return WithSystem(system_.WithWalltime(std::move(clock), resolution));
  }
  [[nodiscard]] ModuleConfig WithSysWalltime() const {
    return WithSystem(system_.WithSysWalltime());
  }
  [[nodiscard]] ModuleConfig WithNanotime(ClockSource clock, std::uint64_t resolution = 1) const {
    return WithSystem(system_.WithNanotime(std::move(clock), resolution));
  }
  [[nodiscard]] ModuleConfig WithSysNanotime() const {
    return WithSystem(system_.WithSysNanotime());
  }
  [[nodiscard]] ModuleConfig WithCputime(ClockSource clock, std::uint64_t resolution = 1) const {
    return WithSystem(system_.WithCputime(std::move(clock), resolution));
  }
  [[nodiscard]] ModuleConfig WithSysCputime() const { return WithSystem(system_.WithSysCputime()); }
  [[nodiscard]] ModuleConfig WithNanosleep(SleepFunction sleep) const {
    return WithSystem(system_.WithNanosleep(std::move(sleep)));
  }
  [[nodiscard]] ModuleConfig WithSysNanosleep() const {
    return WithSystem(system_.WithSysNanosleep());
  }
  [[nodiscard]] ModuleConfig WithOsyield(std::function<void()> yield) const {
    return WithSystem(system_.WithOsyield(std::move(yield)));
  }
  [[nodiscard]] ModuleConfig WithRandSource(RandomSource source) const {
    return WithSystem(system_.WithRandSource(std::move(source)));
  }
  [[nodiscard]] ModuleConfig WithFSConfig(FSConfig directories) const {
    return WithSystem(system_.WithFSConfig(std::move(directories)));
  }

  const std::optional<std::string>& Name() const { return name_; }
  const std::vector<std::string>& StartFunctions() const { return start_functions_; }
  const tenon::ImportResolver& ImportResolver() const { return import_resolver_; }
  const std::vector<std::pair<std::string, Module>>& Imports() const { return imports_; }
  tenon::UnknownImports UnknownImports() const { return unknown_imports_; }
  Shadowing ImportShadowing() const { return import_shadowing_; }
  const std::vector<std::string>& Grants() const { return grants_; }
  /// The budget of an instance: the shared one, or one made now; empty if it has none.
  tenon::Budget MakeBudget() const {
    return budget_units_.has_value() ? tenon::Budget{*budget_units_} : budget_;
  }
  const SystemConfig& System() const { return system_; }

 private:
  template <class Member, class T>
  ModuleConfig Changed(Member ModuleConfig::* member, T value) const {
    ModuleConfig changed = *this;
    changed.*member = std::move(value);
    return changed;
  }

  std::optional<std::string> name_;
  std::vector<std::string> start_functions_ = {"_start"};
  tenon::ImportResolver import_resolver_;
  std::vector<std::pair<std::string, Module>> imports_;
  tenon::UnknownImports unknown_imports_ = tenon::UnknownImports::Error;
  Shadowing import_shadowing_ = Shadowing::Allow;
  std::vector<std::string> grants_;
  tenon::Budget budget_;
  std::optional<std::uint64_t> budget_units_;
  SystemConfig system_;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/module_config.ipp>
#endif
