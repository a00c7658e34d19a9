// SPDX-License-Identifier: Apache-2.0
/// @file
/// From function bodies to the intermediate representation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/body_facts.hpp>
#include <tenon/jit/bounds_checks.hpp>
#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/inlining_policy.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_builder.hpp>
#include <tenon/jit/known_reads.hpp>
#include <tenon/jit/local_values.hpp>
#include <tenon/jit/opcode_plan.hpp>
#include <tenon/jit/value_numbering.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::jit {

struct FrontEndInput {
  const wasm::Module& module;
  const wasm::ValidationContext& context;
  const ModuleFacts& facts;
  const CompileOptions& options;
};

/// Builds functions one after the other; what it allocates is kept for the next. Not for use by
/// several threads at once.
class FrontEnd {
 public:
  /// Builds the SSA form of a function that has been validated. Blocks are in code order, which is
  /// Function::order; only code that can be reached is there. Deterministic.
  ///
  /// Time is O(n log n) in the bytes of the body and the arguments of phis. If more of the latter
  /// would be needed than kPhiBudget and kPhisPerByte allow (locals times nested blocks, which no
  /// compiler's output comes near), locals live in the frame and need none. False if operands of
  /// blocks alone are too many: blocks with hundreds of results, branched to all over. The function
  /// is unusable then.
  ///
  /// Bodies of small functions of the module stand for their calls (InliningBudget says which);
  /// Function::inline_sites has these calls.
  TENON_DECL bool Build(const FrontEndInput& input, std::uint32_t defined_function, Function& out);

  /// Lets go of what the last function has made large.
  void ReleaseLarge() {
    numbering_.ReleaseLarge();
    dominators_.ReleaseLarge();
    locals_.ReleaseLarge();
    checks_.ReleaseLarge();
    jit::ReleaseLarge(stack_, labels_, edges_, kept_values_, incoming_);
  }

  /// Arguments of phis that any function may have, and as many more for each byte of its code.
  static constexpr std::uint64_t kPhiBudget = 1 << 20;
  static constexpr std::uint64_t kPhisPerByte = 64;

 private:
  /// Which arms of an `if` can be reached from its beginning.
  enum class Arms : std::uint8_t { Both, Then, Else };

  /// A branch to a label whose block does not exist yet, or a way back to a loop.
  struct Edge {
    BlockId from = kNone;
    std::uint32_t successor = 0;    ///< position in Block::successors
    std::uint32_t first_value = 0;  ///< in kept_values_: what the label takes
    std::uint32_t next = kNone;
  };

  struct Label {
    wasm::BlockKind kind = wasm::BlockKind::Block;
    Arms arms = Arms::Both;
    bool is_unreached = false;      ///< begun in code that no path leads to
    bool was_live_in_facts = true;  ///< where it began
    std::uint32_t type = kNone;     ///< type index, or
    Type result = Type::None;       ///< the only result
    std::uint32_t height = 0;       ///< of the operand stack beneath its parameters
    std::uint32_t first_edge = kNone;
    std::uint32_t last_edge = kNone;
    std::uint32_t edge_count = 0;
    BlockId header = kNone;       ///< loops that are branched to
    ValueId first_phi = kNone;    ///< of those, for the parameters
    Edge else_edge;               ///< if: the way to the second arm
    std::uint32_t stamp = 0;      ///< of the last br_table that named it, and
    std::uint32_t successor = 0;  ///< its position there
  };

  /// The body around an inlined one, as it is to go on.
  struct Body {
    const BodyFacts* facts = nullptr;
    std::span<const LoopFacts> loops;
    std::uint32_t next_loop = 0;
    wasm::ByteReader reader{std::span<const std::uint8_t>{}};  ///< of those in bodies_
    std::uint32_t function = 0;                                ///< index
    std::uint32_t first_local = 0;                             ///< local 0 of the body
    std::uint32_t first_label = 0;                             ///< position of the function's label
    std::uint32_t recursion = 0;  ///< bodies of the same function directly around it
    InlineContext context = 0;
  };

  /// Where locals are between blocks.
  enum class Locals : std::uint8_t { InValues, InFrame };

  TENON_DECL bool BuildOnce(std::uint32_t defined_function, bool inlines, Locals locals);

  // Inlining.
  TENON_DECL void CallFunction(std::uint32_t callee);
  TENON_DECL bool WantsInlining(std::uint32_t callee, std::uint32_t& recursion);
  TENON_DECL void BeginInlined(std::uint32_t callee, std::uint32_t recursion);
  TENON_DECL void EndInlined();

