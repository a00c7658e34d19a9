// SPDX-License-Identifier: Apache-2.0
/// @file
/// Instruction selection: from SSA to machine instructions on virtual registers.
///
/// Blocks are walked backwards, so that a value with one use can become part of the instruction
/// that uses it, and what nobody uses is never seen.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/jit/compile_options.hpp>
#include <tenon/jit/flat_array.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/machine_function.hpp>
#include <tenon/jit/machine_opcode.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// Selects for one function at a time; keeps its arrays. One thread at a time.
class Selector {
 public:
  Selector(const wasm::Module& module, const CompileOptions& options)
      : module_{module}, options_{options} {}

  /// Fills `out`, which must be clear. `ir` is verified SSA; edges may be critical.
  TENON_DECL void Run(const Function& ir, MachineFunction& out);
  /// Lets go of what the last function has made large.
  void ReleaseLarge() {
    jit::ReleaseLarge(uses_, last_uses_, positions_, colors_, virtuals_, hoisted_, places_,
                      place_of_block_, first_edge_, edge_places_, edge_positions_, edge_keys_,
                      reversed_);
  }

 private:
  class Draft;

  /// A block to be: of the IR, or one that splits an edge.
  struct Place {
    BlockId block;            ///< of the IR; of an edge: where it comes from
    std::uint32_t successor;  ///< of an edge: which; else kNone
  };

  /// An address in terms of virtual registers.
  struct Address {
    VirtualId base = kNone;
    VirtualId index = kNone;
    std::uint8_t special_base = 0;  ///< MachineAddress::kInstanceBase..., or 0
    std::uint8_t scale = 1;
    std::int32_t displacement = 0;
    std::uint32_t wasm_offset = 0;  ///< of the access, if it may fault
    InlineContext context = 0;      ///< of the same
  };

  /// The last source of an instruction.
  struct Source {
    OperandForm form = OperandForm::Operand;
    VirtualId value = kNone;
    std::uint64_t immediate = 0;
    Address address;
  };

  struct Comparison {
    CompareKind kind = CompareKind::Integer;
    Condition condition = Condition::NotEqual;
    std::uint8_t size = 4;
    VirtualId first = kNone;
    Source second;
  };

  /// An edge, both its blocks in one number, and its position among the target's predecessors.
  struct EdgeKey {
    std::uint64_t edge;
    std::uint32_t position;
  };
  struct Edge {
    BlockId from = kNone;
    std::uint32_t successor = 0;
  };

  /// A way from the entry that returns at once: its own copy of the return, so that it can do
  /// without a frame.
  struct EarlyExit {
    BlockId from = kNone;         ///< block whose jump, or branch, leads to the return
    std::uint32_t successor = 0;  ///< which of its successors that is
    BlockId onward = kNone;  ///< where the entry leads otherwise, if only the entry leads there
  };

  // Preparation.
  void Analyze();
  void FindEarlyExit();
  bool IsReturn(BlockId block) const;
  bool IsHarmless(BlockId block) const;
  bool ExitsEarly(BlockId from, std::uint32_t successor) const {
    return from == early_exit_.from && successor == early_exit_.successor;
  }
  void Arrange();
  void PlaceEdge(BlockId from, std::uint32_t successor);
  void PlaceWaysOut(std::uint32_t depth);
  void NumberEdges();
  std::uint32_t EdgePosition(BlockId from, std::uint32_t successor) const;
  bool NeedsEdgeBlock(BlockId from, std::uint32_t successor) const;

  // Building.
  VirtualId NewVirtual(Type type);
  Draft Emit(MachineOpcode opcode, std::uint8_t size);
  void FlushGroup();
  void MarkRematerializable(VirtualId value);

  // Values.
  const Instruction& At(ValueId value) const { return (*ir_)[value]; }
  ValueId Root(ValueId value) const;
  bool IsIntegerConstant(ValueId value) const;
  bool IsInversion(ValueId value) const;
  bool FitsImmediate(ValueId value, std::uint8_t size, std::uint64_t& immediate) const;
  bool CanAbsorb(ValueId value) const;
  bool CanAbsorbLoad(ValueId value) const;
  VirtualId Use(ValueId value);
  VirtualId DefinitionOf(ValueId value);
  VirtualId MakeConstant(ValueId value);
  void EmitConstant(ValueId value, VirtualId target);
  VirtualId MakeImmediate(std::uint64_t bits);
  Source MakeSource(ValueId value, std::uint8_t size, IrOpcode load);
  Address MemoryAddress(ValueId access);
  Address FieldOf(VirtualId base, std::int32_t displacement) const;
  static Address InstanceField(std::size_t displacement);
  VirtualId LoadField(const Address& address, Type type, VirtualId target = kNone);
  Comparison Compare(ValueId condition);
  bool IsLowByte(ValueId value, std::uint64_t number) const;
  bool FillComparison(ValueId value, Comparison& comparison);

