// SPDX-License-Identifier: Apache-2.0
/// @file
/// Removes instructions whose values nobody needs, circles of phis included.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Keeps its arrays from function to function. Time is linear.
class DeadCode {
 public:
  TENON_DECL void Run(Function& function);

 private:
  FlatArray<bool> needed_;
  FlatArray<ValueId> work_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/dead_code.ipp>
#endif
