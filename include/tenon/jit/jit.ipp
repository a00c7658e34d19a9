// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of jit.hpp.
#pragma once

#include <algorithm>
#include <thread>
#include <utility>

#include <tenon/error.hpp>
#include <tenon/jit/body_facts.hpp>
#include <tenon/jit/code_announcement.hpp>
#include <tenon/jit/code_object.hpp>
#include <tenon/jit/cpu_detection.hpp>
#include <tenon/jit/emitter.hpp>
#include <tenon/jit/frame_walker.hpp>
#include <tenon/jit/jit.hpp>
#include <tenon/jit/module_compiler.hpp>
#include <tenon/jit/runtime_calls.ipp>
#include <tenon/signal_handlers.hpp>
#include <tenon/vm/float_modes.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

[[gnu::cold]] inline CompileOptions OptionsOf(const vm::CompileSettings& settings,
                                              MemoryStyle style) {
  CompileOptions options;
  options.cpu = settings.cpu;
  options.memory = style;
  options.interruptible = settings.interruptible;
  options.canonical_nan = settings.canonical_nan;
  options.listeners = settings.listeners;
  return options;
}

[[gnu::cold]] inline std::uint64_t DigestOf(const CompileOptions& options) {
  std::uint64_t digest = 0xCBF29CE484222325;
  const auto add = [&](std::uint64_t fact) { digest = (digest ^ fact) * 0x100000001B3; };
  add(options.cpu.Bits());
  add(static_cast<std::uint64_t>(options.memory));
  add(options.interruptible ? 1 : 0);
  add(options.canonical_nan ? 1 : 0);
  add(options.optimize ? 1 : 0);
  add(options.listeners.size());
  for (const bool listens : options.listeners) add(listens ? 1 : 0);
  return digest;
}

[[noreturn]] inline void RefuseToRun(const std::string& reason) {
  throw ConfigError{ErrorCode::EngineUnavailable,
                    FormatError(ErrorCode::EngineUnavailable, {JitEngine().name, reason})};
}

/// Whether a memory bears out what MemoryStyle::Guarded says.
inline bool IsGuarded(const abi::MemoryRecord& memory) noexcept {
  constexpr std::uint64_t kAddressable = std::uint64_t{1} << 32;
  return (memory.flags & abi::kMemoryImmovable) != 0 &&
         memory.reserved_size >= kAddressable + kFoldedOffsetLimit;
}

}  // namespace detail

inline JitCode::JitCode(const wasm::ValidationContext& context, const vm::CompileSettings& settings,
                        FunctionSource source)
    : vm::EngineCode{&JitEngine()}, context_{context}, settings_{settings}, source_{source} {
  // Nobody waits any more when later variants are compiled.
  settings_.conduct.progress = nullptr;
}

TENON_DECL LinkedCode::LinkedCode(std::shared_ptr<const MappedCode> mapped,
                                  std::shared_ptr<const FaultHandlers> handlers)
    : vm::EngineCode{&JitEngine()}, mapped_{std::move(mapped)}, handlers_{std::move(handlers)} {}

inline std::size_t JitCode::Size() const noexcept {
  const std::lock_guard lock{mutex_};
  std::size_t size = 0;
  for (const auto& variant : variants_) size += variant == nullptr ? 0 : variant->Size();
  return size;
}

[[gnu::cold]] inline FlatArray<bool> JitCode::EscapingFunctions() const {
  const wasm::Module& module = Module();
  FlatArray<bool> escapes(module.bodies.size());
  for (std::uint32_t i = 0; i < escapes.size(); ++i) {
    const std::uint32_t function = module.imported_functions + i;
    escapes[i] = context_.declared_functions[function] || module.start == function ||
                 (!settings_.listeners.empty() && settings_.listeners[function]);
  }
  return escapes;
}

