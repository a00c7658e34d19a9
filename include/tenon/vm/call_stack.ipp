// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of call_stack.hpp.
#pragma once

#include <tenon/vm/call_stack.hpp>
#include <tenon/vm/instance.hpp>
#include <tenon/vm/store.hpp>
#include <tenon/wasm/instruction_walker.hpp>

namespace tenon::inline TENON_ABI::vm {

TENON_DECL CallStack::CallStack(const Group& group) noexcept : group_{&group} {
  cursor_.exec = &group;
  if (group.outermost != nullptr) engine_ = &group.outermost->store->engine;
}

TENON_DECL bool CallStack::Next() noexcept {
  if (engine_ != nullptr && engine_->next_frame != nullptr) return engine_->next_frame(cursor_);
  frame_ = has_begun_ ? frame_->previous : group_->frame;
  has_begun_ = true;
  if (frame_ == nullptr) return false;
  cursor_.function = frame_->function;
  return true;
}

TENON_DECL std::uint32_t CallStack::ModuleOffset() const noexcept {
  if (frame_ == nullptr) return cursor_.module_offset;
  const Instance& instance = OwnerOf(*frame_->function);
  if (instance.IsHost() || frame_->pc == nullptr) return 0;
  const wasm::Module& module = instance.Module();
  const auto next = static_cast<std::uint32_t>(frame_->pc - module.bytes.data());
  std::uint32_t offset = 0;
  // Frames know the instruction that comes next; the one they are in begins before it.
  wasm::WalkBody(module.bytes, module.bodies[frame_->function->index - module.imported_functions],
                 [&](wasm::Opcode, std::uint32_t start) {
                   if (start < next) offset = start;
                 });
  return offset;
}

}  // namespace tenon::inline TENON_ABI::vm
