// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of linker.hpp.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/definition.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/linker.hpp>
#include <tenon/vm/nearest_name.hpp>
#include <tenon/vm/spelling.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/flat_array.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

[[gnu::cold]] inline std::string LimitsText(std::uint64_t minimum, bool has_maximum,
                                            std::uint64_t maximum) {
  std::string text = std::to_string(minimum) + "..";
  if (has_maximum) text += std::to_string(maximum);
  return text;
}

inline std::string FunctionText(const wasm::Module& module, std::uint32_t index) {
  const std::uint32_t type = module.functions[index];
  return SignatureText(module.Parameters(type), module.Results(type));
}
inline std::string TableText(const wasm::TableType& type, std::uint64_t size) {
  return TypeName(type.element) + " " +
         LimitsText(size, type.limits.has_maximum, type.limits.maximum);
}
inline std::string MemoryText(const wasm::MemoryType& type, std::uint64_t pages) {
  return std::string{type.limits.is_shared ? "shared " : ""} + (type.limits.is_64 ? "i64 " : "") +
         LimitsText(pages, type.limits.has_maximum, type.limits.maximum) + " pages";
}
inline std::string GlobalText(const wasm::GlobalType& type) {
  return (type.is_mutable ? "mut " : "") + TypeName(type.type);
}

/// Whether something of this size and limits may stand for what the import declares.
inline bool LimitsFit(const wasm::Limits& declared, std::uint64_t size,
                      const wasm::Limits& actual) {
  if (size < declared.minimum || declared.is_64 != actual.is_64 ||
      declared.is_shared != actual.is_shared) {
    return false;
  }
  return !declared.has_maximum || (actual.has_maximum && actual.maximum <= declared.maximum);
}

/// The type that an import declares; "" for a tag.
[[gnu::cold]] inline std::string DeclaredText(const wasm::Module& module,
                                              const wasm::Import& import) {
  switch (import.kind) {
    case ExternKind::Func:
      return FunctionText(module, import.index);
    case ExternKind::Table:
      return TableText(module.tables[import.index], module.tables[import.index].limits.minimum);
    case ExternKind::Memory:
      return MemoryText(module.memories[import.index],
                        module.memories[import.index].limits.minimum);
    case ExternKind::Global:
      return GlobalText(module.globals[import.index]);
    case ExternKind::Tag:
      break;
  }
  return "";
}

/// The type of what an instance has under an index.
[[gnu::cold]] inline std::string FoundText(const Instance& instance, ExternKind kind,
                                           std::uint32_t index) {
  switch (kind) {
    case ExternKind::Func:
      return FunctionText(instance.Module(), index);
    case ExternKind::Table:
      return TableText(instance.tables[index]->Type(), instance.tables[index]->Size());
    case ExternKind::Memory:
      return MemoryText(instance.memories[index]->Type(), instance.memories[index]->Pages());
    case ExternKind::Global:
      return GlobalText(instance.globals[index]->Type());
    case ExternKind::Tag:
      break;
  }
  return "";
}

/// What a record calls, if that is a function of a host module; else null.
inline const HostCallables::Function* HostFunctionOf(const abi::FunctionRecord& function) {
  const Instance& owner = OwnerOf(function);
  return owner.IsHost() ? &owner.host->functions[function.index] : nullptr;
}

/// Where two lists of types of equal length differ, as in `; parameter 1 "y" is i64 there, i32
/// here`; "" if they do not, or in length.
[[gnu::cold]] inline std::string DifferenceText(std::span<const ValueType> wanted,
                                                std::span<const ValueType> found,
                                                std::string_view what, const Instance& exporter,
                                                std::uint32_t function) {
  if (wanted.size() != found.size()) return "";
  const auto [one, other] = std::ranges::mismatch(wanted, found);
  if (one == wanted.end()) return "";
  const auto position = static_cast<std::uint32_t>(one - wanted.begin());
  const wasm::NameSection& names = exporter.code->names;
  const std::string_view name =
      what == "result" ? names.Result(function, position) : names.Local(function, position);
  std::string text = "; " + std::string{what} + " " + std::to_string(position);
  if (!name.empty()) text.append(" \"").append(name).append("\"");
  return text + ": guest " + TypeName(*one) + ", module " + TypeName(*other);
}

/// Tries every import, and keeps what fits and what is wrong with the others.
class ImportResolver {
 public:
  ImportResolver(const ModuleCode& importer, Store& store, const InstanceSettings& settings)
      : importer_{importer}, module_{importer.module}, store_{store}, settings_{settings} {}

  void Run() {
    resolved.resize(module_.imports.size());
    for (std::uint32_t i = 0; i < module_.imports.size(); ++i) Resolve(i);
  }

