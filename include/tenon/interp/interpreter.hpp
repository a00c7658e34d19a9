// SPDX-License-Identifier: Apache-2.0
/// @file
/// The portable engine: interprets validated bodies in place, with a side table for branches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/records.hpp>
#include <tenon/interp/side_table.hpp>
#include <tenon/vm/engine.hpp>

namespace tenon::inline TENON_ABI::interp {

struct FunctionEntry;

/// What a compiled module is to the interpreter. Refers to the module's bytes.
class InterpreterCode : public vm::EngineCode {
 public:
  InterpreterCode(const wasm::Module& module, SideTable table, const vm::CompileSettings& settings);
  ~InterpreterCode();
  InterpreterCode(const InterpreterCode&) = delete;
  InterpreterCode& operator=(const InterpreterCode&) = delete;

  std::size_t Size() const noexcept;
  const SideTable& Table() const noexcept;
  const FunctionEntry& Entry(std::uint32_t defined_function) const noexcept;

 private:
  SideTable table_;
  std::vector<FunctionEntry> entries_;
};

/// The engine's table.
TENON_DECL const vm::Engine& InterpreterEngine() noexcept;

}  // namespace tenon::inline TENON_ABI::interp

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/interp/interpreter.ipp>
#endif
