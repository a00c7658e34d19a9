// SPDX-License-Identifier: Apache-2.0
/// @file
/// What body validation tells those who build something while it runs.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// What opened a label. A block that `if` opened is Else behind its `else`.
enum class BlockKind : std::uint8_t { Function, Block, Loop, If, Else };

/// The types of a function's parameters and locals. Memory and time to fill it are linear in the
/// bytes of the body, however many locals a short declaration claims.
class LocalTypes {
 public:
  /// Locals of one type, up to but without index `end`.
  struct Run {
    std::uint32_t end;
    ValueType type;
  };

  /// Parameters and locals together.
  std::uint32_t Size() const { return size_; }
  /// Type of local `index`, which must be below Size().
  ValueType operator[](std::uint32_t index) const {
    return index < expanded_.size() ? expanded_[index] : Find(index);
  }
  /// Slots of all parameters and locals together.
  std::uint32_t SlotCount() const { return slots_; }
  /// Whether any of them is a vector.
  bool HasVector() const { return slots_ != size_; }
  /// Of the locals behind the parameters; neighbours differ in type.
  std::span<const Run> Runs() const { return runs_; }

  /// Starts over with a function's parameters, which take `slots`. Of what is appended, at most
  /// `expansion` types are written out one by one.
  TENON_DECL void Reset(std::span<const ValueType> parameters, std::uint32_t slots,
                        std::uint32_t expansion);
  /// `count` more of one type; the sum must stay below 2^31.
  TENON_DECL void Append(std::uint32_t count, ValueType type);

 private:
  TENON_DECL ValueType Find(std::uint32_t index) const;

  std::uint32_t expansion_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t slots_ = 0;
  FlatArray<ValueType> expanded_;
  FlatArray<Run> runs_;
};

/// A function whose locals have been read.
struct FunctionInfo {
  std::uint32_t function = 0;     ///< index, imports included
  std::uint32_t type = 0;         ///< type index
  std::uint32_t code_offset = 0;  ///< of the first instruction, from the module's first byte
  std::uint32_t code_end = 0;     ///< behind the final `end`
  std::uint32_t parameter_slots = 0;
  std::uint32_t result_slots = 0;
  const LocalTypes* locals = nullptr;  ///< valid until EndFunction returns
  bool has_vector = false;             ///< whether a parameter, local or result is a vector
};

/// A function that has proved valid.
struct FunctionSummary {
  std::uint32_t max_stack_slots = 0;  ///< most slots that operands take at any time; v128 takes 2
  bool has_vector = false;            ///< as in FunctionInfo, or any operand was a vector
};

struct BlockInfo {
  BlockKind kind = BlockKind::Block;
  std::uint32_t opcode_offset = 0;
  std::uint32_t body_offset = 0;  ///< of the first instruction inside
  std::span<const ValueType> parameters;
  std::span<const ValueType> results;
  std::uint32_t parameter_slots = 0;
  std::uint32_t result_slots = 0;
};

struct BranchInfo {
  std::uint32_t opcode_offset = 0;
  std::uint32_t depth = 0;  ///< labels between the branch and its target
  std::uint32_t arity = 0;  ///< slots that stay on the stack
  std::uint32_t drop = 0;   ///< slots beneath them that go
};

/// Receives what ValidateFunction finds in one function, in code order, with every type already
/// checked. All hooks but BeginFunction and EndFunction are called for reachable code only: not
/// behind an unconditional branch up to the end (or else) of its block, nor for blocks that begin
/// there. Code behind `end` counts as reachable wherever the block's beginning was. Unknown until
/// EndFunction is whether the function is valid; on a fault it is not called.
template <class Sink>
concept ValidationSink =
    requires(Sink& sink, const FunctionInfo& function, const FunctionSummary& summary,
             const BlockInfo& block, const BranchInfo& branch, std::uint32_t number, bool flag,
             Opcode opcode, ValueType type) {
      sink.BeginFunction(function);
      sink.EndFunction(summary);
      /// block, loop, if.
      sink.BeginBlock(block);
      /// else: its offset, and whether the code before it can run into it.
      sink.Else(number, flag);
      /// end, the function's too: its offset.
      sink.EndBlock(number);
      /// br, br_if, and each target of br_table (the default last).
      sink.Branch(branch);
      /// br_table, before its targets: offset of the opcode, targets with the default.
      sink.BranchTable(number, number);
      /// return: offset of the opcode.
      sink.Return(number);
      /// drop and select without type: type of the operand.
      sink.Drop(type);
      sink.Select(type);
      /// local.set and local.tee: index.
      sink.SetLocal(number);
      /// call: function index. call_indirect: type index, table index.
      sink.Call(number);
      sink.CallIndirect(number, number);
      /// Any instruction on a memory: which, memory index.
      sink.UseMemory(opcode, number);
    };

/// Listens to nothing. Sinks derive from it and hide what they listen to.
struct NullSink {
  void BeginFunction(const FunctionInfo&) {}
  void EndFunction(const FunctionSummary&) {}
  void BeginBlock(const BlockInfo&) {}
  void Else(std::uint32_t, bool) {}
  void EndBlock(std::uint32_t) {}
  void Branch(const BranchInfo&) {}
  void BranchTable(std::uint32_t, std::uint32_t) {}
  void Return(std::uint32_t) {}
  void Drop(ValueType) {}
  void Select(ValueType) {}
  void SetLocal(std::uint32_t) {}
  void Call(std::uint32_t) {}
  void CallIndirect(std::uint32_t, std::uint32_t) {}
  void UseMemory(Opcode, std::uint32_t) {}
};

static_assert(ValidationSink<NullSink>);

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/validator_sink.ipp>
#endif
