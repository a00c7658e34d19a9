// SPDX-License-Identifier: Apache-2.0
/// @file
/// The part of body validation that no sink changes: stacks, immediates and type rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/flat_array.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_plan.hpp>
#include <tenon/wasm/validator_sink.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Most slots that the operands of one function may take; a function that needs more faults with
/// LimitExceeded. Keeps memory bounded: two bytes of code can push a thousand values.
inline constexpr std::uint32_t kMaxOperandSlots = 1'000'000;

namespace detail {

/// A block that is open (core specification 2.0, appendix A.3).
struct ControlFrame {
  BlockKind kind = BlockKind::Block;
  bool is_unreachable = false;    ///< the rest of the block cannot be reached
  bool is_dead = false;           ///< the block begins in code that cannot be reached
  std::uint8_t result_slots = 0;  ///< of an inline type
  ValueType result[2];            ///< of an inline type, for each slot
  std::uint32_t type = kNoIndex;  ///< type index, or kNoIndex if the type is inline
  std::uint32_t height = 0;       ///< words of the operand stack beneath the parameters
};

class BodyState;

}  // namespace detail

/// Buffers of ValidateFunction, kept from function to function. One thread at a time.
class ValidationScratch {
  friend class detail::BodyState;
  FlatArray<std::uint32_t> operands_;
  FlatArray<detail::ControlFrame> frames_;
  LocalTypes locals_;
};

namespace detail {

/// State of the validation of one body. Functions that return bool return false after a fault,
/// which the reader keeps.
///
/// The operand stack holds a word for each slot, so that heights are counted in slots: the bits of
/// the value's type (twice for a vector), or kBottom for a value of any type, which only code that
/// cannot be reached leaves behind.
class BodyState {
 public:
  BodyState(const BodyState&) = delete;
  BodyState& operator=(const BodyState&) = delete;

  const Fault& FirstFault() const { return reader_.FirstFault(); }

 protected:
  static constexpr std::uint32_t kBottom = 0;

  TENON_DECL BodyState(const ValidationContext& context, std::uint32_t defined_function,
                       ValidationScratch& scratch);
  /// A fault at the current instruction.
  bool Fail(ErrorCode code, FaultArgument first = {}, FaultArgument second = {},
            FaultArgument third = {}) {
    return reader_.Fail(code, opcode_offset_, first, second, third);
  }

  // Operands.

  std::uint32_t Height() const { return static_cast<std::uint32_t>(top_ - base_); }

  bool Push(ValueType type) {
    const std::uint32_t slots = type.SlotCount();
    if (static_cast<std::size_t>(high_ - top_) < slots && !Raise(slots)) [[unlikely]] {
      return false;
    }
    *top_++ = type.Bits();
    if (slots == 2) {
      *top_++ = type.Bits();
      has_vector_ = true;
    }
    return true;
  }

  bool Pop(ValueType type) {
    if (top_ != floor_ && top_[-1] == type.Bits()) [[likely]] {
      top_ -= type.SlotCount();
      return true;
    }
    return PopOther(type);
  }

  /// What the opcode table says, immediates aside.
  TENON_DECL bool ApplySignature(const InstructionPlan& plan);
  /// Pops a value of any type, whose bits (or kBottom) it gives.
  TENON_DECL bool PopAny(const char* expected, std::uint32_t& bits);
  bool PushBottom() {
    if (top_ == high_ && !Raise(1)) return false;
    *top_++ = kBottom;
    return true;
  }
  /// Whether the operands on top have these types; `rest` is the top without them.
  bool MatchTop(SlotTypes types, std::uint32_t*& rest) {
    const std::size_t slots = types.size();
    if (static_cast<std::size_t>(top_ - floor_) >= slots) {
      rest = top_ - slots;
      if (slots == 0 || (rest[0] == types[0].Bits() && (slots == 1 || EqualWords(rest, types)))) {
        return true;
      }
    }
    return MatchTopSlowly(types, rest);
  }
  bool PopTypes(SlotTypes types) {
    std::uint32_t* rest = nullptr;
    if (!MatchTop(types, rest)) return false;
    top_ = rest;
    return true;
  }
  /// `has_vector` says whether a vector is among the types.
  bool PushTypes(SlotTypes types, bool has_vector) {
    const std::size_t slots = types.size();
    if (static_cast<std::size_t>(high_ - top_) < slots && !Raise(slots)) return false;
    if (slots == 1) {
      *top_ = types[0].Bits();
    } else if (slots != 0) {
      CopyWords(types);
    }
    top_ += slots;
    has_vector_ |= has_vector;
    return true;
  }

  // Blocks.

  SlotTypes Parameters(const ControlFrame& frame) const {
    return frame.type == kNoIndex ? SlotTypes{} : context_.Parameters(frame.type);
  }
  SlotTypes Results(const ControlFrame& frame) const {
    if (frame.type != kNoIndex) return context_.Results(frame.type);
    return {frame.result, frame.result_slots};
  }
  SlotTypes LabelTypes(const ControlFrame& frame) const {
    return frame.kind == BlockKind::Loop ? Parameters(frame) : Results(frame);
  }
  TENON_DECL BlockInfo Describe(const ControlFrame& frame) const;

