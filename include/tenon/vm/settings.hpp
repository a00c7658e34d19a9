// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the public configurations say, as this room needs it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/budget.hpp>
#include <tenon/code_map_kind.hpp>
#include <tenon/core_features.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/definition.hpp>
#include <tenon/link_policy.hpp>
#include <tenon/memory_allocator.hpp>
#include <tenon/signal_handlers.hpp>

namespace tenon::inline TENON_ABI {

class CallContext;
class FunctionListener;
class InstanceHandle;
class SystemConfig;

namespace cache {
class CodeMap;
}  // namespace cache

namespace vm {

class Instance;
struct ModuleCode;

/// Of a runtime; see RuntimeConfig.
struct StoreSettings {
  CoreFeatures features = CoreFeatures::V2();
  std::uint32_t memory_limit_pages = 65536;
  std::uint32_t table_limit = 10'000'000;
  std::uint64_t memory_limit_bytes = UINT64_MAX;
  std::uint64_t instance_limit = UINT64_MAX;
  std::uint64_t reference_limit = 65536;
  std::uint64_t stack_bytes = std::uint64_t{1} << 20;
  bool memory_capacity_from_max = false;
  bool close_on_context_done = false;
  bool canonical_nan = false;
  bool custom_sections = false;
  /// Why this engine and not a faster one; "" if there is none.
  std::string engine_note;
  /// Of the compiler.
  CpuFeatures cpu;
  std::uint32_t compilation_threads = 1;
  std::function<void(std::uint32_t, std::uint32_t)> compilation_progress;
  CodeMapKind code_map = CodeMapKind::None;
  bool gdb_jit = false;
  SignalHandlers signal_handlers = SignalHandlers::Automatic;
  std::shared_ptr<MemoryAllocator> memory_allocator;
  std::shared_ptr<cache::CodeMap> cache;
  std::function<std::shared_ptr<FunctionListener>(const FunctionDefinition&)> listener_factory;
  std::function<void(const std::string&, std::uint32_t)> close_notifier;

  /// Constructs, in the instance's storage, the handles that host functions see.
  void (*make_views)(Instance& instance) = nullptr;
  /// The `invoke` of records whose function has a listener.
  abi::SlotInvoke invoke_listened = nullptr;
};

/// Of an instance; see ModuleConfig.
struct InstanceSettings {
  std::optional<std::string> name;
  bool is_hidden = false;  ///< see Instance
  std::vector<std::string> start_functions;
  /// The exporter given for a module name; an empty handle: look it up in the runtime.
  std::function<InstanceHandle(std::string_view)> find_exporter;
  std::vector<std::string_view> given_names;      ///< of modules that were given one by one
  std::vector<std::string_view> ambiguous_names;  ///< those under which several modules were given
  UnknownImports unknown_imports = UnknownImports::Error;
  Shadowing import_shadowing = Shadowing::Allow;
  std::vector<std::string> grants;  ///< capabilities
  Budget budget;                    ///< empty: none
  /// Makes a module that stands for unknown imports, given by position, of one module: each takes
  /// the next place of its kind there.
  std::function<InstanceHandle(const ModuleCode&, std::span<const std::uint32_t>)> make_stub;
  const SystemConfig* system = nullptr;
  const CallContext* context = nullptr;  ///< of the start functions
};

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
