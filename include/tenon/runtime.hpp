// SPDX-License-Identifier: Apache-2.0
/// @file
/// The runtime: compiles modules and holds their instances.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/compiled_module.hpp>
#include <tenon/error.hpp>
#include <tenon/host_module.hpp>
#include <tenon/module.hpp>
#include <tenon/module_config.hpp>
#include <tenon/runtime_config.hpp>
#include <tenon/warm_up.hpp>

namespace tenon::inline TENON_ABI {

namespace vm {
class Store;
}  // namespace vm

/// Compiles modules and holds their instances. A move-only owner; its destructor is Close. Any
/// thread may use it.
class Runtime {
 public:
  /// Throws ConfigError if the configuration contradicts itself.
  TENON_DECL explicit Runtime(const RuntimeConfig& config = RuntimeConfig{});
  Runtime(Runtime&&) noexcept = default;
  TENON_DECL Runtime& operator=(Runtime&& other) noexcept;
  TENON_DECL ~Runtime();

  /// Decodes, validates and compiles a module. The bytes are copied. Throws DecodeError or
  /// ValidationError.
  TENON_DECL CompiledModule CompileModule(std::span<const std::uint8_t> bytes) const;

  /// Prepares modules before they are needed: takes each from the cache or compiles it, as
  /// CompileModule does, and says which, in the order of `modules`. A module that is refused has
  /// its error in its result and does not stop the others. Runs on the calling thread; threads may
  /// share the work by calling it at once.
  ///
  /// `modules` is a range of anything that CompileModule takes. Each element is asked for only when
  /// its turn comes and not needed any more when it is over, so that a range may read files as it
  /// goes. What reading it throws comes out of this.
  ///
  /// The code lives as long as a result, or another handle or instance, has it; with a cache also
  /// until CompilationCache::Clear or the end of the cache. Throws ConfigError if the runtime is
  /// empty or closed.
  template <class Modules>
  std::vector<WarmUpResult> WarmUp(Modules&& modules) const {
    using std::begin;
    constexpr bool kIsRange = requires {
      requires std::is_convertible_v<decltype(*begin(modules)), std::span<const std::uint8_t>>;
    };
    static_assert(kIsRange,
                  "tenon: parameter 0 of WarmUp is no range of modules' bytes: for one module, "
                  "WarmUp({bytes})");
    std::vector<WarmUpResult> results;
    if constexpr (kIsRange) {
      for (auto&& module : modules) {
        results.push_back(WarmUpOne(std::forward<decltype(module)>(module)));
      }
    }
    return results;
  }
  /// The same for a list, as in `WarmUp({first, second})`.
  std::vector<WarmUpResult> WarmUp(
      std::initializer_list<std::span<const std::uint8_t>> modules) const {
    return WarmUp<std::initializer_list<std::span<const std::uint8_t>>&>(modules);
  }

  /// What CompileModule gives for the module that CompiledModule::Serialize wrote, with the code
  /// that it wrote if that was made by this version of the library for these settings and a
  /// processor like this one; if not, the module is compiled.
  ///
  /// Code is executed as it stands: give nothing but what comes from where you would take a program
  /// from, or sign it. Throws ConfigError if it is damaged, or not signed with `mac_key` where that
  /// is not empty; DecodeError and ValidationError as CompileModule.
  TENON_DECL CompiledModule Deserialize(std::span<const std::uint8_t> serialized,
                                        std::span<const std::uint8_t> mac_key = {}) const;

  /// Links and initialises an instance, then runs its start functions. Throws LinkError if imports,
  /// names or limits do not allow it; Trap, ExitError (also with code 0, from `_start`: see
  /// ModuleConfig::WithStartFunctions) or what a host function threw if a start function fails. A
  /// start function that exits with code 0 is no error: the module comes back closed.
  TENON_DECL Module InstantiateModule(const CompiledModule& compiled,
                                      const ModuleConfig& config = ModuleConfig{}) const;

  /// The same with a stop token, a deadline or user data for the start functions.
  TENON_DECL Module InstantiateModule(const CompiledModule& compiled, const ModuleConfig& config,
                                      const CallContext& context) const;

  /// CompileModule and InstantiateModule in one. The code goes with the instance.
  Module Instantiate(std::span<const std::uint8_t> bytes,
                     const ModuleConfig& config = ModuleConfig{}) const {
    return InstantiateModule(CompileModule(bytes), config);
  }
  Module Instantiate(std::span<const std::uint8_t> bytes, const ModuleConfig& config,
                     const CallContext& context) const {
    return InstantiateModule(CompileModule(bytes), config, context);
  }

  /// Every import that would not link if the module were instantiated with this configuration now,
  /// at most 1000; none: all would. Runs no guest code, but asks the configuration's import
  /// resolver. Throws LinkError if `compiled` is empty, closed or of another runtime, and ExitError
  /// if a module that was given is closed.
  TENON_DECL std::vector<ImportProblem> CheckImports(
      const CompiledModule& compiled, const ModuleConfig& config = ModuleConfig{}) const;

  /// Begins the definition of a module of host functions. Several functions, memories, tables and
  /// globals may be defined before Compile or Instantiate.
  TENON_DECL HostModuleBuilder NewHostModuleBuilder(std::string name) const;

  /// The open module of this name; an empty handle if there is none, or for "".
  TENON_DECL Module FindModule(std::string_view name) const;

  /// Which engine runs the guests: "interpreter" or "jit".
  TENON_DECL std::string_view EngineName() const;
  /// Why EngineKind::Auto did not choose the compiler: a text for people; "" if it did, or if the
  /// engine was named.
  TENON_DECL std::string_view EngineNote() const;

  /// CloseWithExitCode(0).
  void Close() const { CloseWithExitCode(0); }
  /// Closes all modules, newest first. Later use of the runtime throws ConfigError. Does nothing if
  /// it was closed before.
  TENON_DECL void CloseWithExitCode(std::uint32_t exit_code) const;

 private:
  TENON_DECL WarmUpResult WarmUpOne(std::span<const std::uint8_t> bytes) const;
  TENON_DECL Module InstantiateWith(const CompiledModule& compiled, const ModuleConfig& config,
                                    const CallContext* context) const;

  std::shared_ptr<vm::Store> store_;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/runtime.ipp>
#endif
