// SPDX-License-Identifier: Apache-2.0
/// @file
/// NaN, signalling NaN and -0 through instructions, memory and calls; conversions at their limits.
#include <cmath>
#include <limits>

#include "edge_support.hpp"

using namespace differential::edge;

namespace {

constexpr std::uint32_t kQuiet = 0x7FC12345, kSignalling = 0xFFA00001;
constexpr std::uint64_t kQuiet64 = 0x7FF8000012345678, kSignalling64 = 0xFFF4000000000001;
constexpr std::uint32_t kZero = 0, kMinusZero = 0x80000000, kOne = 0x3F800000,
                        kMinusOne = 0xBF800000, kInfinity = 0x7F800000;

std::uint64_t Widened(std::uint32_t bits) {
  if (bits == kQuiet) return kQuiet64;
  if (bits == kSignalling) return kSignalling64;
  return Bits(static_cast<double>(std::bit_cast<float>(bits)));
}

bool IsNan(std::uint64_t bits, bool is_wide) {
  return is_wide ? (bits & INT64_MAX) > 0x7FF0000000000000 : (bits & INT32_MAX) > kInfinity;
}

/// A guest that exports each of the instructions under its name.
differential::Bytes Instructions(std::initializer_list<Opcode> opcodes) {
  Guest guest;
  for (const Opcode opcode : opcodes) {
    const tenon::wasm::OpcodeInfo& info = tenon::wasm::Info(opcode);
    const auto type_of = [](char code) {
      return code == 'i' ? kI : code == 'l' ? kL : code == 'f' ? kF : code == 'd' ? kD : kV;
    };
    std::vector<ValueType> parameters;
    for (const char code : info.signature.substr(0, info.signature.find(':'))) {
      parameters.push_back(type_of(code));
    }
    const std::size_t count = parameters.size();
    guest.Add(info.text, {std::move(parameters), {type_of(info.signature.back())}},
              [&](CodeBuilder& code) {
                tenon_test::guests::GetAll(code, count);
                code.Emit(opcode);
              });
  }
  return guest.Build();
}

/// Both halves of a vector of four f32 that are all the same.
Slot Twice(std::uint32_t bits) { return std::uint64_t{bits} << 32 | bits; }

}  // namespace

