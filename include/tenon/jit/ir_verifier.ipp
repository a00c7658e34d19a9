// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of ir_verifier.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/ancestor_tree.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/ir_verifier.hpp>
#include <tenon/jit/opcode_plan.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::jit {

namespace detail {

class IrVerifier {
 public:
  IrVerifier(const Function& function, const wasm::Module& module)
      : function_{function}, module_{module} {}

  std::string Run() {
    if (CheckLists() && CheckEdges() && CheckOrder() && CheckInstructions()) return {};
    return std::move(fault_);
  }

 private:
  bool Fail(std::string_view what) {
    fault_ = what;
    if (block_ != kNone) fault_ += " in b" + std::to_string(block_);
    if (value_ != kNone) {
      fault_ += " at instruction " + std::to_string(value_) + " (";
      fault_ += Text(function_[value_].opcode);
      fault_ += ')';
    }
    return false;
  }

  /// The arrays, the lists of instructions, and that order names blocks once.
  bool CheckLists() {
    const std::size_t count = function_.instructions.size();
    if (function_.next.size() != count || function_.previous.size() != count ||
        function_.block_of.size() != count || function_.wasm_offsets.size() != count ||
        function_.contexts.size() != count) {
      return Fail("arrays of different sizes");
    }
    if (function_.order.empty() || function_.order[0] != 0) return Fail("no entry block");
    place_.assign(function_.blocks.size(), kNone);
    position_.assign(count, kNone);
    std::uint32_t position = 0;
    for (std::size_t i = 0; i < function_.order.size(); ++i) {
      block_ = function_.order[i];
      if (block_ >= function_.blocks.size() || place_[block_] != kNone) {
        return Fail("block in the order that does not exist or was there before");
      }
      place_[block_] = static_cast<std::uint32_t>(i);
      const Block& block = function_.blocks[block_];
      ValueId before = kNone;
      bool are_phis_over = false;
      for (value_ = block.first; value_ != kNone; value_ = function_.next[value_]) {
        if (value_ >= count || position_[value_] != kNone) return Fail("broken instruction list");
        position_[value_] = position++;
        if (function_.previous[value_] != before || function_.block_of[value_] != block_) {
          return Fail("links do not fit");
        }
        const IrOpcode opcode = function_[value_].opcode;
        if (opcode >= IrOpcode::Limit || opcode == IrOpcode::Forward || IsConstant(opcode)) {
          return Fail("opcode that cannot stand in a block");
        }
        if (opcode == IrOpcode::Phi && are_phis_over) return Fail("phi behind others");
        are_phis_over = are_phis_over || opcode != IrOpcode::Phi;
        if (IsTerminator(opcode) != (value_ == block.last)) {
          return Fail("terminator missing or not last");
        }
        before = value_;
      }
      if (before != block.last || before == kNone) return Fail("block without terminator");
    }
    block_ = kNone;
    return true;
  }

  std::size_t SuccessorCount(const Instruction& terminator) const {
    switch (terminator.opcode) {
      case IrOpcode::Jump:
        return 1;
      case IrOpcode::Branch:
        return 2;
      default:
        return 0;
    }
  }

  /// Each edge must be named as often by its source as by its target.
  bool CheckEdges() {
    std::vector<std::uint64_t> from_sources;
    std::vector<std::uint64_t> from_targets;
    for (const BlockId id : function_.order) {
      block_ = id;
      const Block& block = function_.blocks[id];
      value_ = block.last;
      const Instruction& terminator = function_[block.last];
      if (terminator.opcode == IrOpcode::Switch) {
        if (!CheckSwitch(block, terminator)) return false;
      } else if (block.successors.size() != SuccessorCount(terminator)) {
        return Fail("wrong number of successors");
      }
      value_ = kNone;
      for (const BlockId successor : block.successors) {
        if (successor >= place_.size() || place_[successor] == kNone) {
          return Fail("successor that is not in the order");
        }
        from_sources.push_back(std::uint64_t{id} << 32 | successor);
      }
      for (const BlockId predecessor : block.predecessors) {
        if (predecessor >= place_.size() || place_[predecessor] == kNone) {
          return Fail("predecessor that is not in the order");
        }
        from_targets.push_back(std::uint64_t{predecessor} << 32 | id);
      }
    }
    block_ = kNone;
    std::sort(from_sources.begin(), from_sources.end());
    std::sort(from_targets.begin(), from_targets.end());
    return from_sources == from_targets || Fail("successors and predecessors do not agree");
  }

