// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the module model asks of an engine: one table of a few calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI {

namespace wasm {
struct ValidationContext;
}  // namespace wasm

namespace vm {

class Instance;

/// Settings that change what an engine makes of a module; all are part of the cache key.
struct CompileSettings {
  bool interruptible = false;
  bool canonical_nan = false;
  std::vector<bool> listeners;  ///< by function index; empty: none
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
  /// Validates the bodies of a module whose declarations are valid, and makes code for them.
  wasm::Fault (*compile)(const wasm::ValidationContext& context, const CompileSettings& settings,
                         EngineCodePointer& code);
  void (*destroy)(const EngineCode* code) noexcept;
  /// Bytes of code and tables.
  std::size_t (*size)(const EngineCode& code) noexcept;
  /// Fills code, invoke and engine_code of the record of a function defined by the module, counted
  /// without the imported ones.
  void (*bind)(const EngineCode& code, std::uint32_t defined_function,
               abi::FunctionRecord& record) noexcept;
};

inline void EngineCodeDeleter::operator()(const EngineCode* code) const noexcept {
  code->engine->destroy(code);
}

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