TEST_CASE("comparisons with NaN are false but for ne, and zeros are equal") {
  struct Row {
    std::uint32_t left, right;
    bool eq, ne, lt, gt, le, ge;
  };
  const std::vector<Row> rows{
      {kQuiet, kOne, false, true, false, false, false, false},
      {kOne, kQuiet, false, true, false, false, false, false},
      {kQuiet, kQuiet, false, true, false, false, false, false},
      {kSignalling, kOne, false, true, false, false, false, false},
      {kSignalling, kInfinity, false, true, false, false, false, false},
      {kZero, kMinusZero, true, false, false, false, true, true},
      {kMinusZero, kZero, true, false, false, false, true, true},
      {kMinusOne, kMinusZero, false, true, true, false, true, false},
      {kInfinity, kOne, false, true, false, true, false, true},
      {kOne, kOne, true, false, false, false, true, true},
  };
  const differential::Bytes bytes = Instructions(
      {Opcode::F32Eq,   Opcode::F32Ne,   Opcode::F32Lt,   Opcode::F32Gt,   Opcode::F32Le,
       Opcode::F32Ge,   Opcode::F64Eq,   Opcode::F64Ne,   Opcode::F64Lt,   Opcode::F64Gt,
       Opcode::F64Le,   Opcode::F64Ge,   Opcode::F32x4Eq, Opcode::F32x4Ne, Opcode::F32x4Lt,
       Opcode::F32x4Gt, Opcode::F32x4Le, Opcode::F32x4Ge, Opcode::F64x2Eq, Opcode::F64x2Ne,
       Opcode::F64x2Lt, Opcode::F64x2Gt, Opcode::F64x2Le, Opcode::F64x2Ge});
  // The same fused with a branch, an inverted branch, and a select.
  Guest guest;
  const std::array<std::pair<const char*, Opcode>, 6> compares{{{"eq", Opcode::F32Eq},
                                                                {"ne", Opcode::F32Ne},
                                                                {"lt", Opcode::F32Lt},
                                                                {"gt", Opcode::F32Gt},
                                                                {"le", Opcode::F32Le},
                                                                {"ge", Opcode::F32Ge}}};
  const tenon_test::guests::Signature type{{kF, kF}, {kI}};
  for (const auto& [name, opcode] : compares) {
    const std::string text = name;
    const auto compare = [&, one = opcode](CodeBuilder& code) {
      code.LocalGet(0).LocalGet(1).Emit(one);
    };
    guest.Add("if " + text, type, [&](CodeBuilder& code) {
      compare(code);
      code.If(
          kI, [](CodeBuilder& then) { then.I32Const(1); },
          [](CodeBuilder& otherwise) { otherwise.I32Const(0); });
    });
    guest.Add("if not " + text, type, [&](CodeBuilder& code) {
      compare(code);
      code.Emit(Opcode::I32Eqz);
      code.If(
          kI, [](CodeBuilder& then) { then.I32Const(0); },
          [](CodeBuilder& otherwise) { otherwise.I32Const(1); });
    });
    guest.Add("br_if " + text, type, [&](CodeBuilder& code) {
      code.Block(kI, [&](CodeBuilder& block) {
        block.I32Const(1);
        compare(block);
        block.BrIf(0).Drop().I32Const(0);
      });
    });
    guest.Add("select " + text, type, [&](CodeBuilder& code) {
      code.I32Const(1).I32Const(0);
      compare(code);
      code.Select();
    });
  }
  const differential::Bytes fused = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const tenon::Module branches = runtime.Instantiate(fused);
    for (const Row& row : rows) {
      INFO(std::hex << row.left << ' ' << row.right);
      const std::array<std::pair<std::string, bool>, 6> expected{{{"eq", row.eq},
                                                                  {"ne", row.ne},
                                                                  {"lt", row.lt},
                                                                  {"gt", row.gt},
                                                                  {"le", row.le},
                                                                  {"ge", row.ge}}};
      for (const auto& [name, is_true] : expected) {
        INFO(name);
        const Slot one = is_true ? 1 : 0;
        const std::uint64_t left = Widened(row.left), right = Widened(row.right);
        CHECK(Call(module, "f32." + name, {row.left, row.right}) == Returned({one}));
        CHECK(Call(module, "f64." + name, {left, right}) == Returned({one}));
        const Slot ones = is_true ? UINT64_MAX : 0;
        CHECK(Call(module, "f32x4." + name,
                   {Twice(row.left), Twice(row.left), Twice(row.right), Twice(row.right)}) ==
              Returned({ones, ones}));
        CHECK(Call(module, "f64x2." + name, {left, left, right, right}) == Returned({ones, ones}));
        for (const std::string way : {"if ", "if not ", "br_if ", "select "}) {
          CHECK(Call(branches, way + name, {row.left, row.right}) == Returned({one}));
        }
      }
    }
  });
}