  bool CheckSwitch(const Block& block, const Instruction& terminator) {
    if (terminator.immediate >= function_.switches.size()) return Fail("no such switch");
    const FlatArray<std::uint32_t>& targets = function_.switches[terminator.immediate].targets;
    if (targets.empty()) return Fail("switch without targets");
    for (const std::uint32_t target : targets) {
      if (target >= block.successors.size()) return Fail("target that is no successor");
    }
    std::vector<BlockId> successors{block.successors.begin(), block.successors.end()};
    std::sort(successors.begin(), successors.end());
    if (std::adjacent_find(successors.begin(), successors.end()) != successors.end()) {
      return Fail("successor of a switch named twice");
    }
    return true;
  }

  /// Dominators, and that only ways back to a block that dominates go against the order.
  bool CheckOrder() {
    nodes_.assign(function_.blocks.size(), 0);
    for (std::size_t i = 0; i < function_.order.size(); ++i) {
      block_ = function_.order[i];
      const Block& block = function_.blocks[block_];
      std::uint32_t dominator = kNone;
      for (const BlockId predecessor : block.predecessors) {
        if (place_[predecessor] >= i) continue;
        const std::uint32_t node = nodes_[predecessor];
        dominator = dominator == kNone ? node : tree_.NearestCommonAncestor(dominator, node);
      }
      if (i == 0) {
        if (!block.predecessors.empty()) return Fail("entry with predecessors");
      } else if (dominator == kNone) {
        return Fail("block before all its predecessors");
      }
      nodes_[block_] = tree_.Add(i == 0 ? 0 : dominator, block_);
      const BlockId named = i == 0 ? kNone : tree_.Position(dominator);
      if (block.dominator != named) return Fail("wrong dominator");
    }
    for (const BlockId id : function_.order) {
      block_ = id;
      bool has_way_back = false;
      for (const BlockId predecessor : function_.blocks[id].predecessors) {
        if (place_[predecessor] < place_[id]) continue;
        has_way_back = true;
        if (!tree_.IsAncestorOrSelf(nodes_[id], nodes_[predecessor])) {
          return Fail("order is not a reverse post-order");
        }
      }
      if (function_.blocks[id].is_loop_header != has_way_back) return Fail("wrong loop header");
    }
    block_ = kNone;
    return true;
  }

  // Instructions.

  bool CheckInstructions() {
    for (const BlockId id : function_.order) {
      block_ = id;
      for (value_ = function_.blocks[id].first; value_ != kNone; value_ = function_.next[value_]) {
        if (!CheckInstruction(function_[value_])) return false;
      }
    }
    return true;
  }

  /// An operand of some type that is there at the end of `user_block`, or before the current
  /// instruction if that is kNone.
  bool CheckUse(ValueId operand, Type type, BlockId user_block = kNone) {
    if (operand >= function_.instructions.size()) return Fail("operand that does not exist");
    const Instruction& instruction = function_[operand];
    if (instruction.type != type) return Fail("operand of the wrong type");
    if (IsConstant(instruction.opcode)) {
      return function_.block_of[operand] == kNone || Fail("constant in a block");
    }
    if (position_[operand] == kNone) return Fail("operand that stands in no block");
    const BlockId owner = function_.block_of[operand];
    const BlockId user = user_block == kNone ? block_ : user_block;
    if (owner == block_ && user_block == kNone) {
      return position_[operand] < position_[value_] || Fail("operand defined behind its use");
    }
    return tree_.IsAncestorOrSelf(nodes_[owner], nodes_[user]) ||
           Fail("operand that does not dominate its use");
  }

  bool CheckOperands(std::initializer_list<Type> types, Type result) {
    const Instruction& instruction = function_[value_];
    std::size_t i = 0;
    for (const Type type : types) {
      if (!CheckUse(instruction.operands[i++], type)) return false;
    }
    for (; i < 3; ++i) {
      if (instruction.operands[i] != kNone) return Fail("operand too many");
    }
    return instruction.type == result || Fail("wrong result type");
  }

