// SPDX-License-Identifier: Apache-2.0
/// @file
/// From machine instructions with registers to machine code.
#pragma once

#include <cstdint>
#include <memory>

#include <tenon/abi/config.hpp>
#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Of xbyak, as it writes it: 0x7375 is 7.375.
TENON_DECL std::uint32_t AssemblerVersion() noexcept;

/// Writes the code of one function at a time; keeps its buffer. One thread at a time.
class Emitter {
 public:
  TENON_DECL explicit Emitter(const CompileOptions& options);
  TENON_DECL ~Emitter();
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  /// `function` must be allocated; `ir` is what it was selected from. Replaces what is in `out`.
  TENON_DECL void Run(const MachineFunction& function, const Function& ir, CompiledFunction& out);
  /// Lets go of what the last function has made large.
  TENON_DECL void ReleaseLarge();

 private:
  class Writer;

  std::unique_ptr<Writer> writer_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/emitter.ipp>
#endif