  /// Reads a block type and opens the block.
  TENON_DECL bool BeginBlock(BlockKind kind);
  /// Checks what a block leaves on the stack at its `else` or `end`.
  TENON_DECL bool CheckBlockResults(const ControlFrame& frame);
  /// Checks the end of the first arm.
  TENON_DECL bool CheckElse();
  /// Opens the second arm.
  TENON_DECL bool EnterElse();
  TENON_DECL bool CheckEnd();
  /// Closes the innermost block.
  TENON_DECL bool LeaveBlock();
  TENON_DECL void SetUnreachable();

  /// The frame `depth` labels out.
  TENON_DECL bool FindLabel(std::uint32_t depth, const ControlFrame*& frame);
  /// Reads a label; the operands must be what it takes. `rest` is the top without them.
  TENON_DECL bool ReadBranch(BranchInfo& branch, std::uint32_t*& rest);
  /// The next target of a br_table, whose operands stay where they are.
  TENON_DECL bool ReadTableTarget(BranchInfo& branch, bool is_first);
  /// What follows br_if when it is not taken.
  TENON_DECL bool FallThroughBranch(const BranchInfo& branch, std::uint32_t* rest);

  // Instructions by their immediates.

  TENON_DECL bool ReadLocals(FunctionInfo& info);
  /// Constants and lanes.
  TENON_DECL bool ReadImmediate(const InstructionPlan& plan);
  TENON_DECL bool ReadMemoryArgument(const InstructionPlan& plan);
  TENON_DECL bool ReadMemoryIndex();
  TENON_DECL bool ReadLane(std::uint32_t count);
  TENON_DECL bool ReadTable(std::uint32_t& table);
  TENON_DECL bool ReadDataIndex();
  TENON_DECL bool ReadElementIndex(std::uint32_t& element);
  TENON_DECL bool ReadLocal(std::uint32_t& local, ValueType& type);
  TENON_DECL bool ReadGlobal(std::uint32_t& global);
  TENON_DECL bool Select(ValueType& type);
  TENON_DECL bool SelectTyped();
  TENON_DECL bool Call(std::uint32_t& function);
  TENON_DECL bool CallIndirect(std::uint32_t& type, std::uint32_t& table);
  TENON_DECL bool ReferenceInstruction(Opcode opcode);
  TENON_DECL bool TableInstruction(Opcode opcode);
  TENON_DECL bool MemoryInstruction(Opcode opcode);

  const ValidationContext& context_;
  const Module& module_;
  ByteReader reader_;
  FlatArray<ControlFrame>& frames_;
  LocalTypes& locals_;
  std::uint32_t opcode_offset_;
  const std::uint32_t function_;
  bool is_live_ = true;      ///< whether the current instruction can be reached
  bool has_vector_ = false;  ///< whether a vector was seen

  // Of the operand stack: first word, end of the operands, lowest word that the innermost block
  // may pop, and the end at its highest so far (code that cannot be reached left aside).
  std::uint32_t* base_ = nullptr;
  std::uint32_t* top_ = nullptr;
  std::uint32_t* floor_ = nullptr;
  std::uint32_t* high_ = nullptr;

 private:
  TENON_DECL bool PopOther(ValueType type);
  TENON_DECL bool MatchTopSlowly(SlotTypes types, std::uint32_t*& rest);
  static_assert(sizeof(ValueType) == sizeof(std::uint32_t) &&
                std::is_trivially_copyable_v<ValueType>);
  static bool EqualWords(const std::uint32_t* words, SlotTypes types) {
    return std::memcmp(words, types.data(), types.size_bytes()) == 0;
  }
  void CopyWords(SlotTypes types) { std::memcpy(top_, types.data(), types.size_bytes()); }
  /// Values, not slots.
  TENON_DECL std::size_t LabelArity(const ControlFrame& frame) const;
  bool HasVector(std::uint32_t type) const {
    return context_.type_slots[type].parameters + context_.type_slots[type].results !=
           module_.types[type].parameter_count + module_.types[type].result_count;
  }
  bool HasVector(const ControlFrame& frame) const {
    return frame.type == kNoIndex ? frame.result_slots == 2 : HasVector(frame.type);
  }
  TENON_DECL bool Raise(std::size_t slots);
  TENON_DECL void Revive(const ControlFrame& frame);
  ValueType AddressType() const { return module_.HasMemory64() ? ValueType::I64 : ValueType::I32; }
  ValueType TableAddressType(std::uint32_t table) const {
    return module_.tables[table].limits.is_64 ? ValueType::I64 : ValueType::I32;
  }

  FlatArray<std::uint32_t>& operands_;
  std::uint32_t live_high_ = 0;   ///< high_ when code became unreachable
  SlotTypes matched_targets_;     ///< of the current br_table
  std::size_t target_arity_ = 0;  ///< of the current br_table
};

}  // namespace detail
}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/validator_state.ipp>
#endif