[[gnu::cold]] inline void JitCode::Compile(ModuleFacts facts, MemoryStyle style,
                                           const ProgressFunction* progress) const {
  // Constants are computed; threads start with the modes of their maker.
  const vm::FloatModes float_modes;
  const wasm::Module& module = Module();
  const CompileOptions options = detail::OptionsOf(settings_, style);
  std::vector<CompiledFunction> functions;
  // The functions of a host module are its imports.
  if (!module.bodies.empty()) {
    source_(FrontEndInput{module, context_, facts, options}, settings_.conduct.threads, functions,
            progress);
  }
  // Any record may turn out to have nothing but its `invoke` if functions are listened to, or if
  // there are no bodies: then the records are those of host functions.
  const bool adapts_all = module.bodies.empty() || !settings_.listeners.empty();
  facts = {};  // not needed while the object is made
  const CodeObjectInput input{module, functions, EscapingFunctions(),
                              FlatArray<bool>(module.types.size(), adapts_all),
                              detail::DigestOf(options)};
  const CodeObjectBuilder object{input};
  if (object.Size() == 0) {
    throw LinkError{ErrorCode::LimitExceeded,
                    FormatError(ErrorCode::LimitExceeded, {"bytes of code", "more", "1 GiB"})};
  }
  std::string reason;
  std::shared_ptr<const MappedCode> mapped = MappedCode::Map(object, reason);
  if (mapped == nullptr) detail::RefuseToRun(reason);
  Set(style, AnnounceCode(std::move(mapped), module, settings_.conduct));
}

inline std::shared_ptr<const MappedCode> JitCode::Existing(MemoryStyle style) const noexcept {
  const std::lock_guard lock{mutex_};
  return variants_[static_cast<std::size_t>(style)];
}

inline void JitCode::Set(MemoryStyle style, std::shared_ptr<const MappedCode> code) const noexcept {
  const std::lock_guard lock{mutex_};
  variants_[static_cast<std::size_t>(style)] = std::move(code);
}

inline std::span<const std::uint8_t> JitCode::Object(MemoryStyle style) const noexcept {
  const std::shared_ptr<const MappedCode> variant = Existing(style);
  // Variants stay as long as this.
  return variant == nullptr ? std::span<const std::uint8_t>{} : variant->View().Bytes();
}

inline vm::Restored JitCode::Restore(const vm::StoredObject& object, MemoryStyle style) const {
  if (Module().bodies.empty()) {
    return object.bytes.empty() ? vm::Restored::InPlace : vm::Restored::Refused;
  }
  const CompileOptions options = detail::OptionsOf(settings_, style);
  if (!IsCodeObject(object.bytes, detail::DigestOf(options)) ||
      !FitsModule(CodeView{object.bytes}, Module(), EscapingFunctions(),
                  !settings_.listeners.empty())) {
    return vm::Restored::Refused;
  }
  std::string reason;
  auto mapped = MappedCode::Adopt(object.bytes, object.owner, reason);
  if (mapped == nullptr) detail::RefuseToRun(reason);
  const bool is_in_place = mapped->View().Bytes().data() == object.bytes.data();
  Set(style, AnnounceCode(std::move(mapped), Module(), settings_.conduct));
  return is_in_place ? vm::Restored::InPlace : vm::Restored::Copied;
}

[[gnu::cold]] inline void JitCode::MakeVariant(MemoryStyle style,
                                               const std::function<void()>& done) const {
  const auto compile = [&] {
    ModuleFacts facts;
    static_cast<void>(GatherFacts(context_, facts));
    Compile(std::move(facts), style, nullptr);
    return Object(style);
  };
  if (!settings_.conduct.variant_keeper || Module().bodies.empty()) {
    compile();
    return;
  }
  settings_.conduct.variant_keeper(
      Module(), [&](const vm::StoredObject& object) { return Restore(object, style); }, compile,
      done);
}

TENON_DECL std::shared_ptr<const MappedCode> JitCode::Variant(MemoryStyle style) const {
  const std::shared_ptr<const MappedCode>& variant = variants_[static_cast<std::size_t>(style)];
  std::unique_lock lock{mutex_};
  while (variant == nullptr && maker_ != std::thread::id{}) {
    // A store may ask for what is made for its sake.
    if (maker_ == std::this_thread::get_id()) {
      throw ConfigError{ErrorCode::CompileReentered, FormatError(ErrorCode::CompileReentered, {})};
    }
    made_.wait(lock);
  }
  if (variant != nullptr) return variant;
  maker_ = std::this_thread::get_id();
  lock.unlock();
  const auto finish = [this] {
    const std::lock_guard finished{mutex_};
    // The keeper may have called it, and others may have begun since.
    if (maker_ == std::this_thread::get_id()) maker_ = {};
    made_.notify_all();
  };
  try {
    MakeVariant(style, finish);
  } catch (...) {
    finish();
    throw;
  }
  finish();
  return Existing(style);
}

TENON_DECL wasm::Fault CompileWith(FunctionSource source, const wasm::ValidationContext& context,
                                   const vm::CompileSettings& settings,
                                   vm::EngineCodePointer& code) {
  ModuleFacts facts;
  const wasm::Fault fault = GatherFacts(context, facts);
  if (!fault.IsNone()) return fault;
  auto* const compiled = new JitCode{context, settings, source};
  code.reset(compiled);
  // Host modules need code only if they have functions without a thunk.
  if (!context.module->bodies.empty()) {
    compiled->Compile(std::move(facts), compiled->FirstStyle(), settings.conduct.progress);
  }
  return {};
}

