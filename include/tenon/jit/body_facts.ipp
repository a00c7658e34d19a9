// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of body_facts.hpp.
#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/jit/body_facts.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_body.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void BodyFactsSink::BeginFunction(const wasm::FunctionInfo& function) {
  body_ = {};
  body_.code_offset = function.code_offset;
  body_.code_end = function.code_end;
  body_.first_set = static_cast<std::uint32_t>(facts_.sets.size());
  body_.first_loop = static_cast<std::uint32_t>(facts_.loops.size());
  body_.locals = function.locals->Size();
  function_ = function.function;
  labels_.assign(1, kNoLoop);
}

TENON_DECL void BodyFactsSink::EndFunction(const wasm::FunctionSummary& summary) {
  body_.set_count = SetPosition();
  body_.loop_count = static_cast<std::uint32_t>(facts_.loops.size()) - body_.first_loop;
  body_.max_stack_slots = summary.max_stack_slots;
  body_.has_vector = summary.has_vector;
  facts_.functions.push_back(body_);
}

TENON_DECL void BodyFactsSink::BeginBlock(const wasm::BlockInfo& block) {
  ++body_.blocks;
  if (block.kind != wasm::BlockKind::Loop) {
    labels_.push_back(kNoLoop);
    return;
  }
  labels_.push_back(static_cast<std::uint32_t>(facts_.loops.size()));
  facts_.loops.push_back({SetPosition(), SetPosition(), 0});
}

TENON_DECL void BodyFactsSink::EndBlock(std::uint32_t) {
  const std::uint32_t loop = labels_.back();
  labels_.pop_back();
  if (loop != kNoLoop) facts_.loops[loop].set_end = SetPosition();
}

TENON_DECL void BodyFactsSink::Branch(const wasm::BranchInfo& branch) {
  ++body_.branches;
  const std::uint32_t loop = labels_[labels_.size() - 1 - branch.depth];
  if (loop != kNoLoop) ++facts_.loops[loop].back_edges;
}

TENON_DECL void BodyFactsSink::UseMemory(wasm::Opcode opcode, std::uint32_t) {
  ++body_.memory_uses;
  body_.grows_memory = body_.grows_memory || opcode == wasm::Opcode::MemoryGrow;
}

TENON_DECL wasm::Fault GatherFacts(const wasm::ValidationContext& context, ModuleFacts& out) {
  out = {};
  const auto count = static_cast<std::uint32_t>(context.module->bodies.size());
  out.functions.reserve(count);
  wasm::ValidationScratch scratch;
  BodyFactsSink sink{out};
  for (std::uint32_t i = 0; i < count; ++i) {
    const wasm::Fault fault = ValidateFunction(context, i, scratch, sink);
    if (!fault.IsNone()) return fault;
  }
  return {};
}

}  // namespace tenon::inline TENON_ABI::jit
