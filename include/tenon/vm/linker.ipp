// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of linker.hpp.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/definition.hpp>
#include <tenon/error.hpp>
#include <tenon/vm/call.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/linker.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::vm {

namespace detail {

inline std::string LimitsText(std::uint64_t minimum, bool has_maximum, std::uint64_t maximum) {
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
  return LimitsText(pages, type.limits.has_maximum, type.limits.maximum) + " pages";
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

/// Finds exporters by module name, each once.
class ExporterLookup {
 public:
  ExporterLookup(const ModuleCode& importer, Store& store, const InstanceSettings& settings)
      : importer_{importer}, store_{store}, settings_{settings} {}

  /// Throws LinkError if there is none; an empty handle if it said so before.
  InstanceHandle Find(const wasm::Import& import) {
    const std::string_view name = importer_.module.Text(import.module);
    const auto known = found_.find(name);
    if (known != found_.end()) return known->second;
    InstanceHandle exporter = Search(name);
    if (!exporter) {
      found_.emplace(name, InstanceHandle{});
      throw LinkError{ErrorCode::ModuleNotInstantiated,
                      FormatError(ErrorCode::ModuleNotInstantiated, {name})};
    }
    if (exporter.Get()->store.get() != &store_) {
      throw LinkError{
          ErrorCode::ImportForeignRuntime,
          FormatError(ErrorCode::ImportForeignRuntime, {name, importer_.module.Text(import.name)})};
    }
    found_.emplace(name, exporter);
    return exporter;
  }

 private:
  InstanceHandle Search(std::string_view name) {
    if (settings_.find_exporter) {
      InstanceHandle given = settings_.find_exporter(name);
      if (given) return given;
    }
    return store_.Find(name);
  }

  const ModuleCode& importer_;
  Store& store_;
  const InstanceSettings& settings_;
  std::map<std::string, InstanceHandle, std::less<>> found_;
};

/// Checks one import against the export found for it.
class ImportCheck {
 public:
  ImportCheck(const ModuleCode& importer, const wasm::Import& import, Instance& exporter)
      : importer_{importer},
        import_{import},
        exporter_{exporter},
        module_{importer.module.Text(import.module)},
        name_{importer.module.Text(import.name)} {}

  std::uint32_t Run() {
    if (exporter_.IsClosed()) throw ExitError{exporter_.ExitCode()};
    const wasm::Export* found = exporter_.FindExport(name_);
    if (found == nullptr) Fail(ErrorCode::ImportNotFound);
    if (found->kind != import_.kind) {
      throw LinkError{
          ErrorCode::ImportKindMismatch,
          FormatError(ErrorCode::ImportKindMismatch,
                      {ExternKindName(import_.kind), module_, name_, ExternKindName(found->kind)})};
    }
    switch (import_.kind) {
      case ExternKind::Func:
        CheckFunction(found->index);
        break;
      case ExternKind::Table:
        CheckTable(found->index);
        break;
      case ExternKind::Memory:
        CheckMemory(found->index);
        break;
      case ExternKind::Global:
        CheckGlobal(found->index);
        break;
      case ExternKind::Tag:
        Fail(ErrorCode::ImportNotFound);
    }
    return found->index;
  }

 private:
  [[noreturn]] void Fail(ErrorCode code) const {
    throw LinkError{code, FormatError(code, {ExternKindName(import_.kind), module_, name_})};
  }
  [[noreturn]] void FailTypes(const std::string& wanted, const std::string& found) const {
    throw LinkError{ErrorCode::ImportTypeMismatch,
                    FormatError(ErrorCode::ImportTypeMismatch,
                                {ExternKindName(import_.kind), module_, name_, wanted, found})};
  }

  void CheckFunction(std::uint32_t index) const {
    const abi::FunctionRecord& function = *exporter_.functions[index];
    const wasm::Module& guest = importer_.module;
    const std::uint32_t type = guest.functions[import_.index];
    if (!exporter_.store->types.Is(function.type, guest.Parameters(type), guest.Results(type))) {
      FailTypes(FunctionText(guest, import_.index), FunctionText(exporter_.Module(), index));
    }
    if ((FlagsOf(function) & abi::kFunctionNeedsMemory) != 0 && guest.memories.empty()) {
      Fail(ErrorCode::ImportNeedsMemory);
    }
  }
  void CheckTable(std::uint32_t index) const {
    const wasm::TableType& wanted = importer_.module.tables[import_.index];
    const TableInstance& table = *exporter_.tables[index];
    if (table.Type().element != wanted.element ||
        !LimitsFit(wanted.limits, table.Size(), table.Type().limits)) {
      FailTypes(TableText(wanted, wanted.limits.minimum), TableText(table.Type(), table.Size()));
    }
  }
  void CheckMemory(std::uint32_t index) const {
    const wasm::MemoryType& wanted = importer_.module.memories[import_.index];
    const MemoryInstance& memory = *exporter_.memories[index];
    if (!LimitsFit(wanted.limits, memory.Pages(), memory.Type().limits)) {
      FailTypes(MemoryText(wanted, wanted.limits.minimum),
                MemoryText(memory.Type(), memory.Pages()));
    }
  }
  void CheckGlobal(std::uint32_t index) const {
    const wasm::GlobalType& wanted = importer_.module.globals[import_.index];
    const wasm::GlobalType& global = exporter_.globals[index]->Type();
    if (wanted != global) FailTypes(GlobalText(wanted), GlobalText(global));
  }

  const ModuleCode& importer_;
  const wasm::Import& import_;
  Instance& exporter_;
  std::string_view module_;
  std::string_view name_;
};

}  // namespace detail

TENON_DECL std::vector<ResolvedImport> ResolveImports(const CompiledState& compiled, Store& store,
                                                      const InstanceSettings& settings) {
  std::vector<ResolvedImport> resolved;
  const ModuleCode& code = *compiled.code;
  if (code.is_host) return resolved;
  detail::ExporterLookup lookup{code, store, settings};
  resolved.reserve(code.module.imports.size());
  // Those that do not fit are reported at once, as far as somebody will read them.
  constexpr std::size_t kMostLines = 20;
  ErrorCode first_failure = ErrorCode::None;
  std::vector<std::string> lines;
  std::uint64_t omitted = 0;
  for (const wasm::Import& import : code.module.imports) {
    try {
      InstanceHandle exporter = lookup.Find(import);
      if (!exporter) continue;
      const std::uint32_t index = detail::ImportCheck{code, import, *exporter.Get()}.Run();
      resolved.push_back({std::move(exporter), index});
    } catch (const LinkError& error) {
      if (first_failure == ErrorCode::None) first_failure = error.Id();
      if (lines.size() == kMostLines) {
        ++omitted;
      } else if (std::ranges::find(lines, error.what()) == lines.end()) {
        lines.push_back(error.what());
      }
    }
  }
  if (first_failure == ErrorCode::None) return resolved;
  std::string report = lines[0];
  for (std::size_t i = 1; i < lines.size(); ++i) report += '\n' + lines[i];
  if (omitted != 0) {
    report += '\n' + FormatError(ErrorCode::ImportsOmitted, {std::to_string(omitted)});
  }
  throw LinkError{first_failure, report};
}

}  // namespace tenon::inline TENON_ABI::vm
