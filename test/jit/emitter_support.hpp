// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the tests of emitters share: the interpreter's functions by opcode, register assignments
/// that a plan permits, and a way to run a sequence of instructions on given registers.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>

#include <tenon/interp/operate.hpp>
#include <tenon/interp/vector_operations.hpp>
#include <tenon/jit/constant_pool.hpp>
#include <tenon/jit/float_emitter.hpp>
#include <tenon/jit/float_plan.hpp>
#include <tenon/jit/vector_emitter.hpp>
#include <tenon/jit/vector_plan.hpp>
#include <tenon/jit/xbyak.hpp>

namespace emitter_test {

namespace jit = tenon::jit;
namespace wasm = tenon::wasm;
using jit::Register;
using jit::VectorOperands;
using jit::VectorPlan;
using tenon::CpuFeature;
using tenon::CpuFeatures;
using tenon::TrapCode;
using tenon::V128;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}
  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }
  std::uint32_t Below(std::uint32_t limit) { return static_cast<std::uint32_t>(Next() % limit); }

 private:
  std::uint64_t state_;
};

// --- Values ------------------------------------------------------------------------------------

inline std::uint64_t SpecialInteger(Random& random, std::uint32_t bits) {
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);
  const std::uint64_t values[] = {0,   1,       2,       mask,      mask - 1,
                                  top, top - 1, top + 1, mask >> 8, 0x7F80};
  return values[random.Below(10)] & mask;
}

inline std::uint32_t SpecialF32(Random& random) {
  static constexpr float kValues[] = {0.0f,
                                      1.0f,
                                      0.5f,
                                      1.5f,
                                      2.5f,
                                      0.75f,
                                      2147483648e0f,
                                      4294967296e0f,
                                      9223372036854775808e0f,
                                      18446744073709551616e0f,
                                      1e30f,
                                      8388608.5f,
                                      4194304.5f,
                                      16777216.0f,
                                      1.17549435e-38f,
                                      1e-45f,
                                      3.4028235e38f,
                                      127.0f};
  static constexpr std::uint32_t kPatterns[] = {0x7F800000, 0x7FC00000, 0x7F800001,
                                                0x7FA12345, 0x7FD54321, 0x7FFFFFFF};
  std::uint32_t bits = random.Below(3) == 0
                           ? kPatterns[random.Below(6)]
                           : std::bit_cast<std::uint32_t>(kValues[random.Below(18)]);
  if (bits < 0x7F800000) bits += random.Below(5) - 2;
  if (bits > 0xFFFFFFF0) bits = 0;
  return bits ^ (random.Below(2) << 31);
}

inline std::uint64_t SpecialF64(Random& random) {
  static constexpr double kValues[] = {0.0,
                                       1.0,
                                       0.5,
                                       1.5,
                                       2.5,
                                       2147483647.0,
                                       2147483648.0,
                                       2147483649.0,
                                       2147483647.5,
                                       2147483648.5,
                                       4294967295.0,
                                       4294967295.5,
                                       4294967296.0,
                                       9223372036854775808e0,
                                       18446744073709551616e0,
                                       4503599627370496.5,
                                       9007199254740993.0,
                                       1e300,
                                       3.4028235677973366e38,
                                       1e-46,
                                       5e-324,
                                       1.7976931348623157e308};
  static constexpr std::uint64_t kPatterns[] = {0x7FF0000000000000, 0x7FF8000000000000,
                                                0x7FF0000000000001, 0x7FF4123456789ABC,
                                                0x7FFA123456789ABC, 0x7FFFFFFFFFFFFFFF};
  std::uint64_t bits = random.Below(4) == 0
                           ? kPatterns[random.Below(6)]
                           : std::bit_cast<std::uint64_t>(kValues[random.Below(22)]);
  if (bits < 0x7FF0000000000000 && random.Below(2) == 0) bits += random.Below(5) - 2ull;
  if (bits > 0xFFFFFFFFFFFFFFF0) bits = 0;
  return bits ^ (random.Next() << 63);
}

