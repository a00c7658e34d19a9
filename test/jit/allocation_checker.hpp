// SPDX-License-Identifier: Apache-2.0
/// @file
/// Checks a register allocation: runs the allocated function on names of values over all paths.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tenon/jit/convention.hpp>
#include <tenon/jit/machine_function.hpp>

namespace tenon::test {

/// Says what is wrong with an allocation. Independent of how allocations are made: every location
/// has the set of virtual registers whose value it holds for certain, at joins what all paths agree
/// on, and each operand must find its value.
class AllocationChecker {
 public:
  /// Empty if all is right.
  std::string Check(const jit::MachineFunction& function) {
    function_ = &function;
    error_.clear();
    used_ = 0;
    if (function.locations.size() != function.operands.size()) return "locations are missing";
    if (!CheckMoves()) return error_;
    const std::size_t blocks = function.blocks.size();
    entry_.assign(blocks, State{});
    is_reached_.assign(blocks, false);
    entry_[0].assign(32 + function.spill_slots, {});
    is_reached_[0] = true;
    // First to a fixpoint, silently, then once more to judge.
    std::vector<std::uint32_t> worklist{0};
    is_judging_ = false;
    while (!worklist.empty()) {
      const std::uint32_t block = worklist.back();
      worklist.pop_back();
      State state = entry_[block];
      RunBlock(block, state);
      for (const std::uint32_t successor : function.blocks[block].successors) {
        if (Merge(block, successor, state)) worklist.push_back(successor);
      }
    }
    is_judging_ = true;
    for (std::uint32_t block = 0; block != blocks && error_.empty(); ++block) {
      if (!is_reached_[block]) continue;
      State state = entry_[block];
      RunBlock(block, state);
    }
    if (error_.empty() && (used_ & ~function.used_registers) != 0) {
      error_ = "used_registers lacks some";
    }
    return error_;
  }

 private:
  using Names = std::vector<std::uint64_t>;  ///< sorted; the upper half of a wide value: + kUpper
  using State = std::vector<Names>;
  static constexpr std::uint64_t kUpper = std::uint64_t{1} << 32;

  void Fail(const std::string& what, std::uint32_t instruction) {
    if (is_judging_ && error_.empty()) {
      error_ = what + " at instruction " + std::to_string(instruction);
    }
  }

  std::size_t Index(jit::Location location) const {
    return location.IsRegister() ? location.AsRegister() : 32u + location.AsSlot();
  }

  static bool Has(const Names& names, std::uint64_t name) {
    return std::binary_search(names.begin(), names.end(), name);
  }

  bool Holds(const State& state, jit::Location location, jit::VirtualId value) const {
    if (!Has(state[Index(location)], value)) return false;
    return location.IsRegister() || !function_->registers[value].is_wide ||
           Has(state[Index(location) + 1], value + kUpper);
  }

  bool IsInRange(jit::Location location, bool is_wide) const {
    if (location.IsNone()) return false;
    if (location.IsRegister()) return true;
    if (is_wide && (location.AsSlot() & 1) != 0) return false;
    return location.AsSlot() + (is_wide ? 2u : 1u) <= function_->spill_slots;
  }

  static bool IsOfClass(jit::Location location, jit::RegisterClass register_class) {
    if (!location.IsRegister()) return true;
    const bool is_vector = location.AsRegister() >= 16;
    if (is_vector != (register_class == jit::RegisterClass::Vector)) return false;
    return (jit::Bit(location.AsRegister()) &
            (jit::kAllocatable | jit::Bit(jit::kScratchVector))) != 0;
  }

  bool CheckMoves() {
    std::uint32_t before = 0;
    for (const jit::MachineMove& move : function_->moves) {
      if (move.before < before || move.before >= function_->instructions.size()) {
        error_ = "moves are not in order";
        return false;
      }
      before = move.before;
      bool is_good = IsInRange(move.to, move.is_wide) && IsOfClass(move.to, move.register_class);
      switch (move.kind) {
        case jit::MoveKind::Copy:
          is_good &=
              IsInRange(move.from, move.is_wide) && IsOfClass(move.from, move.register_class);
          break;
        case jit::MoveKind::Swap:
          is_good &= move.register_class == jit::RegisterClass::Integer && move.to.IsRegister() &&
                     move.from.IsRegister() && IsOfClass(move.from, move.register_class) &&
                     move.from != move.to;
          break;
        case jit::MoveKind::Rematerialize:
          is_good &= move.to.IsRegister() && move.instruction < function_->instructions.size();
          break;
      }
      if (!is_good) {
        error_ = "a bad move before instruction " + std::to_string(move.before);
        return false;
      }
    }
    return true;
  }

