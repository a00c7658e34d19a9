// SPDX-License-Identifier: Apache-2.0
/// @file
/// The register allocator, judged by AllocationChecker.

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/register_allocator.hpp>

#include "../support/sanitized.hpp"
#include "allocation_checker.hpp"
#include "machine_function_generator.hpp"

namespace {

using tenon::jit::kAllocatable;
using tenon::jit::kCallClobbers;
using tenon::jit::kCalleeSaved;
using tenon::jit::kNone;
using tenon::jit::kR15;
using tenon::jit::kRax;
using tenon::jit::kRbx;
using tenon::jit::kRcx;
using tenon::jit::kRdi;
using tenon::jit::kRdx;
using tenon::jit::kRsi;
using tenon::jit::kScratchVector;
using tenon::jit::kXmm0;
using tenon::jit::Location;
using tenon::jit::MachineFunction;
using tenon::jit::MachineMove;
using tenon::jit::MoveKind;
using tenon::jit::Operand;
using tenon::jit::ParallelMoves;
using tenon::jit::Register;
using tenon::jit::RegisterAllocator;
using tenon::jit::RegisterClass;
using tenon::jit::VirtualId;
using tenon::test::AllocationChecker;
using tenon::test::GeneratorOptions;
using tenon::test::MachineFunctionGenerator;
using tenon_test::kIsSanitized;
using Builder = tenon::test::MachineFunctionBuilder;

std::string Allocate(MachineFunction& function) {
  RegisterAllocator allocator;
  allocator.Run(function);
  return AllocationChecker{}.Check(function);
}

std::size_t Count(const MachineFunction& function, MoveKind kind) {
  return static_cast<std::size_t>(
      std::count_if(function.moves.begin(), function.moves.end(),
                    [&](const MachineMove& move) { return move.kind == kind; }));
}

GeneratorOptions OptionsOf(std::uint32_t seed) {
  GeneratorOptions options;
  options.instructions = 10 + seed % 7 * 30;
  options.live = 4 + seed % 5 * 9;
  options.nesting = 1 + seed % 4;
  options.parameters = seed % 11 != 0 ? seed % 5 : 25;
  options.has_critical_edges = seed % 3 == 0;
  options.has_random_layout = seed % 6 >= 4;
  options.vectors = seed % 13 == 0 ? 0 : 35;
  options.blocks = 10 + seed % 3 * 15;
  options.calls = seed % 2 * 12;
  return options;
}

/// A loop whose parameters come round in another order.
struct Rotation {
  Rotation(std::uint32_t integers, std::uint32_t vectors, std::uint32_t wides) {
    const std::uint32_t entry = builder.NewBlock();
    const std::uint32_t header = builder.NewBlock(1);
    const std::uint32_t latch = builder.NewBlock(1);
    const std::uint32_t exit = builder.NewBlock();
    std::vector<VirtualId> initial;
    std::vector<VirtualId> rotated;
    auto& parameters = builder.blocks[header].parameters;
    const auto add = [&](std::uint32_t count, RegisterClass register_class, bool is_wide) {
      const std::size_t first = parameters.size();
      for (std::uint32_t i = 0; i != count; ++i) {
        initial.push_back(builder.Value(register_class, is_wide));
        builder.Add(entry, {Builder::Define(initial.back())});
        parameters.push_back(builder.Value(register_class, is_wide));
      }
      for (std::uint32_t i = 0; i != count; ++i) {
        rotated.push_back(parameters[first + (i + 1) % count]);
      }
    };
    add(integers, RegisterClass::Integer, false);
    add(vectors, RegisterClass::Vector, false);
    add(wides, RegisterClass::Vector, true);
    builder.Jump(entry, header, initial);
    builder.Branch(header, {latch, exit}, {});
    builder.Jump(latch, header, rotated);
    builder.blocks[header].loop_last = latch;
    for (const VirtualId parameter : parameters) builder.Add(exit, {Builder::Use(parameter)});
    builder.Add(exit, {});
    function = builder.Finish();
  }
  Builder builder;
  MachineFunction function;
};

}  // namespace

