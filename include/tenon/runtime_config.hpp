// SPDX-License-Identifier: Apache-2.0
/// @file
/// Settings of a runtime.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/cache.hpp>
#include <tenon/code_map_kind.hpp>
#include <tenon/core_features.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/listener.hpp>
#include <tenon/memory_allocator.hpp>
#include <tenon/signal_handlers.hpp>

namespace tenon::inline TENON_ABI {

/// Which engine runs guests.
enum class EngineKind : std::uint8_t {
  Auto,         ///< the fastest that runs on this machine
  Interpreter,  ///< the portable reference engine
  Jit,          ///< the compiler; Runtime's constructor throws ConfigError where it cannot run
};

/// Called when a module is closed, by whichever thread closes it, before its memory goes. Must not
/// throw.
using CloseNotifier = std::function<void(const std::string& module_name, std::uint32_t exit_code)>;

/// Called while the compiler compiles a module, about a hundred times and at last with all of them,
/// by the thread that compiles the module; other threads may be compiling meanwhile. What it throws
/// ends the compilation and comes out of it.
using CompilationProgress =
    std::function<void(std::uint32_t done_functions, std::uint32_t total_functions)>;

/// Settings of a runtime. A value: every With... returns a changed copy and leaves the original
/// alone. Any thread.
class RuntimeConfig {
 public:
  RuntimeConfig() = default;

  /// Default: Auto.
  [[nodiscard]] RuntimeConfig WithEngine(EngineKind engine) const {
    return Changed(&RuntimeConfig::engine_, engine);
  }
  /// Features that modules may use. Default: CoreFeatures::V2(), which leaves out what came later,
  /// such as Feature::Memory64.
  [[nodiscard]] RuntimeConfig WithCoreFeatures(CoreFeatures features) const {
    return Changed(&RuntimeConfig::features_, features);
  }
  /// Most pages of 64 KiB that any one memory can have. Default: 65536, which is also the maximum,
  /// but 262144 (16 GiB) with Feature::Memory64. A larger value is a ConfigError from Runtime's
  /// constructor. Memories with 32-bit addresses never have more than 65536.
  [[nodiscard]] RuntimeConfig WithMemoryLimitPages(std::uint32_t pages) const {
    return Changed(&RuntimeConfig::memory_limit_pages_, pages);
  }
  /// Most bytes that all memories of the runtime can have together. Default: no limit.
  [[nodiscard]] RuntimeConfig WithMemoryLimitBytes(std::uint64_t bytes) const {
    return Changed(&RuntimeConfig::memory_limit_bytes_, bytes);
  }
  /// Commits a memory's maximum at once, so that grow never allocates. Default: false.
  [[nodiscard]] RuntimeConfig WithMemoryCapacityFromMax(bool enabled) const {
    return Changed(&RuntimeConfig::memory_capacity_from_max_, enabled);
  }
  /// Storage for memories instead of the library's. Default: null.
  [[nodiscard]] RuntimeConfig WithMemoryAllocator(
      std::shared_ptr<MemoryAllocator> allocator) const {
    return Changed(&RuntimeConfig::memory_allocator_, std::move(allocator));
  }
  /// Most elements that any one table can have. Default: 10,000,000.
  [[nodiscard]] RuntimeConfig WithTableLimit(std::uint32_t elements) const {
    return Changed(&RuntimeConfig::table_limit_, elements);
  }
  /// Most instances (host modules included) that can be open at once. Default: no limit.
  [[nodiscard]] RuntimeConfig WithInstanceLimit(std::uint64_t instances) const {
    return Changed(&RuntimeConfig::instance_limit_, instances);
  }
  /// Most host objects that an instance can refer to at once (see Ref); all instances of a runtime
  /// together never more than 4 million. Default: 65536.
  [[nodiscard]] RuntimeConfig WithReferenceLimit(std::uint64_t references) const {
    return Changed(&RuntimeConfig::reference_limit_, references);
  }
  /// Bytes of stack for the guests of one linkage group; a call that needs more traps with
  /// StackOverflow. 64 KiB to 1 GiB (other values are clamped). Default: 1 MiB.
  ///
  /// Compiled guests run on the stack of the thread that calls them, host functions between them
  /// included. They get less if the thread has less: 48 KiB at its end stay free. On a stack that
  /// is not the thread's own (a fiber's) they get 32 KiB, and need 64.
  [[nodiscard]] RuntimeConfig WithStackLimit(std::uint64_t bytes) const {
    return Changed(&RuntimeConfig::stack_limit_, bytes);
  }
  /// Ends running calls when their CallContext or their module is closed. Default: false.
  [[nodiscard]] RuntimeConfig WithCloseOnContextDone(bool enabled) const {
    return Changed(&RuntimeConfig::close_on_context_done_, enabled);
  }
  /// Makes every NaN that an instruction computes the canonical one, so that results do not depend
  /// on the machine. Default: false.
  [[nodiscard]] RuntimeConfig WithCanonicalNaN(bool enabled) const {
    return Changed(&RuntimeConfig::canonical_nan_, enabled);
  }
  /// Keeps custom sections for CompiledModule::CustomSections. Default: false.
  [[nodiscard]] RuntimeConfig WithCustomSections(bool enabled) const {
    return Changed(&RuntimeConfig::custom_sections_, enabled);
  }
  /// How many threads compile one module, the calling one included; 0 stands for one for each of
  /// the machine's. Small modules are compiled by the caller alone. What comes out is the same.
  /// Default: 0.
  [[nodiscard]] RuntimeConfig WithCompilationThreads(std::uint32_t threads) const {
    return Changed(&RuntimeConfig::compilation_threads_, threads);
  }
  /// Told how far a compilation is. Not called for host modules, for what comes from a cache, for
  /// code that instances with other memories need later, nor by the interpreter. Default: none.
  [[nodiscard]] RuntimeConfig WithCompilationProgress(tenon::CompilationProgress progress) const {
    return Changed(&RuntimeConfig::compilation_progress_, std::move(progress));
  }
  /// Tells profilers the names of the functions that this runtime compiles (those that it takes
  /// from a cache were told, or not, by who compiled them). What cannot be written is left out.
  /// Default: None.
  [[nodiscard]] RuntimeConfig WithCodeMap(CodeMapKind kind) const {
    return Changed(&RuntimeConfig::code_map_, kind);
  }
  /// Tells debuggers that know GDB's JIT interface the names of the functions that this runtime
  /// compiles, as long as their code exists. Default: false.
  [[nodiscard]] RuntimeConfig WithGdbJit(bool enabled) const {
    return Changed(&RuntimeConfig::gdb_jit_, enabled);
  }
  /// Processor extensions that compiled code may use, of those that the machine has. Default: all.
  [[nodiscard]] RuntimeConfig WithCpuFeatures(tenon::CpuFeatures features) const {
    return Changed(&RuntimeConfig::cpu_features_, features);
  }
  /// Who handles the faults of compiled guests. Default: Automatic.
  [[nodiscard]] RuntimeConfig WithSignalHandlers(tenon::SignalHandlers handlers) const {
    return Changed(&RuntimeConfig::signal_handlers_, handlers);
  }
  /// Shares compiled code with other runtimes. Default: none.
  [[nodiscard]] RuntimeConfig WithCompilationCache(CompilationCache cache) const {
    return Changed(&RuntimeConfig::cache_, std::optional{std::move(cache)});
  }
  /// Listens to function calls. Default: none.
  [[nodiscard]] RuntimeConfig WithFunctionListenerFactory(FunctionListenerFactory factory) const {
    return Changed(&RuntimeConfig::listener_factory_, std::move(factory));
  }
  /// Told when modules close. Default: none.
  [[nodiscard]] RuntimeConfig WithCloseNotifier(CloseNotifier notifier) const {
    return Changed(&RuntimeConfig::close_notifier_, std::move(notifier));
  }