inline std::uint64_t AnyInteger(Random& random, std::uint32_t bits) {
  if (random.Below(2) == 0) return SpecialInteger(random, bits);
  const std::uint64_t value = random.Next() >> random.Below(64);
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}
inline std::uint32_t AnyF32(Random& random) {
  if (random.Below(3) != 0) return SpecialF32(random);
  if (random.Below(2) == 0) return static_cast<std::uint32_t>(random.Next());
  // Of a size that integers have.
  const float value =
      static_cast<float>(static_cast<std::int64_t>(random.Next()) >> random.Below(63));
  return std::bit_cast<std::uint32_t>(value / 4);
}
inline std::uint64_t AnyF64(Random& random) {
  if (random.Below(3) != 0) return SpecialF64(random);
  if (random.Below(2) == 0) return random.Next();
  const double value =
      static_cast<double>(static_cast<std::int64_t>(random.Next()) >> random.Below(63));
  return std::bit_cast<std::uint64_t>(value / 4);
}

inline V128 AnyVector(Random& random) {
  V128 value{};
  const std::uint32_t style = random.Below(7);
  for (std::uint32_t i = 0; i < 16;) {
    std::uint64_t lane = 0;
    std::uint32_t size = 8;
    if (style < 4) {
      size = 1u << style;
      lane = AnyInteger(random, size * 8);
    } else if (style == 4) {
      size = 4;
      lane = AnyF32(random);
    } else if (style == 5) {
      lane = AnyF64(random);
    } else {
      lane = random.Next();
    }
    std::memcpy(value.bytes + i, &lane, size);
    i += size;
  }
  return value;
}

/// An operand of a type of the opcode table, in the register's form: garbage where the type has no
/// bits, except that an i32 is zero-extended.
inline V128 AnyOperand(Random& random, char type) {
  V128 value = AnyVector(random);
  std::uint64_t low = 0;
  switch (type) {
    case 'i':
      low = AnyInteger(random, 32);
      break;
    case 'l':
      low = AnyInteger(random, 64);
      break;
    case 'f':
      low = AnyF32(random);
      std::memcpy(value.bytes, &low, 4);
      return value;
    case 'd':
      low = AnyF64(random);
      break;
    default:
      return value;
  }
  std::memcpy(value.bytes, &low, 8);
  return value;
}

inline std::string Hex(const V128& value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int i = 15; i >= 0; --i) {
    text += kDigits[value.bytes[i] >> 4];
    text += kDigits[value.bytes[i] & 15];
    if (i % 4 == 0) text += ' ';
  }
  return text;
}

// --- The interpreter's functions ---------------------------------------------------------------

/// Operands in the order of the signature, each in 16 bytes.
using Oracle = V128 (*)(const V128* operands, std::uint8_t lane, TrapCode& trap);

}  // namespace emitter_test

namespace tenon::inline TENON_ABI::interp::detail {

/// Finds the functions by name, which are in the namespace around.
struct OracleTable {
  ::emitter_test::Oracle rows[wasm::kOpcodeLimit] = {};

  template <wasm::Opcode kOpcode, class F>
  static V128 Run(const V128* operands, std::uint8_t lane, TrapCode& trap,
                  [[maybe_unused]] F function) {
    constexpr wasm::OpcodeInfo kInfo = wasm::Info(kOpcode);
    abi::Slot stack[8] = {};
    abi::Slot* sp = stack;
    for (std::size_t i = 0; kInfo.signature[i] != ':'; ++i) {
      const std::size_t slots = kInfo.signature[i] == 'v' ? 2 : 1;
      std::memcpy(sp, operands[i].bytes, slots * 8);
      sp += slots;
    }
    if constexpr (IsScalar(kInfo)) {
      abi::Slot top = *--sp;
      ApplyScalar<kOpcode>(sp, top, false, trap, function);
      stack[0] = top;
      stack[1] = 0;
    } else {
      stack[sp - stack] = 0;
      kVectorOperations.rows[static_cast<std::size_t>(kOpcode) & 0xFF](sp, &lane, false);
    }
    V128 result;
    std::memcpy(&result, stack, sizeof(result));
    return result;
  }

