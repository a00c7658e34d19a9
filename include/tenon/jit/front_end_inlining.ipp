// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of front_end.hpp: calls, and the bodies that stand for them.
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/inlining_policy.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void FrontEnd::CallFunction(std::uint32_t callee) {
  std::uint32_t recursion = 0;
  if (inlines_ && WantsInlining(callee, recursion)) return BeginInlined(callee, recursion);
  const std::uint32_t type = input_->module.functions[callee];
  Call(IrOpcode::Call, type, callee, input_->module.types[type].parameter_count);
}

TENON_DECL bool FrontEnd::WantsInlining(std::uint32_t callee, std::uint32_t& recursion) {
  // Numbers of locals must stay below 2^31.
  constexpr std::uint32_t kMostLocals = std::uint32_t{1} << 30;
  const wasm::Module& module = input_->module;
  const ModuleFacts& facts = input_->facts;
  const FlatArray<bool>& listeners = input_->options.listeners;
  if (callee < module.imported_functions || !facts.Has(callee - module.imported_functions)) {
    return false;
  }
  if (!listeners.empty() && listeners[callee]) return false;
  if (local_types_.Size() > kMostLocals) return false;
  InliningQuestion question{facts.Of(callee - module.imported_functions)};
  // Whether a call of one that is being inlined is that of a body further out needs no answer: such
  // a circle ends at the greatest depth.
  recursion = body_.function == callee ? body_.recursion + 1 : 0;
  question.recursion = recursion;
  question.depth = static_cast<std::uint32_t>(bodies_.size()) - recursive_bodies_;
  question.call_sites = facts.call_sites[callee];
  question.is_in_loop = loop_depth_ != 0;
  question.is_cold = reader_.Peek() == static_cast<int>(wasm::Opcode::Unreachable);
  return inlining_.Take(question);
}

/// The body's parameters and locals become further ones of the function, its results the parameters
/// of a block.
TENON_DECL void FrontEnd::BeginInlined(std::uint32_t callee, std::uint32_t recursion) {
  const wasm::Module& module = input_->module;
  const std::uint32_t type = module.functions[callee];
  const auto parameters = module.Parameters(type);
  const std::size_t first = stack_.size() - parameters.size();
  for (std::size_t i = first; i < stack_.size(); ++i) stack_[i] = function_->Resolve(stack_[i]);

  function_->inline_sites.push_back({callee, offset_, body_.context});
  bodies_.push_back(body_);
  bodies_.back().reader = reader_;
  OpenBody(callee - module.imported_functions);
  body_.context = function_->context = static_cast<InlineContext>(function_->inline_sites.size());
  body_.first_local = local_types_.Size();
  body_.first_label = static_cast<std::uint32_t>(labels_.size());
  body_.recursion = recursion;
  recursive_bodies_ += recursion != 0 ? 1 : 0;

  for (const ValueType parameter : parameters) local_types_.Append(1, parameter);
  ReadLocals();
  const std::uint64_t phis = kPhisPerByte * body_.facts->CodeSize();
  phi_budget_ += phis;
  locals_.BeginInlined(body_.first_local, std::span{stack_}.subspan(first),
                       input_->facts.Sets(*body_.facts), phis);
  stack_.resize(first);
  Label label;
  label.kind = wasm::BlockKind::Function;
  label.type = type;
  label.height = static_cast<std::uint32_t>(first);
  labels_.push_back(label);
}

/// Behind the end of an inlined body, whose results are on the stack.
TENON_DECL void FrontEnd::EndInlined() {
  recursive_bodies_ -= body_.recursion != 0 ? 1 : 0;
  body_ = bodies_.back();
  reader_ = body_.reader;
  bodies_.pop_back();
  function_->context = body_.context;
  locals_.EndInlined();
}

}  // namespace tenon::inline TENON_ABI::jit