  void Write(State& state, jit::Location to, Names low, Names high, bool is_wide) const {
    const std::size_t index = Index(to);
    if (to.IsSlot()) {
      if (is_wide) {
        state[index + 1] = std::move(high);
      } else {
        std::erase_if(low, [&](std::uint64_t name) { return IsWide(name); });
      }
    } else if (!is_wide) {
      std::erase_if(low, [&](std::uint64_t name) { return IsWide(name); });
    }
    state[index] = std::move(low);
  }

  bool IsWide(std::uint64_t name) const {
    return function_->registers[name & (kUpper - 1)].is_wide;
  }

  void RunMove(const jit::MachineMove& move, State& state) {
    for (const jit::Location location : {move.from, move.to}) {
      if (location.IsRegister()) used_ |= jit::Bit(location.AsRegister());
    }
    if (move.kind == jit::MoveKind::Swap) {
      std::swap(state[Index(move.from)], state[Index(move.to)]);
      return;
    }
    if (move.kind == jit::MoveKind::Rematerialize) {
      const jit::MachineInstruction& again = function_->instructions[move.instruction];
      const jit::VirtualId value = function_->operands[again.first_operand].value;
      if (function_->registers[value].rematerialization != move.instruction) {
        Fail("rematerialization of what is not", move.before);
      }
      if (!IsOfClass(move.to, function_->registers[value].register_class)) {
        Fail("rematerialization in the wrong class", move.before);
      }
      state[Index(move.to)] = {value};
      return;
    }
    Names low = state[Index(move.from)];
    Names high;
    if (move.is_wide) {
      if (move.from.IsSlot()) {
        high = state[Index(move.from) + 1];
        // A register holds both halves or nothing.
        std::erase_if(
            low, [&](std::uint64_t name) { return IsWide(name) && !Has(high, name + kUpper); });
      }
      high.clear();
      for (const std::uint64_t name : low) {
        if (IsWide(name)) high.push_back(name + kUpper);
      }
    }
    if (move.from.IsSlot() && move.to.IsSlot()) state[jit::kScratchVector].clear();
    Write(state, move.to, std::move(low), std::move(high), move.is_wide);
  }

  void RunBlock(std::uint32_t block, State& state) {
    const auto& moves = function_->moves;
    const jit::MachineBlock& machine_block = function_->blocks[block];
    auto move = std::lower_bound(moves.begin(), moves.end(), machine_block.first,
                                 [](const jit::MachineMove& candidate, std::uint32_t before) {
                                   return candidate.before < before;
                                 });
    for (std::uint32_t i = machine_block.first; i != machine_block.end; ++i) {
      for (; move != moves.end() && move->before == i; ++move) RunMove(*move, state);
      RunInstruction(i, state);
    }
  }

