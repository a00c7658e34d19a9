// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guests compute as WebAssembly says whatever floating-point modes their callers have set, and
/// leave these as they were.
#include <bit>
#include <cfenv>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "machinery_support.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>

using namespace tenon_test;
using guests::CodeBuilder;
using guests::Guest;
using guests::kF32;
using guests::kF64;
using guests::kI32;
using guests::Opcode;

namespace {

constexpr unsigned kDefault = 0x1F80;
constexpr unsigned kDenormalsAreZero = 0x0040, kFlushToZero = 0x8000;
constexpr unsigned kDown = 0x2000, kUp = 0x4000, kTowardZero = 0x6000;
constexpr unsigned kModes[] = {
    kDefault,
    kDefault | kDenormalsAreZero,
    kDefault | kFlushToZero,
    kDefault | kDenormalsAreZero | kFlushToZero,
    kDefault | kDown,
    kDefault | kUp,
    kDefault | kTowardZero,
    kDefault | kTowardZero | kDenormalsAreZero | kFlushToZero,
    // Exceptions that would be signals: invalid operations, divisions by zero, overflows.
    kDefault & ~0x0680u,
};

/// Sets MXCSR while it lives.
class WithMode {
 public:
  explicit WithMode(unsigned mode) : former_{_mm_getcsr()} { _mm_setcsr(mode); }
  ~WithMode() { _mm_setcsr(former_); }
  WithMode(const WithMode&) = delete;
  WithMode& operator=(const WithMode&) = delete;

 private:
  unsigned former_;
};

/// The modes, without the sticky flags.
unsigned CurrentModes() { return _mm_getcsr() & ~0x3Fu; }

guests::Bytes Floats(bool with_import) {
  Guest guest;
  std::uint32_t import = 0;
  if (with_import) import = guest.AddImport("env", "up", {{}, {kI32}});
  const auto binary = [&](std::string_view name, tenon::ValueType type, Opcode opcode) {
    guest.Add(name, {{type, type}, {type}},
              [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Emit(opcode); });
  };
  binary("mul", kF64, Opcode::F64Mul);
  binary("add", kF64, Opcode::F64Add);
  binary("div", kF64, Opcode::F64Div);
  binary("mulf", kF32, Opcode::F32Mul);
  guest.Add("truncate", {{kF64}, {kI32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::I32TruncSatF64S); });
  guest.Add("nearest", {{kF64}, {kF64}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::F64Nearest); });
  guest.Add("demote", {{kF64}, {kF32}},
            [](CodeBuilder& code) { code.LocalGet(0).Emit(Opcode::F32DemoteF64); });
  // Known to the compiler: denormals that come out of constants.
  guest.Add("constant", {{}, {kF64}}, [](CodeBuilder& code) {
    code.F64Const(2.2250738585072014e-308).F64Const(0.5).Emit(Opcode::F64Mul);
  });
  // And exceptions.
  guest.Add("infinite", {{}, {kF64}},
            [](CodeBuilder& code) { code.F64Const(1).F64Const(0).Emit(Opcode::F64Div); });
  guest.Add("invalid", {{}, {kF64}}, [](CodeBuilder& code) {
    code.F64Const(0).F64Const(0).Emit(Opcode::F64Div).F64Const(1).Emit(Opcode::F64Copysign);
  });
  guest.Add("overflow", {{}, {kF32}},
            [](CodeBuilder& code) { code.F64Const(1e300).Emit(Opcode::F32DemoteF64); });
  if (with_import) {
    // After the call the guest's modes must be right again.
    guest.Add("around", {{kF64, kF64}, {kF64}}, [&](CodeBuilder& code) {
      code.Call(import).Drop().LocalGet(0).LocalGet(1).Emit(Opcode::F64Mul);
    });
  }
  return guest.Build();
}