  EngineKind Engine() const { return engine_; }
  tenon::CoreFeatures CoreFeatures() const { return features_; }
  std::uint32_t MemoryLimitPages() const { return memory_limit_pages_; }
  std::uint64_t MemoryLimitBytes() const { return memory_limit_bytes_; }
  bool MemoryCapacityFromMax() const { return memory_capacity_from_max_; }
  const std::shared_ptr<tenon::MemoryAllocator>& MemoryAllocator() const {
    return memory_allocator_;
  }
  std::uint32_t TableLimit() const { return table_limit_; }
  std::uint64_t InstanceLimit() const { return instance_limit_; }
  std::uint64_t ReferenceLimit() const { return reference_limit_; }
  std::uint64_t StackLimit() const { return stack_limit_; }
  bool CloseOnContextDone() const { return close_on_context_done_; }
  bool CanonicalNaN() const { return canonical_nan_; }
  bool CustomSections() const { return custom_sections_; }
  std::uint32_t CompilationThreads() const { return compilation_threads_; }
  const tenon::CompilationProgress& CompilationProgress() const { return compilation_progress_; }
  CodeMapKind CodeMap() const { return code_map_; }
  bool GdbJit() const { return gdb_jit_; }
  tenon::CpuFeatures CpuFeatures() const { return cpu_features_; }
  tenon::SignalHandlers SignalHandlers() const { return signal_handlers_; }
  const std::optional<tenon::CompilationCache>& CompilationCache() const { return cache_; }
  const tenon::FunctionListenerFactory& FunctionListenerFactory() const {
    return listener_factory_;
  }
  const tenon::CloseNotifier& CloseNotifier() const { return close_notifier_; }

 private:
  template <class Member, class T>
  RuntimeConfig Changed(Member RuntimeConfig::* member, T value) const {
    RuntimeConfig changed = *this;
    changed.*member = std::move(value);
    return changed;
  }

  EngineKind engine_ = EngineKind::Auto;
  tenon::CoreFeatures features_ = tenon::CoreFeatures::V2();
  std::uint32_t memory_limit_pages_ = 65536;
  std::uint32_t table_limit_ = 10'000'000;
  std::uint64_t memory_limit_bytes_ = UINT64_MAX;
  std::uint64_t instance_limit_ = UINT64_MAX;
  std::uint64_t reference_limit_ = 65536;
  std::uint64_t stack_limit_ = std::uint64_t{1} << 20;
  bool memory_capacity_from_max_ = false;
  bool close_on_context_done_ = false;
  bool canonical_nan_ = false;
  bool custom_sections_ = false;
  bool gdb_jit_ = false;
  CodeMapKind code_map_ = CodeMapKind::None;
  std::uint32_t compilation_threads_ = 0;
  tenon::CpuFeatures cpu_features_ = tenon::CpuFeatures::All();
  tenon::SignalHandlers signal_handlers_ = tenon::SignalHandlers::Automatic;
  std::shared_ptr<tenon::MemoryAllocator> memory_allocator_;
  std::optional<tenon::CompilationCache> cache_;
  tenon::FunctionListenerFactory listener_factory_;
  tenon::CompilationProgress compilation_progress_;
  tenon::CloseNotifier close_notifier_;
};

}  // namespace tenon::inline TENON_ABI
