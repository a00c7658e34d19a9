// SPDX-License-Identifier: Apache-2.0
/// @file
/// The machine code of vector loads and stores: values, width of the access, place of the fault.

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <ucontext.h>

#include <tenon/interp/simd.hpp>
#include <tenon/jit/vector_constants.hpp>
#include <tenon/jit/vector_emitter.hpp>

#include "emitter_support.hpp"

namespace {

using namespace emitter_test;
using wasm::Immediate;
using wasm::Opcode;

/// A page with unmapped ones around it.
class Page {
 public:
  Page() {
    memory_ = static_cast<std::uint8_t*>(
        mmap(nullptr, 3 * kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + kSize, kSize, PROT_READ | PROT_WRITE);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  ~Page() { munmap(memory_, 3 * kSize); }

  std::uint8_t* Begin() const { return memory_ + kSize; }
  std::uint8_t* End() const { return memory_ + 2 * kSize; }

  static constexpr std::size_t kSize = 4096;

 private:
  std::uint8_t* memory_ = nullptr;
};

std::uint64_t Read(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, count);
  return value;
}

/// Result of a load, or what a store leaves in memory.
V128 Expected(Opcode opcode, const V128& vector, const std::uint8_t* bytes, std::uint32_t lane) {
  namespace interp = tenon::interp;
  V128 whole{};
  const std::uint64_t bits = Read(bytes, 8);
  const auto low8 = static_cast<std::uint8_t>(bits);
  const auto low16 = static_cast<std::uint16_t>(bits);
  const auto low32 = static_cast<std::uint32_t>(bits);
  const auto stored = [&](std::uint64_t value) { return jit::Halves(value, 0); };
  switch (opcode) {
    case Opcode::V128Load:
      std::memcpy(whole.bytes, bytes, 16);
      return whole;
    case Opcode::V128Store:
      return vector;
    case Opcode::V128Load8x8S:
      return interp::V128Load8x8S(bits);
    case Opcode::V128Load8x8U:
      return interp::V128Load8x8U(bits);
    case Opcode::V128Load16x4S:
      return interp::V128Load16x4S(bits);
    case Opcode::V128Load16x4U:
      return interp::V128Load16x4U(bits);
    case Opcode::V128Load32x2S:
      return interp::V128Load32x2S(bits);
    case Opcode::V128Load32x2U:
      return interp::V128Load32x2U(bits);
    case Opcode::V128Load8Splat:
      return interp::V128Load8Splat(low8);
    case Opcode::V128Load16Splat:
      return interp::V128Load16Splat(low16);
    case Opcode::V128Load32Splat:
      return interp::V128Load32Splat(low32);
    case Opcode::V128Load64Splat:
      return interp::V128Load64Splat(bits);
    case Opcode::V128Load32Zero:
      return interp::V128Load32Zero(low32);
    case Opcode::V128Load64Zero:
      return interp::V128Load64Zero(bits);
    case Opcode::V128Load8Lane:
      return interp::V128Load8Lane(vector, low8, lane);
    case Opcode::V128Load16Lane:
      return interp::V128Load16Lane(vector, low16, lane);
    case Opcode::V128Load32Lane:
      return interp::V128Load32Lane(vector, low32, lane);
    case Opcode::V128Load64Lane:
      return interp::V128Load64Lane(vector, bits, lane);
    case Opcode::V128Store8Lane:
      return stored(interp::V128Store8Lane(vector, lane));
    case Opcode::V128Store16Lane:
      return stored(interp::V128Store16Lane(vector, lane));
    case Opcode::V128Store32Lane:
      return stored(interp::V128Store32Lane(vector, lane));
    case Opcode::V128Store64Lane:
      return stored(interp::V128Store64Lane(vector, lane));
    default:
      FAIL("no such access");
      return {};
  }
}

struct AccessCode {
  VectorOperands operands;
  Register base = jit::kNoRegister;
  std::uint32_t access = 0;
};

/// Emits the access at [base + 5].
Code EmitAccess(Random& random, const wasm::OpcodeInfo& info, CpuFeatures cpu, std::uint32_t lane,
                AccessCode& access) {
  // The address is an integer operand that lives on.
  const bool has_vector = info.signature.find("av") == 0;
  const bool has_result = info.signature.back() == 'v';
  const std::string_view types = has_vector ? (has_result ? "v:v" : "v:") : ":v";
  access.operands = Assign(random, types, jit::PlanVector(info.opcode, cpu));
  access.operands.lane = lane;
  static constexpr Register kBases[] = {jit::kRax, jit::kRdi, jit::kR8, jit::kR12,
                                        jit::kR13, jit::kR14, jit::kRbx};
  access.base = kBases[random.Below(7)];
  return Code{[&](Xbyak::CodeGenerator& out, jit::ConstantPool& constants) {
    using namespace Xbyak::util;
    access.access = jit::EmitVectorMemory(out, constants, cpu, info.opcode,
                                          ptr[Xbyak::Reg64(access.base) + 5], access.operands);
  }};
}

template <class Check>
void ForEachAccess(Check check) {
  std::uint32_t instructions = 0;
  for (std::uint32_t code = 0x200; code < 0x300; ++code) {
    const wasm::OpcodeInfo& info = wasm::FindOpcode(code);
    if (!info.IsValid() || info.signature.find('a') != 0) continue;
    ++instructions;
    const std::uint32_t lanes = info.immediate == Immediate::MemoryLane ? info.LaneCount() : 1;
    for (const CpuFeatures cpu : FeatureSets()) {
      for (std::uint32_t lane = 0; lane < lanes; ++lane) check(info, cpu, lane);
    }
  }
  CHECK(instructions == 22);
}

TEST_CASE("vector accesses move the right bytes and touch no others", "[jit]") {
  Random random{6};
  const Page page;
  ForEachAccess([&](const wasm::OpcodeInfo& info, CpuFeatures cpu, std::uint32_t lane) {
    const std::size_t width = std::size_t{1} << info.width;
    const bool is_store = info.signature.back() == ':';
    CAPTURE(info.text, cpu.Bits(), lane);
    for (std::uint32_t i = 0; i < 24; ++i) {
      AccessCode access;
      const Code code = EmitAccess(random, info, cpu, lane, access);
      CHECK(code.EmittedBytes() <= jit::kMaxSequenceBytes);
      // At both ends of the page a wider access would fault; between them, any alignment.
      std::uint8_t* const place = i < 6    ? page.End() - width
                                  : i < 12 ? page.Begin()
                                           : page.Begin() + 64 + random.Below(64);
      for (std::size_t k = 0; k < Page::kSize; ++k) {
        page.Begin()[k] = static_cast<std::uint8_t>(random.Next());
      }
      std::uint8_t bytes[16] = {};
      std::memcpy(bytes, place, width);
      std::vector<std::uint8_t> memory(page.Begin(), page.End());
      State state = AnyState(random);
      const V128 vector = AnyVector(random);
      if (access.operands.operands[0] != jit::kNoRegister) {
        state.Set(access.operands.operands[0], vector);
      }
      state.integers[access.base] = reinterpret_cast<std::uintptr_t>(place) - 5;
      const State before = state;
      code.Run(state);
      const V128 expected = Expected(info.opcode, vector, bytes, lane);
      if (is_store) {
        std::memcpy(memory.data() + (place - page.Begin()), expected.bytes, width);
        REQUIRE(std::memcmp(memory.data(), page.Begin(), Page::kSize) == 0);
      } else {
        CAPTURE(Hex(expected), Hex(state.Get(access.operands.result)));
        REQUIRE(state.Get(access.operands.result) == expected);
      }
      REQUIRE(Changed(before, state, MayChange(access.operands)) == 0);
    }
  });
}

sigjmp_buf fault_exit;
volatile std::uintptr_t fault_place = 0;

void OnFault(int, siginfo_t*, void* context) {
  fault_place =
      static_cast<std::uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  siglongjmp(fault_exit, 1);
}

/// Address of the instruction that faults, 0 if none does.
std::uintptr_t RunToFault(const Code& code, State& state) {
  fault_place = 0;
  if (sigsetjmp(fault_exit, 1) == 0) code.Run(state);
  return fault_place;
}

TEST_CASE("a vector access faults at the instruction that is reported", "[jit]") {
  Random random{7};
  const Page page;
  struct sigaction action{};
  struct sigaction previous{};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &previous);
  ForEachAccess([&](const wasm::OpcodeInfo& info, CpuFeatures cpu, std::uint32_t lane) {
    const std::size_t width = std::size_t{1} << info.width;
    CAPTURE(info.text, cpu.Bits(), lane);
    AccessCode access;
    const Code code = EmitAccess(random, info, cpu, lane, access);
    // Only the last byte of the access is behind the page.
    State state = AnyState(random);
    state.integers[access.base] = reinterpret_cast<std::uintptr_t>(page.End()) - width + 1 - 5;
    const std::uintptr_t place = RunToFault(code, state);
    REQUIRE(place == reinterpret_cast<std::uintptr_t>(code.Memory()) + access.access);
  });
  sigaction(SIGSEGV, &previous, nullptr);
}

}  // namespace
