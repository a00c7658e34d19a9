// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of local_values.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/local_values.hpp>
#include <tenon/jit/trivial_phi.hpp>
#include <tenon/jit/value_numbering.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::jit {

TENON_DECL void LocalValues::Begin(Function& function, const AncestorTree& dominators,
                                   ValueNumbering& constants, const wasm::LocalTypes& types,
                                   std::uint32_t parameters, std::span<const std::uint32_t> sets,
                                   std::uint64_t budget) {
  function_ = &function;
  dominators_ = &dominators;
  constants_ = &constants;
  types_ = &types;
  budget_ = budget;
  is_over_budget_ = in_frame_ = false;
  if (block_stamp_ >= 0x80000000u) {
    locals_.clear();
    function_stamp_ = block_stamp_ = 0;
  }
  ++function_stamp_;
  ++block_stamp_;
  block_ = kNone;
  changed_.clear();
  set_places_.clear();
  set_blocks_.clear();
  set_positions_.clear();
  activations_.assign(1, {});
  current_ = 0;
  position_ = 0;
  if (locals_.size() < types.Size()) locals_.resize(types.Size());
  for (std::uint32_t local = 0; local < parameters; ++local) StateOf(local).initial = local;
  AddLog(0, sets);

  loops_.Clear();
  loops_.Add(0, 0);
  loop_facts_.assign(1, {});
  loop_ = 0;
  loop_of_.clear();
  open_phis_.clear();
  pending_.clear();
  work_.clear();
  values_.Begin(sets.size());
  phis_.clear();
}

TENON_DECL void LocalValues::BeginInFrame(Function& function, const AncestorTree& dominators,
                                          ValueNumbering& constants, const wasm::LocalTypes& types,
                                          std::uint32_t parameters,
                                          std::span<const std::uint32_t> sets) {
  Begin(function, dominators, constants, types, parameters, sets, 0);
  in_frame_ = true;
  function.local_cells = static_cast<std::uint32_t>(named_.size());
  for (std::uint32_t cell = 0; cell < named_.size(); ++cell) {
    locals_[named_[cell]].cell = cell;
    if (types[named_[cell]] == ValueType::V128) function.local_cell_bytes = 16;
  }
}

TENON_DECL void LocalValues::StoreInitialValues() {
  for (const std::uint32_t local : named_) Store(local, InitialValue(local));
}

TENON_DECL void LocalValues::Store(std::uint32_t local, ValueId value) {
  Instruction store;
  store.opcode = IrOpcode::StoreLocal;
  store.operands[0] = value;
  store.immediate = locals_[local].cell;
  function_->Append(block_, function_->Add(store, 0));
}

TENON_DECL void LocalValues::BeginInlined(std::uint32_t first_local,
                                          std::span<const ValueId> arguments,
                                          std::span<const std::uint32_t> sets,
                                          std::uint64_t budget) {
  budget_ += budget;
  Activation begun;
  begun.first_set = begun.next_set = static_cast<std::uint32_t>(set_blocks_.size());
  begun.outer = current_;
  current_ = static_cast<std::uint32_t>(activations_.size());
  activations_.push_back(begun);
  if (locals_.size() < types_->Size()) locals_.resize(types_->Size());
  for (const ValueId argument : arguments) StateOf(first_local++).initial = argument;
  AddLog(first_local - static_cast<std::uint32_t>(arguments.size()), sets);
}

/// Joins the log of the activation that begins to the others.
TENON_DECL void LocalValues::AddLog(std::uint32_t first_local,
                                    std::span<const std::uint32_t> sets) {
  // Sorted by local by counting; only locals that occur are touched.
  named_.clear();
  for (const std::uint32_t local : sets) {
    Local& state = StateOf(first_local + local);
    if (state.count++ == 0) {
      state.activation = current_;
      named_.push_back(first_local + local);
    }
  }
  const auto place = static_cast<std::uint32_t>(set_places_.size());
  std::uint32_t first = place;
  for (const std::uint32_t local : named_) {
    Local& state = locals_[local];
    state.first = first;
    first += state.count;
    state.count = 0;
  }
  set_places_.resize(first);
  set_blocks_.resize(first, kNone);
  set_positions_.resize(first, kNone);
  for (std::uint32_t i = 0; i < sets.size(); ++i) {
    Local& state = locals_[first_local + sets[i]];
    set_places_[state.first + state.count++] = place + i;
  }
}

