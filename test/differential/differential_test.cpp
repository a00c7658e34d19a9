// SPDX-License-Identifier: Apache-2.0
/// @file
/// The engines agree on random modules; the modules are what they should be; planted faults are
/// found. TENON_DIFFERENTIAL_MODULES sets how many modules run (default 400).
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/instruction_walker.hpp>

#include "comparison.hpp"

namespace {

using differential::Bytes;
using differential::Choices;
using differential::Comparison;
using differential::Configuration;
using differential::GeneratorOptions;
using differential::Mismatch;
using differential::ParseConfiguration;

std::uint64_t ModuleCount() {
  const char* const text = std::getenv("TENON_DIFFERENTIAL_MODULES");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 400;
}

Bytes ModuleOf(std::uint64_t seed, bool observes_nan_bits = false) {
  Choices choices{seed};
  return differential::GenerateModule(choices, {differential::ProfileOf(seed), observes_nan_bits});
}

void CountInstructions(const Bytes& module, std::vector<std::uint64_t>& counts) {
  tenon::wasm::Module decoded;
  REQUIRE(tenon::wasm::Decode(module, {differential::kFeatures, {}}, decoded).IsNone());
  for (const tenon::wasm::ByteRange body : decoded.bodies) {
    REQUIRE(tenon::wasm::WalkBody(module, body, [&](tenon::wasm::Opcode opcode, std::uint32_t) {
      ++counts[static_cast<std::size_t>(opcode)];
    }));
  }
}

std::optional<Mismatch> FindFault(const std::string& plant, bool reduces) {
  Comparison comparison{*ParseConfiguration("interpreter"),
                        *ParseConfiguration("interpreter,plant=" + plant)};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::optional<Mismatch> mismatch = comparison.Run(seed, std::nullopt, reduces);
    if (mismatch) return mismatch;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("all configurations agree with the interpreter on random modules") {
  const std::vector<Configuration> configurations = differential::AvailableConfigurations();
  REQUIRE(!configurations.empty());
  std::uint64_t first = 1;
  for (const Configuration& configuration : configurations) {
    if (configuration.Text() == configurations.front().Text()) continue;
    Comparison comparison{configurations.front(), configuration};
    const std::uint64_t end = first + ModuleCount();
    for (std::uint64_t seed = first; seed < end; ++seed) {
      const std::optional<Mismatch> mismatch = comparison.Run(seed);
      if (mismatch) FAIL(Report(*mismatch, comparison.A(), comparison.B()));
    }
    CHECK(comparison.Counts().modules == ModuleCount());
    CHECK(comparison.Counts().executions > 8 * ModuleCount());
    first = end;
  }
}

TEST_CASE("all configurations agree on huge functions") {
  const std::vector<Configuration> configurations = differential::AvailableConfigurations();
  for (const Configuration& configuration : configurations) {
    if (configuration.Text() == configurations.front().Text()) continue;
    Comparison comparison{configurations.front(), configuration};
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const std::optional<Mismatch> mismatch =
          comparison.Run(seed, differential::Profile::Huge, false);
      if (mismatch) FAIL(Report(*mismatch, comparison.A(), comparison.B()));
    }
  }
}

TEST_CASE("every instruction occurs in random modules") {
  std::vector<std::uint64_t> counts(tenon::wasm::kOpcodeLimit, 0);
  for (std::uint64_t seed = 1; seed <= 600; ++seed) CountInstructions(ModuleOf(seed), counts);
  for (std::uint32_t code = 0; code < tenon::wasm::kOpcodeLimit; ++code) {
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::FindOpcode(code);
    if (!info.IsValid()) continue;
    INFO(info.text);
    CHECK(counts[code] > 0);
  }
}

TEST_CASE("random modules trap in every way, but mostly return") {
  differential::Engine engine{*ParseConfiguration("interpreter")};
  std::array<std::uint64_t, 32> traps{};
  std::uint64_t calls = 0;
  for (std::uint64_t seed = 1; seed <= 800; ++seed) {
    differential::RunPlan plan;
    plan.seed = seed;
    const differential::Observation seen = engine.Run(ModuleOf(seed), plan);
    REQUIRE(seen.invalid.empty());
    for (std::size_t code = 0; code < traps.size(); ++code) {
      traps[code] += seen.traps_by_code[code];
    }
    calls += seen.executions;
  }
  std::uint64_t all = 0;
  for (const std::uint64_t count : traps) all += count;
  INFO(all << " traps in " << calls);
  CHECK(all * 2 < calls);
  using tenon::TrapCode;
  for (const TrapCode code :
       {TrapCode::Unreachable, TrapCode::OutOfBoundsMemoryAccess, TrapCode::OutOfBoundsTableAccess,
        TrapCode::UndefinedElement, TrapCode::UninitializedElement,
        TrapCode::IndirectCallTypeMismatch, TrapCode::IntegerDivideByZero,
        TrapCode::IntegerOverflow, TrapCode::InvalidConversionToInteger, TrapCode::HostTrap}) {
    INFO(tenon::TrapText(code));
    CHECK(traps[static_cast<std::size_t>(code)] > 0);
  }
}

TEST_CASE("a seed makes the same module every time, on every machine") {
  CHECK(ModuleOf(7) == ModuleOf(7));
  CHECK(ModuleOf(7) != ModuleOf(8));
  Choices recorded{11};
  const GeneratorOptions options;
  const Bytes module = differential::GenerateModule(recorded, options);
  Choices replayed{recorded.Taken()};
  CHECK(differential::GenerateModule(replayed, options) == module);
}

TEST_CASE("any sequence of choices makes a valid module") {
  const tenon::Runtime runtime{tenon::RuntimeConfig{}.WithCoreFeatures(differential::kFeatures)};
  differential::Random random{5};
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint64_t> values(random.Below(600));
    for (std::uint64_t& value : values) value = random.Below(3) == 0 ? 0 : random.Next();
    Choices choices{values};
    const auto profile =
        static_cast<differential::Profile>(random.Below(differential::kProfileNames.size()));
    CHECK_NOTHROW(runtime.CompileModule(differential::GenerateModule(choices, {profile, false})));
  }
}

TEST_CASE("a planted miscompilation is found and reduced") {
  const std::optional<Mismatch> mismatch = FindFault("i32.shr_u:i32.shr_s", true);
  REQUIRE(mismatch);
  CHECK(mismatch->reduced.size() * 2 < mismatch->module.size());
  const std::string report = Report(*mismatch, *ParseConfiguration("interpreter"),
                                    *ParseConfiguration("interpreter,plant=i32.shr_u:i32.shr_s"));
  INFO(report);
  CHECK(report.find("seed ") != std::string::npos);
  CHECK(report.find("i32.shr_u") != std::string::npos);
}

TEST_CASE("planted faults in all kinds of instructions are found") {
  for (const char* const plant :
       {"i64.rem_u:i64.rem_s", "f32.min:f32.max", "f64.lt:f64.le", "i32.ge_u:i32.gt_u",
        "i32.rotl:i32.rotr", "i16x8.avgr_u:i16x8.max_u", "f64x2.pmin:f64x2.pmax",
        "i64.extend8_s:i64.extend16_s", "i8x16.sub_sat_u:i8x16.sub", "f32x4.nearest:f32x4.floor",
        "i32.trunc_sat_f64_u:i32.trunc_sat_f64_s", "i64x2.shr_u:i64x2.shr_s",
        "f32.nearest:f32.trunc"}) {
    INFO(plant);
    CHECK(FindFault(plant, false).has_value());
  }
}