  /// Modules for the unknown imports, if they are not to be errors.
  [[gnu::cold]] void MakeStubs() {
    for (const auto& [name, exporter] : exporters_) {
      if (exporter.unknown.empty()) continue;
      const InstanceHandle stub = settings_.make_stub(importer_, exporter.unknown);
      std::uint32_t next[5] = {};
      for (const std::uint32_t position : exporter.unknown) {
        const auto kind = static_cast<std::size_t>(module_.imports[position].kind);
        resolved[position] = {stub, next[kind]++};
      }
    }
  }

  /// Throws LinkError if there were problems.
  [[gnu::cold]] void RequireNone() {
    if (first_failure_ == ErrorCode::None) return;
    std::string report;
    for (const std::string& line : lines_) {
      if (!report.empty()) report += '\n';
      report += line;
      for (const auto& [name, exporter] : exporters_) {
        if (exporter.missing == line) report += exporter.wanted.Text();
      }
    }
    if (omitted_ != 0) {
      report += '\n' + FormatError(ErrorCode::ImportsOmitted, {std::to_string(omitted_)});
    }
    throw LinkError{first_failure_, report, std::move(problems)};
  }

  std::vector<ResolvedImport> resolved;
  std::vector<ImportProblem> problems;

 private:
  static constexpr std::size_t kMostLines = 20;
  static constexpr std::size_t kMostProblems = 1000;

  /// Who wants something of a module that is not there.
  struct Wanted {
    static constexpr std::size_t kMost = 5;
    std::vector<std::string> imports;
    std::uint64_t more = 0;

    std::string Text() const {
      std::string text = "; wanted for ";
      for (std::size_t i = 0; i < imports.size(); ++i) text += (i != 0 ? ", " : "") + imports[i];
      if (more != 0) text += " and " + std::to_string(more) + " more";
      return text;
    }
  };
  struct Exporter {
    InstanceHandle handle;
    std::vector<std::string_view> names[5];  ///< of exports by kind, once they are asked for
    bool has_names[5] = {};
    std::string missing;                     ///< the line for a module that is not there
    std::string near;                        ///< the name that is there in place of a missing one
    Wanted wanted;                           ///< of a module that is not there
    wasm::FlatArray<std::uint32_t> unknown;  ///< imports for which a stub will stand
    bool is_shadowing = false;
  };

  void Resolve(std::uint32_t position) {
    const wasm::Import& import = module_.imports[position];
    Exporter& exporter = Find(module_.Text(import.module));
    if (!exporter.handle) {
      if (Stub(position, exporter)) return;
      Wanted& wanted = exporter.wanted;
      if (wanted.imports.size() < Wanted::kMost) {
        wanted.imports.push_back(std::string{ExternKindName(import.kind)} + " \"" +
                                 std::string{module_.Text(import.name)} + "\"");
      } else {
        ++wanted.more;
      }
      ImportProblem problem = Describe(ErrorCode::ModuleNotInstantiated, import);
      problem.hint = exporter.near;
      problem.text = exporter.missing;
      Report(std::move(problem));
      return;
    }
    if (exporter.handle.Get()->store.get() != &store_) {
      ImportProblem problem = Describe(ErrorCode::ImportForeignRuntime, import);
      problem.text = FormatError(problem.id, {problem.module, problem.name});
      Report(std::move(problem));
      return;
    }
    Instance& instance = *exporter.handle.Get();
    if (instance.IsClosed()) throw ExitError{instance.ExitCode()};
    const wasm::Export* found = instance.FindExport(module_.Text(import.name));
    if (found == nullptr) {
      if (!Stub(position, exporter)) ReportMissing(import, exporter);
      return;
    }
    if (exporter.is_shadowing) {
      ReportWith(ErrorCode::ImportShadowed, import, instance, *found);
    } else if (Check(import, instance, *found)) {
      resolved[position] = {exporter.handle, found->index};
    }
  }

  Exporter& Find(std::string_view name) {
    const auto known = exporters_.find(name);
    if (known != exporters_.end()) return known->second;
    Exporter& exporter = exporters_.emplace(name, Exporter{}).first->second;
    if (settings_.find_exporter) exporter.handle = settings_.find_exporter(name);
    if (!exporter.handle) {
      exporter.handle = store_.Find(name);
    } else if (settings_.import_shadowing == Shadowing::Refuse) {
      const InstanceHandle hidden = store_.Find(name);
      const std::vector<std::string_view>& ambiguous = settings_.ambiguous_names;
      exporter.is_shadowing = std::ranges::find(ambiguous, name) != ambiguous.end() ||
                              (hidden && hidden.Get() != exporter.handle.Get());
    }
    if (!exporter.handle) {
      if (name_budget_ != 0) exporter.near = NearestName(name, ModuleNames(), name_budget_);
      exporter.missing =
          FormatError(ErrorCode::ModuleNotInstantiated, {name}) + SuggestName(exporter.near);
    }
    return exporter;
  }

