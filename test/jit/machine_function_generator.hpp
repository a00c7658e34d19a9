// SPDX-License-Identifier: Apache-2.0
/// @file
/// Makes machine functions for tests of the register allocator: by hand, and at random.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <tenon/jit/convention.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::test {

/// Builds a machine function block by block.
class MachineFunctionBuilder {
 public:
  struct Block {
    std::vector<std::pair<jit::MachineInstruction, std::vector<jit::Operand>>> instructions;
    std::vector<jit::VirtualId> parameters;
    std::vector<jit::VirtualId> arguments;
    std::vector<std::uint32_t> successors;
    std::uint32_t loop_depth = 0;
    std::uint32_t loop_last = jit::kNone;  ///< headers: the last block of the loop
    bool is_cold = false;
  };

  jit::VirtualId Value(jit::RegisterClass register_class = jit::RegisterClass::Integer,
                       bool is_wide = false) {
    registers.push_back({register_class, is_wide, jit::kNone});
    return static_cast<jit::VirtualId>(registers.size()) - 1;
  }
  jit::VirtualId Vector(bool is_wide = false) { return Value(jit::RegisterClass::Vector, is_wide); }

  std::uint32_t NewBlock(std::uint32_t loop_depth = 0) {
    blocks.emplace_back();
    blocks.back().loop_depth = loop_depth;
    return static_cast<std::uint32_t>(blocks.size()) - 1;
  }

  void Add(std::uint32_t block, std::vector<jit::Operand> operands, jit::RegisterSet clobbers = 0) {
    jit::MachineInstruction instruction;
    instruction.clobbers = clobbers;
    instruction.is_call = clobbers == jit::kCallClobbers;
    blocks[block].instructions.push_back({instruction, std::move(operands)});
  }
  /// An instruction that makes `value` from nothing, again if wanted.
  void AddConstant(std::uint32_t block, jit::VirtualId value) {
    Add(block, {Define(value)});
    constants.push_back(
        {value, block, static_cast<std::uint32_t>(blocks[block].instructions.size()) - 1});
  }
  void Jump(std::uint32_t block, std::uint32_t target, std::vector<jit::VirtualId> arguments = {}) {
    Add(block, {});
    blocks[block].successors = {target};
    blocks[block].arguments = std::move(arguments);
  }
  void Branch(std::uint32_t block, std::vector<std::uint32_t> targets,
              std::vector<jit::Operand> operands) {
    Add(block, std::move(operands));
    blocks[block].successors = std::move(targets);
  }

  static jit::Operand Define(jit::VirtualId value) {
    return {value, jit::OperandRole::Define, jit::OperandPolicy::InRegister, 0};
  }
  static jit::Operand DefineFixed(jit::VirtualId value, jit::Register reg) {
    return {value, jit::OperandRole::Define, jit::OperandPolicy::Fixed, reg};
  }
  static jit::Operand DefineReuse(jit::VirtualId value, std::uint8_t operand) {
    return {value, jit::OperandRole::Define, jit::OperandPolicy::Reuse, operand};
  }
  static jit::Operand Use(jit::VirtualId value) {
    return {value, jit::OperandRole::Use, jit::OperandPolicy::InRegister, 0};
  }
  static jit::Operand UseAny(jit::VirtualId value) {
    return {value, jit::OperandRole::Use, jit::OperandPolicy::Any, 0};
  }
  static jit::Operand UseFixed(jit::VirtualId value, jit::Register reg) {
    return {value, jit::OperandRole::Use, jit::OperandPolicy::Fixed, reg};
  }
  static jit::Operand UseLate(jit::VirtualId value) {
    return {value, jit::OperandRole::LateUse, jit::OperandPolicy::InRegister, 0};
  }
  static jit::Operand Temporary(jit::VirtualId value) {
    return {value, jit::OperandRole::Temporary, jit::OperandPolicy::InRegister, 0};
  }
  static jit::Operand TemporaryFixed(jit::Register reg) {
    return {jit::kNone, jit::OperandRole::Temporary, jit::OperandPolicy::Fixed, reg};
  }

