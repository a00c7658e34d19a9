// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of function_compiler.hpp.
#pragma once

#include <tenon/jit/function_compiler.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void FunctionCompiler::Compile(std::uint32_t defined_function, CompiledFunction& out) {
  ir_.Clear();
  machine_.Clear();
  front_end_.Build(input_, defined_function, ir_);
  if (input_.options.optimize) {
    loop_invariants_.Run(ir_);
    dead_code_.Run(ir_);
  }
  selector_.Run(ir_, machine_);
  allocator_.Run(machine_);
  emitter_.Run(machine_, ir_, out);
}

}  // namespace tenon::inline TENON_ABI::jit