namespace detail {

inline wasm::Fault CompileModule(const wasm::ValidationContext& context,
                                 const vm::CompileSettings& settings, vm::EngineCodePointer& code) {
  return CompileWith(CompileFunctions, context, settings, code);
}

inline std::vector<std::uint8_t> StoreCompiled(const vm::EngineCode& code) {
  const auto& compiled = static_cast<const JitCode&>(code);
  const std::span<const std::uint8_t> object = compiled.Object(compiled.FirstStyle());
  return {object.begin(), object.end()};
}

inline vm::Restored RestoreCompiled(const wasm::ValidationContext& context,
                                    const vm::CompileSettings& settings,
                                    const vm::StoredObject& object, vm::EngineCodePointer& code) {
  auto* const restored = new JitCode{context, settings, CompileFunctions};
  code.reset(restored);
  return restored->Restore(object, restored->FirstStyle());
}

/// Whether anything of the instance runs in code of this engine.
inline bool NeedsCode(const vm::Instance& instance) {
  if (!instance.IsHost()) return !instance.Module().bodies.empty();
  return !instance.listeners.empty() ||
         std::ranges::any_of(instance.host->functions, [](const auto& function) {
           return function.callable->Get().signature->thunk == nullptr || function.policy.cost != 0;
         });
}

inline std::shared_ptr<const vm::EngineCode> LinkCompiled(const vm::Instance& instance) {
  const auto& code = static_cast<const JitCode&>(*instance.code->engine_code);
  if (!NeedsCode(instance)) return nullptr;
  const bool has_memory = !instance.memory_records.empty();
  MemoryStyle style = code.FirstStyle();
  if (has_memory && !IsGuarded(*instance.memory_records[0])) style = MemoryStyle::Checked;
  std::shared_ptr<const FaultHandlers> handlers;
  if (has_memory && style == MemoryStyle::Guarded &&
      instance.store->settings.signal_handlers == SignalHandlers::Automatic) {
    handlers = FaultHandlers::Install();
  }
  return std::make_shared<LinkedCode>(code.Variant(style), std::move(handlers));
}

inline void DestroyCompiled(const vm::EngineCode* code) noexcept {
  delete static_cast<const JitCode*>(code);
}

inline std::size_t CompiledSize(const vm::EngineCode& code) noexcept {
  return static_cast<const JitCode&>(code).Size();
}

inline const MappedCode& MappedOf(const vm::EngineCode& code) {
  return static_cast<const LinkedCode&>(code).Mapped();
}

inline void BindCompiled(const vm::EngineCode& code, std::uint32_t defined_function,
                         abi::FunctionRecord& record) noexcept {
  record.code = MappedOf(code).External(defined_function);
  record.invoke = InvokeCompiled;
  record.engine_code = &MappedOf(code).Entry(defined_function);
  record.host_entry = MappedOf(code).HostEntry(defined_function);
  record.body = MappedOf(code).Entry(defined_function).body;
}

inline void AdaptCompiled(const vm::EngineCode& code, std::uint32_t type,
                          abi::FunctionRecord& record) noexcept {
  record.code = MappedOf(code).Adapter(type);
  record.context = &record;
}

/// Another assembler may encode the same instruction in another way.
inline std::uint32_t RevisionOfCode() noexcept {
  return kCodegenRevision << 16 ^ AssemblerVersion();
}

inline constexpr vm::Engine kJitEngine{.name = "jit",
                                       .revision = RevisionOfCode,
                                       .compile = CompileModule,
                                       .destroy = DestroyCompiled,
                                       .size = CompiledSize,
                                       .bind = BindCompiled,
                                       .link = LinkCompiled,
                                       .adapt = AdaptCompiled,
                                       .next_frame = NextCompiledFrame,
                                       .store = StoreCompiled,
                                       .restore = RestoreCompiled,
                                       .runtime_calls = &kCompiledCodeCalls};

}  // namespace detail

TENON_DECL const vm::Engine& JitEngine() noexcept { return detail::kJitEngine; }

TENON_DECL std::string JitRefusal(CpuFeatures allowed) {
  std::string refusal = CpuRefusal(DetectCpu() & allowed);
  return refusal.empty() ? ExecutableMemoryRefusal() : refusal;
}

}  // namespace tenon::inline TENON_ABI::jit