TENON_DECL void LocalValues::Leave() {
  if (!in_frame_) {
    for (const std::uint32_t local : changed_) values_.Put(block_, local, locals_[local].value);
  }
  changed_.clear();
}

TENON_DECL void LocalValues::EnterBlock(BlockId block) {
  Leave();
  ++block_stamp_;
  block_ = block;
  loop_of_.resize(block + 1, loop_);
  open_phis_.resize(block + 1, kClosed);
}

TENON_DECL void LocalValues::BeginLoop(BlockId header, std::uint32_t set_end) {
  loop_ = loops_.Add(loop_, static_cast<std::uint32_t>(loop_facts_.size()));
  loop_facts_.push_back({header, activations_[current_].first_set + set_end, current_});
  EnterBlock(header);
  open_phis_[header] = kOpen;
}

TENON_DECL void LocalValues::EndLoop() {
  // The current block may be one of the header's predecessors. If it goes on instead, it finds in
  // the table what it has now.
  Leave();
  ++block_stamp_;
  std::uint32_t& open = open_phis_[loop_facts_[loop_].header];
  for (std::uint32_t at = open; at != kOpen; at = pending_[at - 2].next) {
    work_.push_back(pending_[at - 2]);
  }
  open = kClosed;
  loop_ = loops_.Parent(loop_);
  CompletePhis();
}

TENON_DECL ValueId LocalValues::InitialValue(std::uint32_t local) {
  const ValueId initial = StateOf(local).initial;
  if (initial != kNone) return function_->Resolve(initial);
  return constants_->Zero(TypeOf((*types_)[local]), 0);
}

TENON_DECL ValueId LocalValues::GetSlowly(std::uint32_t local) {
  const bool is_ever_set = StateOf(local).count != 0;
  ValueId value = kNone;
  if (is_ever_set && in_frame_) {
    Instruction load;
    load.opcode = IrOpcode::LoadLocal;
    load.type = TypeOf((*types_)[local]);
    load.immediate = StateOf(local).cell;
    value = function_->Add(load, 0);
    function_->Append(block_, value);
  } else if (is_ever_set) {
    value = Search(block_, local);
    CompletePhis();
    value = function_->Resolve(value);
    changed_.push_back(local);
  } else {
    value = InitialValue(local);
  }
  Local& state = locals_[local];
  state.block = block_stamp_;
  state.value = value;
  return value;
}

