// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of side_table.hpp.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/interp/side_table.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_body.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::interp {

namespace detail {

/// Builds the entries of one function at a time.
class SideTableSink : public wasm::NullSink {
 public:
  SideTableSink(SideTable& table, std::size_t local_budget)
      : table_{table}, local_budget_{local_budget} {}

  /// Before each function; `is_wide` treats it as wide although its signature and locals are not.
  void Prepare(bool is_wide) {
    is_wide_ = is_wide;
    has_narrow_operands_ = false;
    labels_.clear();
  }
  /// Whether the function turned out to be wide after entries had been left out. Its entries are
  /// wrong then, and must be made again.
  bool MustRepeat() const { return !is_wide_ && code_.is_wide && has_narrow_operands_; }
  const FunctionCode& Code() const { return code_; }
  /// Slots of locals that wide functions up to this one need, if that is too many; else 0.
  std::size_t ExcessLocals() const { return excess_locals_; }

  void BeginFunction(const wasm::FunctionInfo& function) {
    is_wide_ = is_wide_ || function.has_vector;
    code_ = {};
    code_.code_offset = function.code_offset;
    code_.code_end = function.code_end;
    code_.parameter_slots = function.parameter_slots;
    code_.local_slots = function.locals->SlotCount();
    code_.result_slots = function.result_slots;
    code_.first_entry = NextEntry();
    locals_ = function.locals;
    labels_.push_back({});
  }

  void EndFunction(const wasm::FunctionSummary& summary) {
    code_.max_stack_slots = summary.max_stack_slots;
    code_.is_wide = summary.has_vector;
    if (!code_.is_wide || MustRepeat()) return;
    const std::size_t first = table_.local_slots.size();
    const std::size_t wanted = first + locals_->Size() + 1;
    if (wanted > local_budget_) {
      excess_locals_ = wanted;
      return;
    }
    code_.first_local_offset = static_cast<std::uint32_t>(first);
    std::uint32_t slot = 0;
    for (std::uint32_t i = 0; i < locals_->Size(); ++i) {
      table_.local_slots.push_back(slot);
      slot += (*locals_)[i].SlotCount();
    }
    table_.local_slots.push_back(slot);
  }

  void BeginBlock(const wasm::BlockInfo& block) {
    Label label;
    if (block.kind == wasm::BlockKind::Loop) {
      label.is_loop = true;
      label.loop_pc = block.body_offset;
      label.loop_entry = NextEntry();
    } else if (block.kind == wasm::BlockKind::If) {
      label.if_entry = NextEntry();
      AddPending(block.opcode_offset, kNone, block.parameter_slots, 0);
      label.result_slots = block.result_slots;
    }
    labels_.push_back(label);
  }

  void Else(std::uint32_t offset, bool is_reachable) {
    Label& label = labels_.back();
    if (is_reachable) {
      const std::uint32_t entry = NextEntry();
      AddPending(offset, label.pending, label.result_slots, 0);
      label.pending = entry;
    }
    Resolve(label.if_entry, offset + 1);
    label.if_entry = kNone;
  }

  void EndBlock(std::uint32_t offset) {
    const Label label = labels_.back();
    labels_.pop_back();
    const std::uint32_t target = labels_.empty() ? offset : offset + 1;
    Resolve(label.if_entry, target);
    Resolve(label.pending, target);
  }

  void Branch(const wasm::BranchInfo& branch) {
    Label& label = labels_[labels_.size() - 1 - branch.depth];
    const std::uint32_t entry = NextEntry();
    if (label.is_loop) {
      table_.entries.push_back({Delta(label.loop_pc, branch.opcode_offset),
                                Delta(label.loop_entry, entry), branch.arity, branch.drop});
      return;
    }
    AddPending(branch.opcode_offset, label.pending, branch.arity, branch.drop);
    label.pending = entry;
  }

  void Drop(ValueType type) { AddWidth(type); }
  void Select(ValueType type) { AddWidth(type); }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  struct Label {
    std::uint32_t pending = kNone;   ///< last entry that leads here, head of a list
    std::uint32_t if_entry = kNone;  ///< of an `if` whose `else` has not come yet
    std::uint32_t loop_pc = 0;
    std::uint32_t loop_entry = 0;
    std::uint32_t result_slots = 0;
    bool is_loop = false;
  };

  static std::int32_t Delta(std::uint32_t to, std::uint32_t from) {
    return static_cast<std::int32_t>(to - from);
  }

  std::uint32_t NextEntry() const { return static_cast<std::uint32_t>(table_.entries.size()); }

  /// An entry whose target is not known yet: until then its deltas hold the branch's offset and
  /// the next entry with the same target.
  void AddPending(std::uint32_t opcode_offset, std::uint32_t next, std::uint32_t arity,
                  std::uint32_t drop) {
    table_.entries.push_back(
        {static_cast<std::int32_t>(opcode_offset), static_cast<std::int32_t>(next), arity, drop});
  }

  /// Sets the target of a list of entries: a byte offset, and the entry to be made next.
  void Resolve(std::uint32_t first, std::uint32_t target) {
    while (first != kNone) {
      BranchEntry& entry = table_.entries[first];
      const auto next = static_cast<std::uint32_t>(entry.table_delta);
      entry.pc_delta = Delta(target, static_cast<std::uint32_t>(entry.pc_delta));
      entry.table_delta = Delta(NextEntry(), first);
      first = next;
    }
  }

  void AddWidth(ValueType type) {
    if (is_wide_) {
      table_.entries.push_back({0, 0, type.SlotCount(), 0});
    } else {
      has_narrow_operands_ = true;
    }
  }

  SideTable& table_;
  const std::size_t local_budget_;
  std::size_t excess_locals_ = 0;
  FunctionCode code_;
  const wasm::LocalTypes* locals_ = nullptr;
  bool is_wide_ = false;
  bool has_narrow_operands_ = false;
  std::vector<Label> labels_;
};

}  // namespace detail

TENON_DECL wasm::Fault BuildSideTable(const wasm::ValidationContext& context, SideTable& out) {
  // A local that is used takes two bytes of code; what exceeds this many times was never used.
  constexpr std::size_t kLocalsPerByte = 8;
  constexpr std::size_t kLeastBudget = 1 << 20;

  const wasm::Module& module = *context.module;
  const auto count = static_cast<std::uint32_t>(module.bodies.size());
  const std::size_t budget = kLeastBudget + kLocalsPerByte * module.bytes.size();
  out = {};
  out.functions.reserve(count);
  wasm::ValidationScratch scratch;
  detail::SideTableSink sink{out, budget};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t first_entry = out.entries.size();
    sink.Prepare(false);
    wasm::Fault fault = ValidateFunction(context, i, scratch, sink);
    if (fault.IsNone() && sink.MustRepeat()) {
      out.entries.resize(first_entry);
      sink.Prepare(true);
      fault = ValidateFunction(context, i, scratch, sink);
    }
    if (fault.IsNone() && sink.ExcessLocals() != 0) {
      fault.code = ErrorCode::LimitExceeded;
      fault.offset = sink.Code().code_offset;
      fault.function = module.imported_functions + i;
      fault.arguments[0] = "locals of functions with vectors";
      fault.arguments[1] = std::uint64_t{sink.ExcessLocals()};
      fault.arguments[2] = std::uint64_t{budget};
    }
    if (!fault.IsNone()) return fault;
    out.functions.push_back(sink.Code());
  }
  out.entries.shrink_to_fit();
  out.local_slots.shrink_to_fit();
  return {};
}

}  // namespace tenon::inline TENON_ABI::interp