TEST_CASE("random functions are allocated correctly", "[jit][register_allocator][one_thread]") {
  RegisterAllocator allocator;
  AllocationChecker checker;
  for (std::uint32_t seed = 0; seed != (kIsSanitized ? 60 : 500); ++seed) {
    MachineFunction function = MachineFunctionGenerator{seed, OptionsOf(seed)}.Make();
    allocator.Run(function);
    INFO("seed " << seed);
    REQUIRE(checker.Check(function) == "");
  }
}

TEST_CASE("the checker finds corrupted allocations", "[jit][register_allocator][one_thread]") {
  RegisterAllocator allocator;
  AllocationChecker checker;
  std::uint32_t tried[4] = {};
  std::uint32_t found[4] = {};
  for (std::uint32_t seed = 0; seed != (kIsSanitized ? 30 : 90); ++seed) {
    MachineFunction function = MachineFunctionGenerator{seed, OptionsOf(seed)}.Make();
    allocator.Run(function);
    const auto judge = [&](std::size_t kind, const MachineFunction& corrupted) {
      ++tried[kind];
      found[kind] += checker.Check(corrupted) != "" ? 1u : 0u;
    };
    if (!function.moves.empty()) {
      MachineFunction corrupted = function;
      const std::size_t missing = seed % corrupted.moves.size();
      std::rotate(corrupted.moves.begin() + missing, corrupted.moves.begin() + missing + 1,
                  corrupted.moves.end());
      corrupted.moves.pop_back();
      judge(0, corrupted);
    }
    if (!function.locations.empty()) {
      MachineFunction corrupted = function;
      Location& location = corrupted.locations[seed * 7 % corrupted.locations.size()];
      const Register old = location.IsRegister() ? location.AsRegister() : kRax;
      const auto other =
          static_cast<Register>(old < 16 ? (old == kRbx ? kRcx : kRbx) : (old == 30 ? 29 : 30));
      location = Location::InRegister(other);
      judge(1, corrupted);
    }
    if (!function.moves.empty()) {
      MachineFunction corrupted = function;
      MachineMove& move = corrupted.moves[seed * 5 % corrupted.moves.size()];
      if (move.to.IsRegister()) {
        const Register old = move.to.AsRegister();
        move.to = Location::InRegister(
            static_cast<Register>(old < 16 ? (old == kRbx ? kRcx : kRbx) : (old == 30 ? 29 : 30)));
        judge(2, corrupted);
      }
    }
    {
      // Another register is lost by every call.
      MachineFunction corrupted = function;
      bool has_call = false;
      for (auto& instruction : corrupted.instructions) {
        if (instruction.clobbers != kCallClobbers) continue;
        instruction.clobbers |= kCalleeSaved;
        has_call = true;
      }
      if (has_call && (function.used_registers & kCalleeSaved) != 0) judge(3, corrupted);
    }
  }
  for (std::size_t kind = 0; kind != 4; ++kind) {
    INFO(kind << ": " << found[kind] << " of " << tried[kind]);
    CHECK(tried[kind] > (kIsSanitized ? 6 : 20));
    CHECK(found[kind] * 10 > tried[kind] * 6);
  }
}

TEST_CASE("the checker knows each rule", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  const VirtualId a = builder.Value();
  const VirtualId b = builder.Value();
  const VirtualId c = builder.Value();
  const VirtualId temporary = builder.Value();
  builder.Add(block, {Builder::Define(a)});
  builder.Add(block, {Builder::Define(b)});
  builder.Add(block, {Builder::DefineReuse(c, 1), Builder::Use(a), Builder::UseLate(b),
                      Builder::Temporary(temporary)});
  builder.Add(block, {Builder::UseFixed(c, kRax)});
  const auto at = [](Register reg) { return Location::InRegister(reg); };
  const auto make = [&] {
    MachineFunction function = builder.Finish();
    function.locations = {at(kRax), at(kRcx), at(kRax), at(kRax), at(kRcx), at(kRdx), at(kRax)};
    function.used_registers = 0b111;
    return function;
  };
  AllocationChecker checker;
  MachineFunction function = make();
  CHECK(checker.Check(function) == "");
  function.used_registers = 0b011;
  CHECK(checker.Check(function) == "used_registers lacks some");
  function = make();
  function.locations[5] = at(kRcx);
  CHECK(checker.Check(function).starts_with("a temporary is shared"));
  function = make();
  function.locations[2] = at(kRcx);
  CHECK(checker.Check(function).starts_with("not the reused register"));
  function = make();
  function.locations[6] = at(kRdx);
  CHECK(checker.Check(function).starts_with("not the fixed register"));
  function = make();
  function.locations[4] = at(kRdx);
  CHECK(checker.Check(function).starts_with("v1 is not where it is used"));
  function = make();
  function.locations[1] = at(kR15);
  CHECK(checker.Check(function).starts_with("a reserved register"));
  function = make();
  function.locations[1] = at(kXmm0);
  CHECK(checker.Check(function).starts_with("a register of the wrong class"));
  function = make();
  function.instructions[2].clobbers = 0b010;
  CHECK(checker.Check(function).starts_with("a late use is clobbered"));
  function = make();
  function.instructions[1].clobbers = 0b001;
  CHECK(checker.Check(function).starts_with("v0 is not where it is used"));
  function = make();
  function.spill_slots = 1;
  function.locations[4] = Location::InSlot(0);
  CHECK(checker.Check(function).starts_with("a slot where a register is needed"));
}

