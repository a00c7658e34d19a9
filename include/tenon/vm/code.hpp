// SPDX-License-Identifier: Apache-2.0
/// @file
/// A compiled module: what the cache shares, and what belongs to one compilation.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/bind/host_function.hpp>
#include <tenon/definition.hpp>
#include <tenon/value.hpp>
#include <tenon/vm/engine.hpp>
#include <tenon/vm/extern_index.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/name_section.hpp>

namespace tenon::inline TENON_ABI {

class FunctionListener;

namespace vm {

class Store;

using CodeKey = std::array<std::uint8_t, 32>;

/// A decoded, validated and compiled module. Immutable; shared by caches, runtimes and instances.
struct ModuleCode {
  std::shared_ptr<const void> storage;  ///< keeps what `module` and `names` point into
  wasm::Module module;
  wasm::NameSection names;
  ExternIndex externs;
  EngineCodePointer engine_code;
  CodeKey key{};
  bool is_host = false;

  std::size_t Size() const { return module.bytes.size() + EngineSize(); }
  /// Bytes that the engine made.
  std::size_t EngineSize() const {
    return engine_code == nullptr ? 0 : engine_code->engine->size(*engine_code);
  }
};

/// What was agreed for a host function besides its type. No part of the code.
struct HostPolicy {
  std::vector<std::string> capabilities;  ///< labels that an importer must have been granted
  std::uint64_t cost = 0;                 ///< units that a call takes from budgets
  bool is_traced = false;
};

/// The callables of a host module, in the order of its functions, with what its bytes do not say of
/// them.
struct HostCallables {
  struct Function {
    std::shared_ptr<const bind::OwnedHostFunction> callable;
    HostPolicy policy;
  };
  std::vector<Function> functions;
  std::vector<Value> globals;  ///< values of the exported globals, in index order
};

/// One compilation: shared code, and what must not be shared.
struct CompiledState {
  std::shared_ptr<Store> store;
  std::shared_ptr<const ModuleCode> code;
  std::shared_ptr<const HostCallables> host;
  std::string name;
  /// By function index; empty if none listens.
  std::vector<std::shared_ptr<FunctionListener>> listeners;
  std::atomic<bool> is_closed{false};
};

/// The definition of a function of `code`. `module_name` is the name to report.
TENON_DECL FunctionDefinition DefineFunction(const ModuleCode& code, const HostCallables* host,
                                             const std::string& module_name, std::uint32_t index);
TENON_DECL TableDefinition DefineTable(const ModuleCode& code, const std::string& module_name,
                                       std::uint32_t index);
TENON_DECL MemoryDefinition DefineMemory(const ModuleCode& code, const std::string& module_name,
                                         std::uint32_t index);
TENON_DECL GlobalDefinition DefineGlobal(const ModuleCode& code, const std::string& module_name,
                                         std::uint32_t index);
/// "module.name" or "module.$index".
TENON_DECL std::string FunctionDebugName(const ModuleCode& code, const std::string& module_name,
                                         std::uint32_t index);

}  // namespace vm
}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/vm/code.ipp>
#endif