  void RunInstruction(std::uint32_t index, State& state) {
    using jit::OperandPolicy;
    using jit::OperandRole;
    const jit::MachineInstruction& instruction = function_->instructions[index];
    const jit::Operand* operands = function_->operands.data() + instruction.first_operand;
    const jit::Location* locations = function_->locations.data() + instruction.first_operand;
    jit::RegisterSet early = 0;
    jit::RegisterSet late = 0;
    jit::RegisterSet temporaries = 0;
    jit::RegisterSet defined = 0;
    for (std::uint32_t i = 0; i != instruction.operand_count; ++i) {
      const jit::Operand& operand = operands[i];
      const jit::Location location = locations[i];
      const bool is_fixed = operand.policy == OperandPolicy::Fixed;
      if (location.IsNone()) return Fail("an operand without a place", index);
      if (location.IsSlot()) {
        const bool may_be =
            operand.policy == OperandPolicy::Any &&
            (operand.role == OperandRole::Use || operand.role == OperandRole::LateUse);
        if (!may_be || !IsInRange(location, function_->registers[operand.value].is_wide)) {
          return Fail("a slot where a register is needed", index);
        }
      } else {
        const jit::RegisterSet bit = jit::Bit(location.AsRegister());
        used_ |= bit;
        if ((bit & jit::kAllocatable) == 0) return Fail("a reserved register", index);
        if (!(is_fixed && operand.role == OperandRole::Temporary) &&
            !IsOfClass(location, function_->registers[operand.value].register_class)) {
          return Fail("a register of the wrong class", index);
        }
        if (is_fixed && location.AsRegister() != operand.fixed) {
          return Fail("not the fixed register", index);
        }
        switch (operand.role) {
          case OperandRole::Use:
            early |= bit;
            break;
          case OperandRole::LateUse:
            late |= bit;
            break;
          case OperandRole::Define:
            if ((defined & bit) != 0) return Fail("two definitions in one register", index);
            defined |= bit;
            break;
          case OperandRole::Temporary:
            if ((temporaries & bit) != 0) return Fail("two temporaries in one register", index);
            temporaries |= bit;
            break;
        }
      }
      if (operand.role == OperandRole::Define && operand.policy == OperandPolicy::Reuse &&
          location != locations[operand.fixed]) {
        return Fail("not the reused register", index);
      }
      if ((operand.role == OperandRole::Use || operand.role == OperandRole::LateUse) &&
          !Holds(state, location, operand.value)) {
        return Fail("v" + std::to_string(operand.value) + " is not where it is used", index);
      }
    }
    if ((temporaries & (early | late | defined)) != 0) Fail("a temporary is shared", index);
    if ((late & defined) != 0) Fail("a late use is overwritten by a definition", index);
    if ((late & instruction.clobbers) != 0) Fail("a late use is clobbered", index);
    used_ |= instruction.clobbers;
    for (jit::Register reg = 0; reg != 32; ++reg) {
      if (((instruction.clobbers | temporaries) & jit::Bit(reg)) != 0) state[reg].clear();
    }
    for (std::uint32_t i = 0; i != instruction.operand_count; ++i) {
      if (operands[i].role != OperandRole::Define) continue;
      const std::uint64_t value = operands[i].value;
      Forget(state, value);
      state[Index(locations[i])] = {value};
    }
  }

  static void Forget(State& state, std::uint64_t value) {
    for (Names& names : state) {
      std::erase_if(names, [&](std::uint64_t name) { return (name & (kUpper - 1)) == value; });
    }
  }

  /// What holds at the begin of `to` when it is entered from `from`; whether that is news.
  bool Merge(std::uint32_t from, std::uint32_t to, const State& end) {
    const auto& parameters = function_->blocks[to].parameters;
    const auto& arguments = function_->blocks[from].arguments;
    State state = end;
    if (!parameters.empty()) {
      for (std::size_t place = 0; place != state.size(); ++place) {
        Names added;
        for (std::size_t i = 0; i != parameters.size(); ++i) {
          for (const std::uint64_t half : {std::uint64_t{0}, kUpper}) {
            if (Has(end[place], arguments[i] + half)) added.push_back(parameters[i] + half);
          }
        }
        std::erase_if(state[place], [&](std::uint64_t name) {
          return std::find(parameters.begin(), parameters.end(), name & (kUpper - 1)) !=
                 parameters.end();
        });
        state[place].insert(state[place].end(), added.begin(), added.end());
        std::sort(state[place].begin(), state[place].end());
      }
    }
    if (!is_reached_[to]) {
      is_reached_[to] = true;
      entry_[to] = std::move(state);
      return true;
    }
    bool is_changed = false;
    for (std::size_t place = 0; place != state.size(); ++place) {
      const std::size_t count = entry_[to][place].size();
      std::erase_if(entry_[to][place],
                    [&](std::uint64_t name) { return !Has(state[place], name); });
      is_changed |= entry_[to][place].size() != count;
    }
    return is_changed;
  }

  const jit::MachineFunction* function_ = nullptr;
  std::vector<State> entry_;
  std::vector<bool> is_reached_;
  bool is_judging_ = false;
  jit::RegisterSet used_ = 0;
  std::string error_;
};

}  // namespace tenon::test