/// The value at the end of a block that has been left, or of the current one if no set or earlier
/// search there has left a value.
TENON_DECL ValueId LocalValues::Search(BlockId block, std::uint32_t local) {
  const Local& state = locals_[local];
  const std::span<const std::uint32_t> sets =
      std::span{set_places_}.subspan(state.first, state.count);
  path_.clear();
  ValueId value = kNone;
  while (true) {
    value = values_.Find(block, local);
    if (value != kNone) break;
    if (block == 0) {
      value = InitialValue(local);
      path_.push_back(block);
      break;
    }
    path_.push_back(block);
    const std::uint32_t start = dominators_->Position(block);
    const auto later = std::lower_bound(sets.begin(), sets.end(), start,
                                        [&](std::uint32_t place, std::uint32_t position) {
                                          return set_positions_[place] < position;
                                        });
    // Sets before `limit` come before the block; kept one higher than the last so that 0 is none.
    const std::uint32_t limit = later == sets.begin() ? 0 : set_positions_[later[-1]] + 1;
    if (later != sets.end() && loop_of_[block] != 0) {
      const std::uint32_t next_set = *later;
      // Activations within this one have higher numbers, and those around it lower ones.
      const auto ends_before = [&](std::uint32_t number) {
        const Loop& facts = loop_facts_[number];
        return facts.activation == state.activation ? facts.set_end <= next_set
                                                    : facts.activation > state.activation;
      };
      std::uint32_t loop = loop_of_[block];
      if (ends_before(loop)) loop = loops_.Parent(loops_.Highest(loop, ends_before));
      const BlockId header = loop_facts_[loop].header;
      if (loop != 0 && loop_facts_[loop].activation == state.activation &&
          limit <= dominators_->Position(header)) {
        if (header != block) {
          value = values_.Find(header, local);
          if (value != kNone) break;
        }
        value = PhiIn(header, local);
        break;
      }
    }
    if (limit == 0) {
      value = InitialValue(local);
      break;
    }
    const BlockId highest =
        dominators_->Highest(block, [&](std::uint32_t position) { return position >= limit; });
    const BlockId above = dominators_->Parent(highest);
    if (set_blocks_[later[-1]] == above) {
      value = values_.Find(above, local);
      break;
    }
    if (highest != block) {
      value = values_.Find(highest, local);
      if (value != kNone) break;
      path_.push_back(highest);
    }
    const Block& reached = function_->blocks[highest];
    // A header from which the search did not stop above belongs to a loop that sets nothing.
    if (reached.predecessors.size() != 1 && !reached.is_loop_header) {
      value = PhiIn(highest, local);
      break;
    }
    block = reached.predecessors[0];
  }
  // What has been passed has no set of its own.
  for (const BlockId passed : path_) {
    if (passed != block_) values_.Put(passed, local, value);
  }
  return value;
}

TENON_DECL ValueId LocalValues::PhiIn(BlockId block, std::uint32_t local) {
  Instruction instruction;
  instruction.opcode = IrOpcode::Phi;
  instruction.type = TypeOf((*types_)[local]);
  instruction.operands[0] = 0;
  instruction.operands[1] = 0;
  const ValueId first = function_->blocks[block].first;
  const ValueId phi =
      function_->Add(instruction, first == kNone ? 0 : function_->wasm_offsets[first]);
  function_->InsertBefore(block, first, phi);
  phis_.push_back(phi);
  // The current block's values are put down when it is left.
  if (block != block_) values_.Put(block, local, phi);
  if (open_phis_[block] == kClosed) {
    work_.push_back({phi, local, 0});
  } else {
    pending_.push_back({phi, local, open_phis_[block]});
    open_phis_[block] = static_cast<std::uint32_t>(pending_.size() - 1) + 2;
  }
  return phi;
}

TENON_DECL void LocalValues::CompletePhis() {
  while (!work_.empty()) {
    const PendingPhi item = work_.back();
    work_.pop_back();
    const BlockId block = function_->block_of[item.phi];
    const std::size_t count = function_->blocks[block].predecessors.size();
    if (count > budget_) {
      is_over_budget_ = true;
      work_.clear();
      return;
    }
    budget_ -= count;
    const std::size_t first = function_->pool.size();
    for (std::size_t i = 0; i < count; ++i) {
      const ValueId value = Search(function_->blocks[block].predecessors[i], item.local);
      function_->pool.push_back(function_->Resolve(value));
    }
    (*function_)[item.phi].operands[0] = static_cast<std::uint32_t>(first);
    (*function_)[item.phi].operands[1] = static_cast<std::uint32_t>(count);
    if (ForwardIfTrivial(*function_, item.phi)) function_->pool.resize(first);
  }
}

TENON_DECL void LocalValues::SimplifyPhis() {
  // Each round may make more of them trivial; chains of that kind are short where they matter.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    bool has_changed = false;
    for (const ValueId phi : phis_) {
      if ((*function_)[phi].opcode == IrOpcode::Phi && ForwardIfTrivial(*function_, phi)) {
        has_changed = true;
      }
    }
    if (!has_changed) break;
  }
}

}  // namespace tenon::inline TENON_ABI::jit