  // Instructions.
  TENON_DECL void OpenBody(std::uint32_t defined_function);
  TENON_DECL void ReadLocals();
  TENON_DECL void BeginBody();
  TENON_DECL void Walk();
  TENON_DECL void Translate(std::uint32_t code);
  TENON_DECL void Special(wasm::Opcode opcode);
  TENON_DECL void Pure(IrOpcode opcode, const OpcodePlan& plan);
  TENON_DECL void Access(IrOpcode opcode, const OpcodePlan& plan);
  TENON_DECL void CheckAlignment(ValueId address, std::uint64_t offset, std::uint32_t bytes);
  TENON_DECL void Atomic(wasm::Opcode opcode);
  TENON_DECL void GetGlobal(std::uint32_t index);
  TENON_DECL void SetGlobal(std::uint32_t index);
  TENON_DECL void Call(IrOpcode opcode, std::uint32_t type, std::uint64_t immediate,
                       std::uint32_t operands);
  TENON_DECL void RuntimeCall(IrOpcode opcode, std::uint32_t operands, Type result,
                              std::uint64_t indices);
  TENON_DECL ValueId MemoryBase();
  TENON_DECL void FoldAddress(ValueId& address, std::uint64_t& offset, std::uint32_t bytes) const;
  TENON_DECL void CheckBounds(ValueId address, std::uint64_t end);
  TENON_DECL void AddLargeOffset(ValueId& address, std::uint64_t& offset, std::uint32_t bytes);
  TENON_DECL ValueId Canonical(ValueId value, const OpcodePlan& plan);

  // Control.
  TENON_DECL Label ReadBlockType(wasm::BlockKind kind);
  TENON_DECL void BeginBlock(wasm::BlockKind kind);
  TENON_DECL void BeginLoop(Label& label);
  TENON_DECL void BeginIf(Label& label);
  TENON_DECL void EnterElse();
  TENON_DECL void EndBlock();
  TENON_DECL void EndLoop(Label& label);
  TENON_DECL void Join(Label& label);
  TENON_DECL void Finish();
  TENON_DECL void Branch(std::uint32_t depth);
  TENON_DECL void BranchIf(std::uint32_t depth);
  TENON_DECL void BranchTable();
  TENON_DECL void SkipUnreached();

  TENON_DECL BlockId NewBlock(BlockId dominator);
  TENON_DECL void Enter(BlockId block, bool follows_alone);
  TENON_DECL std::uint32_t KeepValues(std::size_t count);
  TENON_DECL void AddEdge(Label& label, const Edge& edge);
  /// Ends the current block with a conditional branch; positions of the successors are given back.
  TENON_DECL void EndWithBranch(BranchCondition condition, std::uint32_t& if_true,
                                std::uint32_t& if_false);

  std::size_t ParameterCount(const Label& label) const {
    return label.type == kNone ? 0 : input_->module.types[label.type].parameter_count;
  }
  std::size_t ResultCount(const Label& label) const {
    if (label.type == kNone) return label.result == Type::None ? 0 : 1;
    return input_->module.types[label.type].result_count;
  }
  Type ResultType(const Label& label, std::size_t index) const {
    return label.type == kNone ? label.result : TypeOf(input_->module.Results(label.type)[index]);
  }
  /// What a branch to it takes.
  std::size_t Arity(const Label& label) const {
    return label.kind == wasm::BlockKind::Loop ? ParameterCount(label) : ResultCount(label);
  }
  Label& LabelAt(std::uint32_t depth) { return labels_[labels_.size() - 1 - depth]; }

  void Push(ValueId value) { stack_.push_back(value); }
  ValueId Pop() {
    const ValueId value = stack_.back();
    stack_.pop_back();
    return function_->Resolve(value);
  }
  std::uint32_t ReadU32() {
    std::uint32_t value = 0;
    static_cast<void>(reader_.ReadU32(value));
    return value;
  }

  std::uint32_t ReadLocal() { return body_.first_local + ReadU32(); }

  const FrontEndInput* input_ = nullptr;
  Function* function_ = nullptr;
  Body body_;               ///< current
  FlatArray<Body> bodies_;  ///< those around it
  wasm::ByteReader reader_{std::span<const std::uint8_t>{}};
  InliningBudget inlining_;
  bool inlines_ = false;
  bool locals_in_frame_ = false;
  std::uint32_t recursive_bodies_ = 0;  ///< of bodies_ and the current one
  wasm::LocalTypes local_types_;

  ValueNumbering numbering_;
  AncestorTree dominators_;
  LocalValues locals_;
  IrBuilder builder_;
  BoundsChecks checks_;
  KnownReads known_;

  std::uint32_t offset_ = 0;  ///< of the current instruction
  BlockId block_ = kNone;     ///< current
  bool is_live_ = true;       ///< whether the current instruction can be reached
  bool is_live_in_facts_ = true;
  std::uint32_t loop_depth_ = 0;
  ValueId entry_base_ = kNone;  ///< memory.base in the entry block
  ValueId last_parameter_ = kNone;
  std::uint32_t table_stamp_ = 0;
  std::uint64_t phi_budget_ = 0;
  bool is_over_budget_ = false;

  FlatArray<ValueId> stack_;
  FlatArray<Label> labels_;
  FlatArray<Edge> edges_;
  FlatArray<ValueId> kept_values_;
  FlatArray<Edge> incoming_;
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/front_end.ipp>
#include <tenon/jit/front_end_control.ipp>
#include <tenon/jit/front_end_inlining.ipp>
#endif
