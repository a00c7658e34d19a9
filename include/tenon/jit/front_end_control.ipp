// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of front_end.hpp: control flow.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/jit/front_end.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/trivial_phi.hpp>
#include <tenon/wasm/instruction_walker.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/type_reader.hpp>

namespace tenon::inline TENON_ABI::jit {

// Blocks of the representation.

TENON_DECL BlockId FrontEnd::NewBlock(BlockId dominator) {
  const auto block = static_cast<BlockId>(function_->blocks.size());
  Block& added = function_->blocks.emplace_back();
  added.loop_depth = loop_depth_;
  added.dominator = block == 0 ? kNone : dominator;
  dominators_.Add(dominator, locals_.Position());
  return block;
}

/// `follows_alone`: the block that was left last is its only predecessor.
TENON_DECL void FrontEnd::Enter(BlockId block, bool follows_alone) {
  block_ = block;
  locals_.EnterBlock(block);
  builder_.SetBlock(block);
  if (!follows_alone) known_.Forget();
  is_live_ = true;
}

/// Copies the topmost values of the stack; gives their place in kept_values_.
TENON_DECL std::uint32_t FrontEnd::KeepValues(std::size_t count) {
  const auto first = static_cast<std::uint32_t>(kept_values_.size());
  for (std::size_t i = stack_.size() - count; i < stack_.size(); ++i) {
    kept_values_.push_back(function_->Resolve(stack_[i]));
  }
  return first;
}

TENON_DECL void FrontEnd::AddEdge(Label& label, const Edge& edge) {
  const auto index = static_cast<std::uint32_t>(edges_.size());
  edges_.push_back(edge);
  edges_.back().next = kNone;
  (label.first_edge == kNone ? label.first_edge : edges_[label.last_edge].next) = index;
  label.last_edge = index;
  ++label.edge_count;
  if (label.header == kNone) return;
  function_->blocks[edge.from].successors[edge.successor] = label.header;
  function_->blocks[label.header].predecessors.push_back(edge.from);
}

// Beginnings.

TENON_DECL FrontEnd::Label FrontEnd::ReadBlockType(wasm::BlockKind kind) {
  Label label;
  label.kind = kind;
  const int first = reader_.Peek();
  if (first == 0x40) {
    static_cast<void>(reader_.Skip(1));
  } else if (first > 0x40 && first < 0x80) {
    ValueType result;
    static_cast<void>(ReadValueType(reader_, input_->context.features, result));
    label.result = TypeOf(result);
  } else {
    std::int64_t type = 0;
    static_cast<void>(reader_.ReadS33(type));
    label.type = static_cast<std::uint32_t>(type);
  }
  return label;
}

TENON_DECL void FrontEnd::BeginBlock(wasm::BlockKind kind) {
  Label label = ReadBlockType(kind);
  if (kind == wasm::BlockKind::Loop) {
    BeginLoop(label);
  } else if (kind == wasm::BlockKind::If) {
    BeginIf(label);
  } else {
    label.height = static_cast<std::uint32_t>(stack_.size() - ParameterCount(label));
  }
  labels_.push_back(label);
}

TENON_DECL void FrontEnd::BeginLoop(Label& label) {
  const std::size_t parameters = ParameterCount(label);
  label.height = static_cast<std::uint32_t>(stack_.size() - parameters);
  const LoopFacts& facts = body_.loops[body_.next_loop++];
  // Without a branch to it a loop is a block, and what would have named it is never reached.
  if (facts.back_edges == 0) return;

  builder_.Append(IrOpcode::Jump, Type::None);
  ++loop_depth_;
  const BlockId before = block_;
  const BlockId header = NewBlock(before);
  function_->blocks[before].successors.assign(1, header);
  function_->blocks[header].predecessors.assign(1, before);
  function_->blocks[header].is_loop_header = true;
  label.header = header;
  locals_.BeginLoop(header, facts.set_end);
  Enter(header, false);

  const std::uint32_t kept = KeepValues(parameters);
  label.else_edge.first_value = kept;
  for (std::size_t i = 0; i < parameters; ++i) {
    const ValueId entering = kept_values_[kept + i];
    const ValueId phi = builder_.Append(IrOpcode::Phi, (*function_)[entering].type, 0, 0, 0);
    if (i == 0) label.first_phi = phi;
    stack_[label.height + i] = phi;
  }
  if (input_->options.interruptible) builder_.Append(IrOpcode::CheckInterrupt, Type::None);
}

TENON_DECL void FrontEnd::EndWithBranch(BranchCondition condition, std::uint32_t& if_true,
                                        std::uint32_t& if_false) {
  builder_.Append(IrOpcode::Branch, Type::None, 0, condition.condition);
  function_->blocks[block_].successors.assign(2, kNone);
  if_true = condition.is_zero ? 1 : 0;
  if_false = 1 - if_true;
}

TENON_DECL void FrontEnd::BeginIf(Label& label) {
  const BranchCondition condition = builder_.Simplify(Pop());
  const std::size_t parameters = ParameterCount(label);
  label.height = static_cast<std::uint32_t>(stack_.size() - parameters);
  label.else_edge.first_value = KeepValues(parameters);
  label.else_edge.from = block_;
  const ValueId asked = function_->Resolve(condition.condition);
  if (builder_.IsConstant(asked)) {
    const bool is_taken = (builder_.Bits(asked) != 0) != condition.is_zero;
    label.arms = is_taken ? Arms::Then : Arms::Else;
    is_live_ = is_taken;
    return;
  }
  std::uint32_t if_true = 0;
  EndWithBranch(condition, if_true, label.else_edge.successor);
  const BlockId before = block_;
  const BlockId then = NewBlock(before);
  function_->blocks[before].successors[if_true] = then;
  function_->blocks[then].predecessors.assign(1, before);
  Enter(then, true);
}

TENON_DECL void FrontEnd::EnterElse() {
  Label& label = labels_.back();
  const std::size_t parameters = ParameterCount(label);
  if (is_live_) Branch(0);
  label.kind = wasm::BlockKind::Else;
  is_live_in_facts_ = true;
  stack_.resize(label.height);
  for (std::size_t i = 0; i < parameters; ++i) {
    Push(kept_values_[label.else_edge.first_value + i]);
  }
  if (label.arms == Arms::Then) {
    is_live_ = false;
    return;
  }
  is_live_ = true;
  // If only this arm can be reached, the block before the `if` goes on.
  if (label.arms == Arms::Else) return;
  const BlockId before = label.else_edge.from;
  const BlockId otherwise = NewBlock(before);
  function_->blocks[before].successors[label.else_edge.successor] = otherwise;
  function_->blocks[otherwise].predecessors.assign(1, before);
  Enter(otherwise, false);
}

// Ends.

TENON_DECL void FrontEnd::EndBlock() {
  // By value: the way on may add labels' edges, never labels.
  Label label = labels_.back();
  if (label.kind == wasm::BlockKind::If) {
    if (label.arms == Arms::Else) {
      // The block before the `if` goes on; its parameters are the results.
      stack_.resize(label.height);
      for (std::size_t i = 0; i < ParameterCount(label); ++i) {
        Push(kept_values_[label.else_edge.first_value + i]);
      }
      is_live_ = true;
    } else if (label.arms == Arms::Both) {
      if (is_live_) {
        Branch(0);
        label = labels_.back();
      }
      AddEdge(label, label.else_edge);
    }
  }
  if (label.header != kNone) {
    EndLoop(label);
  } else {
    Join(label);
  }
  labels_.pop_back();
  is_live_in_facts_ = true;
  if (!labels_.empty()) {
    if (label.kind == wasm::BlockKind::Function) EndInlined();
    return;
  }
  if (is_live_) {
    builder_.AppendList(IrOpcode::Return, Type::None, 0, stack_);
  }
  Finish();
}

TENON_DECL void FrontEnd::EndLoop(Label& label) {
  const std::size_t parameters = ParameterCount(label);
  for (std::size_t i = 0; i < parameters; ++i) {
    const ValueId phi = label.first_phi + static_cast<ValueId>(i);
    const auto first = static_cast<std::uint32_t>(function_->pool.size());
    function_->pool.push_back(kept_values_[label.else_edge.first_value + i]);
    for (std::uint32_t edge = label.first_edge; edge != kNone; edge = edges_[edge].next) {
      function_->pool.push_back(kept_values_[edges_[edge].first_value + i]);
    }
    (*function_)[phi].operands[0] = first;
    (*function_)[phi].operands[1] = label.edge_count + 1;
    locals_.Watch(phi);
    ForwardIfTrivial(*function_, phi);
  }
  if (label.edge_count == 0) function_->blocks[label.header].is_loop_header = false;
  locals_.EndLoop();
  --loop_depth_;
  if (!is_live_) stack_.resize(label.height);
}

/// Where the branches to a block's label meet what runs out of it.
TENON_DECL void FrontEnd::Join(Label& label) {
  const std::size_t results = ResultCount(label);
  if (label.edge_count == 0) {
    // Without branches the current block goes on, if there is one.
    if (!is_live_) stack_.resize(label.height);
    return;
  }
  if (is_live_) {
    const Edge edge{block_, 0, KeepValues(results), kNone};
    builder_.Append(IrOpcode::Jump, Type::None);
    function_->blocks[block_].successors.assign(1, kNone);
    AddEdge(label, edge);
  }
  incoming_.clear();
  for (std::uint32_t edge = label.first_edge; edge != kNone; edge = edges_[edge].next) {
    incoming_.push_back(edges_[edge]);
  }
  BlockId dominator = incoming_[0].from;
  for (const Edge& edge : incoming_) {
    dominator = dominators_.NearestCommonAncestor(dominator, edge.from);
  }
  const BlockId join = NewBlock(dominator);
  function_->blocks[join].predecessors.reserve(incoming_.size());
  for (const Edge& edge : incoming_) {
    function_->blocks[edge.from].successors[edge.successor] = join;
    function_->blocks[join].predecessors.push_back(edge.from);
  }
  Enter(join, incoming_.size() == 1 && incoming_[0].from + 1 == join);

  stack_.resize(label.height);
  for (std::size_t i = 0; i < results; ++i) {
    const ValueId first = function_->Resolve(kept_values_[incoming_[0].first_value + i]);
    std::size_t same = 1;
    while (same < incoming_.size() &&
           function_->Resolve(kept_values_[incoming_[same].first_value + i]) == first) {
      ++same;
    }
    if (same == incoming_.size()) {
      Push(first);
      continue;
    }
    if (incoming_.size() > phi_budget_) {
      is_over_budget_ = true;
      Push(first);
      continue;
    }
    phi_budget_ -= incoming_.size();
    const auto list = static_cast<std::uint32_t>(function_->pool.size());
    for (const Edge& edge : incoming_) {
      function_->pool.push_back(function_->Resolve(kept_values_[edge.first_value + i]));
    }
    const ValueId phi = builder_.Append(IrOpcode::Phi, ResultType(label, i), 0, list,
                                        static_cast<std::uint32_t>(incoming_.size()));
    locals_.Watch(phi);
    Push(phi);
  }
}

// Branches.

TENON_DECL void FrontEnd::Branch(std::uint32_t depth) {
  Label& label = LabelAt(depth);
  const Edge edge{block_, 0, KeepValues(Arity(label)), kNone};
  builder_.Append(IrOpcode::Jump, Type::None);
  function_->blocks[block_].successors.assign(1, kNone);
  AddEdge(label, edge);
  is_live_ = is_live_in_facts_ = false;
}

TENON_DECL void FrontEnd::BranchIf(std::uint32_t depth) {
  const BranchCondition condition = builder_.Simplify(Pop());
  const ValueId asked = function_->Resolve(condition.condition);
  if (builder_.IsConstant(asked)) {
    if ((builder_.Bits(asked) != 0) == condition.is_zero) return;
    Branch(depth);
    is_live_in_facts_ = true;
    return;
  }
  Label& label = LabelAt(depth);
  const std::uint32_t kept = KeepValues(Arity(label));
  std::uint32_t if_true = 0;
  std::uint32_t if_false = 0;
  EndWithBranch(condition, if_true, if_false);
  const BlockId before = block_;
  AddEdge(label, {before, if_true, kept, kNone});
  const BlockId behind = NewBlock(before);
  function_->blocks[before].successors[if_false] = behind;
  function_->blocks[behind].predecessors.assign(1, before);
  Enter(behind, true);
}

TENON_DECL void FrontEnd::BranchTable() {
  const std::uint32_t count = ReadU32();
  const ValueId index = Pop();
  if (builder_.IsConstant(index)) {
    const std::uint64_t chosen = builder_.Bits(index);
    std::uint32_t target = 0;
    for (std::uint32_t i = 0; i <= count; ++i) {
      const std::uint32_t depth = ReadU32();
      if (i <= chosen) target = depth;
    }
    return Branch(target);
  }
  const auto table = static_cast<std::uint32_t>(function_->switches.size());
  FlatArray<std::uint32_t>& targets = function_->switches.emplace_back().targets;
  targets.reserve(std::size_t{count} + 1);
  ++table_stamp_;
  incoming_.clear();
  for (std::uint32_t i = 0; i <= count; ++i) {
    const std::uint32_t depth = ReadU32();
    Label& label = LabelAt(depth);
    if (label.stamp != table_stamp_) {
      label.stamp = table_stamp_;
      label.successor = static_cast<std::uint32_t>(incoming_.size());
      // What an edge will be; until then `from` has the label's depth.
      incoming_.push_back({depth, label.successor, 0, kNone});
    }
    targets.push_back(label.successor);
  }
  if (incoming_.size() == 1) {
    function_->switches.pop_back();
    return Branch(incoming_[0].from);
  }
  const std::uint32_t kept = KeepValues(Arity(LabelAt(incoming_[0].from)));
  if (count == 1) {
    // Zero leads to the first, all else to the default, which is successor 1.
    function_->switches.pop_back();
    builder_.Append(IrOpcode::Branch, Type::None, 0, index);
    std::swap(incoming_[0].successor, incoming_[1].successor);
  } else {
    builder_.Append(IrOpcode::Switch, Type::None, table, index);
  }
  function_->blocks[block_].successors.assign(incoming_.size(), kNone);
  for (const Edge& target : incoming_) {
    AddEdge(LabelAt(target.from), {block_, target.successor, kept, kNone});
  }
  is_live_ = is_live_in_facts_ = false;
}

/// Passes code that no path leads to. Part of it may be reachable to validation, which knows
/// neither constants nor blocks that are never left: its sets and loops are in the facts.
TENON_DECL void FrontEnd::SkipUnreached() {
  while (!is_live_ && !labels_.empty()) {
    offset_ = reader_.Offset();
    builder_.SetOffset(offset_);
    std::uint32_t code = 0;
    if (!reader_.ReadOpcode(code) || code >= wasm::kOpcodeLimit) {
      labels_.clear();
      return;
    }
    const auto opcode = static_cast<wasm::Opcode>(code);
    switch (opcode) {
      case wasm::Opcode::Loop:
        if (is_live_in_facts_) ++body_.next_loop;
        [[fallthrough]];
      case wasm::Opcode::Block:
      case wasm::Opcode::If: {
        Label label;
        label.is_unreached = true;
        label.was_live_in_facts = is_live_in_facts_;
        labels_.push_back(label);
        break;
      }
      case wasm::Opcode::Else:
        if (labels_.back().is_unreached) {
          is_live_in_facts_ = labels_.back().was_live_in_facts;
        } else {
          EnterElse();
        }
        continue;
      case wasm::Opcode::End:
        if (labels_.back().is_unreached) {
          is_live_in_facts_ = labels_.back().was_live_in_facts;
          labels_.pop_back();
        } else {
          EndBlock();
        }
        continue;
      case wasm::Opcode::LocalSet:
      case wasm::Opcode::LocalTee:
        if (is_live_in_facts_) locals_.SkipSet();
        break;
      case wasm::Opcode::Unreachable:
      case wasm::Opcode::Br:
      case wasm::Opcode::BrTable:
      case wasm::Opcode::Return:
        is_live_in_facts_ = false;
        break;
      default:
        break;
    }
    static_cast<void>(wasm::walk::SkipImmediate(reader_, kOpcodePlans.rows[code].immediate));
  }
}

// The last step.

TENON_DECL void FrontEnd::Finish() {
  Function& function = *function_;
  locals_.SimplifyPhis();
  for (ValueId& value : function.pool) value = ResolveShortening(function, value);
  for (Instruction& instruction : function.instructions) {
    if (instruction.opcode == IrOpcode::Forward || HasList(instruction.opcode)) continue;
    for (ValueId& operand : instruction.operands) {
      if (operand != kNone) operand = ResolveShortening(function, operand);
    }
  }
  function.order.resize(function.blocks.size());
  for (BlockId block = 0; block < function.blocks.size(); ++block) function.order[block] = block;
}

}  // namespace tenon::inline TENON_ABI::jit