/// Bits of results that each mode would get wrong.
std::vector<std::uint64_t> Compute(const tenon::Module& guest) {
  const double least_normal = 2.2250738585072014e-308;
  const double denormal = 1e-310;
  const auto bits = [](auto value) -> std::uint64_t {
    if constexpr (sizeof value == 4) {
      return std::bit_cast<std::uint32_t>(value);
    } else {
      return std::bit_cast<std::uint64_t>(value);
    }
  };
  using Binary = double(double, double);
  const auto mul = guest.ExportedFunction<Binary>("mul");
  const auto add = guest.ExportedFunction<Binary>("add");
  const auto div = guest.ExportedFunction<Binary>("div");
  return {
      bits(mul(least_normal, 0.5)),
      bits(mul(denormal, 4.0)),
      bits(add(denormal, denormal)),
      bits(add(1.0, 1e-30)),
      bits(add(-1.0, -1e-30)),
      bits(div(1.0, 3.0)),
      bits(div(-1.0, 3.0)),
      bits(div(1.0, 0.0)),
      bits(div(0.0, 0.0)) & 0x7FF0000000000000,
      bits(guest.ExportedFunction<float(float, float)>("mulf")(1.2e-38f, 0.5f)),
      bits(guest.ExportedFunction<double(double)>("nearest")(2.5)),
      static_cast<std::uint64_t>(guest.ExportedFunction<std::int32_t(double)>("truncate")(2.9)),
      static_cast<std::uint64_t>(guest.ExportedFunction<std::int32_t(double)>("truncate")(1e20)),
      bits(guest.ExportedFunction<float(double)>("demote")(1e-40)),
      bits(guest.ExportedFunction<float(double)>("demote")(0.1)),
      bits(guest.ExportedFunction<double()>("constant")()),
      bits(guest.ExportedFunction<double()>("infinite")()),
      bits(guest.ExportedFunction<double()>("invalid")()) & 0xFFF0000000000000,
      bits(guest.ExportedFunction<float()>("overflow")()),
  };
}

}  // namespace

TEST_CASE("results do not depend on the caller's floating-point modes, and these stay") {
  std::vector<std::uint64_t> expected;
  InEverySetup([&](const Setup& setup) {
    const Runtime runtime{setup.config};
    const tenon::Module guest = runtime.Instantiate(Floats(false), kAnonymous);
    if (expected.empty()) expected = Compute(guest);
    for (const unsigned mode : kModes) {
      INFO("MXCSR " << std::hex << mode);
      std::vector<std::uint64_t> results;
      unsigned after = 0;
      {
        const WithMode set{mode};
        results = Compute(guest);
        after = CurrentModes();
      }
      CHECK(results == expected);
      CHECK(after == (mode & ~0x3Fu));
    }
  });
}

TEST_CASE("modes in which a module is compiled and instantiated do not show in its results") {
  std::vector<std::uint64_t> expected;
  InEverySetup([&](const Setup& setup) {
    for (const unsigned mode : kModes) {
      INFO("MXCSR " << std::hex << mode);
      const Runtime runtime{setup.config};
      tenon::Module guest;
      {
        const WithMode set{mode};
        guest = runtime.Instantiate(Floats(false), kAnonymous);
      }
      const auto results = Compute(guest);
      if (expected.empty()) expected = results;
      CHECK(results == expected);
    }
  });
}

TEST_CASE("the caller's modes are back after a call that did not return") {
  InEverySetup([](const Setup& setup) {
    const Runtime runtime{setup.config};
    const tenon::Module guest = runtime.Instantiate(guests::Arithmetic(), kAnonymous);
    const auto trap = guest.ExportedFunction<void()>("deep_trap");
    for (const unsigned mode : kModes) {
      unsigned after = 0;
      bool trapped = false;
      {
        const WithMode set{mode};
        trapped = !trap.TryCall();
        after = CurrentModes();
      }
      CHECK(trapped);
      CHECK(after == (mode & ~0x3Fu));
    }
  });
}

TEST_CASE("a host function that has set other modes gets right results from guests too") {
  std::vector<std::uint64_t> expected;
  InEverySetup([&](const Setup& setup) {
    const Runtime runtime{setup.config};
    unsigned mode = kDefault;
    std::vector<std::uint64_t> inner;
    unsigned inner_after = 0;
    runtime.NewHostModuleBuilder("env")
        .NewFunctionBuilder()
        .WithFunc([&](tenon::Module& caller) -> std::int32_t {
          const WithMode set{mode};
          inner = Compute(caller);
          inner_after = CurrentModes();
          return 0;
        })
        .Export("up")
        .Instantiate();
    const tenon::Module guest = runtime.Instantiate(Floats(true), kAnonymous);
    if (expected.empty()) expected = Compute(guest);
    const auto around = guest.ExportedFunction<double(double, double)>("around");
    for (const unsigned inside : kModes) {
      for (const unsigned outside : kModes) {
        mode = inside;
        double result = 0;
        {
          const WithMode set{outside};
          result = around(2.2250738585072014e-308, 0.5);
        }
        CHECK(std::bit_cast<std::uint64_t>(result) == 0x0008000000000000);
        CHECK(inner == expected);
        CHECK(inner_after == (inside & ~0x3Fu));
      }
    }
  });
}

#endif