  OracleTable() {
#define TENON_TEST_ROW(name, text, code, immediate, signature, width, feature)            \
  if constexpr (IsPure(wasm::Info(wasm::Opcode::name)) ||                                 \
                IsLane(wasm::Info(wasm::Opcode::name))) {                                 \
    rows[code] = [](const V128* operands, std::uint8_t lane, TrapCode& trap) {            \
      return Run<wasm::Opcode::name>(                                                     \
          operands, lane, trap,                                                           \
          [](auto&&... values) -> decltype(name(values...)) { return name(values...); }); \
    };                                                                                    \
  }
    TENON_OPCODES(TENON_TEST_ROW)
#undef TENON_TEST_ROW
  }
};

}  // namespace tenon::inline TENON_ABI::interp::detail

namespace emitter_test {

inline Oracle FindOracle(wasm::Opcode opcode) {
  static const tenon::interp::detail::OracleTable table;
  return table.rows[static_cast<std::size_t>(opcode)];
}

// --- NaNs --------------------------------------------------------------------------------------

/// Whether a result is computed, so that its NaNs' payloads are not told.
inline bool IsComputed(const wasm::OpcodeInfo& info) {
  const char result = info.signature.back();
  if (result == 'v') return tenon::interp::detail::ComputesFloats(info.text);
  if (result != 'f' && result != 'd') return false;
  for (const std::string_view moved : {"abs", "neg", "copysign", "reinterpret", "extract"}) {
    if (info.text.find(moved) != std::string_view::npos) return false;
  }
  return true;
}

/// Whether a lane with the expected bits may be what `actual` is.
inline bool NanLaneMatches(std::uint64_t expected, std::uint64_t actual, bool is_32,
                           bool must_be_canonical) {
  const std::uint64_t magnitude = is_32 ? 0x7FFFFFFF : 0x7FFFFFFFFFFFFFFF;
  const std::uint64_t infinity = is_32 ? 0x7F800000 : 0x7FF0000000000000;
  const std::uint64_t canonical = is_32 ? 0x7FC00000 : 0x7FF8000000000000;
  if ((expected & magnitude) <= infinity) return expected == actual;
  if (must_be_canonical) return (actual & magnitude) == canonical;
  return (actual & canonical) == canonical;
}

inline bool HasArbitraryNan(const V128& value, bool is_32) {
  std::uint64_t lanes64[2];
  std::uint32_t lanes32[4];
  std::memcpy(lanes64, value.bytes, 16);
  std::memcpy(lanes32, value.bytes, 16);
  bool found = false;
  if (is_32) {
    for (const std::uint32_t lane : lanes32) {
      found |= (lane & 0x7FFFFFFF) > 0x7F800000 && (lane & 0x7FFFFFFF) != 0x7FC00000;
    }
  } else {
    for (const std::uint64_t lane : lanes64) {
      found |= (lane & ~(1ull << 63)) > 0x7FF0000000000000 &&
               (lane & ~(1ull << 63)) != 0x7FF8000000000000;
    }
  }
  return found;
}

inline bool ResultMatches(const wasm::OpcodeInfo& info, const V128* operands, const V128& expected,
                          const V128& actual) {
  const char type = info.signature.back();
  const std::size_t bytes = type == 'v' ? 16 : type == 'f' ? 4 : 8;
  if (!IsComputed(info)) return std::memcmp(expected.bytes, actual.bytes, bytes) == 0;
  const bool is_32 = info.text.starts_with("f32");
  const bool converts = info.text.find("demote") != std::string_view::npos ||
                        info.text.find("promote") != std::string_view::npos;
  bool must_be_canonical = true;
  for (std::size_t i = 0; info.signature[i] != ':'; ++i) {
    if (HasArbitraryNan(operands[i], is_32 != converts)) must_be_canonical = false;
  }
  for (std::size_t i = 0; i < bytes; i += is_32 ? 4 : 8) {
    std::uint64_t e = 0;
    std::uint64_t a = 0;
    std::memcpy(&e, expected.bytes + i, is_32 ? 4 : 8);
    std::memcpy(&a, actual.bytes + i, is_32 ? 4 : 8);
    if (!NanLaneMatches(e, a, is_32, must_be_canonical)) return false;
  }
  return true;
}

// --- Registers ---------------------------------------------------------------------------------

constexpr bool IsVectorType(char type) { return type == 'v' || type == 'f' || type == 'd'; }

/// A random assignment that the plan permits. `types` is a signature without addresses.
inline VectorOperands Assign(Random& random, std::string_view types, const VectorPlan& plan) {
  std::uint32_t taken = (1u << jit::kRsp) | (1u << jit::kRbp) | (1u << jit::kR15) | (1u << 31);
  const auto fresh = [&](bool is_vector) {
    for (;;) {
      const Register reg = static_cast<Register>(random.Below(16) + (is_vector ? 16 : 0));
      if ((taken >> reg & 1) != 0) continue;
      taken |= 1u << reg;
      return reg;
    }
  };
  VectorOperands operands;
  const std::size_t count = types.find(':');
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_vector = IsVectorType(types[i]);
    // The same value twice, unless the first lies in the result while the second is still needed.
    if (i > 0 && types[i] == types[0] && random.Below(4) == 0 &&
        !(plan.reuse_first && plan.IsLate(static_cast<std::uint32_t>(i)))) {
      operands.operands[i] = operands.operands[0];
    } else {
      operands.operands[i] = fresh(is_vector);
    }
  }
  if (types.back() != ':') {
    const bool is_vector = IsVectorType(types.back());
    std::vector<Register> candidates;
    if (plan.reuse_first) {
      candidates.push_back(operands.operands[0]);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        bool is_late = false;
        for (std::size_t k = 0; k < count; ++k) {
          is_late |= operands.operands[k] == operands.operands[i] &&
                     plan.IsLate(static_cast<std::uint32_t>(k));
        }
        if (IsVectorType(types[i]) == is_vector && !is_late) {
          candidates.push_back(operands.operands[i]);
        }
      }
      candidates.push_back(fresh(is_vector));
    }
    operands.result = candidates[random.Below(static_cast<std::uint32_t>(candidates.size()))];
  }
  for (std::uint32_t i = 0; i < plan.vector_temporaries; ++i) {
    operands.vector_temporaries[i] = fresh(true);
  }
  for (std::uint32_t i = 0; i < plan.integer_temporaries; ++i) {
    operands.integer_temporaries[i] = fresh(false);
  }
  return operands;
}

