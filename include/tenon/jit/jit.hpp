// SPDX-License-Identifier: Apache-2.0
/// @file
/// The compiling engine.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/fault_handler.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/mapped_code.hpp>
#include <tenon/jit/module_compiler.hpp>
#include <tenon/vm/engine.hpp>
#include <tenon/wasm/validation_context.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Compiles all functions of a module; CompileFunctions, or a test's own.
using FunctionSource = void (*)(const FrontEndInput& input, std::uint32_t threads,
                                std::vector<CompiledFunction>& out,
                                const ProgressFunction* progress);

/// What a compiled module is to the compiler: its code for the memories that instances are expected
/// to have, and, once one has another, for those too. Refers to the module. Any thread.
class JitCode final : public vm::EngineCode {
 public:
  /// `context` must come from the validation of the module's declarations. Functions are valid.
  JitCode(const wasm::ValidationContext& context, const vm::CompileSettings& settings,
          FunctionSource source);

  std::size_t Size() const noexcept;
  const wasm::Module& Module() const noexcept { return *context_.module; }

  /// The code that reaches memory in this style; compiled now, or taken from where it was kept, if
  /// this is the first that asks. Throws ConfigError if the machine refuses executable memory, if
  /// the code must have been kept and was not, or if this thread is making it already, and
  /// LinkError if the module is too large.
  TENON_DECL std::shared_ptr<const MappedCode> Variant(MemoryStyle style) const;
  /// The style that instances are expected to need.
  MemoryStyle FirstStyle() const noexcept {
    return settings_.guard_pages ? MemoryStyle::Guarded : MemoryStyle::Checked;
  }
  /// Makes the code of a style that has none.
  void Compile(ModuleFacts facts, MemoryStyle style, const ProgressFunction* progress) const;
  /// The object of a variant; empty if the module has none.
  std::span<const std::uint8_t> Object(MemoryStyle style) const noexcept;
  /// Takes a variant from an object.
  vm::Restored Restore(const vm::StoredObject& object, MemoryStyle style) const;

 private:
  void MakeVariant(MemoryStyle style, const std::function<void()>& done) const;
  std::shared_ptr<const MappedCode> Existing(MemoryStyle style) const noexcept;
  void Set(MemoryStyle style, std::shared_ptr<const MappedCode> code) const noexcept;
  FlatArray<bool> EscapingFunctions() const;

  const wasm::ValidationContext context_;
  vm::CompileSettings settings_;
  const FunctionSource source_;
  mutable std::mutex mutex_;  ///< never held while code is made, which takes long
  mutable std::condition_variable made_;
  mutable std::thread::id maker_;  ///< of a variant that is being made
  mutable std::shared_ptr<const MappedCode> variants_[2];
};

/// The code of one instance.
class LinkedCode final : public vm::EngineCode {
 public:
  TENON_DECL LinkedCode(std::shared_ptr<const MappedCode> mapped,
                        std::shared_ptr<const FaultHandlers> handlers);

  const MappedCode& Mapped() const noexcept { return *mapped_; }

 private:
  std::shared_ptr<const MappedCode> mapped_;
  std::shared_ptr<const FaultHandlers> handlers_;
};

/// vm::Engine::compile with another source of functions.
TENON_DECL wasm::Fault CompileWith(FunctionSource source, const wasm::ValidationContext& context,
                                   const vm::CompileSettings& settings,
                                   vm::EngineCodePointer& code);

/// The engine's table.
TENON_DECL const vm::Engine& JitEngine() noexcept;

/// Why the engine cannot run in this process with these processor extensions; "" if it can.
TENON_DECL std::string JitRefusal(CpuFeatures allowed);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/jit.ipp>
#endif