  /// Writes the blocks down in the order `layout`, which begins with 0.
  jit::MachineFunction Finish(const std::vector<std::uint32_t>& layout) const {
    jit::MachineFunction function;
    function.registers.assign(registers.begin(), registers.end());
    function.blocks.resize(blocks.size());
    std::vector<std::uint32_t> place(blocks.size());
    for (std::uint32_t i = 0; i != layout.size(); ++i) place[layout[i]] = i;
    for (std::uint32_t i = 0; i != layout.size(); ++i) {
      const Block& block = blocks[layout[i]];
      jit::MachineBlock& result = function.blocks[i];
      result.first = static_cast<std::uint32_t>(function.instructions.size());
      for (const auto& [instruction, operands] : block.instructions) {
        function.instructions.push_back(instruction);
        jit::MachineInstruction& copy = function.instructions.back();
        copy.first_operand = static_cast<std::uint32_t>(function.operands.size());
        copy.operand_count = static_cast<std::uint8_t>(operands.size());
        function.operands.insert(function.operands.end(), operands.begin(), operands.end());
      }
      result.end = static_cast<std::uint32_t>(function.instructions.size());
      result.parameters = std::span{block.parameters};
      result.arguments = std::span{block.arguments};
      result.loop_depth = block.loop_depth;
      result.is_cold = block.is_cold;
      if (block.loop_last != jit::kNone && place[block.loop_last] >= i) {
        result.loop_end = place[block.loop_last] + 1;
      }
      for (const std::uint32_t successor : block.successors) {
        result.successors.push_back(place[successor]);
        function.blocks[place[successor]].predecessors.push_back(i);
      }
    }
    for (const Constant& constant : constants) {
      function.registers[constant.value].rematerialization =
          function.blocks[place[constant.block]].first + constant.instruction;
    }
    return function;
  }
  jit::MachineFunction Finish() const {
    std::vector<std::uint32_t> layout(blocks.size());
    for (std::uint32_t i = 0; i != layout.size(); ++i) layout[i] = i;
    return Finish(layout);
  }

  struct Constant {
    jit::VirtualId value;
    std::uint32_t block;
    std::uint32_t instruction;
  };
  std::vector<jit::VirtualRegister> registers;
  std::vector<Block> blocks;
  std::vector<Constant> constants;
};

/// What random functions are made of. Probabilities are in percent.
struct GeneratorOptions {
  std::uint32_t instructions = 60;  ///< about
  std::uint32_t nesting = 3;
  std::uint32_t live = 12;       ///< values that uses are chosen from: those defined last
  std::uint32_t parameters = 4;  ///< at most, of a block
  std::uint32_t calls = 8;
  std::uint32_t fixed = 15;
  std::uint32_t constants = 8;
  std::uint32_t vectors = 35;
  std::uint32_t blocks = 15;        ///< how often control flow comes in place of an instruction
  bool has_critical_edges = false;  ///< to blocks without parameters
  bool has_random_layout = false;   ///< of all blocks, not only cold ones
};

/// Makes random functions: structured control flow, every operand defined on all paths to it.
class MachineFunctionGenerator {
 public:
  MachineFunctionGenerator(std::uint64_t seed, const GeneratorOptions& options)
      : options_{options}, random_{seed} {}

  jit::MachineFunction Make() {
    const std::uint32_t entry = builder_.NewBlock();
    std::vector<jit::VirtualId> scope;
    AddParameters(entry, scope);
    left_ = options_.instructions;
    std::uint32_t block = entry;
    while (left_ != 0) block = Sequence(block, scope, 0, 0);
    Return(block, scope);
    return builder_.Finish(Layout());
  }

 private:
  using Builder = MachineFunctionBuilder;
  using Scope = std::vector<jit::VirtualId>;

