// SPDX-License-Identifier: Apache-2.0
/// @file
/// The intermediate representation as text.
#pragma once

#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The reachable blocks of a function in order, an instruction a line:
///
///     b0:
///       v0:i32 = param[0]
///       jump b1
///     b1(loop) <- b0, b1:
///       v1:i32 = phi b0:v0, b1:v2
///       v2:i32 = i32.add v1, -1
///       branch v2, b1, b2
///     b2 <- b1:
///       return v2
///
/// Values are numbered in the order of the text. Constants are written where they are used:
/// integers as signed numbers, floats as `f32:` or `f64:` and their bits, vectors as `v128:` and
/// their bytes. Other immediates stand in brackets behind the opcode, of memory accesses the
/// offset, with `checked` where no check is needed. `switch` names the target of each index, the
/// default last.
TENON_DECL std::string PrintIr(const Function& function);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/ir_printer.ipp>
#endif
