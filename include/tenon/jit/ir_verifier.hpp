// SPDX-License-Identifier: Apache-2.0
/// @file
/// Checks that a function is well-formed.
#pragma once

#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The first fault of a function, as text; empty if it has none. Checked are the lists of
/// instructions and blocks, edges from both sides, the order of blocks, dominators, that phis come
/// first and have an argument for each edge, that operands exist and are defined before their use,
/// the types of operands and results, and the form that ir.hpp gives to each instruction. Takes
/// time n log n in the size of the function.
TENON_DECL std::string VerifyIr(const Function& function, const wasm::Module& module);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/ir_verifier.ipp>
#endif