  std::uint32_t Random(std::uint32_t limit) {
    random_ += 0x9E3779B97F4A7C15u;
    std::uint64_t mixed = random_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return static_cast<std::uint32_t>((mixed ^ (mixed >> 31)) % limit);
  }
  bool Chance(std::uint32_t percent) { return Random(100) < percent; }

  bool IsVector(jit::VirtualId value) const {
    return builder_.registers[value].register_class == jit::RegisterClass::Vector;
  }
  jit::VirtualId NewValue() {
    if (!Chance(options_.vectors)) return builder_.Value();
    return builder_.Vector(Chance(40));
  }
  jit::VirtualId NewLike(jit::VirtualId value) {
    const auto [register_class, is_wide, rematerialization] = builder_.registers[value];
    return builder_.Value(register_class, is_wide);
  }
  jit::VirtualId Pick(const Scope& scope) {
    const auto size = static_cast<std::uint32_t>(scope.size());
    const std::uint32_t window = Chance(5) ? size : std::min(size, options_.live);
    return scope[size - 1 - Random(window)];
  }
  /// A value of the kind of `like`, or kNone.
  jit::VirtualId PickLike(const Scope& scope, jit::VirtualId like) {
    for (int i = 0; i != 20; ++i) {
      const jit::VirtualId value = Pick(scope);
      if (IsVector(value) == IsVector(like) &&
          builder_.registers[value].is_wide == builder_.registers[like].is_wide) {
        return value;
      }
    }
    return jit::kNone;
  }
  jit::Register RandomRegister(bool is_vector) {
    for (;;) {
      const auto reg = static_cast<jit::Register>(Random(16) + (is_vector ? 16 : 0));
      if ((jit::Bit(reg) & jit::kAllocatable) != 0) return reg;
    }
  }

  void AddParameters(std::uint32_t entry, Scope& scope) {
    std::vector<jit::Operand> operands;
    const std::uint32_t integers = Random(7);
    for (std::uint32_t i = 0; i != integers; ++i) {
      scope.push_back(builder_.Value());
      operands.push_back(Builder::DefineFixed(scope.back(), jit::kIntegerParameters[i]));
    }
    const std::uint32_t vectors = Random(5);
    for (std::uint32_t i = 0; i != vectors; ++i) {
      scope.push_back(builder_.Vector(Chance(50)));
      operands.push_back(
          Builder::DefineFixed(scope.back(), static_cast<jit::Register>(jit::kXmm0 + i)));
    }
    builder_.Add(entry, std::move(operands));
    while (scope.size() < 3) {
      scope.push_back(NewValue());
      builder_.Add(entry, {Builder::Define(scope.back())});
    }
  }

  std::uint32_t Sequence(std::uint32_t block, Scope& scope, std::uint32_t nesting,
                         std::uint32_t depth) {
    for (std::uint32_t count = 1 + Random(8); count != 0 && left_ != 0; --count) {
      --left_;
      if (nesting < options_.nesting && Chance(options_.blocks)) {
        switch (Random(5)) {
          case 0:
          case 1:
            block = Loop(block, scope, nesting, depth);
            break;
          case 2:
            ColdExit(block, scope, depth);
            block = last_block_;
            break;
          default:
            block = Conditional(block, scope, nesting, depth);
        }
      } else if (Chance(options_.calls)) {
        Call(block, scope);
      } else if (Chance(options_.constants)) {
        scope.push_back(NewValue());
        builder_.AddConstant(block, scope.back());
      } else {
        Operation(block, scope);
      }
    }
    return block;
  }