TEST_CASE("min and max order the zeros and hand on NaN from either side") {
  const differential::Bytes bytes =
      Instructions({Opcode::F32Min, Opcode::F32Max, Opcode::F64Min, Opcode::F64Max,
                    Opcode::F32x4Min, Opcode::F32x4Max, Opcode::F64x2Min, Opcode::F64x2Max});
  struct Row {
    std::uint32_t left, right, min, max;
  };
  const std::vector<Row> rows{
      {kZero, kMinusZero, kMinusZero, kZero},
      {kMinusZero, kZero, kMinusZero, kZero},
      {kMinusZero, kMinusZero, kMinusZero, kMinusZero},
      {kOne, kMinusOne, kMinusOne, kOne},
      {kInfinity, kOne, kOne, kInfinity},
      {kQuiet, kOne, kQuiet, kQuiet},
      {kOne, kQuiet, kQuiet, kQuiet},
      {kSignalling, kInfinity, kQuiet, kQuiet},
      {kMinusZero, kSignalling, kQuiet, kQuiet},
  };
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    for (const Row& row : rows) {
      INFO(std::hex << row.left << ' ' << row.right);
      for (const bool is_min : {true, false}) {
        const std::string name = is_min ? "min" : "max";
        const std::uint32_t expected = is_min ? row.min : row.max;
        const auto check = [&](const Answer& answer, bool is_wide) {
          REQUIRE(answer.trap == TrapCode::None);
          for (const Slot slot : answer.slots) {
            if (expected == kQuiet) {
              CHECK(IsNan(slot, is_wide));
              // Arithmetic NaNs are quiet.
              CHECK((slot & (is_wide ? 0x0008000000000000 : 0x00400000)) != 0);
            } else {
              CHECK(slot == (is_wide ? Widened(expected) : expected));
            }
          }
        };
        const std::uint64_t left = Widened(row.left), right = Widened(row.right);
        check(Call(module, "f32." + name, {row.left, row.right}), false);
        check(Call(module, "f64." + name, {left, right}), true);
        check(Call(module, "f64x2." + name, {left, left, right, right}), true);
        const Answer lanes =
            Call(module, "f32x4." + name,
                 {Twice(row.left), Twice(row.left), Twice(row.right), Twice(row.right)});
        for (const Slot slot : lanes.slots) {
          check({TrapCode::None, {slot & 0xFFFFFFFF}}, false);
          check({TrapCode::None, {slot >> 32}}, false);
        }
      }
    }
  });
}

TEST_CASE("pseudo-minimum and -maximum give an operand as it is") {
  const differential::Bytes bytes =
      Instructions({Opcode::F32x4Pmin, Opcode::F32x4Pmax, Opcode::F64x2Pmin, Opcode::F64x2Pmax});
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    // pmin(a, b) = b < a ? b : a; pmax(a, b) = a < b ? b : a.
    const auto f32x4 = [&](const char* name, std::uint32_t a, std::uint32_t b) {
      return Call(module, name, {Twice(a), Twice(a), Twice(b), Twice(b)});
    };
    const auto all = [](std::uint32_t bits) { return Returned({Twice(bits), Twice(bits)}); };
    CHECK(f32x4("f32x4.pmin", kZero, kMinusZero) == all(kZero));
    CHECK(f32x4("f32x4.pmin", kMinusZero, kZero) == all(kMinusZero));
    CHECK(f32x4("f32x4.pmin", kSignalling, kOne) == all(kSignalling));
    CHECK(f32x4("f32x4.pmin", kOne, kSignalling) == all(kOne));
    CHECK(f32x4("f32x4.pmax", kZero, kMinusZero) == all(kZero));
    CHECK(f32x4("f32x4.pmax", kMinusZero, kZero) == all(kMinusZero));
    CHECK(f32x4("f32x4.pmax", kSignalling, kOne) == all(kSignalling));
    CHECK(f32x4("f32x4.pmax", kMinusOne, kOne) == all(kOne));
    CHECK(Call(module, "f64x2.pmin", {kQuiet64, kSignalling64, 0, 0}) ==
          Returned({kQuiet64, kSignalling64}));
    CHECK(Call(module, "f64x2.pmax", {0, 0, kQuiet64, kSignalling64}) == Returned({0, 0}));
  });
}

