// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of import_stub.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/cache/compile.hpp>
#include <tenon/error.hpp>
#include <tenon/host_module.ipp>
#include <tenon/import_stub.hpp>
#include <tenon/system.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/vm/instantiate.hpp>
#include <tenon/vm/settings.hpp>
#include <tenon/wasm/module_builder.hpp>

namespace tenon::inline TENON_ABI::detail {

/// The bytes and callables of such a module.
class ImportStubBuilder {
 public:
  ImportStubBuilder(UnknownImports policy, const wasm::Module& importer)
      : policy_{policy}, importer_{importer} {}

  [[gnu::cold]] void Add(const wasm::Import& import) {
    const std::string_view name = importer_.Text(import.name);
    std::uint32_t index = 0;
    switch (import.kind) {
      case ExternKind::Func:
        index = AddFunction(import);
        break;
      case ExternKind::Table:
        index = builder_.Table(importer_.tables[import.index]);
        break;
      case ExternKind::Memory:
        index = builder_.Memory(importer_.memories[import.index]);
        break;
      case ExternKind::Global:
        index = AddGlobal(importer_.globals[import.index]);
        break;
      case ExternKind::Tag:
        return;
    }
    // A module may import one name with several types; names of exports are unique.
    if (exported_.insert(name).second) builder_.Export(name, import.kind, index);
  }

  [[gnu::cold]] std::vector<std::uint8_t> Bytes() const { return builder_.Build(); }
  [[gnu::cold]] vm::HostCallables Callables() { return std::move(callables_); }

 private:
  [[gnu::cold]] std::uint32_t AddFunction(const wasm::Import& import) {
    const std::string_view module = importer_.Text(import.module);
    const std::string_view name = importer_.Text(import.name);
    const std::uint32_t type = importer_.functions[import.index];
    const auto parameters = importer_.Parameters(type);
    const auto results = importer_.Results(type);
    const std::uint32_t function =
        builder_.ImportFunction(module, name, builder_.Type(parameters, results));
    builder_.NameFunction(function, name);
    callables_.functions.push_back(
        {std::make_shared<const bind::OwnedHostFunction>(MakeDynamic(
             Body(std::string{module} + "." + std::string{name}),
             {parameters.begin(), parameters.end()}, {results.begin(), results.end()}, 0)),
         {}});
    return function;
  }

  std::function<void(Module&, std::span<abi::Slot>)> Body(std::string name) const {
    if (policy_ == UnknownImports::Trap) {
      return [name = std::move(name)](Module&, std::span<abi::Slot>) {
        throw Trap{TrapCode::UnknownImport,
                   std::string{TrapText(TrapCode::UnknownImport)} + ": " + name,
                   {}};
      };
    }
    return [](Module&, std::span<abi::Slot> slots) { std::ranges::fill(slots, abi::Slot{0}); };
  }

  [[gnu::cold]] std::uint32_t AddGlobal(const wasm::GlobalType& type) {
    const abi::Slot zero[2] = {0, 0};
    callables_.globals.push_back(Value::FromSlots(type.type, zero));
    return builder_.Global(type, DefaultOf(type.type));
  }

  UnknownImports policy_;
  const wasm::Module& importer_;
  wasm::ModuleBuilder builder_;
  vm::HostCallables callables_;
  std::set<std::string_view> exported_;
};

[[gnu::cold]] TENON_DECL InstanceHandle MakeImportStub(const std::shared_ptr<vm::Store>& store,
                                                       UnknownImports policy,
                                                       const vm::ModuleCode& importer,
                                                       std::span<const std::uint32_t> imports) {
  const wasm::Module& module = importer.module;
  ImportStubBuilder builder{policy, module};
  for (const std::uint32_t position : imports) builder.Add(module.imports[position]);
  const std::string name{module.Text(module.imports[imports.front()].module)};
  const auto compiled = cache::CompileHost(
      store, builder.Bytes(), name, std::make_shared<const vm::HostCallables>(builder.Callables()));
  const SystemConfig system;
  vm::InstanceSettings settings;
  settings.name = name;
  settings.is_hidden = true;
  settings.system = &system;
  InstanceHandle stub = vm::Instantiate(*compiled, settings);
  // From here on it lives for its importer's sake alone.
  store->Abandon(*stub.Get());
  return stub;
}

}  // namespace tenon::inline TENON_ABI::detail