  void Call(std::uint32_t block, Scope& scope) {
    std::vector<jit::Operand> operands;
    const std::uint32_t count = Random(6);
    std::uint32_t integers = 0;
    std::uint32_t vectors = 0;
    for (std::uint32_t i = 0; i != count; ++i) {
      const jit::VirtualId value = Pick(scope);
      const jit::Register reg = IsVector(value) ? static_cast<jit::Register>(jit::kXmm0 + vectors++)
                                                : jit::kIntegerParameters[integers++];
      operands.push_back(Builder::UseFixed(value, reg));
    }
    for (std::uint32_t i = Random(4); i != 0 && Chance(40); --i) {
      operands.push_back(Builder::UseAny(Pick(scope)));
    }
    if (Chance(30)) operands.push_back(Builder::Use(Pick(scope)));
    if (Chance(15)) {
      for (const jit::VirtualId value : scope) {
        if (IsVector(value)) continue;
        operands.push_back(Builder::UseLate(value));
        break;
      }
    }
    if (Chance(70)) {
      const jit::VirtualId result = NewValue();
      operands.push_back(Builder::DefineFixed(result, IsVector(result) ? jit::kXmm0 : jit::kRax));
      scope.push_back(result);
    }
    builder_.Add(block, std::move(operands), jit::kCallClobbers);
  }

  void Operation(std::uint32_t block, Scope& scope) {
    std::vector<jit::Operand> operands;
    jit::RegisterSet early = 0;
    jit::RegisterSet late = 0;  // what definitions and temporaries may not have
    const std::uint32_t count = Random(4);
    for (std::uint32_t i = 0; i != count; ++i) {
      jit::Operand operand = Builder::Use(Pick(scope));
      if (i != 0 && Chance(15)) operand.value = operands[i - 1].value;
      if (Chance(20)) operand.role = jit::OperandRole::LateUse;
      if (Chance(30)) operand.policy = jit::OperandPolicy::Any;
      if (Chance(options_.fixed)) {
        const jit::Register reg = RandomRegister(IsVector(operand.value));
        if ((early & jit::Bit(reg)) == 0) {
          operand.policy = jit::OperandPolicy::Fixed;
          operand.fixed = reg;
          early |= jit::Bit(reg);
          if (operand.role == jit::OperandRole::LateUse) late |= jit::Bit(reg);
        }
      }
      operands.push_back(operand);
    }
    if (Chance(12)) {
      if (Chance(50)) {
        operands.push_back(Builder::Temporary(NewValue()));
      } else {
        const jit::Register reg = RandomRegister(Chance(50));
        if (((early | late) & jit::Bit(reg)) == 0) {
          operands.push_back(Builder::TemporaryFixed(reg));
          early |= jit::Bit(reg);
          late |= jit::Bit(reg);
        }
      }
    }
    const std::uint32_t definitions = Chance(80) ? 1 : Random(3);
    bool is_reused = false;
    Scope defined;
    for (std::uint32_t i = 0; i != definitions; ++i) {
      jit::VirtualId value = NewValue();
      if (!is_reused && count != 0 && operands[0].role == jit::OperandRole::Use && Chance(60) &&
          (operands[0].policy != jit::OperandPolicy::Fixed ||
           (late & jit::Bit(operands[0].fixed)) == 0)) {
        value = NewLike(operands[0].value);
        operands.push_back(Builder::DefineReuse(value, 0));
        if (operands[0].policy == jit::OperandPolicy::Fixed) late |= jit::Bit(operands[0].fixed);
        is_reused = true;
      } else {
        operands.push_back(Builder::Define(value));
        const jit::Register reg = RandomRegister(IsVector(value));
        if (Chance(options_.fixed) && (late & jit::Bit(reg)) == 0) {
          operands.back() = Builder::DefineFixed(value, reg);
          late |= jit::Bit(reg);
        }
      }
      defined.push_back(value);
    }
    scope.insert(scope.end(), defined.begin(), defined.end());
    jit::RegisterSet clobbers = 0;
    if (Chance(6)) {
      clobbers = jit::Bit(RandomRegister(Chance(50))) | jit::Bit(RandomRegister(Chance(50)));
      clobbers &= ~late;
    }
    builder_.Add(block, std::move(operands), clobbers);
  }