TEST_CASE("parallel moves are sequenced", "[jit][register_allocator]") {
  // Random partial permutations of words, wide values and registers of both classes, run on
  // numbered contents.
  std::uint64_t random = 1;
  const auto next = [&](std::uint32_t limit) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(random >> 33) % limit;
  };
  ParallelMoves moves;
  for (int round = 0; round != 5000; ++round) {
    // Places: integer registers 0..4, vector registers 16..20, word slots 0..3, wide slots 4, 6, 8.
    // Sources and destinations of a kind are permuted with repeats.
    std::vector<MachineMove> group;
    std::vector<Location> words;
    for (std::uint32_t i = 0; i != 4; ++i) words.push_back(Location::InSlot(i));
    const auto shuffle = [&](std::vector<Location> places) {
      for (std::size_t i = places.size(); i > 1; --i) {
        std::swap(places[i - 1], places[next(static_cast<std::uint32_t>(i))]);
      }
      return places;
    };
    std::vector<Location> integer_places = words;
    for (Register i = 0; i != 5; ++i) integer_places.push_back(Location::InRegister(i));
    std::vector<Location> wide_places;
    for (std::uint32_t i = 4; i != 10; i += 2) wide_places.push_back(Location::InSlot(i));
    for (Register i = 16; i != 21; ++i) wide_places.push_back(Location::InRegister(i));
    const auto add = [&](const std::vector<Location>& places, RegisterClass register_class,
                         bool is_wide) {
      const std::vector<Location> targets = shuffle(places);
      const std::vector<Location> sources = shuffle(places);
      const std::uint32_t count = 1 + next(static_cast<std::uint32_t>(places.size()));
      for (std::uint32_t i = 0; i != count; ++i) {
        MachineMove move;
        move.register_class = register_class;
        move.is_wide = is_wide;
        move.from = next(6) == 0 ? sources[0] : sources[i];
        move.to = targets[i];
        group.push_back(move);
      }
    };
    add(integer_places, RegisterClass::Integer, false);
    add(wide_places, RegisterClass::Vector, true);
    std::vector<std::uint32_t> before(80);
    for (std::uint32_t i = 0; i != before.size(); ++i) before[i] = i + 1;
    const auto index = [](Location location) {
      return location.IsRegister() ? location.AsRegister() : 32 + location.AsSlot();
    };
    moves.Reset(10);
    for (const MachineMove& move : group) moves.Add(move);
    tenon::jit::FlatArray<MachineMove> sequence;
    moves.Flush(7, sequence);
    std::vector<std::uint32_t> after = before;
    for (const MachineMove& move : sequence) {
      REQUIRE(move.before == 7);
      if (move.kind == MoveKind::Swap) {
        REQUIRE((move.from.IsRegister() && move.from.AsRegister() < 16));
        REQUIRE((move.to.IsRegister() && move.to.AsRegister() < 16));
        std::swap(after[index(move.from)], after[index(move.to)]);
        continue;
      }
      after[index(move.to)] = after[index(move.from)];
      if (move.from.IsSlot() && move.to.IsSlot()) after[kScratchVector] = 0;
      if (move.to.IsSlot()) REQUIRE(move.to.AsSlot() < moves.SpillSlots());
    }
    for (const MachineMove& move : group) {
      REQUIRE(after[index(move.to)] == before[index(move.from)]);
    }
  }
}

