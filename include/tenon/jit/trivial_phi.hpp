// SPDX-License-Identifier: Apache-2.0
/// @file
/// Phis that choose between one value.
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/jit/ir.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The value that stands for `value` after replacements, shortening the way for those who ask next.
inline ValueId ResolveShortening(Function& function, ValueId value) {
  while (function[value].opcode == IrOpcode::Forward) {
    ValueId& next = function[value].operands[0];
    if (function[next].opcode == IrOpcode::Forward) next = function[next].operands[0];
    value = next;
  }
  return value;
}

/// Makes a phi a Forward if all its arguments, but for itself, are one value. True if so.
inline bool ForwardIfTrivial(Function& function, ValueId phi) {
  ValueId only = kNone;
  for (ValueId& argument : function.List(function[phi])) {
    argument = ResolveShortening(function, argument);
    if (argument == phi || argument == only) continue;
    if (only != kNone) return false;
    only = argument;
  }
  // Without another argument nothing leads to the phi.
  if (only == kNone) return false;
  function.Remove(phi);
  Instruction& instruction = function[phi];
  instruction.opcode = IrOpcode::Forward;
  instruction.operands[0] = only;
  instruction.operands[1] = instruction.operands[2] = kNone;
  return true;
}

}  // namespace tenon::inline TENON_ABI::jit
