// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where functions make their frames.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/frame_placement.hpp>
#include <tenon/jit/machine_opcode.hpp>
#include <tenon/jit/register_allocator.hpp>

#include "allocation_checker.hpp"
#include "machine_function_generator.hpp"

namespace {

using namespace tenon::jit;
using tenon::test::AllocationChecker;
using Builder = tenon::test::MachineFunctionBuilder;

/// entry: parameters, branch -> exit | onward; exit: returns a parameter; onward: calls, then uses
/// all of them.
struct EarlyReturn {
  explicit EarlyReturn(std::uint32_t parameters, std::uint32_t calls = 1) {
    std::vector<Operand> operands;
    for (std::uint32_t i = 0; i != parameters; ++i) {
      values.push_back(builder.Value());
      operands.push_back(Builder::DefineFixed(values.back(), kIntegerParameters[i]));
    }
    builder.Add(entry, operands);
    builder.Branch(entry, {exit, onward}, {Builder::Use(values[0])});
    Return(exit, {Builder::UseFixed(values[0], kRax)});
    for (std::uint32_t i = 0; i != calls; ++i) builder.Add(onward, {}, kCallClobbers);
    for (const VirtualId value : values) builder.Add(onward, {Builder::Use(value)});
    Return(onward, {});
  }

  void Return(std::uint32_t block, std::vector<Operand> operands) {
    builder.Add(block, operands);
    builder.blocks[block].instructions.back().first.opcode =
        static_cast<std::uint16_t>(MachineOpcode::Return);
  }

  Builder builder;
  std::vector<VirtualId> values;
  std::uint32_t entry = builder.NewBlock();
  std::uint32_t exit = builder.NewBlock();
  std::uint32_t onward = builder.NewBlock();
};

MachineFunction Place(const Builder& builder) {
  MachineFunction function = builder.Finish();
  RegisterAllocator{}.Run(function);
  FramePlacement{}.Run(function);
  CHECK(AllocationChecker{}.Check(function) == "");
  return function;
}

bool StoresIn(const MachineFunction& function, std::uint32_t block) {
  return std::ranges::any_of(function.moves, [&](const MachineMove& move) {
    return move.to.IsSlot() && move.before >= function.blocks[block].first &&
           move.before < function.blocks[block].end;
  });
}

}  // namespace

TEST_CASE("a way that returns at once has no frame", "[jit][frame_placement]") {
  const EarlyReturn early{1};
  const MachineFunction function = Place(early.builder);
  CHECK(function.frame_block == early.onward);
  CHECK(function.blocks[early.entry].is_frameless);
  CHECK(function.blocks[early.exit].is_frameless);
  CHECK_FALSE(function.blocks[early.onward].is_frameless);
}

TEST_CASE("slots are written where the frame is made", "[jit][frame_placement]") {
  const EarlyReturn early{6};
  const MachineFunction function = Place(early.builder);
  REQUIRE(function.frame_block == early.onward);
  CHECK_FALSE(StoresIn(function, early.entry));
  CHECK_FALSE(StoresIn(function, early.exit));
  CHECK(StoresIn(function, early.onward));
  CHECK(std::ranges::is_sorted(function.moves, {}, &MachineMove::before));
}

TEST_CASE("the frame is made with registers that hold nothing", "[jit][frame_placement]") {
  for (std::uint32_t parameters = 1; parameters <= 6; ++parameters) {
    const EarlyReturn early{parameters, 2};
    const MachineFunction function = Place(early.builder);
    REQUIRE(function.frame_block == early.onward);
    CHECK(function.frame_registers[0] != function.frame_registers[1]);
    for (const Register reg : function.frame_registers) {
      CHECK((Bit(reg) & kAllocatable & ~kCalleeSaved & kAllIntegers) != 0);
      CHECK((Bit(reg) & function.blocks[early.entry].end_registers) == 0);
      CHECK((Bit(reg) & function.blocks[early.onward].begin_registers) == 0);
    }
  }
}

TEST_CASE("several ways that return at once are left one after the other",
          "[jit][frame_placement]") {
  EarlyReturn early{2};
  const std::uint32_t second_exit = early.builder.NewBlock();
  const std::uint32_t last = early.builder.NewBlock();
  auto& instructions = early.builder.blocks[early.onward].instructions;
  early.builder.blocks[last].instructions = instructions;
  instructions.clear();
  early.builder.Branch(early.onward, {second_exit, last}, {Builder::Use(early.values[1])});
  early.Return(second_exit, {Builder::UseFixed(early.values[1], kRax)});
  const MachineFunction function = Place(early.builder);
  CHECK(function.frame_block == last);
  CHECK(function.blocks[early.onward].is_frameless);
  CHECK(function.blocks[second_exit].is_frameless);
}

TEST_CASE("what may be looked at has a frame", "[jit][frame_placement]") {
  SECTION("an exit that calls") {
    EarlyReturn early{1};
    auto& instructions = early.builder.blocks[early.exit].instructions;
    early.builder.Add(early.exit, {}, kCallClobbers);
    std::swap(instructions[0], instructions[1]);
    CHECK(Place(early.builder).frame_block == early.entry);
  }
  SECTION("an entry that may trap") {
    EarlyReturn early{1};
    early.builder.blocks[early.entry].instructions.back().first.wasm_offset = 7;
    const MachineFunction function = Place(early.builder);
    CHECK(function.frame_block == early.entry);
    CHECK_FALSE(function.blocks[early.entry].is_frameless);
  }
  SECTION("a parameter on the stack") {
    EarlyReturn early{1};
    early.builder.blocks[early.entry].instructions.front().first.address.base =
        MachineAddress::kFrameBase;
    CHECK(Place(early.builder).frame_block == early.entry);
  }
}

TEST_CASE("nothing is won where no way returns at once", "[jit][frame_placement]") {
  EarlyReturn early{1};
  early.builder.blocks[early.exit].instructions.clear();
  early.builder.Jump(early.exit, early.onward);
  CHECK(Place(early.builder).frame_block == early.entry);
}

TEST_CASE("a frame is not made again in each round of a loop", "[jit][frame_placement]") {
  EarlyReturn early{1};
  auto& onward = early.builder.blocks[early.onward];
  onward.instructions.back().first.opcode = 0;
  onward.successors = {early.onward, early.exit};
  onward.loop_last = early.onward;
  onward.loop_depth = 1;
  CHECK(Place(early.builder).frame_block == early.entry);
}
