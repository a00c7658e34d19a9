// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine code of vector instructions does what the interpreter does.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/vector_constants.hpp>
#include <tenon/jit/vector_emitter.hpp>

#include "emitter_support.hpp"

namespace {

using namespace emitter_test;
using wasm::Immediate;
using wasm::Opcode;

constexpr std::uint32_t kAssignments = 16;
constexpr std::uint32_t kRounds = 120;

bool IsVectorAccess(const wasm::OpcodeInfo& info) {
  return info.immediate == Immediate::Memory || info.immediate == Immediate::MemoryLane;
}

/// Emits once, runs often, compares with `oracle`.
template <class RunOracle>
void CheckSequence(const wasm::OpcodeInfo& info, CpuFeatures cpu, const VectorOperands& operands,
                   Random& random, std::uint32_t rounds, RunOracle oracle) {
  const Code code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
    jit::EmitVector(out, constants, cpu, info.opcode, operands);
  }};
  CHECK(code.EmittedBytes() <= jit::kMaxSequenceBytes);
  const std::size_t count = info.signature.find(':');
  for (std::uint32_t round = 0; round < rounds; ++round) {
    State state = AnyState(random);
    V128 values[3] = {};
    for (std::size_t i = 0; i < count; ++i) {
      if (operands.operands[i] == jit::kNoRegister) continue;
      values[i] = AnyOperand(random, info.signature[i]);
      if (i > 0 && operands.operands[i] == operands.operands[0]) values[i] = values[0];
      state.Set(operands.operands[i], values[i]);
    }
    const State before = state;
    code.Run(state);
    const V128 expected = oracle(values);
    const V128 actual = state.Get(operands.result);
    if (!ResultMatches(info, values, expected, actual)) {
      FAIL_CHECK(info.text << ", features " << cpu.Bits() << ", lane " << operands.lane << ": "
                           << Hex(values[0]) << "; " << Hex(values[1]) << "; " << Hex(values[2])
                           << " gave " << Hex(actual) << " instead of " << Hex(expected));
      return;
    }
    const std::uint32_t changed = Changed(before, state, MayChange(operands));
    if (changed != 0) {
      FAIL_CHECK(info.text << ", features " << cpu.Bits() << ": changed registers " << changed);
      return;
    }
  }
}

TEST_CASE("every vector instruction computes what the interpreter does", "[jit][one_thread]") {
  Random random{1};
  std::uint32_t instructions = 0;
  for (std::uint32_t code = 0x200; code < 0x300; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    const Oracle oracle = FindOracle(static_cast<Opcode>(code));
    if (!info.IsValid() || oracle == nullptr) continue;
    ++instructions;
    const std::uint32_t lanes = info.immediate == Immediate::Lane ? info.LaneCount() : 1;
    for (const CpuFeatures cpu : FeatureSets()) {
      const VectorPlan plan = jit::PlanVector(info.opcode, cpu);
      for (std::uint32_t lane = 0; lane < lanes; ++lane) {
        for (std::uint32_t i = 0; i < (lanes > 1 ? kAssignments / 4 : kAssignments); ++i) {
          VectorOperands operands = Assign(random, info.signature, plan);
          operands.lane = lane;
          CheckSequence(info, cpu, operands, random, kRounds, [&](const V128* values) {
            TrapCode trap{};
            return oracle(values, static_cast<std::uint8_t>(lane), trap);
          });
        }
      }
    }
  }
  CHECK(instructions == 212);
}

TEST_CASE("vector shifts by a constant compute what the interpreter does", "[jit]") {
  Random random{2};
  std::uint32_t instructions = 0;
  for (std::uint32_t code = 0x200; code < 0x300; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    if (!info.IsValid() || info.signature != "vi:v" || info.immediate != Immediate::None) continue;
    ++instructions;
    for (const CpuFeatures cpu : FeatureSets()) {
      const VectorPlan plan = jit::PlanVector(info.opcode, cpu);
      for (std::uint32_t count = 0; count <= 67; ++count) {
        VectorOperands operands = Assign(random, "v:v", plan);
        operands.lane = count == 67 ? 0xFFFFFFFF : count;
        CheckSequence(info, cpu, operands, random, 40, [&](const V128* values) {
          V128 both[2] = {values[0], {}};
          std::memcpy(both[1].bytes, &operands.lane, 4);
          TrapCode trap{};
          return FindOracle(info.opcode)(both, 0, trap);
        });
      }
    }
  }
  CHECK(instructions == 12);
}

