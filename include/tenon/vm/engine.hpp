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

/// What an engine keeps for a compiled module. Immutable; any thread.
class EngineCode {
 public:
  virtual ~EngineCode() = default;
  /// Bytes of code and tables.
  virtual std::size_t Size() const noexcept = 0;
};

/// An engine. Static storage.
struct Engine {
  const char* name;
  /// Validates the bodies of a module whose declarations are valid, and makes code for them.
  wasm::Fault (*compile)(const wasm::ValidationContext& context, const CompileSettings& settings,
                         std::unique_ptr<const EngineCode>& code);
  /// Fills code, invoke and engine_code of the record of a function defined by the module, counted
  /// without the imported ones.
  void (*bind)(const EngineCode& code, std::uint32_t defined_function,
               abi::FunctionRecord& record) noexcept;
};

}  // namespace vm
}  // namespace tenon::inline TENON_ABI
