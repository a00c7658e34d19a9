// SPDX-License-Identifier: Apache-2.0
/// @file
/// Runs the intermediate representation, for tests of what makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <tenon/jit/folding.hpp>
#include <tenon/jit/ir.hpp>
#include <tenon/jit/opcode_plan.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon_test {

/// Memory 0 and the globals of an instance. All globals are numbers.
struct IrState {
  std::vector<std::uint8_t> memory;
  std::vector<std::uint64_t> globals;
};

/// Runs a function that has integers only, and calls only itself. Nothing if it traps; throws
/// std::runtime_error where it meets what it does not know, and if a check was left out wrongly.
class IrEvaluator {
 public:
  IrEvaluator(const tenon::jit::Function& function, IrState& state)
      : function_{function}, state_{state} {}

  std::optional<std::vector<std::uint64_t>> Run(std::span<const std::uint64_t> arguments) {
    using namespace tenon::jit;
    std::vector<std::uint64_t> values(function_.instructions.size());
    cells_.assign(function_.local_cells, 0);
    BlockId block = 0;
    BlockId before = kNone;
    while (true) {
      const Block& current = function_.blocks[block];
      EnterBlock(current, before, values);
      ValueId value = current.first;
      while (function_[value].opcode == IrOpcode::Phi) value = function_.next[value];
      for (; value != current.last; value = function_.next[value]) {
        if (!Step(value, values, arguments)) return std::nullopt;
      }
      const Instruction& terminator = function_[current.last];
      std::size_t taken = 0;
      switch (terminator.opcode) {
        case IrOpcode::Trap:
          return std::nullopt;
        case IrOpcode::Return: {
          std::vector<std::uint64_t> results;
          for (const ValueId result : function_.List(terminator)) {
            results.push_back(Read(result, values));
          }
          return results;
        }
        case IrOpcode::Jump:
          break;
        case IrOpcode::Branch:
          taken = Read(terminator.operands[0], values) != 0 ? 0 : 1;
          break;
        default: {
          const auto& targets = function_.switches[terminator.immediate].targets;
          const std::uint64_t index = Read(terminator.operands[0], values);
          taken = targets[index < targets.size() ? index : targets.size() - 1];
          break;
        }
      }
      before = block;
      block = current.successors[taken];
    }
  }

 private:
  using Values = std::vector<std::uint64_t>;

  std::uint64_t Read(tenon::jit::ValueId value, const Values& values) const {
    return IsConstant(function_[value].opcode) ? function_[value].immediate : values[value];
  }

  /// All phis at once.
  void EnterBlock(const tenon::jit::Block& block, tenon::jit::BlockId before, Values& values) {
    using namespace tenon::jit;
    if (before == kNone) return;
    std::size_t edge = 0;
    while (block.predecessors[edge] != before) ++edge;
    incoming_.clear();
    for (ValueId value = block.first; function_[value].opcode == IrOpcode::Phi;
         value = function_.next[value]) {
      incoming_.push_back(Read(function_.List(function_[value])[edge], values));
    }
    std::size_t next = 0;
    for (ValueId value = block.first; function_[value].opcode == IrOpcode::Phi;
         value = function_.next[value]) {
      values[value] = incoming_[next++];
    }
  }

  bool Step(tenon::jit::ValueId value, Values& values, std::span<const std::uint64_t> arguments) {
    using namespace tenon::jit;
    const Instruction& instruction = function_[value];
    const auto operand = [&](std::size_t i) { return Read(instruction.operands[i], values); };
    std::uint64_t& result = values[value];
    switch (instruction.opcode) {
      case IrOpcode::Parameter:
        result = arguments[instruction.immediate];
        return true;
      case IrOpcode::Select:
        result = operand(2) != 0 ? operand(0) : operand(1);
        return true;
      case IrOpcode::MemoryBase:
      case IrOpcode::CheckInterrupt:
        return true;
      case IrOpcode::MemoryBytes:
        result = state_.memory.size();
        return true;
      case IrOpcode::BoundsCheck: {
        const bool is_64 = function_[instruction.operands[0]].type == Type::I64;
        const std::uint64_t address = is_64 ? operand(0) : static_cast<std::uint32_t>(operand(0));
        return address <= UINT64_MAX - instruction.immediate &&
               address + instruction.immediate <= state_.memory.size();
      }
      case IrOpcode::GlobalAddress:
        result = instruction.immediate;
        return true;
      case IrOpcode::LoadLocal:
        result = cells_[instruction.immediate];
        return true;
      case IrOpcode::StoreLocal:
        cells_[instruction.immediate] = operand(0);
        return true;
      case IrOpcode::LoadGlobal:
        result = state_.globals[operand(0)];
        return true;
      case IrOpcode::StoreGlobal:
        state_.globals[operand(0)] = operand(1);
        return true;
      default:
        break;
    }
    const OpcodePlan plan = MakeOpcodePlan(tenon::wasm::Info(ToWasm(instruction.opcode)));
    if (plan.kind == PlanKind::Load || plan.kind == PlanKind::Store) {
      return Access(instruction, plan, values, result);
    }
    if (plan.kind != PlanKind::Unary && plan.kind != PlanKind::Binary) {
      throw std::runtime_error{"cannot run " + std::string{Text(instruction.opcode)}};
    }
    return Evaluate(instruction.opcode, operand(0), plan.kind == PlanKind::Binary ? operand(1) : 0,
                    true, result);
  }

  bool Access(const tenon::jit::Instruction& instruction, const tenon::jit::OpcodePlan& plan,
              const Values& values, std::uint64_t& result) {
    using namespace tenon::jit;
    const std::uint64_t address = static_cast<std::uint32_t>(Read(instruction.operands[0], values));
    const std::uint64_t place = address + static_cast<std::uint32_t>(instruction.immediate);
    if (place + plan.bytes > state_.memory.size()) return false;
    if (plan.kind == PlanKind::Store) {
      const std::uint64_t stored = Read(instruction.operands[1], values);
      std::memcpy(&state_.memory[place], &stored, plan.bytes);
      return true;
    }
    std::uint64_t loaded = 0;
    std::memcpy(&loaded, &state_.memory[place], plan.bytes);
    const std::string_view text = Text(instruction.opcode);
    if (text.ends_with("_s")) {
      const unsigned shift = 64 - 8u * plan.bytes;
      loaded = static_cast<std::uint64_t>(static_cast<std::int64_t>(loaded << shift) >> shift);
      if (plan.result == Type::I32) loaded = static_cast<std::uint32_t>(loaded);
    }
    result = loaded;
    return true;
  }

  const tenon::jit::Function& function_;
  IrState& state_;
  std::vector<std::uint64_t> incoming_;
  std::vector<std::uint64_t> cells_;
};

}  // namespace tenon_test