TEST_CASE("v128.const gives its bytes", "[jit]") {
  Random random{3};
  for (const CpuFeatures cpu : FeatureSets()) {
    for (std::uint32_t i = 0; i < 100; ++i) {
      V128 value = AnyVector(random);
      if (i == 0) value = jit::kZeros;
      if (i == 1) value = jit::kOnes;
      VectorOperands operands = Assign(random, ":v", jit::PlanVector(Opcode::V128Const, cpu));
      operands.bytes = &value;
      CheckSequence(wasm::Info(Opcode::V128Const), cpu, operands, random, 1,
                    [&](const V128*) { return value; });
    }
  }
}

void CheckShuffle(Random& random, const V128& lanes) {
  for (const CpuFeatures cpu : FeatureSets()) {
    const VectorPlan plan = jit::PlanVector(Opcode::I8x16Shuffle, cpu);
    for (std::uint32_t i = 0; i < 6; ++i) {
      VectorOperands operands = Assign(random, "vv:v", plan);
      operands.bytes = &lanes;
      CheckSequence(wasm::Info(Opcode::I8x16Shuffle), cpu, operands, random, 4,
                    [&](const V128* values) {
                      return tenon::interp::I8x16Shuffle(values[0], values[1], lanes.bytes);
                    });
    }
  }
}

/// Moves groups of `size` bytes.
V128 GroupShuffle(std::uint32_t size, const std::uint32_t* groups) {
  V128 lanes;
  for (std::uint32_t i = 0; i < 16; ++i) {
    lanes.bytes[i] = static_cast<std::uint8_t>(groups[i / size] * size + i % size);
  }
  return lanes;
}

TEST_CASE("shuffles of every kind move the right lanes", "[jit][one_thread]") {
  Random random{4};
  SECTION("groups of any size, of one operand or both") {
    for (std::uint32_t i = 0; i < 3000; ++i) {
      const std::uint32_t size = 1u << random.Below(4);
      const std::uint32_t choice = random.Below(3);
      std::uint32_t groups[16];
      for (std::uint32_t& group : groups) {
        group = random.Below(16 / size);
        if (choice == 1 || (choice == 2 && random.Below(2) == 0)) group += 16 / size;
      }
      CheckShuffle(random, GroupShuffle(size, groups));
    }
  }
  SECTION("rotations") {
    for (std::uint32_t first = 0; first < 32; ++first) {
      for (const std::uint32_t modulus : {16u, 32u}) {
        std::uint32_t groups[16];
        for (std::uint32_t i = 0; i < 16; ++i) groups[i] = (first + i) % modulus;
        CheckShuffle(random, GroupShuffle(1, groups));
        for (std::uint32_t& group : groups) group ^= 16;
        CheckShuffle(random, GroupShuffle(1, groups));
      }
    }
  }
  SECTION("interleavings") {
    for (std::uint32_t size = 1; size <= 8; size *= 2) {
      for (std::uint32_t variant = 0; variant < 8; ++variant) {
        const std::uint32_t half = (variant & 1) != 0 ? 8 / size : 0;
        std::uint32_t groups[16] = {};
        for (std::uint32_t i = 0; i < 16 / size; ++i) {
          const bool is_second = (variant & 4) == 0 && (i % 2 == 0) == ((variant & 2) != 0);
          groups[i] = half + i / 2 + (is_second ? 16 / size : 0);
        }
        CheckShuffle(random, GroupShuffle(size, groups));
      }
    }
  }
  SECTION("blends, halves of words, two lanes of each operand") {
    for (std::uint32_t i = 0; i < 600; ++i) {
      std::uint32_t groups[8];
      for (std::uint32_t k = 0; k < 8; ++k) groups[k] = k + 8 * random.Below(2);
      CheckShuffle(random, GroupShuffle(2, groups));
      const std::uint32_t first = random.Below(2) * 4;
      for (std::uint32_t k = 0; k < 8; ++k) {
        groups[k] = k - first < 4 ? first + random.Below(4) : k;
      }
      CheckShuffle(random, GroupShuffle(2, groups));
      for (std::uint32_t k = 0; k < 4; ++k) {
        groups[k] = random.Below(4) + ((k < 2) == (first == 0) ? 4 : 0);
      }
      CheckShuffle(random, GroupShuffle(4, groups));
    }
  }
}

