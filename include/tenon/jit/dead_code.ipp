// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of dead_code.hpp.
#pragma once

#include <tenon/jit/dead_code.hpp>
#include <tenon/jit/effects.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void DeadCode::Run(Function& function) {
  needed_.assign(function.instructions.size(), false);
  work_.clear();
  const auto need = [&](ValueId value) {
    if (needed_[value]) return;
    needed_[value] = true;
    work_.push_back(value);
  };
  for (const BlockId block : function.order) {
    for (ValueId value = function.blocks[block].first; value != kNone;
         value = function.next[value]) {
      if (IsNeeded(function[value])) need(value);
    }
  }
  while (!work_.empty()) {
    const Instruction& instruction = function[work_.back()];
    work_.pop_back();
    VisitOperands(function, instruction, need);
  }
  for (const BlockId block : function.order) {
    for (ValueId value = function.blocks[block].first; value != kNone;) {
      const ValueId behind = function.next[value];
      if (!needed_[value]) function.Remove(value);
      value = behind;
    }
  }
}

}  // namespace tenon::inline TENON_ABI::jit
