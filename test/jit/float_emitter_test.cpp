// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine code of scalar float instructions does what the interpreter does.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/jit/float_emitter.hpp>
#include <tenon/jit/vector_constants.hpp>

#include "../support/sanitized.hpp"
#include "emitter_support.hpp"

namespace {

using namespace emitter_test;
using wasm::Opcode;

constexpr std::uint32_t kAssignments = tenon_test::kIsSanitized ? 3 : 16;
constexpr std::uint32_t kRounds = 500;

bool HasFloat(const wasm::OpcodeInfo& info) {
  return info.IsValid() && info.immediate == wasm::Immediate::None && info.signature != "*" &&
         info.signature.find_first_of("fd") != std::string_view::npos;
}
bool Traps(const wasm::OpcodeInfo& info) {
  const auto code = static_cast<std::uint32_t>(info.opcode);
  return code >= static_cast<std::uint32_t>(Opcode::I32TruncF32S) &&
         code <= static_cast<std::uint32_t>(Opcode::I64TruncF64U) &&
         info.text.find("trunc") != std::string_view::npos;
}

/// Trapping truncations say in rbp how they ended: as before, or one of these.
constexpr std::uint64_t kInvalid = 1, kOverflow = 2;

constexpr std::uint64_t Status(TrapCode trap) {
  if (trap == TrapCode::None) return 0;
  return trap == TrapCode::InvalidConversionToInteger ? kInvalid : kOverflow;
}

/// Emits the truncation with both targets behind it.
void EmitTruncation(Xbyak::CodeGenerator& out, jit::ConstantPool& constants, CpuFeatures cpu,
                    Opcode opcode, const VectorOperands& operands) {
  struct Fields {
    std::vector<std::uint32_t> invalid, overflow;
  } fields;
  const jit::TruncateTargets targets{.context = &fields,
                                     .invalid_conversion =
                                         [](void* context, std::uint32_t field) {
                                           static_cast<Fields*>(context)->invalid.push_back(field);
                                         },
                                     .integer_overflow =
                                         [](void* context, std::uint32_t field) {
                                           static_cast<Fields*>(context)->overflow.push_back(field);
                                         }};
  jit::EmitTruncate(out, constants, cpu, opcode, operands, targets);
  Xbyak::Label end;
  out.jmp(end, Xbyak::CodeGenerator::T_NEAR);
  const auto land = [&](const std::vector<std::uint32_t>& places, std::uint64_t code) {
    CHECK_FALSE(places.empty());
    for (const std::uint32_t field : places) out.rewrite(field, out.getSize() - field - 4, 4);
    out.mov(Xbyak::util::ebp, code);
    out.jmp(end, Xbyak::CodeGenerator::T_NEAR);
  };
  land(fields.invalid, kInvalid);
  land(fields.overflow, kOverflow);
  out.L(end);
}

void CheckInstruction(const wasm::OpcodeInfo& info, CpuFeatures cpu, Random& random) {
  const VectorOperands operands = Assign(random, info.signature, jit::PlanFloat(info.opcode, cpu));
  const Oracle oracle = FindOracle(info.opcode);
  const Code code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
    if (Traps(info)) {
      EmitTruncation(out, constants, cpu, info.opcode, operands);
    } else {
      jit::EmitFloat(out, constants, cpu, info.opcode, operands);
    }
  }};
  CHECK(code.EmittedBytes() <= jit::kMaxSequenceBytes + (Traps(info) ? 40 : 0));
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    State state = AnyState(random);
    V128 values[2] = {};
    for (std::size_t i = 0; info.signature[i] != ':'; ++i) {
      values[i] = AnyOperand(random, info.signature[i]);
      if (i == 1 && operands.operands[1] == operands.operands[0]) values[1] = values[0];
      // Often equal, or zeros of both signs.
      if (i == 1 && random.Below(4) == 0) values[1] = values[0];
      if (i == 1 && random.Below(8) == 0) {
        values[0] = values[1] = V128{};
        values[0].bytes[info.signature[0] == 'f' ? 3 : 7] =
            static_cast<std::uint8_t>(random.Below(2) << 7);
        if (operands.operands[1] == operands.operands[0]) values[1] = values[0];
        state.Set(operands.operands[0], values[0]);
      }
      state.Set(operands.operands[i], values[i]);
    }
    const State before = state;
    code.Run(state);
    TrapCode trap{};
    const V128 expected = oracle(values, 0, trap);
    const V128 actual = state.Get(operands.result);
    const std::uint64_t status = state.integers[jit::kRbp];
    state.integers[jit::kRbp] = before.integers[jit::kRbp];
    const bool is_right = trap == TrapCode::None ? status == before.integers[jit::kRbp] &&
                                                       ResultMatches(info, values, expected, actual)
                                                 : status == Status(trap);
    const std::uint32_t changed = Changed(before, state, MayChange(operands));
    if (!is_right || changed != 0) {
      FAIL_CHECK(info.text << ", features " << cpu.Bits() << ": " << Hex(values[0]) << "; "
                           << Hex(values[1]) << " gave " << Hex(actual) << " instead of "
                           << Hex(expected) << ", status " << status << ", changed registers "
                           << changed);
      return;
    }
  }
}