TEST_CASE("NaNs are made canonical", "[jit]") {
  Random random{5};
  struct Case {
    jit::IrOpcode opcode;
    jit::Type type;
    std::size_t bytes;
    bool is_32;
  };
  for (const Case& c : {Case{jit::IrOpcode::CanonicalNan, jit::Type::F32, 4, true},
                        Case{jit::IrOpcode::CanonicalNan, jit::Type::F64, 8, false},
                        Case{jit::IrOpcode::CanonicalNan32x4, jit::Type::V128, 16, true},
                        Case{jit::IrOpcode::CanonicalNan64x2, jit::Type::V128, 16, false}}) {
    for (const CpuFeatures cpu : FeatureSets()) {
      const VectorPlan plan = jit::PlanCanonicalNan(c.opcode, cpu);
      for (std::uint32_t i = 0; i < kAssignments; ++i) {
        const VectorOperands operands = Assign(random, "v:v", plan);
        const Code code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
          jit::EmitCanonicalNan(out, constants, cpu, c.opcode, c.type, operands);
        }};
        for (std::uint32_t round = 0; round < kRounds; ++round) {
          State state = AnyState(random);
          const V128 value = AnyVector(random);
          state.Set(operands.operands[0], value);
          const State before = state;
          code.Run(state);
          const V128 expected = tenon::interp::detail::CanonicalLanes(value, c.is_32);
          const V128 actual = state.Get(operands.result);
          if (std::memcmp(expected.bytes, actual.bytes, c.bytes) != 0 ||
              Changed(before, state, MayChange(operands)) != 0) {
            FAIL("features " << cpu.Bits() << ": " << Hex(value) << " gave " << Hex(actual));
          }
        }
      }
    }
  }
}

TEST_CASE("a constant pool keeps each constant once and is usable again", "[jit]") {
  std::vector<std::uint8_t> buffer(1 << 20);
  jit::ConstantPool constants;
  std::size_t first_size = 0;
  for (int use = 0; use < 3; ++use) {
    Xbyak::CodeGenerator out{buffer.size(), buffer.data()};
    for (std::uint64_t i = 0; i < 3000; ++i) {
      for (int twice = 0; twice < 2; ++twice) {
        out.movaps(Xbyak::Xmm(1), constants.At(jit::Splat64(i)));
        constants.Used(out);
        out.addsd(Xbyak::Xmm(2), constants.At64(i));
        constants.Used(out);
        out.cmpss(Xbyak::Xmm(3), constants.At32(static_cast<std::uint32_t>(i)), 1);
        constants.Used(out, 1);
      }
    }
    const std::size_t code_size = out.getSize();
    const std::size_t most = constants.MaxBytes();
    constants.Finish(out);
    CHECK(out.getSize() - code_size <= most);
    CHECK(out.getSize() == (code_size + 15) / 16 * 16 + 3000 * 28);
    if (use == 0) first_size = out.getSize();
    CHECK(out.getSize() == first_size);
    // The displacement of the last instruction, which has an immediate of a byte.
    std::int32_t displacement = 0;
    std::memcpy(&displacement, buffer.data() + code_size - 5, 4);
    std::uint32_t value = 0;
    std::memcpy(&value, buffer.data() + code_size + static_cast<std::size_t>(displacement), 4);
    CHECK(value == 2999);
  }
}

TEST_CASE("every vector instruction is either pure, an access or a constant", "[jit]") {
  for (std::uint32_t code = 0x200; code < 0x300; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    if (!info.IsValid()) continue;
    const bool is_known = FindOracle(info.opcode) != nullptr || IsVectorAccess(info) ||
                          info.immediate == Immediate::V128 || info.immediate == Immediate::Shuffle;
    CHECK(is_known);
  }
}

}  // namespace
