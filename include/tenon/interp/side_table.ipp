// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of side_table.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>

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
  SideTableSink(const wasm::Module& module, SideTable& table) : module_{module}, table_{table} {}

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

  void BeginFunction(const wasm::FunctionInfo& function) {
    is_wide_ = is_wide_ || function.has_vector;
    code_ = {};
    code_.code_offset = function.code_offset;
    code_.code_end = function.code_end;
    code_.parameter_slots = function.parameter_slots;
    code_.local_slots = function.locals->SlotCount();
    code_.result_slots = function.result_slots;
    code_.first_entry = NextEntry();
    type_ = function.type;
    locals_ = function.locals;
    labels_.push_back({});
  }

  void EndFunction(const wasm::FunctionSummary& summary) {
    code_.max_stack_slots = summary.max_stack_slots;
    code_.is_wide = summary.has_vector;
    if (code_.is_wide && !MustRepeat()) PlaceLocals();
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
  /// Locals that have their place written out even if the code is shorter.
  static constexpr std::uint32_t kLeastPlaces = 16;

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

  void PlaceLocals() {
    const std::uint32_t written_out =
        std::min(locals_->Size(), kLeastPlaces + code_.code_end - code_.code_offset);
    code_.first_place = static_cast<std::uint32_t>(table_.places.size());
    code_.place_count = written_out;
    std::uint32_t slot = 0;
    for (std::uint32_t i = 0; i < written_out; ++i) {
      const ValueType type = (*locals_)[i];
      table_.places.emplace_back(slot, type.IsVector());
      slot += type.SlotCount();
    }
    if (written_out == locals_->Size()) return;

    LocalSearch search;
    search.parameter_count = module_.types[type_].parameter_count;
    search.first_parameter_run = ParameterRuns();
    search.end_parameter_run = search.first_parameter_run + parameter_runs_[type_].count;
    search.first_run = NextRun();
    std::uint32_t end = search.parameter_count;
    slot = code_.parameter_slots;
    for (const wasm::LocalTypes::Run& run : locals_->Runs()) {
      slot += (run.end - end) * run.type.SlotCount();
      end = run.end;
      table_.runs.push_back({end, slot, run.type.IsVector()});
    }
    search.end_run = NextRun();
    code_.search = static_cast<std::uint32_t>(table_.searches.size());
    table_.searches.push_back(search);
  }

  /// The first run of the parameters of the function's type, made when first asked for.
  std::uint32_t ParameterRuns() {
    if (parameter_runs_.empty()) parameter_runs_.resize(module_.types.size());
    RunRange& known = parameter_runs_[type_];
    if (known.count != 0) return known.first;
    known.first = NextRun();
    std::uint32_t end = 0;
    std::uint32_t slot = 0;
    for (const ValueType type : module_.Parameters(type_)) {
      ++end;
      slot += type.SlotCount();
      if (NextRun() == known.first || table_.runs.back().is_vector != type.IsVector()) {
        table_.runs.push_back({end, slot, type.IsVector()});
      } else {
        table_.runs.back().end = end;
        table_.runs.back().end_slot = slot;
      }
    }
    known.count = NextRun() - known.first;
    return known.first;
  }

  std::uint32_t NextRun() const { return static_cast<std::uint32_t>(table_.runs.size()); }

  struct RunRange {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  const wasm::Module& module_;
  SideTable& table_;
  wasm::FlatArray<RunRange> parameter_runs_;  ///< by type
  FunctionCode code_;
  std::uint32_t type_ = 0;
  const wasm::LocalTypes* locals_ = nullptr;
  bool is_wide_ = false;
  bool has_narrow_operands_ = false;
  wasm::FlatArray<Label> labels_;
};

}  // namespace detail

TENON_DECL wasm::Fault BuildSideTable(const wasm::ValidationContext& context, SideTable& out) {
  const wasm::Module& module = *context.module;
  const auto count = static_cast<std::uint32_t>(module.bodies.size());
  out = {};
  out.functions.reserve(count);
  wasm::ValidationScratch scratch;
  detail::SideTableSink sink{module, out};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t first_entry = out.entries.size();
    sink.Prepare(false);
    wasm::Fault fault = ValidateFunction(context, i, scratch, sink);
    if (fault.IsNone() && sink.MustRepeat()) {
      out.entries.resize(first_entry);
      sink.Prepare(true);
      fault = ValidateFunction(context, i, scratch, sink);
    }
    if (!fault.IsNone()) return fault;
    out.functions.push_back(sink.Code());
  }
  out.entries.shrink_to_fit();
  out.places.shrink_to_fit();
  out.searches.shrink_to_fit();
  out.runs.shrink_to_fit();
  return {};
}

TENON_DECL LocalPlace FindLocal(const SideTable& table, std::uint32_t search, std::uint32_t local) {
  const LocalSearch& range = table.searches[search];
  const bool is_parameter = local < range.parameter_count;
  const LocalRun* const runs = table.runs.data();
  const LocalRun& run = *std::upper_bound(
      runs + (is_parameter ? range.first_parameter_run : range.first_run),
      runs + (is_parameter ? range.end_parameter_run : range.end_run), local,
      [](std::uint32_t value, const LocalRun& candidate) { return value < candidate.end; });
  return {run.end_slot - (run.end - local) * (run.is_vector ? 2 : 1), run.is_vector};
}

}  // namespace tenon::inline TENON_ABI::interp