  /// The names under which modules can be found.
  [[gnu::cold]] const std::vector<std::string_view>& ModuleNames() {
    if (module_names_.empty()) {
      open_names_ = store_.Names();
      module_names_.assign(open_names_.begin(), open_names_.end());
      module_names_.insert(module_names_.end(), settings_.given_names.begin(),
                           settings_.given_names.end());
    }
    return module_names_;
  }

  /// Whether a stub will stand for an unknown import.
  bool Stub(std::uint32_t position, Exporter& exporter) {
    const wasm::Import& import = module_.imports[position];
    const bool can_trap = import.kind == ExternKind::Func;
    const bool can_default = import.kind != ExternKind::Tag;
    if (!(settings_.unknown_imports == UnknownImports::Trap && can_trap) &&
        !(settings_.unknown_imports == UnknownImports::Default && can_default)) {
      return false;
    }
    exporter.unknown.push_back(position);
    return true;
  }

  /// Whether another problem will be reported in full: as data or as a line.
  [[gnu::cold]] bool IsShown() const {
    return problems.size() < kMostProblems || lines_.size() < kMostLines;
  }

  [[gnu::cold]] ImportProblem Describe(ErrorCode id, const wasm::Import& import) const {
    ImportProblem problem;
    problem.id = id;
    problem.kind = import.kind;
    problem.module = module_.Text(import.module);
    problem.name = module_.Text(import.name);
    // Texts of types may be long, and nobody reads a thousand.
    if (IsShown()) problem.expected = DeclaredText(module_, import);
    return problem;
  }
  [[gnu::cold]] ImportProblem Describe(ErrorCode id, const wasm::Import& import,
                                       const Instance& instance, const wasm::Export& found) const {
    ImportProblem problem = Describe(id, import);
    if (!IsShown()) return problem;
    problem.found = FoundText(instance, found.kind, found.index);
    if (found.kind == ExternKind::Func) {
      const auto* host = HostFunctionOf(*instance.functions[found.index]);
      if (host != nullptr) problem.cpp = CppSignature(*host->callable->Get().signature);
    }
    return problem;
  }

  [[gnu::cold]] void ReportMissing(const wasm::Import& import, Exporter& exporter) {
    ImportProblem problem = Describe(ErrorCode::ImportNotFound, import);
    const auto kind = static_cast<std::size_t>(import.kind);
    std::vector<std::string_view>& names = exporter.names[kind];
    // Not by whether there are any: of a module without exports of a kind many may be wanted.
    if (!std::exchange(exporter.has_names[kind], true)) {
      const wasm::Module& module = exporter.handle.Get()->Module();
      for (const wasm::Export& entry : module.exports) {
        if (entry.kind == import.kind) names.push_back(module.Text(entry.name));
      }
    }
    problem.hint = NearestName(problem.name, names, name_budget_);
    problem.text =
        FormatError(problem.id, {ExternKindName(import.kind), problem.module, problem.name}) +
        SuggestName(problem.hint);
    Report(std::move(problem));
  }

  /// A problem whose text needs no more than kinds, names and the C++ signature.
  [[gnu::cold]] void ReportWith(ErrorCode id, const wasm::Import& import, const Instance& instance,
                                const wasm::Export& found) {
    ImportProblem problem = Describe(id, import, instance, found);
    problem.text = FormatError(id, {ExternKindName(import.kind), problem.module, problem.name,
                                    ExternKindName(found.kind), problem.cpp});
    Report(std::move(problem));
  }

  [[gnu::cold]] void ReportTypes(const wasm::Import& import, const Instance& instance,
                                 const wasm::Export& found, const std::string& difference) {
    ImportProblem problem = Describe(ErrorCode::ImportTypeMismatch, import, instance, found);
    problem.text = FormatError(problem.id, {ExternKindName(import.kind), problem.module,
                                            problem.name, problem.expected, problem.found});
    if (!problem.cpp.empty()) problem.text += ", in C++ " + problem.cpp;
    problem.text += difference;
    Report(std::move(problem));
  }

  [[gnu::cold]] void Report(ImportProblem problem) {
    if (first_failure_ == ErrorCode::None) first_failure_ = problem.id;
    if (std::ranges::find(lines_, problem.text) == lines_.end()) {
      if (lines_.size() == kMostLines) {
        ++omitted_;
      } else {
        lines_.push_back(problem.text);
      }
    }
    if (problems.size() < kMostProblems) problems.push_back(std::move(problem));
  }

