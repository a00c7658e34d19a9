// SPDX-License-Identifier: Apache-2.0
/// @file
/// The interpreter's guests in a cache directory.
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/tenon.hpp>

#include "../support/guests.hpp"
#include "../support/scratch_directory.hpp"
#include "cached_guest.hpp"

using namespace tenon_test;

namespace {

tenon::RuntimeConfig Interpreter() {
  return tenon::RuntimeConfig{}.WithEngine(tenon::EngineKind::Interpreter);
}

/// "answer" sums 1 to 10 in a loop, behind enough data to be worth keeping.
std::vector<std::uint8_t> LargeModule() {
  guests::Guest guest;
  using guests::CodeBuilder;
  guest.Add("answer", {{}, {guests::kI32}},
            [](CodeBuilder& code) {
              code.I32Const(10).LocalSet(0);
              code.Loop({}, [](CodeBuilder& loop) {
                loop.LocalGet(0).LocalGet(1).Emit(guests::Opcode::I32Add).LocalSet(1);
                loop.LocalGet(0).I32Const(-1).Emit(guests::Opcode::I32Add).LocalTee(0).BrIf(0);
              });
              code.LocalGet(1);
            },
            {guests::kI32, guests::kI32});
  guest.PassiveData(std::string(70'000, 'x'));
  return guest.Build();
}

}  // namespace

TEST_CASE("large modules of the interpreter are kept with their side tables") {
  const ScratchDirectory scratch;
  const auto module = LargeModule();
  const CachedRun first = RunCached(scratch.Path(), module, {}, Interpreter());
  CHECK(first.answer == 55);
  CHECK(first.statistics.writes == 1);
  const CachedRun second = RunCached(scratch.Path(), module, {}, Interpreter());
  CHECK(second.answer == 55);
  CHECK(second.statistics.loads == 1);
  CHECK(second.statistics.misses == 0);
  CHECK(second.problems.empty());
}

TEST_CASE("small modules of the interpreter stay in memory") {
  const ScratchDirectory scratch;
  const CachedRun run = RunCached(scratch.Path(), AnswerModule(7), {}, Interpreter());
  CHECK(run.answer == 7);
  CHECK(run.statistics.writes == 0);
  CHECK(scratch.Files("").empty());
}

TEST_CASE("engines share a directory and keep their entries apart") {
  const ScratchDirectory scratch;
  const auto module = LargeModule();
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (const tenon::RuntimeConfig& config : {Interpreter(), tenon::RuntimeConfig{}}) {
      const CachedRun run = RunCached(scratch.Path(), module, {}, config);
      CHECK(run.answer == 55);
      CHECK(run.statistics.loads == round);
    }
  }
  CHECK(scratch.Files(".tenon").size() == 2);
}

TEST_CASE("flipped bytes of the interpreter's entries are never executed") {
  const ScratchDirectory scratch;
  const auto module = LargeModule();
  RunCached(scratch.Path(), module, {}, Interpreter());
  const std::string file = scratch.Files(".tenon").at(0);
  const auto good = ReadBytes(file);
  std::size_t wrong = 0;
  for (std::size_t i = good.size() - 200; i < good.size(); i += 5) {
    auto bad = good;
    bad[i] ^= 0x10;
    WriteBytes(file, bad);
    const CachedRun run = RunCached(scratch.Path(), module, {}, Interpreter());
    wrong += run.answer == 55 && run.statistics.loads == 0 && ReadBytes(file) == good ? 0 : 1;
  }
  CHECK(wrong == 0);
}