  std::vector<jit::Operand> Condition(const Scope& scope) {
    std::vector<jit::Operand> operands;
    for (std::uint32_t i = Random(3); i != 0; --i) {
      operands.push_back(Chance(30) ? Builder::UseAny(Pick(scope)) : Builder::Use(Pick(scope)));
    }
    if (Chance(15)) operands.push_back(Builder::Temporary(builder_.Value()));
    return operands;
  }

  /// Leaves the block that goes on in last_block_.
  void ColdExit(std::uint32_t block, const Scope& scope, std::uint32_t depth) {
    const std::uint32_t cold = builder_.NewBlock(depth);
    builder_.blocks[cold].is_cold = true;
    last_block_ = builder_.NewBlock(depth);
    builder_.Branch(block, {cold, last_block_}, Condition(scope));
    Scope inner = scope;
    if (Chance(50)) Operation(cold, inner);
    if (Chance(40)) Call(cold, inner);
    builder_.Add(cold, {Builder::UseAny(Pick(inner))});
  }

  std::uint32_t Conditional(std::uint32_t block, Scope& scope, std::uint32_t nesting,
                            std::uint32_t depth) {
    const std::uint32_t arms = Chance(75) ? 2 : 3 + Random(3);
    const bool is_direct = options_.has_critical_edges && Chance(50);
    std::vector<std::uint32_t> targets;
    for (std::uint32_t i = 0; i != arms; ++i) {
      if (i + 1 == arms && is_direct) break;
      targets.push_back(builder_.NewBlock(depth));
      if (Chance(20)) builder_.blocks[targets.back()].is_cold = true;
    }
    std::vector<jit::VirtualId> parameters;
    if (!is_direct) {
      for (std::uint32_t i = Random(options_.parameters + 1); i != 0; --i) {
        parameters.push_back(NewLike(Pick(scope)));
      }
    }
    const std::uint32_t branching = block;
    std::vector<jit::Operand> condition = Condition(scope);
    std::vector<std::uint32_t> ends;
    std::vector<std::vector<jit::VirtualId>> arguments;
    for (const std::uint32_t target : targets) {
      Scope inner = scope;
      const std::uint32_t end = Sequence(target, inner, nesting + 1, depth);
      ends.push_back(end);
      arguments.push_back(Arguments(parameters, inner, end));
    }
    const std::uint32_t join = builder_.NewBlock(depth);
    for (std::size_t i = 0; i != ends.size(); ++i) builder_.Jump(ends[i], join, arguments[i]);
    if (is_direct) targets.push_back(join);
    builder_.Branch(branching, targets, std::move(condition));
    builder_.blocks[join].parameters = parameters;
    scope.insert(scope.end(), parameters.begin(), parameters.end());
    return join;
  }

  std::vector<jit::VirtualId> Arguments(const std::vector<jit::VirtualId>& parameters, Scope& scope,
                                        std::uint32_t block) {
    std::vector<jit::VirtualId> arguments;
    for (const jit::VirtualId parameter : parameters) {
      jit::VirtualId value = PickLike(scope, parameter);
      if (value == jit::kNone) {
        value = NewLike(parameter);
        if (Chance(50)) {
          builder_.AddConstant(block, value);
        } else {
          builder_.Add(block, {Builder::Define(value)});
        }
        scope.push_back(value);
      }
      arguments.push_back(value);
    }
    return arguments;
  }