// --- Running -----------------------------------------------------------------------------------

/// All registers; rsp and r15 are not what it says.
struct State {
  std::uint64_t integers[16];
  V128 vectors[16];

  V128 Get(Register reg) const {
    if (reg >= 16) return vectors[reg - 16];
    V128 value{};
    std::memcpy(value.bytes, &integers[reg], 8);
    return value;
  }
  void Set(Register reg, const V128& value) {
    if (reg >= 16) {
      vectors[reg - 16] = value;
    } else {
      std::memcpy(&integers[reg], value.bytes, 8);
    }
  }
};

inline State AnyState(Random& random) {
  State state;
  for (std::uint64_t& integer : state.integers) integer = random.Next();
  for (V128& vector : state.vectors) {
    for (std::uint8_t& byte : vector.bytes) byte = static_cast<std::uint8_t>(random.Next());
  }
  return state;
}

/// The registers whose contents are not as before, but those in `allowed`.
inline std::uint32_t Changed(const State& before, const State& after, std::uint32_t allowed) {
  std::uint32_t changed = 0;
  for (std::uint32_t i = 0; i < 32; ++i) {
    if (i == jit::kRsp || i == jit::kR15 || (allowed >> i & 1) != 0) continue;
    const Register reg = static_cast<Register>(i);
    if (before.Get(reg) != after.Get(reg)) changed |= 1u << i;
  }
  return changed;
}