  bool CheckList(std::span<const Type> types, Type result) {
    const Instruction& instruction = function_[value_];
    const auto list = function_.List(instruction);
    if (list.size() != types.size()) return Fail("list of the wrong length");
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!CheckUse(list[i], types[i])) return false;
    }
    return instruction.type == result || Fail("wrong result type");
  }
  bool CheckList(std::initializer_list<Type> types, Type result) {
    return CheckList(std::span<const Type>{types.begin(), types.size()}, result);
  }

  bool CheckCall(std::uint64_t type, bool is_indirect) {
    if (type >= module_.types.size()) return Fail("no such type");
    const auto index = static_cast<std::uint32_t>(type);
    types_.clear();
    for (const ValueType parameter : module_.Parameters(index)) types_.push_back(TypeOf(parameter));
    if (is_indirect) types_.push_back(Type::I32);
    const auto results = module_.Results(index);
    if (!CheckList(types_, results.size() == 1 ? TypeOf(results[0]) : Type::None)) return false;
    if (results.size() < 2) return true;
    ValueId result = value_;
    for (std::size_t i = 0; i < results.size(); ++i) {
      result = function_.next[result];
      if (result == kNone || function_[result].opcode != IrOpcode::CallResult ||
          function_[result].operands[0] != value_ || function_[result].immediate != i ||
          function_[result].type != TypeOf(results[i])) {
        return Fail("results do not follow the call");
      }
    }
    return true;
  }

  bool CheckGlobalAccess(const Instruction& instruction) {
    const ValueId address = instruction.operands[0];
    if (!CheckUse(address, Type::I64)) return false;
    const bool is_load = instruction.opcode == IrOpcode::LoadGlobal;
    if (function_[address].opcode != IrOpcode::GlobalAddress) return true;
    const std::uint64_t index = function_[address].immediate;
    if (index >= module_.globals.size()) return Fail("no such global");
    const Type type = TypeOf(module_.globals[index].type);
    if (is_load) return CheckOperands({Type::I64}, type);
    return CheckOperands({Type::I64, type}, Type::None);
  }

  bool CheckLocalAccess(const Instruction& instruction) {
    const bool is_load = instruction.opcode == IrOpcode::LoadLocal;
    if (instruction.immediate >= function_.local_cells) return Fail("no such cell");
    const ValueId stored = instruction.operands[0];
    if (!is_load && stored >= function_.instructions.size())
      return Fail("operand that is no value");
    const Type type = is_load ? instruction.type : function_[stored].type;
    if (type == Type::None) return Fail("cell without a value");
    if (type == Type::V128 && function_.local_cell_bytes < 16)
      return Fail("cell that is too small");
    return is_load ? CheckOperands({}, type) : CheckOperands({type}, Type::None);
  }

  bool CheckPhi(const Instruction& instruction) {
    const Block& block = function_.blocks[block_];
    if (std::size_t{instruction.operands[0]} + instruction.operands[1] > function_.pool.size()) {
      return Fail("list outside the pool");
    }
    const auto list = function_.List(instruction);
    if (list.size() != block.predecessors.size()) {
      return Fail("phi without an argument for each edge");
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!CheckUse(list[i], instruction.type, block.predecessors[i])) return false;
    }
    return instruction.type != Type::None || Fail("phi without type");
  }

  bool CheckByTable(const Instruction& instruction) {
    const wasm::OpcodeInfo& info = wasm::Info(ToWasm(instruction.opcode));
    if (!info.IsValid() || info.signature == "*") return Fail("opcode that is no instruction");
    const OpcodePlan plan = MakeOpcodePlan(info);
    Type types[3] = {};
    for (std::size_t i = 0; i < plan.operands; ++i) {
      types[i] = TypeOfLetter(info.signature[i], AddressType());
    }
    // The place, not the guest's address.
    if (info.immediate == wasm::Immediate::Atomic) types[0] = Type::I64;
    if (plan.kind == PlanKind::Load || plan.kind == PlanKind::Store) {
      for (std::size_t i = 0; i < plan.operands; ++i) {
        if (!CheckUse(instruction.operands[i], types[i])) return false;
      }
      if (plan.operands == 1 && instruction.operands[1] != kNone) return Fail("operand too many");
      if (!CheckUse(instruction.operands[2], Type::I64)) return false;
      return instruction.type == plan.result || Fail("wrong result type");
    }
    if (plan.kind == PlanKind::Shuffle && instruction.immediate >= function_.vectors.size()) {
      return Fail("no such vector");
    }
    switch (plan.operands) {
      case 1:
        return CheckOperands({types[0]}, plan.result);
      case 2:
        return CheckOperands({types[0], types[1]}, plan.result);
      default:
        return CheckOperands({types[0], types[1], types[2]}, plan.result);
    }
  }

  Type AddressType() const { return module_.HasMemory64() ? Type::I64 : Type::I32; }

  bool CheckInstruction(const Instruction& instruction) {
    const auto low = static_cast<std::uint32_t>(instruction.immediate);
    const auto table = [&](std::uint64_t index) -> Type {
      return index < module_.tables.size() ? TypeOf(module_.tables[index].element) : Type::None;
    };
    if (HasList(instruction.opcode) &&
        std::size_t{instruction.operands[0]} + instruction.operands[1] > function_.pool.size()) {
      return Fail("list outside the pool");
    }
    switch (instruction.opcode) {
      case IrOpcode::Parameter: {
        const auto parameters = module_.Parameters(function_.type);
        if (block_ != 0 || instruction.immediate >= parameters.size()) return Fail("no parameter");
        return CheckOperands({}, TypeOf(parameters[instruction.immediate]));
      }
      case IrOpcode::Phi:
        return CheckPhi(instruction);
      case IrOpcode::CallResult:
        if (instruction.operands[0] >= function_.instructions.size() ||
            !IsCall(function_[instruction.operands[0]].opcode)) {
          return Fail("result of no call");
        }
        return function_.block_of[instruction.operands[0]] == block_ ||
               Fail("result that does not follow its call");
      case IrOpcode::MemoryBase:
      case IrOpcode::MemoryBytes:
      case IrOpcode::GlobalAddress:
      case IrOpcode::RefFunc:
        return CheckOperands({}, Type::I64);
      case IrOpcode::BoundsCheck:
      case IrOpcode::AlignmentCheck:
        return CheckOperands({AddressType()}, Type::None);
      case IrOpcode::MemoryAtomicNotify:
        return CheckList({AddressType(), Type::I32}, Type::I32);
      case IrOpcode::MemoryAtomicWait32:
        return CheckList({AddressType(), Type::I32, Type::I64}, Type::I32);
      case IrOpcode::MemoryAtomicWait64:
        return CheckList({AddressType(), Type::I64, Type::I64}, Type::I32);
      case IrOpcode::AtomicFence:
        return CheckOperands({}, Type::None);
      case IrOpcode::LoadGlobal:
      case IrOpcode::StoreGlobal:
        return CheckGlobalAccess(instruction);
      case IrOpcode::LoadLocal:
      case IrOpcode::StoreLocal:
        return CheckLocalAccess(instruction);
      case IrOpcode::CheckInterrupt:
      case IrOpcode::Trap:
      case IrOpcode::Jump:
        return CheckOperands({}, Type::None);
      case IrOpcode::CanonicalNan:
        if (instruction.type != Type::F32 && instruction.type != Type::F64) {
          return Fail("wrong result type");
        }
        return CheckOperands({instruction.type}, instruction.type);
      case IrOpcode::CanonicalNan32x4:
      case IrOpcode::CanonicalNan64x2:
        return CheckOperands({Type::V128}, Type::V128);
      case IrOpcode::Branch:
      case IrOpcode::Switch:
        return CheckOperands({Type::I32}, Type::None);
      case IrOpcode::Select:
        if (instruction.type == Type::None) return Fail("wrong result type");
        return CheckOperands({instruction.type, instruction.type, Type::I32}, instruction.type);
      case IrOpcode::TableGet:
        return CheckOperands({Type::I32}, table(instruction.immediate));
      case IrOpcode::TableSet:
        return CheckOperands({Type::I32, table(instruction.immediate)}, Type::None);
      case IrOpcode::TableSize:
        return CheckOperands({}, Type::I32);
      case IrOpcode::Call:
        if (instruction.immediate >= module_.functions.size()) return Fail("no such function");
        return CheckCall(module_.functions[instruction.immediate], false);
      case IrOpcode::CallIndirect:
        return CheckCall(low, true);
      case IrOpcode::Return:
        types_.clear();
        for (const ValueType result : module_.Results(function_.type)) {
          types_.push_back(TypeOf(result));
        }
        return CheckList(types_, Type::None);
      case IrOpcode::MemoryGrow:
        return CheckList({AddressType()}, AddressType());
      case IrOpcode::MemoryInit:
        return CheckList({AddressType(), Type::I32, Type::I32}, Type::None);
      case IrOpcode::MemoryCopy:
        return CheckList({AddressType(), AddressType(), AddressType()}, Type::None);
      case IrOpcode::MemoryFill:
        return CheckList({AddressType(), Type::I32, AddressType()}, Type::None);
      case IrOpcode::TableInit:
      case IrOpcode::TableCopy:
        return CheckList({Type::I32, Type::I32, Type::I32}, Type::None);
      case IrOpcode::DataDrop:
      case IrOpcode::ElemDrop:
        return CheckList(std::initializer_list<Type>{}, Type::None);
      case IrOpcode::TableGrow:
        return CheckList({table(low), Type::I32}, Type::I32);
      case IrOpcode::TableFill:
        return CheckList({Type::I32, table(low), Type::I32}, Type::None);
      default:
        return CheckByTable(instruction);
    }
  }

  const Function& function_;
  const wasm::Module& module_;
  std::string fault_;
  BlockId block_ = kNone;  ///< being checked
  ValueId value_ = kNone;
  std::vector<std::uint32_t> place_;     ///< by block: in the order
  std::vector<std::uint32_t> position_;  ///< by instruction: in the text
  std::vector<std::uint32_t> nodes_;     ///< by block: in the tree
  AncestorTree tree_;
  std::vector<Type> types_;
};

}  // namespace detail

TENON_DECL std::string VerifyIr(const Function& function, const wasm::Module& module) {
  return detail::IrVerifier{function, module}.Run();
}

}  // namespace tenon::inline TENON_ABI::jit