TEST_CASE("NaN payloads and signalling NaNs survive what does not compute") {
  Guest guest;
  guest.Memory(1);
  const std::uint32_t host = guest.AddImport("host", "same", {{kF, kD}, {kF, kD}});
  const std::uint32_t float_global = guest.Global({kF, true}, ConstantExpression::F32(0));
  const std::uint32_t double_global = guest.Global({kD, true}, ConstantExpression::F64(0));
  const tenon_test::guests::Signature type{{kF, kD}, {kF, kD}};
  const std::uint32_t same =
      guest.Add("same", type, [](CodeBuilder& code) { code.LocalGet(0).LocalGet(1); });
  guest.Add("call", type, [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Call(same); });
  guest.Add("host", type, [&](CodeBuilder& code) { code.LocalGet(0).LocalGet(1).Call(host); });
  guest.Add("memory", type, [](CodeBuilder& code) {
    code.I32Const(4).LocalGet(0).Memory(Opcode::F32Store);
    code.I32Const(16).LocalGet(1).Memory(Opcode::F64Store);
    code.I32Const(4).Memory(Opcode::F32Load).I32Const(16).Memory(Opcode::F64Load);
  });
  guest.Add("global", type, [&](CodeBuilder& code) {
    code.LocalGet(0).GlobalSet(float_global).LocalGet(1).GlobalSet(double_global);
    code.GlobalGet(float_global).GlobalGet(double_global);
  });
  guest.Add("select", type, [](CodeBuilder& code) {
    code.LocalGet(0).F32Const(1).I32Const(1).Select();
    code.F64Const(1).LocalGet(1).I32Const(0).Select();
  });
  guest.Add("reinterpret", type, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::I32ReinterpretF32).Emit(Opcode::F32ReinterpretI32);
    code.LocalGet(1).Emit(Opcode::I64ReinterpretF64).Emit(Opcode::F64ReinterpretI64);
  });
  guest.Add("lanes", type, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F32x4Splat).Lane(Opcode::F32x4ExtractLane, 3);
    code.V128Const({}).LocalGet(1).Lane(Opcode::F64x2ReplaceLane, 1);
    code.Lane(Opcode::F64x2ExtractLane, 1);
  });
  guest.Add("negate twice", type, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F32Neg).Emit(Opcode::F32Neg);
    code.LocalGet(1).Emit(Opcode::F64Neg).Emit(Opcode::F64Neg);
  });
  guest.Add("constants", {{}, {kF, kD}},
            [](CodeBuilder& code) { code.F32ConstBits(kSignalling).F64ConstBits(kSignalling64); });
  guest.Add("negate", type, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F32Neg).LocalGet(1).Emit(Opcode::F64Neg);
  });
  guest.Add("absolute", type, [](CodeBuilder& code) {
    code.LocalGet(0).Emit(Opcode::F32Abs).LocalGet(1).Emit(Opcode::F64Abs);
  });
  guest.Add("copy sign", type, [](CodeBuilder& code) {
    code.LocalGet(0).F32ConstBits(kMinusZero).Emit(Opcode::F32Copysign);
    code.LocalGet(1).F64ConstBits(kQuiet64).Emit(Opcode::F64Copysign);
  });
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module host_module =
        runtime.NewHostModuleBuilder("host")
            .NewFunctionBuilder()
            .WithFunc([](float a, double b) { return std::pair{a, b}; })
            .Export("same")
            .Instantiate();
    const tenon::Module module = runtime.Instantiate(bytes);
    struct Row {
      std::uint32_t narrow;
      std::uint64_t wide;
    };
    for (const Row row : {Row{kQuiet, kQuiet64}, Row{kSignalling, kSignalling64},
                          Row{kMinusZero, 0x8000000000000000}, Row{1, 1}}) {
      for (const char* const way : {"same", "call", "host", "memory", "global", "select",
                                    "reinterpret", "lanes", "negate twice"}) {
        INFO(way);
        CHECK(Call(module, way, {row.narrow, row.wide}) == Returned({row.narrow, row.wide}));
      }
      CHECK(Call(module, "negate", {row.narrow, row.wide}) ==
            Returned({row.narrow ^ 0x80000000, row.wide ^ 0x8000000000000000}));
      CHECK(Call(module, "absolute", {row.narrow, row.wide}) ==
            Returned({row.narrow & 0x7FFFFFFF, row.wide & 0x7FFFFFFFFFFFFFFF}));
      CHECK(Call(module, "copy sign", {row.narrow, row.wide}) ==
            Returned({row.narrow | 0x80000000, row.wide & 0x7FFFFFFFFFFFFFFF}));
    }
    CHECK(Call(module, "constants") == Returned({kSignalling, kSignalling64}));
  });
}