inline std::uint32_t MayChange(const VectorOperands& operands) {
  std::uint32_t allowed = 1u << jit::kScratchVector;
  const auto allow = [&](Register reg) {
    if (reg != jit::kNoRegister) allowed |= 1u << reg;
  };
  allow(operands.result);
  for (const Register reg : operands.vector_temporaries) allow(reg);
  for (const Register reg : operands.integer_temporaries) allow(reg);
  return allowed;
}

/// Code that loads all registers, runs what is emitted, and stores all registers.
class Code {
 public:
  using Emit = std::function<void(Xbyak::CodeGenerator&, jit::ConstantPool&)>;

  explicit Code(const Emit& emit) {
    std::vector<std::uint8_t> buffer(kBytes);
    Xbyak::CodeGenerator out{kBytes, buffer.data()};
    jit::ConstantPool constants;
    Fill(out, constants, emit);
    memory_ = static_cast<std::uint8_t*>(
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memcpy(memory_, buffer.data(), out.getSize());
    mprotect(memory_, kBytes, PROT_READ | PROT_EXEC);
  }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { munmap(memory_, kBytes); }

  // Emitted code has no mark of its type in front, for which the sanitizer would look.
#if defined(__clang__)
  __attribute__((no_sanitize("function")))
#endif
  void
  Run(State& state) const {
    void (*function)(State*) = nullptr;
    std::memcpy(&function, &memory_, sizeof(function));
    function(&state);
  }

  const std::uint8_t* Memory() const { return memory_; }
  std::size_t EmittedBytes() const { return emitted_; }

 private:
  static constexpr std::size_t kBytes = 4096;

  static std::size_t VectorOffset(int i) { return 128 + 16 * static_cast<std::size_t>(i); }

  void Fill(Xbyak::CodeGenerator& out, jit::ConstantPool& constants, const Emit& emit) {
    using namespace Xbyak::util;
    static constexpr int kSaved[] = {3, 5, 12, 13, 14, 15};
    for (const int reg : kSaved) out.push(Xbyak::Reg64(reg));
    out.mov(r15, rdi);
    for (int i = 0; i < 16; ++i) out.movups(Xbyak::Xmm(i), ptr[r15 + VectorOffset(i)]);
    for (int i = 0; i < 16; ++i) {
      if (i != 4 && i != 15) out.mov(Xbyak::Reg64(i), ptr[r15 + 8 * static_cast<std::size_t>(i)]);
    }
    const std::size_t begin = out.getSize();
    emit(out, constants);
    emitted_ = out.getSize() - begin;
    for (int i = 0; i < 16; ++i) out.movups(ptr[r15 + VectorOffset(i)], Xbyak::Xmm(i));
    for (int i = 0; i < 16; ++i) {
      if (i != 4 && i != 15) out.mov(ptr[r15 + 8 * static_cast<std::size_t>(i)], Xbyak::Reg64(i));
    }
    for (int i = 5; i >= 0; --i) out.pop(Xbyak::Reg64(kSaved[i]));
    out.ret();
    constants.Finish(out);
  }

  std::uint8_t* memory_ = nullptr;
  std::size_t emitted_ = 0;
};

/// The sets of features to test that this machine has.
inline std::vector<CpuFeatures> FeatureSets() {
  std::vector<CpuFeatures> sets{CpuFeatures::Floor()};
  const CpuFeatures sse42 = CpuFeatures::Floor().With(CpuFeature::Sse42);
  if (__builtin_cpu_supports("sse4.2") != 0) sets.push_back(sse42);
  if (__builtin_cpu_supports("avx") != 0) sets.push_back(sse42.With(CpuFeature::Avx));
  if (__builtin_cpu_supports("avx2") != 0) {
    sets.push_back(sse42.With(CpuFeature::Avx).With(CpuFeature::Avx2));
  }
  return sets;
}

}  // namespace emitter_test
