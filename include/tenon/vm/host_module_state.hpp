// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a host module builder collects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/bind/host_function.hpp>
#include <tenon/link_policy.hpp>
#include <tenon/value.hpp>
#include <tenon/vm/code.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::vm {

class Store;

/// A host function being defined.
struct HostFunctionDraft {
  std::shared_ptr<const bind::OwnedHostFunction> callable;
  std::string name;
  std::vector<std::string> parameter_names;
  std::vector<std::string> result_names;
  HostPolicy policy;
  bool is_exported = false;
};

struct HostGlobal {
  Value value;
  bool is_mutable = false;
};

/// The state that builder handles share. One thread at a time.
class HostModuleState {
 public:
  HostModuleState(std::shared_ptr<Store> owner, std::string module_name)
      : store{std::move(owner)}, name{std::move(module_name)} {}

  using Export = std::variant<HostFunctionDraft, wasm::MemoryType, wasm::TableType, HostGlobal>;

  std::shared_ptr<Store> store;
  std::string name;
  std::vector<HostFunctionDraft> functions;            ///< in order of NewFunctionBuilder
  std::map<std::string, Export, std::less<>> exports;  ///< sorted by name, as Compile wants them
  Shadowing shadowing = Shadowing::Allow;
  std::optional<std::string> shadowed;  ///< the first name that was defined twice

  void AddExport(std::string export_name, Export item) {
    const auto [place, is_new] = exports.insert_or_assign(std::move(export_name), std::move(item));
    if (!is_new && !shadowed.has_value()) shadowed = place->first;
  }
};

}  // namespace tenon::inline TENON_ABI::vm