TEST_CASE("arithmetic keeps the sign of zero and rounds halves to even") {
  const differential::Bytes bytes =
      Instructions({Opcode::F64Add, Opcode::F64Sub, Opcode::F64Mul, Opcode::F64Div,
                    Opcode::F64Nearest, Opcode::F64Ceil, Opcode::F64Floor, Opcode::F64Trunc,
                    Opcode::F64Sqrt, Opcode::F64Neg, Opcode::F64ConvertI64U, Opcode::F32ConvertI64U,
                    Opcode::F32ConvertI64S, Opcode::F64ConvertI32U, Opcode::F32DemoteF64});
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const auto binary = [&](const char* name, double a, double b) {
      return Call(module, name, {Bits(a), Bits(b)});
    };
    const auto unary = [&](const char* name, double a) { return Call(module, name, {Bits(a)}); };
    const auto is = [](double value) { return Returned({Bits(value)}); };
    CHECK(binary("f64.add", -0.0, 0.0) == is(0.0));
    CHECK(binary("f64.add", -0.0, -0.0) == is(-0.0));
    CHECK(binary("f64.sub", -0.0, 0.0) == is(-0.0));
    CHECK(binary("f64.sub", 0.0, 0.0) == is(0.0));
    CHECK(binary("f64.sub", 0.0, -0.0) == is(0.0));
    CHECK(binary("f64.mul", -1.0, 0.0) == is(-0.0));
    CHECK(binary("f64.div", 1.0, -0.0) == is(-std::numeric_limits<double>::infinity()));
    CHECK(unary("f64.neg", 0.0) == is(-0.0));
    CHECK(unary("f64.sqrt", -0.0) == is(-0.0));
    CHECK(unary("f64.nearest", 0.5) == is(0.0));
    CHECK(unary("f64.nearest", -0.5) == is(-0.0));
    CHECK(unary("f64.nearest", 1.5) == is(2.0));
    CHECK(unary("f64.nearest", 2.5) == is(2.0));
    CHECK(unary("f64.nearest", -2.5) == is(-2.0));
    CHECK(unary("f64.nearest", 4503599627370495.5) == is(4503599627370496.0));
    CHECK(unary("f64.ceil", -0.5) == is(-0.0));
    CHECK(unary("f64.floor", -0.5) == is(-1.0));
    CHECK(unary("f64.trunc", -0.9) == is(-0.0));
    CHECK(Call(module, "f64.convert_i32_u", {0xFFFFFFFF}) == is(4294967295.0));
    CHECK(Call(module, "f64.convert_i64_u", {UINT64_MAX}) == is(18446744073709551616.0));
    CHECK(Call(module, "f64.convert_i64_u", {0x8000000000000400}) == is(9223372036854775808.0));
    CHECK(Call(module, "f64.convert_i64_u", {0x8000000000000401}) == is(9223372036854777856.0));
    // Rounded once, not by way of f64.
    CHECK(Call(module, "f32.convert_i64_u", {0x8000008000000001}) == Returned({0x5F000001}));
    CHECK(Call(module, "f32.convert_i64_u", {0x8000008000000000}) == Returned({0x5F000000}));
    CHECK(Call(module, "f32.convert_i64_s", {0x4000004000000001}) == Returned({0x5E800001}));
    CHECK(Call(module, "f32.convert_i64_s", {0x20000020000001}) == Returned({0x5A000001}));
    CHECK(Call(module, "f32.demote_f64", {0x47EFFFFFEFFFFFFF}) == Returned({0x7F7FFFFF}));
    CHECK(Call(module, "f32.demote_f64", {0x47EFFFFFF0000000}) == Returned({0x7F800000}));
    CHECK(Call(module, "f32.demote_f64", {0x36A0000000000000}) == Returned({1}));
    CHECK(Call(module, "f32.demote_f64", {0x3690000000000000}) == Returned({0}));
    CHECK(Call(module, "f32.demote_f64", {0x3690000000000001}) == Returned({1}));
  });
}

