// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the module model asks of an engine: one table of a few calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/code_map_kind.hpp>
#include <tenon/cpu_features.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI {

namespace wasm {
struct ValidationContext;
}  // namespace wasm

namespace vm {

class Instance;

/// What an engine made of a module, as it was kept. On private pages: from the beginning of a page
/// to the end of a mapping whose protection may be changed.
struct StoredObject {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

/// What became of a stored object.
enum class Restored : std::uint8_t {
  Refused,  ///< not of this build, module and settings, as far as that shows
  Copied,   ///< its code was copied, as the system does not let it run where it lies
  InPlace,  ///< its code runs where it lies
};

/// How code for memories that were not expected is come by. Either `restore` takes it from what was
/// kept, or `compile` makes it, and gives what is to be kept. Calls `done` when that is over, and
/// does only then what others need not wait for, and what may call back. Throws what those throw,
/// and ConfigError where it must have been kept.
using VariantKeeper = std::function<void(
    const wasm::Module& module, const std::function<Restored(const StoredObject&)>& restore,
    const std::function<std::span<const std::uint8_t>()>& compile,
    const std::function<void()>& done)>;

/// How an engine makes code, and what it tells of it. Changes nothing of what comes out.
struct CompileConduct {
  std::uint32_t threads = 1;  ///< how many may compile
  /// Called by the compiling thread with the numbers of functions done and in all, as long as
  /// Engine::compile runs; null: not.
  const std::function<void(std::uint32_t, std::uint32_t)>* progress = nullptr;
  CodeMapKind code_map = CodeMapKind::None;
  bool gdb_jit = false;
  /// Of compilers whose code depends on the kind of memory; null: nothing is kept.
  VariantKeeper variant_keeper;
};

/// Settings that change what an engine makes of a module; all but `conduct` are part of the cache
/// key.
struct CompileSettings {
  bool interruptible = false;
  bool canonical_nan = false;
  wasm::FlatArray<bool> listeners;  ///< by function index; empty: none
  /// Whether memories will have guard pages whose faults reach the engine. Compilers only.
  bool guard_pages = false;
  CpuFeatures cpu;         ///< compilers only
  CompileConduct conduct;  ///< compilers only
};

/// A place among the functions in execution in a linkage group; see CallStack.
struct FrameCursor {
  const abi::ExecContext* exec = nullptr;
  const abi::FunctionRecord* function = nullptr;
  std::uint32_t module_offset = 0;  ///< of the instruction it is in; 0 in host functions
  std::uintptr_t words[6] = {};     ///< the engine's; 0 in the beginning
};

struct Engine;

/// What an engine keeps for a compiled module. Immutable; any thread. No virtual functions:
/// compilers guess whose they are, and would put the engine into units that only let go of a
/// module.
struct EngineCode {
  const Engine* engine;
};

struct EngineCodeDeleter {
  inline void operator()(const EngineCode* code) const noexcept;
};
using EngineCodePointer = std::unique_ptr<const EngineCode, EngineCodeDeleter>;

/// An engine. Static storage.
struct Engine {
  const char* name;
  /// Changes when it makes something else of the same module and settings.
  std::uint32_t (*revision)() noexcept;
  /// Validates the bodies of a module whose declarations are valid, and makes code for them.
  wasm::Fault (*compile)(const wasm::ValidationContext& context, const CompileSettings& settings,
                         EngineCodePointer& code);
  void (*destroy)(const EngineCode* code) noexcept;
  /// Bytes of code and tables.
  std::size_t (*size)(const EngineCode& code) noexcept;
  /// Fills code, invoke and engine_code of the record of a function defined by the module, counted
  /// without the imported ones. `code` is what `link` gave, if it gave something.
  void (*bind)(const EngineCode& code, std::uint32_t defined_function,
               abi::FunctionRecord& record) noexcept;
  /// Chooses or makes the code for an instance whose memories and types are there and whose
  /// functions are not. Throws LinkError. Null: the module's code serves all instances.
  std::shared_ptr<const EngineCode> (*link)(const Instance& instance) = nullptr;
  /// Gives the record of a function of this type an entry in the thunk convention that calls its
  /// `invoke`. `code` as for `bind`. Null: the engine calls `invoke` itself.
  void (*adapt)(const EngineCode& code, std::uint32_t type,
                abi::FunctionRecord& record) noexcept = nullptr;
  /// Goes on to the next function in execution; false if there is none. Null: it links them in
  /// Group::frame.
  bool (*next_frame)(FrameCursor& cursor) noexcept = nullptr;
  /// What `restore` makes the same code of: position independent, without pointers.
  std::vector<std::uint8_t> (*store)(const EngineCode& code);
  /// Makes code of what `store` gave for the same module and settings. The bodies were valid then.
  Restored (*restore)(const wasm::ValidationContext& context, const CompileSettings& settings,
                      const StoredObject& object, EngineCodePointer& code);
  /// Bytes of modules from which on `restore` is quicker than `compile`.
  std::size_t least_stored = 0;
  /// What code of this engine may ask of the runtime.
  const abi::RuntimeCalls* runtime_calls = nullptr;
};

inline void EngineCodeDeleter::operator()(const EngineCode* code) const noexcept {
  code->engine->destroy(code);
}

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