  std::uint32_t Loop(std::uint32_t block, Scope& scope, std::uint32_t nesting,
                     std::uint32_t depth) {
    const bool is_direct = options_.has_critical_edges && Chance(50);
    std::vector<jit::VirtualId> parameters;
    if (!is_direct) {
      for (std::uint32_t i = Random(options_.parameters + 1); i != 0; --i) {
        parameters.push_back(NewLike(Pick(scope)));
      }
    }
    const std::uint32_t header = builder_.NewBlock(depth + 1);
    builder_.Jump(block, header, Arguments(parameters, scope, block));
    builder_.blocks[header].parameters = parameters;
    Scope inner = scope;
    inner.insert(inner.end(), parameters.begin(), parameters.end());
    const std::uint32_t end = Sequence(header, inner, nesting + 1, depth + 1);
    // Swaps and rotations of the parameters come about often.
    const bool is_permutation = Chance(40);
    std::uint32_t latch = end;
    std::uint32_t exit;
    if (is_direct) {
      exit = builder_.NewBlock(depth);
      builder_.Branch(end, {header, exit}, Condition(inner));
    } else {
      latch = builder_.NewBlock(depth + 1);
      exit = builder_.NewBlock(depth);
      builder_.Branch(end, {latch, exit}, Condition(inner));
      if (Chance(30)) Operation(latch, inner);
      builder_.Jump(latch, header,
                    Arguments(parameters, is_permutation ? Last(parameters, inner) : inner, latch));
    }
    builder_.blocks[header].loop_last = latch;
    // Values of the body dominate the exit.
    if (Chance(50)) scope = inner_without(inner, latch, end);
    return exit;
  }

  Scope& Last(const std::vector<jit::VirtualId>& parameters, Scope& scope) {
    scope.insert(scope.end(), parameters.begin(), parameters.end());
    return scope;
  }
  /// Values that are also there at the exit: not those of the latch.
  Scope inner_without(const Scope& scope, std::uint32_t latch, std::uint32_t end) const {
    if (latch == end) return scope;
    Scope result;
    for (const jit::VirtualId value : scope) {
      bool is_of_latch = false;
      for (const auto& [instruction, operands] : builder_.blocks[latch].instructions) {
        for (const jit::Operand& operand : operands) {
          is_of_latch |= operand.role == jit::OperandRole::Define && operand.value == value;
        }
      }
      if (!is_of_latch) result.push_back(value);
    }
    return result;
  }

  void Return(std::uint32_t block, const Scope& scope) {
    const jit::VirtualId value = Pick(scope);
    std::vector<jit::Operand> operands{
        Builder::UseFixed(value, IsVector(value) ? jit::kXmm0 : jit::kRax)};
    for (std::uint32_t i = Random(20); i != 0; --i)
      operands.push_back(Builder::UseAny(Pick(scope)));
    builder_.Add(block, std::move(operands));
  }

  std::vector<std::uint32_t> Layout() {
    // Arms of conditionals were made before what they contain: sort by discovery is good enough,
    // cold blocks last, and sometimes anything.
    std::vector<std::uint32_t> hot;
    std::vector<std::uint32_t> cold;
    std::vector<std::uint32_t> stack{0};
    std::vector<bool> seen(builder_.blocks.size());
    std::vector<std::uint32_t> order;
    // Post-order without recursion.
    std::vector<std::size_t> next(builder_.blocks.size());
    seen[0] = true;
    while (!stack.empty()) {
      const std::uint32_t block = stack.back();
      const auto& successors = builder_.blocks[block].successors;
      if (next[block] == successors.size()) {
        order.push_back(block);
        stack.pop_back();
        continue;
      }
      // The way out of a loop first, so that it comes last in reverse post-order.
      const std::uint32_t successor = successors[successors.size() - 1 - next[block]++];
      if (seen[successor]) continue;
      seen[successor] = true;
      stack.push_back(successor);
    }
    std::reverse(order.begin(), order.end());
    for (const std::uint32_t block : order) {
      (builder_.blocks[block].is_cold ? cold : hot).push_back(block);
    }
    hot.insert(hot.end(), cold.begin(), cold.end());
    if (options_.has_random_layout) {
      for (std::size_t i = hot.size(); i > 2; --i) {
        std::swap(hot[i - 1], hot[1 + Random(static_cast<std::uint32_t>(i) - 1)]);
      }
    }
    return hot;
  }

  GeneratorOptions options_;
  std::uint64_t random_;
  MachineFunctionBuilder builder_;
  std::uint32_t left_ = 0;
  std::uint32_t last_block_ = 0;
};

}  // namespace tenon::test