namespace {

/// A conversion, the largest and smallest number it takes, their neighbours that it does not take,
/// and what it makes of them.
struct Limit {
  Opcode traps, saturates;
  std::uint64_t largest, too_large, smallest, too_small;
  std::uint64_t at_largest, at_smallest;
  std::uint64_t maximum, minimum;  ///< what saturation gives
};

// Limits of unsigned conversions below: -1, which is out, and its neighbour, which gives 0.
const std::vector<Limit> kLimits{
    {Opcode::I32TruncF32S, Opcode::I32TruncSatF32S, 0x4EFFFFFF, 0x4F000000, 0xCF000000, 0xCF000001,
     0x7FFFFF80, 0x80000000, 0x7FFFFFFF, 0x80000000},
    {Opcode::I32TruncF32U, Opcode::I32TruncSatF32U, 0x4F7FFFFF, 0x4F800000, 0xBF7FFFFF, 0xBF800000,
     0xFFFFFF00, 0, 0xFFFFFFFF, 0},
    {Opcode::I32TruncF64S, Opcode::I32TruncSatF64S, 0x41DFFFFFFFFFFFFF, 0x41E0000000000000,
     0xC1E00000001FFFFF, 0xC1E0000000200000, 0x7FFFFFFF, 0x80000000, 0x7FFFFFFF, 0x80000000},
    {Opcode::I32TruncF64U, Opcode::I32TruncSatF64U, 0x41EFFFFFFFFFFFFF, 0x41F0000000000000,
     0xBFEFFFFFFFFFFFFF, 0xBFF0000000000000, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0},
    {Opcode::I64TruncF32S, Opcode::I64TruncSatF32S, 0x5EFFFFFF, 0x5F000000, 0xDF000000, 0xDF000001,
     0x7FFFFF8000000000, 0x8000000000000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000},
    {Opcode::I64TruncF32U, Opcode::I64TruncSatF32U, 0x5F7FFFFF, 0x5F800000, 0xBF7FFFFF, 0xBF800000,
     0xFFFFFF0000000000, 0, UINT64_MAX, 0},
    {Opcode::I64TruncF64S, Opcode::I64TruncSatF64S, 0x43DFFFFFFFFFFFFF, 0x43E0000000000000,
     0xC3E0000000000000, 0xC3E0000000000001, 0x7FFFFFFFFFFFFC00, 0x8000000000000000,
     0x7FFFFFFFFFFFFFFF, 0x8000000000000000},
    {Opcode::I64TruncF64U, Opcode::I64TruncSatF64U, 0x43EFFFFFFFFFFFFF, 0x43F0000000000000,
     0xBFEFFFFFFFFFFFFF, 0xBFF0000000000000, 0xFFFFFFFFFFFFF800, 0, UINT64_MAX, 0},
};

}  // namespace

TEST_CASE("truncations take the last number in range and not its neighbour") {
  Guest guest;
  for (const Limit& limit : kLimits) {
    for (const Opcode opcode : {limit.traps, limit.saturates}) {
      const tenon::wasm::OpcodeInfo& info = tenon::wasm::Info(opcode);
      const ValueType from = info.signature[0] == 'f' ? kF : kD;
      guest.Add(info.text, {{from}, {info.signature.back() == 'i' ? kI : kL}},
                [&](CodeBuilder& code) { code.LocalGet(0).Emit(opcode); });
      // Of a constant, which compilers compute themselves.
      for (const std::uint64_t bits :
           {limit.largest, limit.too_large, limit.smallest, limit.too_small}) {
        guest.Add(std::string{info.text} + std::to_string(bits),
                  {{}, {info.signature.back() == 'i' ? kI : kL}}, [&](CodeBuilder& code) {
                    if (from == kF) {
                      code.F32ConstBits(static_cast<std::uint32_t>(bits));
                    } else {
                      code.F64ConstBits(bits);
                    }
                    code.Emit(opcode);
                  });
      }
    }
  }
  const differential::Bytes bytes = guest.Build();
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    for (const Limit& limit : kLimits) {
      const std::string traps{tenon::wasm::Info(limit.traps).text};
      const std::string saturates{tenon::wasm::Info(limit.saturates).text};
      INFO(traps);
      const bool is_wide = tenon::wasm::Info(limit.traps).signature[0] == 'd';
      const Answer overflow = Trapped(TrapCode::IntegerOverflow);
      const auto both = [&](const std::string& name, std::uint64_t bits, const Answer& expected) {
        CHECK(Call(module, name, {bits}) == expected);
        CHECK(Call(module, name + std::to_string(bits)) == expected);
      };
      both(traps, limit.largest, Returned({limit.at_largest}));
      both(traps, limit.smallest, Returned({limit.at_smallest}));
      both(traps, limit.too_large, overflow);
      both(traps, limit.too_small, overflow);
      both(saturates, limit.largest, Returned({limit.at_largest}));
      both(saturates, limit.smallest, Returned({limit.at_smallest}));
      both(saturates, limit.too_large, Returned({limit.maximum}));
      both(saturates, limit.too_small, Returned({limit.minimum}));

      const std::uint64_t infinity = is_wide ? 0x7FF0000000000000 : 0x7F800000;
      const std::uint64_t sign = is_wide ? 0x8000000000000000 : 0x80000000;
      CHECK(Call(module, traps, {infinity}) == overflow);
      CHECK(Call(module, traps, {infinity | sign}) == overflow);
      CHECK(Call(module, saturates, {infinity}) == Returned({limit.maximum}));
      CHECK(Call(module, saturates, {infinity | sign}) == Returned({limit.minimum}));
      for (const std::uint64_t nan :
           {is_wide ? kQuiet64 : kQuiet, is_wide ? kSignalling64 : kSignalling}) {
        CHECK(Call(module, traps, {nan}) == Trapped(TrapCode::InvalidConversionToInteger));
        CHECK(Call(module, saturates, {nan}) == Returned({0}));
      }
      CHECK(Call(module, traps, {sign}) == Returned({0}));  // -0
      CHECK(Call(module, saturates, {sign}) == Returned({0}));
      CHECK(Call(module, traps, {sign | 1}) == Returned({0}));  // denormal
    }
  });
}