  // Instructions.
  void SelectPlace(std::size_t place);
  void SelectInstruction(ValueId value);
  void SelectTerminator(BlockId block, ValueId value);
  void SelectArguments(BlockId from, std::uint32_t successor);
  void FindSinkable(BlockId from, std::uint32_t successor);
  void SelectEarlyExit();
  void SelectSunk();
  void SelectAdd(ValueId value, std::uint8_t size);
  void SelectReuse(ValueId value, MachineOpcode opcode, std::uint8_t size, bool commutes);
  void SelectAnd(ValueId value, std::uint8_t size);
  void SelectMultiply(ValueId value, std::uint8_t size);
  void SelectShift(ValueId value, MachineOpcode opcode, std::uint8_t size);
  void SelectDivision(ValueId value, std::uint8_t size);
  void SelectBitCount(ValueId value, std::uint8_t size);
  void SelectUnary(ValueId value, MachineOpcode opcode, std::uint8_t size);
  void SelectSelect(ValueId value);
  void SelectLoad(ValueId value);
  void SelectStore(ValueId value);
  void SelectAtomic(ValueId value);
  void SelectPlanned(ValueId value);
  void SelectLocal(ValueId value);
  bool FindSecondLoad(IrOpcode opcode, ValueId (&sources)[3]) const;
  void SelectGlobal(ValueId value);
  void SelectTable(ValueId value);
  void SelectCall(ValueId value);
  void SelectCallIndirect(ValueId value);
  bool ConventionsAgree(std::uint32_t type) const;
  void SelectCallResult(ValueId value);
  void SelectRuntimeCall(ValueId value, std::size_t offset);
  void SelectReturn(std::span<const ValueId> results);
  void SelectParameters();
  VirtualId TableRecord(std::uint32_t table);
  void TrapIf(const Comparison& comparison, TrapCode trap, std::uint32_t wasm_offset);
  void FinishCall(ValueId value, std::uint32_t type, std::span<const ValueId> arguments,
                  std::uint32_t integer_registers, MachineOpcode opcode, std::uint64_t immediate,
                  VirtualId record);

  const wasm::Module& module_;
  const CompileOptions& options_;
  const Function* ir_ = nullptr;
  MachineFunction* out_ = nullptr;
  BlockId block_ = 0;
  InlineContext context_ = 0;  ///< of the instruction that is selected
  std::uint32_t color_ = 0;
  EarlyExit early_exit_;

  FlatArray<std::uint32_t> uses_;       ///< by value
  FlatArray<std::uint32_t> last_uses_;  ///< by value: position in Function::order, at most
  FlatArray<std::uint32_t> positions_;  ///< by block: in Function::order
  FlatArray<std::uint32_t> colors_;     ///< by value: effects before it in its block
  FlatArray<VirtualId> virtuals_;       ///< by value
  FlatArray<VirtualId> hoisted_;        ///< by value: constants made in the entry block
  FlatArray<ValueId> hoisted_values_;
  FlatArray<ValueId> sinkable_;
  FlatArray<Place> places_;
  FlatArray<std::uint32_t> place_of_block_;
  /// Edges out of loops that have no place yet, by the depth of where they lead.
  std::vector<FlatArray<Edge>> ways_out_;
  std::uint32_t ways_out_depth_ = 0;      ///< those from here on are empty
  FlatArray<std::uint32_t> first_edge_;   ///< by block: in edge_places_ and edge_positions_
  FlatArray<std::uint32_t> edge_places_;  ///< machine block of the edge, or kNone
  FlatArray<std::uint32_t> edge_positions_;
  FlatArray<EdgeKey> edge_keys_;  ///< of blocks with many successors
  FlatArray<MachineInstruction> group_;
  FlatArray<MachineInstruction> reversed_;
  std::vector<std::pair<std::uint32_t, VirtualId>> remakes_;  ///< position in group_, value
  std::vector<std::pair<VirtualId, Register>> fixed_;
  VirtualId result_area_ = kNone;  ///< the address that came as hidden parameter
};

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/selection.ipp>
#endif
