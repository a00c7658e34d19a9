// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of function_compiler.hpp.
#pragma once

#include <string>

#include <tenon/error.hpp>
#include <tenon/jit/function_compiler.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void FunctionCompiler::Compile(std::uint32_t defined_function, CompiledFunction& out) {
  ir_.ClearLarge();
  if (!front_end_.Build(input_, defined_function, ir_)) {
    throw LinkError{ErrorCode::LimitExceeded,
                    FormatError(ErrorCode::LimitExceeded,
                                {"function " + std::to_string(ir_.index) + ": values that meet",
                                 "more", "64 a byte of its code"})};
  }
  front_end_.ReleaseLarge();
  if (input_.options.optimize) {
    loop_invariants_.Run(ir_);
    dead_code_.Run(ir_);
  }
  selector_.Run(ir_, machine_);
  selector_.ReleaseLarge();
  allocator_.Run(machine_);
  allocator_.ReleaseLarge();
  if (input_.options.optimize) frame_placement_.Run(machine_);
  frame_placement_.ReleaseLarge();
  emitter_.Run(machine_, ir_, out);
  emitter_.ReleaseLarge();
  machine_.ClearLarge();
}

}  // namespace tenon::inline TENON_ABI::jit