  /// Whether an export satisfies an import; reports it if not.
  bool Check(const wasm::Import& import, const Instance& instance, const wasm::Export& found) {
    if (found.kind != import.kind) {
      ReportWith(ErrorCode::ImportKindMismatch, import, instance, found);
      return false;
    }
    if (import.kind == ExternKind::Func) return CheckFunction(import, instance, found);
    if (!Fits(import, instance, found.index)) {
      ReportTypes(import, instance, found, "");
      return false;
    }
    return true;
  }

  /// Of everything but functions.
  bool Fits(const wasm::Import& import, const Instance& instance, std::uint32_t index) const {
    switch (import.kind) {
      case ExternKind::Table: {
        const wasm::TableType& wanted = module_.tables[import.index];
        const TableInstance& table = *instance.tables[index];
        return table.Type().element == wanted.element &&
               LimitsFit(wanted.limits, table.Size(), table.Type().limits);
      }
      case ExternKind::Memory: {
        const MemoryInstance& memory = *instance.memories[index];
        return LimitsFit(module_.memories[import.index].limits, memory.Pages(),
                         memory.Type().limits);
      }
      case ExternKind::Global:
        return module_.globals[import.index] == instance.globals[index]->Type();
      case ExternKind::Func:
      case ExternKind::Tag:
        break;
    }
    return false;
  }

  bool CheckFunction(const wasm::Import& import, const Instance& instance,
                     const wasm::Export& found) {
    const abi::FunctionRecord& function = *instance.functions[found.index];
    const std::uint32_t type = module_.functions[import.index];
    const auto parameters = module_.Parameters(type);
    const auto results = module_.Results(type);
    if (!store_.types.Is(function.type, parameters, results)) {
      const wasm::Module& other = instance.Module();
      const std::uint32_t own = other.functions[found.index];
      const Instance& owner = OwnerOf(function);
      std::string difference =
          DifferenceText(parameters, other.Parameters(own), "parameter", owner, function.index);
      if (difference.empty()) {
        difference = DifferenceText(results, other.Results(own), "result", owner, function.index);
      }
      ReportTypes(import, instance, found, difference);
      return false;
    }
    if ((FlagsOf(function) & abi::kFunctionNeedsMemory) != 0 && module_.memories.empty()) {
      ReportWith(ErrorCode::ImportNeedsMemory, import, instance, found);
      return false;
    }
    if ((FlagsOf(function) & abi::kFunctionHasRawViews) != 0 && module_.HasSharedMemory()) {
      ReportWith(ErrorCode::ImportViewsShared, import, instance, found);
      return false;
    }
    return CheckGrants(import, instance, found, function);
  }

  bool CheckGrants(const wasm::Import& import, const Instance& instance, const wasm::Export& found,
                   const abi::FunctionRecord& function) {
    const auto* host = HostFunctionOf(function);
    if (host == nullptr) return true;
    bool is_granted = true;
    for (const std::string& capability : host->policy.capabilities) {
      const auto& grants = settings_.grants;
      if (std::ranges::find(grants, capability) != grants.end()) continue;
      is_granted = false;
      ImportProblem problem = Describe(ErrorCode::ImportNotGranted, import, instance, found);
      problem.capability = capability;
      problem.text = FormatError(
          problem.id, {ExternKindName(import.kind), problem.module, problem.name, capability});
      Report(std::move(problem));
    }
    return is_granted;
  }

  const ModuleCode& importer_;
  const wasm::Module& module_;
  Store& store_;
  const InstanceSettings& settings_;
  std::map<std::string, Exporter, std::less<>> exporters_;
  std::vector<std::string> open_names_;
  std::vector<std::string_view> module_names_;
  std::vector<std::string> lines_;
  ErrorCode first_failure_ = ErrorCode::None;
  std::uint64_t omitted_ = 0;
  NameBudget name_budget_ = 20'000;
};

}  // namespace detail

TENON_DECL std::vector<ResolvedImport> ResolveImports(const CompiledState& compiled, Store& store,
                                                      const InstanceSettings& settings) {
  if (compiled.code->is_host) return {};
  detail::ImportResolver resolver{*compiled.code, store, settings};
  resolver.Run();
  resolver.RequireNone();
  resolver.MakeStubs();
  return std::move(resolver.resolved);
}

TENON_DECL std::vector<ImportProblem> CheckImports(const CompiledState& compiled, Store& store,
                                                   const InstanceSettings& settings) {
  if (compiled.code->is_host) return {};
  detail::ImportResolver resolver{*compiled.code, store, settings};
  resolver.Run();
  return std::move(resolver.problems);
}

}  // namespace tenon::inline TENON_ABI::vm
