// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of runtime.hpp.
#pragma once

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include <tenon/cache/compile.hpp>
#include <tenon/error.hpp>
#include <tenon/import_stub.hpp>
#include <tenon/interp/interpreter.hpp>
#include <tenon/module_config.ipp>
#include <tenon/runtime.hpp>
#include <tenon/vm/host_module_state.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/instantiate.hpp>
#include <tenon/vm/linker.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

#if TENON_HAS_JIT
#include <tenon/jit/cpu_detection.hpp>
#include <tenon/jit/jit.hpp>
#endif

namespace tenon::inline TENON_ABI {

namespace detail {

[[gnu::cold]] inline vm::Store& RequireStore(const std::shared_ptr<vm::Store>& store) {
  if (store == nullptr) vm::ThrowEmptyHandle("Runtime");
  store->RequireOpen();
  return *store;
}

[[gnu::cold]] inline void RequireCompiledBy(const vm::Store& store,
                                            const CompiledModule& compiled) {
  if (!compiled || compiled.State()->is_closed.load()) {
    throw LinkError{ErrorCode::SourceNotCompiled, ErrorText(ErrorCode::SourceNotCompiled)};
  }
  if (compiled.State()->store.get() != &store) {
    throw LinkError{ErrorCode::CompiledElsewhere, ErrorText(ErrorCode::CompiledElsewhere)};
  }
}

/// Views of the instance for host functions. They are not counted, so they are never destroyed.
[[gnu::cold]] inline void MakeViews(vm::Instance& instance) {
  static_assert(sizeof(Module) == sizeof(void*) && sizeof(Memory) == sizeof(void*));
  new (instance.module_view) Module{&instance};
  vm::Release(instance);
  vm::MemoryInstance* memory = instance.memories.empty() ? nullptr : instance.memories[0].get();
  new (instance.memory_view) Memory{Memory::FromInstance(memory)};
  if (memory != nullptr) memory->Release();
}

[[gnu::cold]] inline vm::StoreSettings StoreSettingsOf(const RuntimeConfig& config) {
  constexpr std::uint64_t kLeastStack = std::uint64_t{64} << 10;
  constexpr std::uint64_t kMostStack = std::uint64_t{1} << 30;
  vm::StoreSettings settings;
  settings.features = config.CoreFeatures();
  settings.memory_limit_pages = config.MemoryLimitPages();
  settings.table_limit = config.TableLimit();
  settings.memory_limit_bytes = config.MemoryLimitBytes();
  settings.instance_limit = config.InstanceLimit();
  settings.reference_limit = config.ReferenceLimit();
  settings.stack_bytes =
      std::clamp(config.StackLimit(), kLeastStack, kMostStack) & ~std::uint64_t{0xFFF};
  settings.memory_capacity_from_max = config.MemoryCapacityFromMax();
  settings.close_on_context_done = config.CloseOnContextDone();
  settings.canonical_nan = config.CanonicalNaN();
  settings.custom_sections = config.CustomSections();
  settings.memory_allocator = config.MemoryAllocator();
  if (const auto& cache = config.CompilationCache(); cache.has_value()) {
    settings.cache = cache->Map();
  }
  settings.listener_factory = config.FunctionListenerFactory();
  settings.close_notifier = config.CloseNotifier();
  settings.make_views = MakeViews;
  settings.invoke_listened = InvokeListened;
  settings.signal_handlers = config.SignalHandlers();
  settings.compilation_progress = config.CompilationProgress();
  settings.code_map = config.CodeMap();
  settings.gdb_jit = config.GdbJit();
  settings.compilation_threads = config.CompilationThreads();
  if (settings.compilation_threads == 0) {
    settings.compilation_threads = std::max(std::thread::hardware_concurrency(), 1u);
  }
  return settings;
}

/// Chooses the engine and completes what `settings` says of it.
[[gnu::cold]] inline const vm::Engine& SelectEngine(const RuntimeConfig& config,
                                                    vm::StoreSettings& settings) {
  if (config.Engine() == EngineKind::Interpreter) return interp::InterpreterEngine();
#if TENON_HAS_JIT
  const std::string refusal = jit::JitRefusal(config.CpuFeatures());
  if (refusal.empty()) {
    settings.cpu = jit::DetectCpu() & config.CpuFeatures();
    return jit::JitEngine();
  }
#elif defined(TENON_NO_JIT)
  const std::string refusal = "the library was compiled with TENON_NO_JIT";
#elif defined(__x86_64__) && defined(__linux__)
  const std::string refusal = "the library was compiled without xbyak";
#else
  const std::string refusal = "it runs on Linux on x86-64 only";
#endif
  if (config.Engine() == EngineKind::Jit) {
    throw ConfigError{ErrorCode::EngineUnavailable,
                      FormatError(ErrorCode::EngineUnavailable, {"jit", refusal})};
  }
  settings.engine_note = refusal;
  return interp::InterpreterEngine();
}

}  // namespace detail

TENON_DECL Runtime::Runtime(const RuntimeConfig& config) {
  constexpr wasm::ImplementationLimits kLimits;
  const std::uint32_t most_pages = config.CoreFeatures().IsEnabled(Feature::Memory64)
                                       ? kLimits.memory64_pages
                                       : kLimits.memory_pages;
  if (config.MemoryLimitPages() > most_pages) {
    throw ConfigError{
        ErrorCode::MemoryLimitPages,
        FormatError(ErrorCode::MemoryLimitPages,
                    {std::to_string(config.MemoryLimitPages()), std::to_string(most_pages)})};
  }
  vm::StoreSettings settings = detail::StoreSettingsOf(config);
  const vm::Engine& engine = detail::SelectEngine(config, settings);
  store_ = std::make_shared<vm::Store>(std::move(settings), engine);
}

TENON_DECL Runtime& Runtime::operator=(Runtime&& other) noexcept {
  // A host object that ends now may own the other one.
  std::shared_ptr<vm::Store> taken = std::move(other.store_);
  CloseWithExitCode(0);
  store_ = std::move(taken);
  return *this;
}

TENON_DECL Runtime::~Runtime() { CloseWithExitCode(0); }

TENON_DECL CompiledModule Runtime::CompileModule(std::span<const std::uint8_t> bytes) const {
  detail::RequireStore(store_);
  return CompiledModule{cache::CompileGuest(store_, bytes)};
}

[[gnu::cold]] TENON_DECL WarmUpResult
Runtime::WarmUpOne(std::span<const std::uint8_t> bytes) const {
  detail::RequireStore(store_);
  WarmUpResult result;
  try {
    result.module = CompiledModule{cache::CompileGuest(store_, bytes, &result.origin)};
  } catch (const std::exception& error) {
    result.error = std::current_exception();
    result.reason = error.what();
  } catch (...) {
    // What a listener's factory throws may be anything.
    result.error = std::current_exception();
    result.reason = "an exception without text";
  }
  return result;
}

TENON_DECL CompiledModule Runtime::Deserialize(std::span<const std::uint8_t> serialized,
                                               std::span<const std::uint8_t> mac_key) const {
  detail::RequireStore(store_);
  return CompiledModule{cache::Deserialize(store_, serialized, mac_key)};
}

TENON_DECL Module Runtime::InstantiateModule(const CompiledModule& compiled,
                                             const ModuleConfig& config) const {
  return InstantiateWith(compiled, config, nullptr);
}

TENON_DECL Module Runtime::InstantiateModule(const CompiledModule& compiled,
                                             const ModuleConfig& config,
                                             const CallContext& context) const {
  return InstantiateWith(compiled, config, &context);
}

TENON_DECL std::vector<ImportProblem> Runtime::CheckImports(const CompiledModule& compiled,
                                                            const ModuleConfig& config) const {
  detail::RequireCompiledBy(detail::RequireStore(store_), compiled);
  return vm::CheckImports(*compiled.State(), *store_, detail::InstanceSettingsOf(config));
}

[[gnu::cold]] TENON_DECL Module Runtime::InstantiateWith(const CompiledModule& compiled,
                                                         const ModuleConfig& config,
                                                         const CallContext* context) const {
  detail::RequireCompiledBy(detail::RequireStore(store_), compiled);
  vm::InstanceSettings settings = detail::InstanceSettingsOf(config);
  settings.context = context;
  settings.make_stub = [&](const vm::ModuleCode& importer, std::span<const std::uint32_t> imports) {
    return detail::MakeImportStub(store_, config.UnknownImports(), importer, imports);
  };
  return Module{vm::Instantiate(*compiled.State(), settings).Get()};
}

TENON_DECL HostModuleBuilder Runtime::NewHostModuleBuilder(std::string name) const {
  if (store_ == nullptr) vm::ThrowEmptyHandle("Runtime");
  return HostModuleBuilder{std::make_shared<vm::HostModuleState>(store_, std::move(name))};
}

TENON_DECL Module Runtime::FindModule(std::string_view name) const {
  if (name.empty()) return {};
  return Module{detail::RequireStore(store_).Find(name).Get()};
}

TENON_DECL std::string_view Runtime::EngineName() const {
  return detail::RequireStore(store_).engine.name;
}

TENON_DECL std::string_view Runtime::EngineNote() const {
  return detail::RequireStore(store_).settings.engine_note;
}

TENON_DECL void Runtime::CloseWithExitCode(std::uint32_t exit_code) const {
  // A host object that ends now may own this Runtime.
  if (const std::shared_ptr<vm::Store> store = store_) store->CloseAll(exit_code);
}

}  // namespace tenon::inline TENON_ABI
