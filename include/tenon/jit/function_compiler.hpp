// SPDX-License-Identifier: Apache-2.0
/// @file
/// The compiler of one function: its passes in their order.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/compiled_function.hpp>
#include <tenon/jit/dead_code.hpp>
#include <tenon/jit/emitter.hpp>
#include <tenon/jit/frame_placement.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/loop_invariants.hpp>
#include <tenon/jit/machine_function.hpp>
#include <tenon/jit/register_allocator.hpp>
#include <tenon/jit/selection.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Compiles functions of one module, one after the other; keeps its arrays. One a thread; any
/// number of them share the input, which must outlive them.
class FunctionCompiler {
 public:
  explicit FunctionCompiler(const FrontEndInput& input)
      : input_{input}, selector_{input.module, input.options}, emitter_{input.options} {}

  /// Replaces what is in `out`. The function must be valid. Throws LinkError LimitExceeded for
  /// those that FrontEnd::Build refuses.
  TENON_DECL void Compile(std::uint32_t defined_function, CompiledFunction& out);
  /// Of the function compiled last, as selection saw it.
  const Function& Ir() const noexcept { return ir_; }

 private:
  const FrontEndInput& input_;
  FrontEnd front_end_;
  LoopInvariants loop_invariants_;
  DeadCode dead_code_;
  Function ir_;
  MachineFunction machine_;
  Selector selector_;
  RegisterAllocator allocator_;
  FramePlacement frame_placement_;
  Emitter emitter_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/function_compiler.ipp>
#endif