TEST_CASE("parameters that rotate are moved right", "[jit][register_allocator]") {
  for (const std::uint32_t count : {1u, 2u, 3u, 8u, 20u, 60u}) {
    INFO(count);
    Rotation integers{count, 0, 0};
    CHECK(Allocate(integers.function) == "");
    Rotation vectors{0, count, 0};
    CHECK(Allocate(vectors.function) == "");
    Rotation wides{0, 0, count};
    CHECK(Allocate(wides.function) == "");
    Rotation mixed{count, count, count};
    CHECK(Allocate(mixed.function) == "");
  }
  Rotation swap{2, 0, 0};
  CHECK(Allocate(swap.function) == "");
  CHECK(Count(swap.function, MoveKind::Swap) == 1);
  CHECK(swap.function.moves.size() == 1);
  Rotation vector_swap{0, 2, 0};
  CHECK(Allocate(vector_swap.function) == "");
  CHECK(vector_swap.function.moves.size() == 3);
  CHECK((vector_swap.function.used_registers & tenon::jit::Bit(kScratchVector)) != 0);
}

TEST_CASE("one value goes to several fixed registers", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  const VirtualId value = builder.Value();
  const VirtualId result = builder.Value();
  builder.Add(block, {Builder::DefineFixed(value, kRdx)});
  builder.Add(block,
              {Builder::UseFixed(value, kRdx), Builder::UseFixed(value, kRcx), Builder::Use(value),
               Builder::DefineFixed(result, kRdx)},
              kCallClobbers);
  builder.Add(block, {Builder::UseFixed(value, kRdi), Builder::UseFixed(result, kRsi)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
}

TEST_CASE("values that live across calls are in registers that calls keep",
          "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  std::vector<VirtualId> values;
  for (int i = 0; i != 4; ++i) {
    values.push_back(builder.Value());
    builder.Add(block, {Builder::Define(values.back())});
  }
  builder.Add(block, {}, kCallClobbers);
  builder.Add(block, {}, kCallClobbers);
  for (const VirtualId value : values) builder.Add(block, {Builder::Use(value)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.moves.empty());
  CHECK(function.spill_slots == 0);
  CHECK((function.used_registers & kCalleeSaved) == kCalleeSaved);
}

TEST_CASE("registers that must be saved are avoided", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  std::vector<VirtualId> values;
  for (int i = 0; i != 9; ++i) {
    values.push_back(builder.Value());
    builder.Add(block, {Builder::Define(values.back())});
  }
  for (const VirtualId value : values) builder.Add(block, {Builder::Use(value)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK((function.used_registers & kCalleeSaved) == 0);
}

TEST_CASE("call arguments and results need no moves where hints can do it",
          "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  const VirtualId a = builder.Value();
  const VirtualId b = builder.Value();
  const VirtualId sum = builder.Value();
  const VirtualId result = builder.Value();
  const VirtualId next = builder.Value();
  builder.Add(block, {Builder::DefineFixed(a, kRdx), Builder::DefineFixed(b, kRcx)});
  builder.Add(block, {Builder::DefineReuse(sum, 1), Builder::Use(a), Builder::UseAny(b)});
  builder.Add(block, {Builder::UseFixed(sum, kRdx), Builder::DefineFixed(result, kRax)},
              kCallClobbers);
  builder.Add(block, {Builder::DefineReuse(next, 1), Builder::Use(result)});
  builder.Add(block, {Builder::UseFixed(next, kRax)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.moves.empty());
}

TEST_CASE("a counting loop needs no moves", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t entry = builder.NewBlock();
  const std::uint32_t header = builder.NewBlock(1);
  const std::uint32_t latch = builder.NewBlock(1);
  const std::uint32_t exit = builder.NewBlock();
  const VirtualId start = builder.Value();
  const VirtualId index = builder.Value();
  const VirtualId next = builder.Value();
  builder.Add(entry, {Builder::DefineFixed(start, kRdx)});
  builder.Jump(entry, header, {start});
  builder.blocks[header].parameters = {index};
  builder.blocks[header].loop_last = latch;
  builder.Add(header, {Builder::DefineReuse(next, 1), Builder::Use(index)});
  builder.Branch(header, {latch, exit}, {Builder::Use(next)});
  builder.Jump(latch, header, {next});
  builder.Add(exit, {Builder::Use(next)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.moves.empty());
}

TEST_CASE("what is not used in a loop leaves its register before it", "[jit][register_allocator]") {
  // 12 values for the end, 8 for the loop.
  Builder builder;
  const std::uint32_t entry = builder.NewBlock();
  const std::uint32_t header = builder.NewBlock(1);
  const std::uint32_t latch = builder.NewBlock(1);
  const std::uint32_t exit = builder.NewBlock();
  std::vector<VirtualId> outer;
  std::vector<VirtualId> inner;
  for (int i = 0; i != 20; ++i) {
    auto& values = i < 12 ? outer : inner;
    values.push_back(builder.Value());
    builder.Add(entry, {Builder::Define(values.back())});
  }
  builder.Jump(entry, header);
  builder.blocks[header].loop_last = latch;
  for (const VirtualId value : inner) builder.Add(header, {Builder::Use(value)});
  for (const VirtualId value : inner) {
    builder.Add(header, {Builder::Define(builder.Value()), Builder::Use(value)});
  }
  builder.Branch(header, {latch, exit}, {});
  builder.Jump(latch, header);
  for (const VirtualId value : outer) builder.Add(exit, {Builder::Use(value)});
  builder.Add(exit, {});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  const std::uint32_t loop_first = function.blocks[1].first + 1;
  const std::uint32_t loop_end = function.blocks[2].end;
  CHECK(std::none_of(function.moves.begin(), function.moves.end(), [&](const MachineMove& move) {
    return move.before >= loop_first && move.before < loop_end;
  }));
}

TEST_CASE("forty values at once", "[jit][register_allocator]") {
  for (const bool is_wide : {false, true}) {
    for (const bool is_vector : {false, true}) {
      if (is_wide && !is_vector) continue;
      Builder builder;
      const std::uint32_t block = builder.NewBlock();
      std::vector<VirtualId> values;
      for (int i = 0; i != 40; ++i) {
        values.push_back(is_vector ? builder.Vector(is_wide) : builder.Value());
        builder.Add(block, {Builder::Define(values.back())});
      }
      for (int round = 0; round != 3; ++round) {
        for (std::size_t i = 0; i != values.size(); ++i) {
          builder.Add(block, {Builder::Use(values[i]), Builder::Use(values[(i * 7 + 3) % 40])});
        }
      }
      MachineFunction function = builder.Finish();
      CHECK(Allocate(function) == "");
      CHECK(function.spill_slots <= (is_wide ? 80u : 40u));
    }
  }
}

TEST_CASE("constants are made anew rather than stored", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  std::vector<VirtualId> values;
  for (int i = 0; i != 30; ++i) {
    values.push_back(i % 2 == 0 ? builder.Value() : builder.Vector(true));
    builder.AddConstant(block, values.back());
  }
  builder.Add(block, {}, kCallClobbers);
  for (const VirtualId value : values) builder.Add(block, {Builder::UseAny(value)});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.spill_slots == 0);
  CHECK(Count(function, MoveKind::Copy) == 0);
  CHECK(Count(function, MoveKind::Rematerialize) > 0);
}

TEST_CASE("constants reach parameters that have no register", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t entry = builder.NewBlock();
  const std::uint32_t header = builder.NewBlock(1);
  const std::uint32_t latch = builder.NewBlock(1);
  const std::uint32_t exit = builder.NewBlock();
  const VirtualId zero = builder.Value();
  builder.AddConstant(entry, zero);
  auto& parameters = builder.blocks[header].parameters;
  for (int i = 0; i != 50; ++i) parameters.push_back(builder.Value());
  builder.Jump(entry, header, std::vector<VirtualId>(50, zero));
  builder.blocks[header].loop_last = latch;
  builder.Add(header, {}, kCallClobbers);
  builder.Branch(header, {latch, exit}, {});
  std::vector<VirtualId> arguments = parameters;
  std::reverse(arguments.begin(), arguments.end());
  arguments[7] = zero;
  builder.Jump(latch, header, arguments);
  for (const VirtualId parameter : parameters) builder.Add(exit, {Builder::Use(parameter)});
  builder.Add(exit, {});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
}

TEST_CASE("definitions without uses are legal", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t entry = builder.NewBlock();
  const std::uint32_t next = builder.NewBlock();
  const VirtualId used = builder.Value();
  builder.Add(entry, {Builder::Define(builder.Value()), Builder::Define(builder.Vector())});
  builder.Add(entry, {Builder::DefineFixed(builder.Value(), kRax), Builder::Define(used)});
  builder.Add(entry, {Builder::DefineReuse(builder.Value(), 1), Builder::Use(used)});
  builder.Jump(entry, next, {used, used});
  builder.blocks[next].parameters = {builder.Value(), builder.Value()};
  builder.Add(next, {});
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.spill_slots == 0);
}

TEST_CASE("wide slots are even and slots are used again", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  for (int round = 0; round != 10; ++round) {
    std::vector<VirtualId> values;
    for (int i = 0; i != 24; ++i) {
      values.push_back(i % 3 == 0 ? builder.Value() : builder.Vector(i % 3 == 1));
      builder.Add(block, {Builder::Define(values.back())});
    }
    builder.Add(block, {}, kCallClobbers);
    for (const VirtualId value : values) builder.Add(block, {Builder::UseAny(value)});
  }
  MachineFunction function = builder.Finish();
  CHECK(Allocate(function) == "");
  CHECK(function.spill_slots <= 4 + 8 + 16 + 1);
}

TEST_CASE("allocation does not depend on earlier functions", "[jit][register_allocator]") {
  RegisterAllocator reused;
  for (std::uint32_t seed = 0; seed != 200; ++seed) {
    MachineFunction first = MachineFunctionGenerator{seed, OptionsOf(seed)}.Make();
    MachineFunction second = first;
    reused.Run(first);
    RegisterAllocator fresh;
    fresh.Run(second);
    REQUIRE(first.locations == second.locations);
    REQUIRE(first.moves.size() == second.moves.size());
    for (std::size_t i = 0; i != first.moves.size(); ++i) {
      REQUIRE(first.moves[i].before == second.moves[i].before);
      REQUIRE(first.moves[i].kind == second.moves[i].kind);
      REQUIRE(first.moves[i].from == second.moves[i].from);
      REQUIRE(first.moves[i].to == second.moves[i].to);
    }
    REQUIRE(first.spill_slots == second.spill_slots);
    REQUIRE(first.used_registers == second.used_registers);
  }
}

TEST_CASE("an instruction that cannot be satisfied is refused", "[jit][register_allocator]") {
  Builder builder;
  const std::uint32_t block = builder.NewBlock();
  std::vector<Operand> operands;
  for (int i = 0; i != 14; ++i) {
    const VirtualId value = builder.Value();
    builder.Add(block, {Builder::Define(value)});
    operands.push_back(Builder::Use(value));
  }
  builder.Add(block, operands);
  MachineFunction function = builder.Finish();
  RegisterAllocator allocator;
  CHECK_THROWS_AS(allocator.Run(function), std::logic_error);
}

TEST_CASE("many values that live through many blocks take linear time",
          "[jit][register_allocator]") {
  const auto measure = [](std::uint32_t size) {
    Builder builder;
    const std::uint32_t entry = builder.NewBlock();
    std::vector<VirtualId> values;
    for (std::uint32_t i = 0; i != size; ++i) {
      values.push_back(builder.Value());
      builder.Add(entry, {Builder::Define(values.back())});
    }
    std::uint32_t block = entry;
    for (std::uint32_t i = 0; i != size; ++i) {
      const std::uint32_t arm = builder.NewBlock();
      const std::uint32_t join = builder.NewBlock();
      builder.Branch(block, {arm, join}, {Builder::Use(values[i])});
      builder.Jump(arm, join);
      block = join;
    }
    for (const VirtualId value : values) builder.Add(block, {Builder::Use(value)});
    builder.Add(block, {});
    MachineFunction function = builder.Finish();
    RegisterAllocator allocator;
    double best = 1e9;
    for (int round = 0; round != 3; ++round) {
      const std::clock_t begin = std::clock();
      allocator.Run(function);
      const std::clock_t time = std::clock() - begin;
      best = std::min(best, static_cast<double>(time) / CLOCKS_PER_SEC);
    }
    return best;
  };
  const double small = measure(5000);
  const double large = measure(20000);
  CHECK(large < 10 * small + 0.05);
}
