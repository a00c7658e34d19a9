// SPDX-License-Identifier: Apache-2.0
/// @file
/// The vector instructions against loops over lanes put together from bytes.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/interp/simd.hpp>

#include "numeric_support.hpp"

using namespace numeric_test;
using namespace tenon::interp;
using tenon::V128;

namespace {

using Unary = V128 (*)(V128);
using Binary = V128 (*)(V128, V128);
using Shift = V128 (*)(V128, std::uint32_t);
using Test = std::uint32_t (*)(V128);

std::uint64_t Lane(const V128& v, unsigned width, std::size_t lane) {
  std::uint64_t value = 0;
  for (std::size_t i = width / 8; i-- > 0;) value = value << 8 | v.bytes[lane * width / 8 + i];
  return value;
}

void SetLane(V128& v, unsigned width, std::size_t lane, std::uint64_t value) {
  for (std::size_t i = 0; i < width / 8; ++i, value >>= 8) {
    v.bytes[lane * width / 8 + i] = static_cast<std::uint8_t>(value);
  }
}

std::string Hex(const V128& v) {
  return numeric_test::Hex(Lane(v, 64, 1)) + numeric_test::Hex(Lane(v, 64, 0));
}

/// Vectors whose lanes of `width` bits are these values in turn.
std::vector<V128> Pack(const std::vector<std::uint64_t>& values, unsigned width) {
  const std::size_t lanes = 128 / width;
  std::vector<V128> vectors((values.size() + lanes - 1) / lanes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    SetLane(vectors[i / lanes], width, i % lanes, values[i]);
  }
  return vectors;
}

/// All pairs of these values, packed: first operands, second operands.
using Pairs = std::pair<std::vector<V128>, std::vector<V128>>;
Pairs PackPairs(const std::vector<std::uint64_t>& values, unsigned width) {
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  for (const std::uint64_t a : values) {
    for (const std::uint64_t b : values) {
      first.push_back(a);
      second.push_back(b);
    }
  }
  return {Pack(first, width), Pack(second, width)};
}

/// All values of 8 bits, corner values of the wider lanes.
std::vector<std::uint64_t> LaneValues(unsigned width) {
  if (width > 8) return IntegerValues(width);
  std::vector<std::uint64_t> values;
  for (std::uint64_t value = 0; value < 256; ++value) values.push_back(value);
  return values;
}

const Pairs& IntegerPairs(unsigned width) {
  static const Pairs pairs[] = {PackPairs(LaneValues(8), 8), PackPairs(LaneValues(16), 16),
                                PackPairs(LaneValues(32), 32), PackPairs(LaneValues(64), 64)};
  return pairs[width == 8 ? 0 : width == 16 ? 1 : width == 32 ? 2 : 3];
}

// --- integer lanes ------------------------------------------------------------------------------

struct UnaryRow {
  const char* name;
  Unary function;
  unsigned width;
  Reference reference;
};

struct BinaryRow {
  const char* name;
  Binary function;
  unsigned width;
  Reference reference;
};

struct ShiftRow {
  const char* name;
  Shift function;
  unsigned width;
  Reference reference;
};

using Op = const Operands&;

#define TENON_TEST_SIGNED_COMPARISONS(P, W)                              \
  {#P "Eq", P##Eq, W, [](Op o) { return -Int128{o.ua == o.ub}; }},       \
      {#P "Ne", P##Ne, W, [](Op o) { return -Int128{o.ua != o.ub}; }},   \
      {#P "LtS", P##LtS, W, [](Op o) { return -Int128{o.sa < o.sb}; }},  \
      {#P "GtS", P##GtS, W, [](Op o) { return -Int128{o.sa > o.sb}; }},  \
      {#P "LeS", P##LeS, W, [](Op o) { return -Int128{o.sa <= o.sb}; }}, \
      {#P "GeS", P##GeS, W, [](Op o) { return -Int128{o.sa >= o.sb}; }}, \
      {#P "Add", P##Add, W, [](Op o) { return o.ua + o.ub; }},           \
      {#P "Sub", P##Sub, W, [](Op o) { return o.ua - o.ub; }},

#define TENON_TEST_UNSIGNED(P, W)                                                           \
  {#P "LtU", P##LtU, W, [](Op o) { return -Int128{o.ua < o.ub}; }},                         \
      {#P "GtU", P##GtU, W, [](Op o) { return -Int128{o.ua > o.ub}; }},                     \
      {#P "LeU", P##LeU, W, [](Op o) { return -Int128{o.ua <= o.ub}; }},                    \
      {#P "GeU", P##GeU, W, [](Op o) { return -Int128{o.ua >= o.ub}; }},                    \
      {#P "MinS", P##MinS, W, [](Op o) { return o.sa - (o.sa > o.sb ? o.sa - o.sb : 0); }}, \
      {#P "MinU", P##MinU, W, [](Op o) { return o.ua - (o.ua > o.ub ? o.ua - o.ub : 0); }}, \
      {#P "MaxS", P##MaxS, W, [](Op o) { return o.sa + (o.sa < o.sb ? o.sb - o.sa : 0); }}, \
      {#P "MaxU", P##MaxU, W, [](Op o) { return o.ua + (o.ua < o.ub ? o.ub - o.ua : 0); }},

#define TENON_TEST_SATURATING(P, W)                                                            \
  {#P "AddSatS", P##AddSatS, W, [](Op o) { return ClampSigned(o.sa + o.sb, o.width); }},       \
      {#P "AddSatU", P##AddSatU, W, [](Op o) { return ClampUnsigned(o.ua + o.ub, o.width); }}, \
      {#P "SubSatS", P##SubSatS, W, [](Op o) { return ClampSigned(o.sa - o.sb, o.width); }},   \
      {#P "SubSatU", P##SubSatU, W, [](Op o) { return ClampUnsigned(o.ua - o.ub, o.width); }}, \
      {#P "AvgrU", P##AvgrU, W, [](Op o) { return (o.ua + o.ub) / 2 + (o.ua + o.ub) % 2; }},

/// The low 64 bits of a product, which may be wider than 128 bits allow.
Int128 Product(Op o) {
  return static_cast<Int128>(static_cast<Uint128>(o.ua) * static_cast<Uint128>(o.ub));
}

const std::vector<BinaryRow> kBinary = {
    // clang-format off
    TENON_TEST_SIGNED_COMPARISONS(I8x16, 8)
    TENON_TEST_SIGNED_COMPARISONS(I16x8, 16)
    TENON_TEST_SIGNED_COMPARISONS(I32x4, 32)
    TENON_TEST_SIGNED_COMPARISONS(I64x2, 64)
    TENON_TEST_UNSIGNED(I8x16, 8)
    TENON_TEST_UNSIGNED(I16x8, 16)
    TENON_TEST_UNSIGNED(I32x4, 32)
    TENON_TEST_SATURATING(I8x16, 8)
    TENON_TEST_SATURATING(I16x8, 16)
    // clang-format on
    {"I16x8Mul", I16x8Mul, 16, Product},
    {"I32x4Mul", I32x4Mul, 32, Product},
    {"I64x2Mul", I64x2Mul, 64, Product},
    {"I16x8Q15mulrSatS", I16x8Q15mulrSatS, 16,
     [](Op o) { return ClampSigned(FloorShift(o.sa * o.sb + 16384, 15), 16); }},
    {"V128And", V128And, 8, [](Op o) { return o.ua + o.ub - (o.ua | o.ub); }},
    {"V128Andnot", V128Andnot, 8, [](Op o) { return o.ua - (o.ua & o.ub); }},
    {"V128Or", V128Or, 8, [](Op o) { return o.ua + o.ub - (o.ua & o.ub); }},
    {"V128Xor", V128Xor, 8, [](Op o) { return (o.ua | o.ub) - (o.ua & o.ub); }},
};

Int128 Magnitude(Op o) { return o.sa < 0 ? -o.sa : o.sa; }
Int128 Negative(Op o) { return -o.sa; }
Int128 Ones(Op o) {
  Int128 count = 0;
  for (Int128 rest = o.ua; rest != 0; rest /= 2) count += rest % 2;
  return count;
}

const std::vector<UnaryRow> kUnary = {
    {"I8x16Abs", I8x16Abs, 8, Magnitude},
    {"I16x8Abs", I16x8Abs, 16, Magnitude},
    {"I32x4Abs", I32x4Abs, 32, Magnitude},
    {"I64x2Abs", I64x2Abs, 64, Magnitude},
    {"I8x16Neg", I8x16Neg, 8, Negative},
    {"I16x8Neg", I16x8Neg, 16, Negative},
    {"I32x4Neg", I32x4Neg, 32, Negative},
    {"I64x2Neg", I64x2Neg, 64, Negative},
    {"I8x16Popcnt", I8x16Popcnt, 8, Ones},
    {"V128Not", V128Not, 8, [](Op o) { return 255 - o.ua; }},
    {"F32x4Neg", F32x4Neg, 32, [](Op o) { return o.ua + (kOne << 31); }},
    {"F64x2Neg", F64x2Neg, 64, [](Op o) { return o.ua + (kOne << 63); }},
    {"F32x4Abs", F32x4Abs, 32, [](Op o) { return o.ua % (kOne << 31); }},
    {"F64x2Abs", F64x2Abs, 64, [](Op o) { return o.ua % (kOne << 63); }},
};

// The second operand is the count.
#define TENON_TEST_SHIFTS(P, W)                                                            \
  {#P "Shl", P##Shl, W, [](Op o) { return o.ua * (kOne << static_cast<int>(o.ub % W)); }}, \
      {#P "ShrS", P##ShrS, W, [](Op o) { return FloorShift(o.sa, o.ub % W); }},            \
      {#P "ShrU", P##ShrU, W, [](Op o) { return FloorShift(o.ua, o.ub % W); }},

const std::vector<ShiftRow> kShifts = {
    // clang-format off
    TENON_TEST_SHIFTS(I8x16, 8)
    TENON_TEST_SHIFTS(I16x8, 16)
    TENON_TEST_SHIFTS(I32x4, 32)
    {"I64x2Shl", I64x2Shl, 64, [](Op o) {
      return static_cast<Int128>(static_cast<Uint128>(o.ua) << static_cast<int>(o.ub % 64));
    }},
    {"I64x2ShrS", I64x2ShrS, 64, [](Op o) { return FloorShift(o.sa, o.ub % 64); }},
    {"I64x2ShrU", I64x2ShrU, 64, [](Op o) { return FloorShift(o.ua, o.ub % 64); }},
    // clang-format on
};

V128 Expected(const BinaryRow& row, const V128& a, const V128& b) {
  V128 result{};
  for (std::size_t i = 0; i < 128 / row.width; ++i) {
    const Operands operands(Lane(a, row.width, i), Lane(b, row.width, i), row.width);
    SetLane(result, row.width, i, Wrap(row.reference(operands), row.width));
  }
  return result;
}

void CheckBinary(const BinaryRow& row) {
  const auto& [first, second] = IntegerPairs(row.width);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const V128 got = row.function(first[i], second[i]);
    if (got == Expected(row, first[i], second[i])) continue;
    FAIL_CHECK(row.name << " of " << Hex(first[i]) << ", " << Hex(second[i]) << " gives "
                        << Hex(got));
    return;
  }
  SUCCEED(row.name);
}

// --- lanes of another width ---------------------------------------------------------------------

struct WideningRow {
  const char* name;
  Unary extend;
  const char* product_name;
  Binary product;
  unsigned from;
  bool is_signed;
  bool high;
};

#define TENON_TEST_WIDENING(To, From, W) \
  {#To "ExtendLow" #From "S",            \
   To##ExtendLow##From##S,               \
   #To "ExtmulLow" #From "S",            \
   To##ExtmulLow##From##S,               \
   W,                                    \
   true,                                 \
   false},                               \
      {#To "ExtendLow" #From "U",        \
       To##ExtendLow##From##U,           \
       #To "ExtmulLow" #From "U",        \
       To##ExtmulLow##From##U,           \
       W,                                \
       false,                            \
       false},                           \
      {#To "ExtendHigh" #From "S",       \
       To##ExtendHigh##From##S,          \
       #To "ExtmulHigh" #From "S",       \
       To##ExtmulHigh##From##S,          \
       W,                                \
       true,                             \
       true},                            \
      {#To "ExtendHigh" #From "U",       \
       To##ExtendHigh##From##U,          \
       #To "ExtmulHigh" #From "U",       \
       To##ExtmulHigh##From##U,          \
       W,                                \
       false,                            \
       true},

const std::vector<WideningRow> kWidening = {
    // clang-format off
    TENON_TEST_WIDENING(I16x8, I8x16, 8)
    TENON_TEST_WIDENING(I32x4, I16x8, 16)
    TENON_TEST_WIDENING(I64x2, I32x4, 32)
    // clang-format on
};

struct PairwiseRow {
  const char* name;
  Unary function;
  unsigned from;
  bool is_signed;
};

const std::vector<PairwiseRow> kPairwise = {
    {"I16x8ExtaddPairwiseI8x16S", I16x8ExtaddPairwiseI8x16S, 8, true},
    {"I16x8ExtaddPairwiseI8x16U", I16x8ExtaddPairwiseI8x16U, 8, false},
    {"I32x4ExtaddPairwiseI16x8S", I32x4ExtaddPairwiseI16x8S, 16, true},
    {"I32x4ExtaddPairwiseI16x8U", I32x4ExtaddPairwiseI16x8U, 16, false}};

struct NarrowingRow {
  const char* name;
  Binary function;
  unsigned to;
  bool is_signed;
};

const std::vector<NarrowingRow> kNarrowing = {{"I8x16NarrowI16x8S", I8x16NarrowI16x8S, 8, true},
                                              {"I8x16NarrowI16x8U", I8x16NarrowI16x8U, 8, false},
                                              {"I16x8NarrowI32x4S", I16x8NarrowI32x4S, 16, true},
                                              {"I16x8NarrowI32x4U", I16x8NarrowI32x4U, 16, false}};

Int128 Read(const V128& v, unsigned width, std::size_t lane, bool is_signed) {
  const std::uint64_t value = Lane(v, width, lane);
  return is_signed ? AsSigned(value, width) : static_cast<Int128>(value);
}

// --- float lanes --------------------------------------------------------------------------------

struct FloatUnaryRow {
  const char* name;
  Unary function;
  float (*f32)(float);
  double (*f64)(double);
};

struct FloatBinaryRow {
  const char* name;
  Binary function;
  float (*f32)(float, float);
  double (*f64)(double, double);
};

struct FloatComparisonRow {
  const char* name;
  Binary function;
  std::uint32_t (*f32)(float, float);
  std::uint32_t (*f64)(double, double);
};

#define TENON_TEST_FLOAT(name)                        \
  {"F32x4" #name, F32x4##name, F32##name, nullptr}, { \
    "F64x2" #name, F64x2##name, nullptr, F64##name    \
  }

const std::vector<FloatUnaryRow> kFloatUnary = {TENON_TEST_FLOAT(Ceil), TENON_TEST_FLOAT(Floor),
                                                TENON_TEST_FLOAT(Trunc), TENON_TEST_FLOAT(Nearest),
                                                TENON_TEST_FLOAT(Sqrt)};
const std::vector<FloatBinaryRow> kFloatBinary = {TENON_TEST_FLOAT(Add), TENON_TEST_FLOAT(Sub),
                                                  TENON_TEST_FLOAT(Mul), TENON_TEST_FLOAT(Div),
                                                  TENON_TEST_FLOAT(Min), TENON_TEST_FLOAT(Max)};
const std::vector<FloatComparisonRow> kFloatComparisons = {
    TENON_TEST_FLOAT(Eq), TENON_TEST_FLOAT(Ne), TENON_TEST_FLOAT(Lt),
    TENON_TEST_FLOAT(Gt), TENON_TEST_FLOAT(Le), TENON_TEST_FLOAT(Ge)};

template <class Float>
using Bits = typename Format<Float>::Bits;

template <class Float>
std::vector<std::uint64_t> WideFloatValues() {
  const auto bits = FloatValues<Float>();
  return {bits.begin(), bits.end()};
}

template <class Float>
const Pairs& FloatPairs() {
  static const Pairs pairs = PackPairs(WideFloatValues<Float>(), sizeof(Float) * 8);
  return pairs;
}

template <class Float>
Bits<Float> FloatLane(const V128& v, std::size_t lane) {
  return static_cast<Bits<Float>>(Lane(v, sizeof(Float) * 8, lane));
}

/// Checks every lane of function(a, b) over all pairs with `is_right(got, a, b)`, all bits.
template <class Float, class IsRight>
void CheckFloatLanes(const char* name, Binary function, IsRight is_right) {
  const auto& [first, second] = FloatPairs<Float>();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const V128 result = function(first[i], second[i]);
    for (std::size_t lane = 0; lane < 16 / sizeof(Float); ++lane) {
      if (is_right(FloatLane<Float>(result, lane), FloatLane<Float>(first[i], lane),
                   FloatLane<Float>(second[i], lane))) {
        continue;
      }
      FAIL_CHECK(name << " of " << Hex(first[i]) << ", " << Hex(second[i]) << " gives "
                      << Hex(result));
      return;
    }
  }
  SUCCEED(name);
}

template <class Float>
void CheckFloatBinary(const char* name, Binary function, Float (*scalar)(Float, Float)) {
  CheckFloatLanes<Float>(name, function, [&](Bits<Float> got, Bits<Float> a, Bits<Float> b) {
    const Float want = scalar(std::bit_cast<Float>(a), std::bit_cast<Float>(b));
    return Matches<Float>(got, std::bit_cast<Bits<Float>>(want), a, b);
  });
}

template <class Float>
void CheckFloatUnary(const char* name, Unary function, Float (*scalar)(Float)) {
  for (const V128& v : Pack(WideFloatValues<Float>(), sizeof(Float) * 8)) {
    const V128 result = function(v);
    for (std::size_t lane = 0; lane < 16 / sizeof(Float); ++lane) {
      const Bits<Float> bits = FloatLane<Float>(v, lane);
      const auto want = std::bit_cast<Bits<Float>>(scalar(std::bit_cast<Float>(bits)));
      if (Matches<Float>(FloatLane<Float>(result, lane), want, bits)) continue;
      FAIL_CHECK(name << " of " << Hex(v) << " gives " << Hex(result));
      return;
    }
  }
  SUCCEED(name);
}

template <class Float>
void CheckFloatComparison(const char* name, Binary function,
                          std::uint32_t (*scalar)(Float, Float)) {
  CheckFloatLanes<Float>(name, function, [&](Bits<Float> got, Bits<Float> a, Bits<Float> b) {
    const bool holds = scalar(std::bit_cast<Float>(a), std::bit_cast<Float>(b)) == 1;
    return got == (holds ? static_cast<Bits<Float>>(-1) : Bits<Float>{0});
  });
}

/// The second operand if it is less (or greater), the first in all other cases, bit by bit.
template <class Float>
void CheckPseudo(const char* name, Binary function, bool greater) {
  CheckFloatLanes<Float>(name, function, [&](Bits<Float> got, Bits<Float> a, Bits<Float> b) {
    using F = Format<Float>;
    const bool ordered = !F::IsNan(a) && !F::IsNan(b);
    const bool second = greater ? F::Order(b) > F::Order(a) : F::Order(b) < F::Order(a);
    return got == (ordered && second ? b : a);
  });
}

/// Checks `function`, which makes the first lanes of its result from the first lanes of its
/// operand and leaves the rest zero, against the scalar instruction.
template <class To, class From, class Scalar>
void CheckLaneConversion(const char* name, Unary function, const std::vector<std::uint64_t>& values,
                         Scalar scalar) {
  constexpr std::size_t kLanes = 16 / (sizeof(To) > sizeof(From) ? sizeof(To) : sizeof(From));
  for (const V128& v : Pack(values, sizeof(From) * 8)) {
    const V128 result = function(v);
    for (std::size_t lane = 0; lane < 16 / sizeof(To); ++lane) {
      const std::uint64_t got = Lane(result, sizeof(To) * 8, lane);
      bool right = got == 0;
      if (lane < kLanes) {
        right = scalar(got, Lane(v, sizeof(From) * 8, lane));
      }
      if (right) continue;
      FAIL_CHECK(name << " of " << Hex(v) << " gives " << Hex(result));
      return;
    }
  }
  SUCCEED(name);
}

template <class Float>
void CheckTruncation(const char* name, Unary function, std::uint32_t (*scalar)(Float)) {
  CheckLaneConversion<std::uint32_t, Float>(
      name, function, WideFloatValues<Float>(), [&](std::uint64_t got, std::uint64_t from) {
        return got == scalar(std::bit_cast<Float>(static_cast<Bits<Float>>(from)));
      });
}

template <class Float>
void CheckConversion(const char* name, Unary function, Float (*scalar)(std::uint32_t)) {
  CheckLaneConversion<Float, std::uint32_t>(
      name, function, IntegerValues(32), [&](std::uint64_t got, std::uint64_t from) {
        return got == std::bit_cast<Bits<Float>>(scalar(static_cast<std::uint32_t>(from)));
      });
}

template <class To, class From>
void CheckFloatToFloat(const char* name, Unary function, To (*scalar)(From)) {
  CheckLaneConversion<To, From>(
      name, function, WideFloatValues<From>(), [&](std::uint64_t got, std::uint64_t from) {
        const auto bits = static_cast<Bits<From>>(from);
        const auto want = std::bit_cast<Bits<To>>(scalar(std::bit_cast<From>(bits)));
        return Matches<To>(static_cast<Bits<To>>(got), want, bits);
      });
}

V128 Counting(std::uint8_t first) {
  V128 v;
  for (std::size_t i = 0; i < 16; ++i) v.bytes[i] = static_cast<std::uint8_t>(first + i);
  return v;
}

}  // namespace

TEST_CASE("every vector row has a function of the row's types", "[interp][simd]") {
  const auto loaded = [](const Row& row) { return "bhil"[row.info.width]; };
  const std::vector<Row> rows = VectorRows();
  CHECK(rows.size() == 233);
  for (const Row& row : rows) {
    INFO(row.name);
    std::string want{row.info.signature};
    for (char& letter : want) letter = letter == 'f' ? 'i' : letter == 'd' ? 'l' : letter;
    switch (row.info.immediate) {
      case tenon::wasm::Immediate::Lane:
        want.insert(want.find(':'), 1, 'i');
        break;
      case tenon::wasm::Immediate::Shuffle:
        want.insert(want.find(':'), 1, 'p');
        break;
      case tenon::wasm::Immediate::Memory:
        want = {loaded(row), ':', 'v'};
        break;
      case tenon::wasm::Immediate::MemoryLane:
        want = want == "av:v" ? std::string{'v', loaded(row), 'i', ':', 'v'}
                              : std::string{'v', 'i', ':', loaded(row)};
        break;
      default:
        break;
    }
    CHECK(row.function == want);
  }
}

TEST_CASE("lane-wise integer instructions agree with 128-bit arithmetic", "[interp][simd]") {
  for (const BinaryRow& row : kBinary) CheckBinary(row);
  for (const UnaryRow& row : kUnary) {
    for (const V128& v : IntegerPairs(row.width).second) {
      const V128 want = Expected({row.name, nullptr, row.width, row.reference}, v, v);
      if (row.function(v) == want) continue;
      FAIL_CHECK(row.name << " of " << Hex(v) << " gives " << Hex(row.function(v)));
      break;
    }
  }
}

TEST_CASE("vector shifts take their count modulo the lane's width", "[interp][simd]") {
  for (const ShiftRow& row : kShifts) {
    INFO(row.name);
    bool right = true;
    for (const std::uint32_t extra : {0u, 128u, 0x80000000u, 0xFFFFFF00u}) {
      for (std::uint32_t count = extra; count < extra + 2 * row.width; ++count) {
        V128 counts{};
        for (std::size_t i = 0; i < 128 / row.width; ++i) {
          SetLane(counts, row.width, i, count % row.width);
        }
        for (const V128& v : Pack(LaneValues(row.width), row.width)) {
          const V128 want = Expected({row.name, nullptr, row.width, row.reference}, v, counts);
          right = right && row.function(v, count) == want;
        }
      }
    }
    CHECK(right);
  }
}

TEST_CASE("extending instructions widen the low or the high half", "[interp][simd]") {
  for (const WideningRow& row : kWidening) {
    INFO(row.name);
    const auto& [first, second] = IntegerPairs(row.from);
    const std::size_t lanes = 64 / row.from;
    bool extends = true;
    bool multiplies = true;
    for (std::size_t i = 0; i < first.size(); ++i) {
      V128 extended{};
      V128 product{};
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::size_t source = lane + (row.high ? lanes : 0);
        const Int128 a = Read(first[i], row.from, source, row.is_signed);
        const Int128 b = Read(second[i], row.from, source, row.is_signed);
        SetLane(extended, 2 * row.from, lane, Wrap(b, 2 * row.from));
        SetLane(product, 2 * row.from, lane, Wrap(a * b, 2 * row.from));
      }
      extends = extends && row.extend(second[i]) == extended;
      multiplies = multiplies && row.product(first[i], second[i]) == product;
    }
    CHECK(extends);
    CHECK(multiplies);
  }
}

TEST_CASE("pairwise sums and dot products take adjacent lanes", "[interp][simd]") {
  for (const PairwiseRow& row : kPairwise) {
    INFO(row.name);
    bool right = true;
    for (const std::vector<V128>& side :
         {IntegerPairs(row.from).first, IntegerPairs(row.from).second}) {
      for (const V128& v : side) {
        V128 want{};
        for (std::size_t lane = 0; lane < 64 / row.from; ++lane) {
          const Int128 sum = Read(v, row.from, 2 * lane, row.is_signed) +
                             Read(v, row.from, 2 * lane + 1, row.is_signed);
          SetLane(want, 2 * row.from, lane, Wrap(sum, 2 * row.from));
        }
        right = right && row.function(v) == want;
      }
    }
    CHECK(right);
  }
  const auto& [first, second] = IntegerPairs(16);
  bool right = true;
  for (std::size_t i = 0; i < first.size(); ++i) {
    V128 want{};
    for (std::size_t lane = 0; lane < 4; ++lane) {
      Int128 sum = 0;
      for (const std::size_t part : {2 * lane, 2 * lane + 1}) {
        sum += Read(first[i], 16, part, true) * Read(second[i], 16, part, true);
      }
      SetLane(want, 32, lane, Wrap(sum, 32));
    }
    right = right && I32x4DotI16x8S(first[i], second[i]) == want;
  }
  CHECK(right);
  const V128 lowest = I16x8Splat(0x8000);
  CHECK(I32x4DotI16x8S(lowest, lowest) == I32x4Splat(0x80000000));
}

TEST_CASE("narrowing saturates signed lanes, first operand below", "[interp][simd]") {
  for (const NarrowingRow& row : kNarrowing) {
    INFO(row.name);
    const auto& [first, second] = IntegerPairs(2 * row.to);
    const std::size_t half = 64 / row.to;
    bool right = true;
    for (std::size_t i = 0; i < first.size(); ++i) {
      V128 want{};
      for (std::size_t lane = 0; lane < 2 * half; ++lane) {
        const V128& source = lane < half ? first[i] : second[i];
        const Int128 value = Read(source, 2 * row.to, lane % half, true);
        const Int128 nearest =
            row.is_signed ? ClampSigned(value, row.to) : ClampUnsigned(value, row.to);
        SetLane(want, row.to, lane, Wrap(nearest, row.to));
      }
      right = right && row.function(first[i], second[i]) == want;
    }
    CHECK(right);
  }
}

TEST_CASE("tests of vectors look at every lane", "[interp][simd]") {
  struct TestRow {
    Test all_true;
    Test bitmask;
    unsigned width;
  };
  for (const TestRow& row :
       {TestRow{I8x16AllTrue, I8x16Bitmask, 8}, TestRow{I16x8AllTrue, I16x8Bitmask, 16},
        TestRow{I32x4AllTrue, I32x4Bitmask, 32}, TestRow{I64x2AllTrue, I64x2Bitmask, 64}}) {
    Random random;
    bool right = true;
    for (int round = 0; round < 4000; ++round) {
      V128 v{};
      std::uint32_t mask = 0;
      std::uint32_t all = 1;
      // Mostly non-zero lanes in some rounds, so that all of them are.
      const unsigned zero_in = round % 2 == 0 ? 4 : 40;
      for (std::size_t lane = 0; lane < 128 / row.width; ++lane) {
        const bool zero = random.Next() % zero_in == 0;
        const std::uint64_t value = Wrap(kOne << random.Next() % row.width, row.width);
        if (!zero) SetLane(v, row.width, lane, value);
        if (zero) all = 0;
        if (!zero && value >> (row.width - 1) == 1) mask += 1u << lane;
      }
      right = right && row.all_true(v) == all && row.bitmask(v) == mask;
    }
    INFO(row.width);
    CHECK(right);
  }
  CHECK(V128AnyTrue(V128{}) == 0);
  for (std::size_t bit = 0; bit < 128; ++bit) {
    V128 v{};
    v.bytes[bit / 8] = static_cast<std::uint8_t>(1u << bit % 8);
    CHECK(V128AnyTrue(v) == 1);
  }
}

TEST_CASE("bitselect takes bits of the first operand where the mask is 1", "[interp][simd]") {
  Random random;
  for (int round = 0; round < 100; ++round) {
    V128 operands[3];
    for (V128& v : operands) {
      for (std::uint8_t& byte : v.bytes) byte = static_cast<std::uint8_t>(random.Next());
    }
    V128 want{};
    for (std::size_t bit = 0; bit < 128; ++bit) {
      const auto is_set = [&](const V128& v) { return (v.bytes[bit / 8] >> bit % 8 & 1) != 0; };
      if (is_set(operands[2]) ? is_set(operands[0]) : is_set(operands[1])) {
        want.bytes[bit / 8] |= static_cast<std::uint8_t>(1u << bit % 8);
      }
    }
    REQUIRE(V128Bitselect(operands[0], operands[1], operands[2]) == want);
  }
}

TEST_CASE("float lanes follow the scalar instructions", "[interp][simd]") {
  for (const FloatUnaryRow& row : kFloatUnary) {
    if (row.f32 != nullptr) CheckFloatUnary<float>(row.name, row.function, row.f32);
    if (row.f64 != nullptr) CheckFloatUnary<double>(row.name, row.function, row.f64);
  }
  for (const FloatBinaryRow& row : kFloatBinary) {
    if (row.f32 != nullptr) CheckFloatBinary<float>(row.name, row.function, row.f32);
    if (row.f64 != nullptr) CheckFloatBinary<double>(row.name, row.function, row.f64);
  }
  for (const FloatComparisonRow& row : kFloatComparisons) {
    if (row.f32 != nullptr) CheckFloatComparison<float>(row.name, row.function, row.f32);
    if (row.f64 != nullptr) CheckFloatComparison<double>(row.name, row.function, row.f64);
  }
}

TEST_CASE("abs and neg of float lanes keep NaN payloads", "[interp][simd]") {
  const V128 signalling = F32x4Splat(0xFF812345);
  CHECK(F32x4Abs(signalling) == F32x4Splat(0x7F812345));
  CHECK(F32x4Neg(signalling) == F32x4Splat(0x7F812345));
  const V128 wide = F64x2Splat(0x7FF0000000000001);
  CHECK(F64x2Abs(wide) == wide);
  CHECK(F64x2Neg(wide) == F64x2Splat(0xFFF0000000000001));
}

TEST_CASE("pmin and pmax give one of the operands with all its bits", "[interp][simd]") {
  CheckPseudo<float>("F32x4Pmin", F32x4Pmin, false);
  CheckPseudo<float>("F32x4Pmax", F32x4Pmax, true);
  CheckPseudo<double>("F64x2Pmin", F64x2Pmin, false);
  CheckPseudo<double>("F64x2Pmax", F64x2Pmax, true);
}

TEST_CASE("conversions of lanes follow the scalar instructions, unused lanes are zero",
          "[interp][simd]") {
  CheckTruncation<float>("I32x4TruncSatF32x4S", I32x4TruncSatF32x4S, I32TruncSatF32S);
  CheckTruncation<float>("I32x4TruncSatF32x4U", I32x4TruncSatF32x4U, I32TruncSatF32U);
  CheckTruncation<double>("I32x4TruncSatF64x2SZero", I32x4TruncSatF64x2SZero, I32TruncSatF64S);
  CheckTruncation<double>("I32x4TruncSatF64x2UZero", I32x4TruncSatF64x2UZero, I32TruncSatF64U);
  CheckConversion<float>("F32x4ConvertI32x4S", F32x4ConvertI32x4S, F32ConvertI32S);
  CheckConversion<float>("F32x4ConvertI32x4U", F32x4ConvertI32x4U, F32ConvertI32U);
  CheckConversion<double>("F64x2ConvertLowI32x4S", F64x2ConvertLowI32x4S, F64ConvertI32S);
  CheckConversion<double>("F64x2ConvertLowI32x4U", F64x2ConvertLowI32x4U, F64ConvertI32U);
  CheckFloatToFloat<float, double>("F32x4DemoteF64x2Zero", F32x4DemoteF64x2Zero, F32DemoteF64);
  CheckFloatToFloat<double, float>("F64x2PromoteLowF32x4", F64x2PromoteLowF32x4, F64PromoteF32);
}

TEST_CASE("shuffle and swizzle choose bytes by number", "[interp][simd]") {
  Random random;
  const V128 low = Counting(100);
  const V128 high = Counting(200);
  for (int round = 0; round < 200; ++round) {
    V128 lanes;
    for (std::uint8_t& lane : lanes.bytes) lane = static_cast<std::uint8_t>(random.Next());
    V128 swizzled{};
    V128 shuffled{};
    std::uint8_t numbers[16];
    for (std::size_t i = 0; i < 16; ++i) {
      const unsigned lane = lanes.bytes[i];
      if (lane < 16) swizzled.bytes[i] = static_cast<std::uint8_t>(100 + lane);
      numbers[i] = static_cast<std::uint8_t>(lane % 32);
      const unsigned number = numbers[i];
      shuffled.bytes[i] = static_cast<std::uint8_t>(number < 16 ? 100 + number : 184 + number);
    }
    REQUIRE(I8x16Swizzle(low, lanes) == swizzled);
    REQUIRE(I8x16Shuffle(low, high, numbers) == shuffled);
  }
  V128 edges = Counting(8);
  edges.bytes[15] = 255;
  CHECK(Lane(I8x16Swizzle(low, edges), 64, 0) == 0x737271706F6E6D6C);
  CHECK(Lane(I8x16Swizzle(low, edges), 64, 1) == 0);
}

namespace {

/// Splat, extract and replace of one shape, with the loads and stores of its lanes.
template <class Scalar, class Value>
void CheckLanes(unsigned width, V128 (*splat)(Scalar), Scalar (*extract)(V128, std::uint32_t),
                V128 (*replace)(V128, Scalar, std::uint32_t), V128 (*load_splat)(Value),
                V128 (*load_lane)(V128, Value, std::uint32_t),
                Value (*store_lane)(V128, std::uint32_t)) {
  const V128 v = Counting(0xF1);
  // Bits beyond a lane are to be ignored.
  const auto wide = static_cast<Scalar>(0xFEDCBA98C7D6E5F4);
  const auto narrow = static_cast<Value>(wide);
  V128 all{};
  for (std::uint32_t lane = 0; lane < 128 / width; ++lane) {
    INFO(width << " bits, lane " << lane);
    SetLane(all, width, lane, narrow);
    V128 replaced = v;
    SetLane(replaced, width, lane, narrow);
    CHECK(replace(v, wide, lane) == replaced);
    CHECK(load_lane(v, narrow, lane) == replaced);
    CHECK(extract(v, lane) == Lane(v, width, lane));
    CHECK(store_lane(v, lane) == Lane(v, width, lane));
    CHECK(extract(v, lane + 128 / width) == extract(v, lane));
  }
  CHECK(splat(wide) == all);
  CHECK(load_splat(narrow) == all);
}

}  // namespace

TEST_CASE("lanes are set and read by number", "[interp][simd]") {
  CheckLanes<std::uint32_t, std::uint8_t>(8, I8x16Splat, I8x16ExtractLaneU, I8x16ReplaceLane,
                                          V128Load8Splat, V128Load8Lane, V128Store8Lane);
  CheckLanes<std::uint32_t, std::uint16_t>(16, I16x8Splat, I16x8ExtractLaneU, I16x8ReplaceLane,
                                           V128Load16Splat, V128Load16Lane, V128Store16Lane);
  CheckLanes<std::uint32_t, std::uint32_t>(32, I32x4Splat, I32x4ExtractLane, I32x4ReplaceLane,
                                           V128Load32Splat, V128Load32Lane, V128Store32Lane);
  CheckLanes<std::uint64_t, std::uint64_t>(64, I64x2Splat, I64x2ExtractLane, I64x2ReplaceLane,
                                           V128Load64Splat, V128Load64Lane, V128Store64Lane);
  CheckLanes<std::uint32_t, std::uint32_t>(32, F32x4Splat, F32x4ExtractLane, F32x4ReplaceLane,
                                           V128Load32Splat, V128Load32Lane, V128Store32Lane);
  CheckLanes<std::uint64_t, std::uint64_t>(64, F64x2Splat, F64x2ExtractLane, F64x2ReplaceLane,
                                           V128Load64Splat, V128Load64Lane, V128Store64Lane);
  const V128 v = Counting(0x78);
  for (std::uint32_t lane = 0; lane < 16; ++lane) {
    CHECK(I8x16ExtractLaneS(v, lane) == Wrap(Read(v, 8, lane, true), 32));
  }
  for (std::uint32_t lane = 0; lane < 8; ++lane) {
    CHECK(I16x8ExtractLaneS(v, lane) == Wrap(Read(v, 16, lane, true), 32));
  }
}

TEST_CASE("extending and zeroing loads fill the vector from the loaded bits", "[interp][simd]") {
  const std::uint64_t bits = 0xF081'7F00'8000'C37E;
  V128 loaded{};
  SetLane(loaded, 64, 0, bits);
  struct LoadRow {
    V128 (*function)(std::uint64_t);
    unsigned from;
    bool is_signed;
  };
  for (const LoadRow& row : {LoadRow{V128Load8x8S, 8, true}, LoadRow{V128Load8x8U, 8, false},
                             LoadRow{V128Load16x4S, 16, true}, LoadRow{V128Load16x4U, 16, false},
                             LoadRow{V128Load32x2S, 32, true}, LoadRow{V128Load32x2U, 32, false}}) {
    V128 want{};
    for (std::size_t lane = 0; lane < 64 / row.from; ++lane) {
      SetLane(want, 2 * row.from, lane,
              Wrap(Read(loaded, row.from, lane, row.is_signed), 2 * row.from));
    }
    INFO(row.from << (row.is_signed ? " signed" : " unsigned"));
    CHECK(row.function(bits) == want);
  }
  CHECK(V128Load64Zero(bits) == loaded);
  V128 low{};
  SetLane(low, 32, 0, 0x8000C37E);
  CHECK(V128Load32Zero(0x8000C37E) == low);
}

TEST_CASE("every vector row that computes lane by lane has a reference here", "[interp][simd]") {
  std::set<std::string_view> names;
  const auto collect = [&](const auto& rows) {
    for (const auto& row : rows) {
      names.insert(row.name);
      if constexpr (requires { row.product_name; }) names.insert(row.product_name);
    }
  };
  collect(kBinary), collect(kUnary), collect(kShifts), collect(kWidening), collect(kPairwise);
  collect(kNarrowing), collect(kFloatUnary), collect(kFloatBinary), collect(kFloatComparisons);
  // Those the other cases name one by one.
  for (const char* name : {"V128Bitselect",
                           "V128AnyTrue",
                           "I8x16Shuffle",
                           "I8x16Swizzle",
                           "I32x4DotI16x8S",
                           "F32x4Pmin",
                           "F32x4Pmax",
                           "F64x2Pmin",
                           "F64x2Pmax",
                           "I32x4TruncSatF32x4S",
                           "I32x4TruncSatF32x4U",
                           "I32x4TruncSatF64x2SZero",
                           "I32x4TruncSatF64x2UZero",
                           "F32x4ConvertI32x4S",
                           "F32x4ConvertI32x4U",
                           "F64x2ConvertLowI32x4S",
                           "F64x2ConvertLowI32x4U",
                           "F32x4DemoteF64x2Zero",
                           "F64x2PromoteLowF32x4",
                           "I8x16AllTrue",
                           "I16x8AllTrue",
                           "I32x4AllTrue",
                           "I64x2AllTrue",
                           "I8x16Bitmask",
                           "I16x8Bitmask",
                           "I32x4Bitmask",
                           "I64x2Bitmask",
                           "I8x16Splat",
                           "I16x8Splat",
                           "I32x4Splat",
                           "I64x2Splat",
                           "F32x4Splat",
                           "F64x2Splat"}) {
    names.insert(name);
  }
  for (const Row& row : VectorRows()) {
    if (row.info.immediate == tenon::wasm::Immediate::Lane ||
        row.info.immediate == tenon::wasm::Immediate::Memory ||
        row.info.immediate == tenon::wasm::Immediate::MemoryLane) {
      continue;
    }
    INFO(row.name);
    CHECK(names.count(row.name) == 1);
  }
}