TEST_CASE("every scalar float instruction computes what the interpreter does",
          "[jit][one_thread]") {
  Random random{8};
  std::uint32_t instructions = 0;
  for (std::uint32_t code = 0; code < 0x200; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    if (!HasFloat(info)) continue;
    ++instructions;
    for (const CpuFeatures cpu : FeatureSets()) {
      for (std::uint32_t i = 0; i < kAssignments; ++i) CheckInstruction(info, cpu, random);
    }
  }
  CHECK(instructions == 70);
}

/// Runs a truncation or conversion on each bit pattern around `centre`.
void CheckAround(const wasm::OpcodeInfo& info, std::uint64_t centre) {
  Random random{centre};
  for (const CpuFeatures cpu : FeatureSets()) {
    const VectorOperands operands =
        Assign(random, info.signature, jit::PlanFloat(info.opcode, cpu));
    const Code code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
      if (Traps(info)) {
        EmitTruncation(out, constants, cpu, info.opcode, operands);
      } else {
        jit::EmitFloat(out, constants, cpu, info.opcode, operands);
      }
    }};
    for (std::uint64_t i = 0; i < 64; ++i) {
      const std::uint64_t bits = centre + i - 32;
      V128 value = jit::Halves(bits, 0);
      if (info.signature[0] == 'f') std::memset(value.bytes + 4, 0, 4);
      if (info.signature[0] == 'i') std::memset(value.bytes + 4, 0, 4);
      State state = AnyState(random);
      state.integers[jit::kRbp] = 0;
      state.Set(operands.operands[0], value);
      code.Run(state);
      TrapCode trap{};
      const V128 expected = FindOracle(info.opcode)(&value, 0, trap);
      const V128 actual = state.Get(operands.result);
      const std::uint64_t status = state.integers[jit::kRbp];
      if (status != Status(trap) ||
          (status == 0 && !ResultMatches(info, &value, expected, actual))) {
        FAIL_CHECK(info.text << ", features " << cpu.Bits() << ": " << Hex(value) << " gave "
                             << Hex(actual) << " instead of " << Hex(expected) << ", status "
                             << status);
        return;
      }
    }
  }
}

TEST_CASE("conversions are exact at the limits of every type", "[jit][one_thread]") {
  for (std::uint32_t code = 0; code < 0x200; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    if (!HasFloat(info) || info.signature.find(':') != 1) continue;
    const char from = info.signature[0];
    if (from == info.signature[2]) continue;
    for (int exponent = -2; exponent <= 65; ++exponent) {
      for (const double sign : {1.0, -1.0}) {
        const double power = std::ldexp(sign, exponent);
        if (from == 'f') {
          CheckAround(info, std::bit_cast<std::uint32_t>(static_cast<float>(power)));
        } else if (from == 'd') {
          CheckAround(info, std::bit_cast<std::uint64_t>(power));
        } else if (exponent >= 0 && exponent < 64) {
          CheckAround(info, (std::uint64_t{1} << exponent) * (sign < 0 ? ~std::uint64_t{0} : 1));
          // Halfway between two floats.
          if (exponent >= 24) CheckAround(info, ~std::uint64_t{0} << (exponent - 24));
          if (exponent >= 53) CheckAround(info, ~std::uint64_t{0} << (exponent - 53));
        }
      }
    }
    // Integers of 32 bits have neighbours that only doubles tell apart.
    if (from == 'd') {
      for (const double limit : {-2147483649.0, -2147483648.0, 2147483647.0, 2147483648.0,
                                 4294967295.0, 4294967296.0, -1.0, -0.0}) {
        CheckAround(info, std::bit_cast<std::uint64_t>(limit));
      }
    }
  }
}

TEST_CASE("float constants are loaded as they are", "[jit]") {
  Random random{9};
  for (const CpuFeatures cpu : FeatureSets()) {
    for (std::uint32_t i = 0; i < 200; ++i) {
      const std::uint64_t bits = i == 0 ? 0 : i == 1 ? 1ull << 63 : AnyF64(random);
      const auto low = static_cast<std::uint32_t>(bits);
      const auto first = static_cast<Register>(16 + random.Below(7));
      const auto second = static_cast<Register>(16 + 7 + random.Below(8));
      const Code code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
        jit::EmitF32Constant(out, constants, cpu, first, low);
        jit::EmitF64Constant(out, constants, cpu, second, bits);
      }};
      State state = AnyState(random);
      const State before = state;
      code.Run(state);
      std::uint64_t actual = 0;
      std::memcpy(&actual, state.Get(first).bytes, 4);
      CHECK(actual == low);
      std::memcpy(&actual, state.Get(second).bytes, 8);
      CHECK(actual == bits);
      CHECK(Changed(before, state, 1u << first | 1u << second) == 0);
    }
  }
}

}  // namespace