TEST_CASE("vector truncations saturate lane by lane") {
  const differential::Bytes bytes =
      Instructions({Opcode::I32x4TruncSatF32x4S, Opcode::I32x4TruncSatF32x4U,
                    Opcode::I32x4TruncSatF64x2SZero, Opcode::I32x4TruncSatF64x2UZero});
  InEveryConfiguration([&](const tenon::Runtime& runtime) {
    const tenon::Module module = runtime.Instantiate(bytes);
    const auto pair = [](std::uint32_t low, std::uint32_t high) {
      return std::uint64_t{high} << 32 | low;
    };
    CHECK(Call(module, "i32x4.trunc_sat_f32x4_s",
               {pair(0x4EFFFFFF, 0x4F000000), pair(0xCF000001, kQuiet)}) ==
          Returned({pair(0x7FFFFF80, 0x7FFFFFFF), pair(0x80000000, 0)}));
    CHECK(Call(module, "i32x4.trunc_sat_f32x4_u",
               {pair(0x4F7FFFFF, 0x4F800000), pair(kMinusOne, kSignalling)}) ==
          Returned({pair(0xFFFFFF00, 0xFFFFFFFF), pair(0, 0)}));
    CHECK(Call(module, "i32x4.trunc_sat_f32x4_u",
               {pair(0x4F000000, 0x4EFFFFFF), pair(0xBF7FFFFF, kInfinity)}) ==
          Returned({pair(0x80000000, 0x7FFFFF80), pair(0, 0xFFFFFFFF)}));
    CHECK(Call(module, "i32x4.trunc_sat_f64x2_s_zero", {0x41DFFFFFFFFFFFFF, 0xC1E0000000200000}) ==
          Returned({pair(0x7FFFFFFF, 0x80000000), 0}));
    CHECK(Call(module, "i32x4.trunc_sat_f64x2_s_zero", {0x41E0000000000000, kQuiet64}) ==
          Returned({pair(0x7FFFFFFF, 0), 0}));
    CHECK(Call(module, "i32x4.trunc_sat_f64x2_u_zero", {0x41EFFFFFFFFFFFFF, 0x41F0000000000000}) ==
          Returned({pair(0xFFFFFFFF, 0xFFFFFFFF), 0}));
    CHECK(Call(module, "i32x4.trunc_sat_f64x2_u_zero", {0xBFEFFFFFFFFFFFFF, 0xFFF0000000000000}) ==
          Returned({0, 0}));
  });
}
