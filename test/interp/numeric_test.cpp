// SPDX-License-Identifier: Apache-2.0
/// @file
/// The scalar numeric instructions against independent formulations.
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <tenon/interp/numeric.hpp>

#include "numeric_support.hpp"

using namespace numeric_test;
using namespace tenon::interp;
using tenon::TrapCode;

namespace {

template <class T>
constexpr unsigned kWidth = sizeof(T) * 8;

// --- integers -----------------------------------------------------------------------------------

template <class Result, class T>
struct IntegerRow {
  const char* name;
  Result (*function)(T, T);
  Reference reference;
};

template <class Result, class T>
struct IntegerUnaryRow {
  const char* name;
  Result (*function)(T);
  Int128 (*reference)(std::uint64_t value, unsigned width);
};

struct Outcome {
  TrapCode trap;
  Int128 value;
};

template <class T>
struct DivisionRow {
  const char* name;
  T (*function)(T, T, TrapCode&);
  Outcome (*reference)(const Operands&);
};

#define TENON_TEST_COMPARISONS(P)                                                 \
  {#P "Eq", P##Eq, [](const Operands& o) { return Int128{o.ua == o.ub}; }},       \
      {#P "Ne", P##Ne, [](const Operands& o) { return Int128{o.ua != o.ub}; }},   \
      {#P "LtS", P##LtS, [](const Operands& o) { return Int128{o.sa < o.sb}; }},  \
      {#P "LtU", P##LtU, [](const Operands& o) { return Int128{o.ua < o.ub}; }},  \
      {#P "GtS", P##GtS, [](const Operands& o) { return Int128{o.sa > o.sb}; }},  \
      {#P "GtU", P##GtU, [](const Operands& o) { return Int128{o.ua > o.ub}; }},  \
      {#P "LeS", P##LeS, [](const Operands& o) { return Int128{o.sa <= o.sb}; }}, \
      {#P "LeU", P##LeU, [](const Operands& o) { return Int128{o.ua <= o.ub}; }}, \
      {#P "GeS", P##GeS, [](const Operands& o) { return Int128{o.sa >= o.sb}; }}, \
      {#P "GeU", P##GeU, [](const Operands& o) { return Int128{o.ua >= o.ub}; }},

/// Bit by bit: bit i of the result is bit i - distance of the value.
Int128 Rotate(Int128 value, Int128 distance, unsigned width) {
  Int128 result = 0;
  for (unsigned i = 0; i < width; ++i) {
    const auto to = static_cast<unsigned>((static_cast<Int128>(i) + distance) % width);
    result |= (value >> i & 1) << to;
  }
  return result;
}

/// a * b mod 2^64 by additions, as the product may be wider than 128 bits allow.
Int128 Product(Int128 a, Int128 b) {
  Uint128 sum = 0;
  for (int i = 0; i < 64; ++i) {
    if ((b >> i & 1) != 0) sum += static_cast<Uint128>(a) << i;
  }
  return static_cast<Int128>(sum & 0xFFFFFFFFFFFFFFFF);
}

#define TENON_TEST_ARITHMETIC(P)                                                                \
  {#P "Add", P##Add, [](const Operands& o) { return o.ua + o.ub; }},                            \
      {#P "Sub", P##Sub, [](const Operands& o) { return o.ua - o.ub; }},                        \
      {#P "Mul", P##Mul, [](const Operands& o) { return Product(o.ua, o.ub); }},                \
      {#P "And", P##And, [](const Operands& o) { return o.sa + o.sb - (o.sa | o.sb); }},        \
      {#P "Or", P##Or, [](const Operands& o) { return ~(~o.sa & ~o.sb); }},                     \
      {#P "Xor", P##Xor, [](const Operands& o) { return (o.ua | o.ub) - (o.ua & o.ub); }},      \
      {#P "Shl", P##Shl,                                                                        \
       [](const Operands& o) { return Product(o.ua, kOne << int(o.ub % o.width)); }},           \
      {#P "ShrS", P##ShrS, [](const Operands& o) { return FloorShift(o.sa, o.ub % o.width); }}, \
      {#P "ShrU", P##ShrU, [](const Operands& o) { return FloorShift(o.ua, o.ub % o.width); }}, \
      {#P "Rotl", P##Rotl,                                                                      \
       [](const Operands& o) { return Rotate(o.ua, o.ub % o.width, o.width); }},                \
      {#P "Rotr", P##Rotr,                                                                      \
       [](const Operands& o) { return Rotate(o.ua, o.width - o.ub % o.width, o.width); }},

Outcome CheckedQuotient(Int128 a, Int128 b, bool is_signed, unsigned width) {
  if (b == 0) return {TrapCode::IntegerDivideByZero, 0};
  const Int128 quotient = a / b;
  if (is_signed && quotient == kOne << (width - 1)) return {TrapCode::IntegerOverflow, 0};
  return {TrapCode::None, quotient};
}

Outcome CheckedRemainder(Int128 a, Int128 b) {
  if (b == 0) return {TrapCode::IntegerDivideByZero, 0};
  return {TrapCode::None, a - a / b * b};
}

#define TENON_TEST_DIVISIONS(P)                                                             \
  {#P "DivS", P##DivS,                                                                      \
   [](const Operands& o) { return CheckedQuotient(o.sa, o.sb, true, o.width); }},           \
      {#P "DivU", P##DivU,                                                                  \
       [](const Operands& o) { return CheckedQuotient(o.ua, o.ub, false, o.width); }},      \
      {#P "RemS", P##RemS, [](const Operands& o) { return CheckedRemainder(o.sa, o.sb); }}, \
      {#P "RemU", P##RemU, [](const Operands& o) { return CheckedRemainder(o.ua, o.ub); }},

Int128 ZerosFrom(std::uint64_t value, int first, int step, unsigned width) {
  Int128 count = 0;
  for (int bit = first; bit >= 0 && bit < static_cast<int>(width); bit += step, ++count) {
    if ((value >> bit & 1) != 0) break;
  }
  return count;
}

Int128 CountOnes(std::uint64_t value, unsigned) {
  Int128 count = 0;
  for (; value != 0; value &= value - 1) ++count;
  return count;
}

template <unsigned kFrom>
Int128 SignExtended(std::uint64_t value, unsigned) {
  return AsSigned(Wrap(static_cast<Int128>(value), kFrom), kFrom);
}

#define TENON_TEST_UNARY(P)                                                                        \
  {#P "Clz", P##Clz, [](std::uint64_t v, unsigned w) { return ZerosFrom(v, int(w) - 1, -1, w); }}, \
      {#P "Ctz", P##Ctz, [](std::uint64_t v, unsigned w) { return ZerosFrom(v, 0, 1, w); }},       \
      {#P "Popcnt", P##Popcnt, CountOnes}, {#P "Extend8S", P##Extend8S, SignExtended<8>},          \
      {#P "Extend16S", P##Extend16S, SignExtended<16>},

Int128 IsZero(std::uint64_t value, unsigned) { return value == 0 ? 1 : 0; }
Int128 Same(std::uint64_t value, unsigned) { return static_cast<Int128>(value); }

// clang-format off
const std::vector<IntegerRow<std::uint32_t, std::uint32_t>> kI32Rows = {
  TENON_TEST_COMPARISONS(I32) TENON_TEST_ARITHMETIC(I32)};
const std::vector<IntegerRow<std::uint32_t, std::uint64_t>> kI64Comparisons = {
  TENON_TEST_COMPARISONS(I64)};
const std::vector<IntegerRow<std::uint64_t, std::uint64_t>> kI64Rows = {
  TENON_TEST_ARITHMETIC(I64)};
const std::vector<DivisionRow<std::uint32_t>> kI32Divisions = {TENON_TEST_DIVISIONS(I32)};
const std::vector<DivisionRow<std::uint64_t>> kI64Divisions = {TENON_TEST_DIVISIONS(I64)};
const std::vector<IntegerUnaryRow<std::uint32_t, std::uint32_t>> kI32Unary = {
  TENON_TEST_UNARY(I32)
  {"I32Eqz", I32Eqz, IsZero},
  {"I32ReinterpretF32", I32ReinterpretF32, Same},
  {"F32ReinterpretI32", F32ReinterpretI32, Same}};
const std::vector<IntegerUnaryRow<std::uint64_t, std::uint64_t>> kI64Unary = {
  TENON_TEST_UNARY(I64)
  {"I64Extend32S", I64Extend32S, SignExtended<32>},
  {"I64ReinterpretF64", I64ReinterpretF64, Same},
  {"F64ReinterpretI64", F64ReinterpretI64, Same}};
const std::vector<IntegerUnaryRow<std::uint32_t, std::uint64_t>> kI64ToI32 = {
  {"I64Eqz", I64Eqz, IsZero},
  {"I32WrapI64", I32WrapI64, Same}};
const std::vector<IntegerUnaryRow<std::uint64_t, std::uint32_t>> kI32ToI64 = {
  {"I64ExtendI32S", I64ExtendI32S, SignExtended<32>},
  {"I64ExtendI32U", I64ExtendI32U, Same}};
// clang-format on

template <class Result, class T>
void CheckInteger(const IntegerRow<Result, T>& row) {
  for (const std::uint64_t a : IntegerValues(kWidth<T>)) {
    for (const std::uint64_t b : IntegerValues(kWidth<T>)) {
      const std::uint64_t want = Wrap(row.reference({a, b, kWidth<T>}), kWidth<Result>);
      const std::uint64_t got = row.function(static_cast<T>(a), static_cast<T>(b));
      if (got == want) continue;
      FAIL_CHECK(row.name << " of " << Hex(a) << ", " << Hex(b) << " gives " << Hex(got));
      return;
    }
  }
  SUCCEED(row.name);
}

template <class Result, class T>
void CheckUnary(const IntegerUnaryRow<Result, T>& row) {
  for (const std::uint64_t a : IntegerValues(kWidth<T>)) {
    const std::uint64_t want = Wrap(row.reference(a, kWidth<T>), kWidth<Result>);
    const std::uint64_t got = row.function(static_cast<T>(a));
    if (got == want) continue;
    FAIL_CHECK(row.name << " of " << Hex(a) << " gives " << Hex(got));
    return;
  }
  SUCCEED(row.name);
}

/// The trap parameter's value before the call; to be found unchanged after a success.
constexpr TrapCode kUntouched = TrapCode::HostTrap;

bool IsOutcome(std::uint64_t got, TrapCode trap, Outcome want, unsigned width) {
  if (want.trap != TrapCode::None) return trap == want.trap && got == 0;
  return trap == kUntouched && got == Wrap(want.value, width);
}

template <class T>
void CheckDivision(const DivisionRow<T>& row) {
  for (const std::uint64_t a : IntegerValues(kWidth<T>)) {
    for (const std::uint64_t b : IntegerValues(kWidth<T>)) {
      TrapCode trap = kUntouched;
      const std::uint64_t got = row.function(static_cast<T>(a), static_cast<T>(b), trap);
      if (IsOutcome(got, trap, row.reference({a, b, kWidth<T>}), kWidth<T>)) continue;
      FAIL_CHECK(row.name << " of " << Hex(a) << ", " << Hex(b) << " gives " << Hex(got));
      return;
    }
  }
  SUCCEED(row.name);
}

// --- floats -------------------------------------------------------------------------------------

template <class Float>
using Bits = typename Format<Float>::Bits;

template <class Float>
struct ComparisonRow {
  const char* name;
  std::uint32_t (*function)(Float, Float);
  bool (*reference)(std::int64_t a, std::int64_t b);
  bool for_nan;
};

#define TENON_TEST_FLOAT_COMPARISONS(P)                                               \
  {#P "Eq", P##Eq, [](std::int64_t a, std::int64_t b) { return a == b; }, false},     \
      {#P "Ne", P##Ne, [](std::int64_t a, std::int64_t b) { return a != b; }, true},  \
      {#P "Lt", P##Lt, [](std::int64_t a, std::int64_t b) { return a < b; }, false},  \
      {#P "Gt", P##Gt, [](std::int64_t a, std::int64_t b) { return a > b; }, false},  \
      {#P "Le", P##Le, [](std::int64_t a, std::int64_t b) { return a <= b; }, false}, \
      {#P "Ge", P##Ge, [](std::int64_t a, std::int64_t b) { return a >= b; }, false},

const std::vector<ComparisonRow<float>> kF32Comparisons = {TENON_TEST_FLOAT_COMPARISONS(F32)};
const std::vector<ComparisonRow<double>> kF64Comparisons = {TENON_TEST_FLOAT_COMPARISONS(F64)};

template <class Float>
void CheckComparison(const ComparisonRow<Float>& row) {
  using F = Format<Float>;
  for (const Bits<Float> a : FloatValues<Float>()) {
    for (const Bits<Float> b : FloatValues<Float>()) {
      const bool nan = F::IsNan(a) || F::IsNan(b);
      const bool want = nan ? row.for_nan : row.reference(F::Order(a), F::Order(b));
      const std::uint32_t got = row.function(std::bit_cast<Float>(a), std::bit_cast<Float>(b));
      if (got == (want ? 1u : 0u)) continue;
      FAIL_CHECK(row.name << " of " << Hex(a) << ", " << Hex(b) << " gives " << got);
      return;
    }
  }
  SUCCEED(row.name);
}

template <class Float>
struct FloatRow {
  const char* name;
  Float (*function)(Float, Float);
  Bits<Float> (*reference)(Bits<Float> a, Bits<Float> b);
};

/// A type with more than twice the precision: rounding its result gives the narrow type's.
template <class Float>
struct Wider {
  using Type = double;
};
template <>
struct Wider<double> {
#if defined(__SIZEOF_FLOAT128__)
  __extension__ using Type = __float128;
#else
  using Type = long double;
#endif
};

template <class Float, class Operation>
Bits<Float> InWider(Bits<Float> a, Bits<Float> b, Operation operation) {
  using Wide = typename Wider<Float>::Type;
  const Wide result = operation(static_cast<Wide>(std::bit_cast<Float>(a)),
                                static_cast<Wide>(std::bit_cast<Float>(b)));
  return std::bit_cast<Bits<Float>>(static_cast<Float>(result));
}

/// The lesser operand, by the order of the bits with -0 below 0.
template <class Float>
Bits<Float> Least(Bits<Float> a, Bits<Float> b, bool greatest) {
  using F = Format<Float>;
  if (F::IsNan(a) || F::IsNan(b)) return F::kCanonical;
  const auto order = [](Bits<Float> x) { return 2 * Int128{F::Order(x)} - F::IsNegative(x); };
  return (order(a) < order(b)) != greatest ? a : b;
}

#define TENON_TEST_FLOAT_ROWS(P, F)                                                             \
  {#P "Add", P##Add, [](auto a, auto b) { return InWider<F>(a, b, std::plus<>{}); }},           \
      {#P "Sub", P##Sub, [](auto a, auto b) { return InWider<F>(a, b, std::minus<>{}); }},      \
      {#P "Mul", P##Mul, [](auto a, auto b) { return InWider<F>(a, b, std::multiplies<>{}); }}, \
      {#P "Div", P##Div, [](auto a, auto b) { return InWider<F>(a, b, std::divides<>{}); }},    \
      {#P "Min", P##Min, [](auto a, auto b) { return Least<F>(a, b, false); }},                 \
      {#P "Max", P##Max, [](auto a, auto b) { return Least<F>(a, b, true); }},

const std::vector<FloatRow<float>> kF32Rows = {TENON_TEST_FLOAT_ROWS(F32, float)};
const std::vector<FloatRow<double>> kF64Rows = {TENON_TEST_FLOAT_ROWS(F64, double)};

template <class Float>
void CheckFloat(const FloatRow<Float>& row) {
  for (const Bits<Float> a : FloatValues<Float>()) {
    for (const Bits<Float> b : FloatValues<Float>()) {
      const Bits<Float> want = row.reference(a, b);
      const auto got = std::bit_cast<Bits<Float>>(
          row.function(std::bit_cast<Float>(a), std::bit_cast<Float>(b)));
      if (Matches<Float>(got, want, a, b)) continue;
      FAIL_CHECK(row.name << " of " << Hex(a) << ", " << Hex(b) << " gives " << Hex(got));
      return;
    }
  }
  SUCCEED(row.name);
}

template <class Float>
struct RoundingRow {
  const char* name;
  Float (*function)(Float);
  Float (*reference)(Float);
};

const std::vector<RoundingRow<float>> kF32Roundings = {
    {"F32Ceil", F32Ceil, [](float x) { return std::ceil(x); }},
    {"F32Floor", F32Floor, [](float x) { return std::floor(x); }},
    {"F32Trunc", F32Trunc, [](float x) { return std::trunc(x); }},
    {"F32Nearest", F32Nearest, [](float x) { return std::nearbyint(x); }}};
const std::vector<RoundingRow<double>> kF64Roundings = {
    {"F64Ceil", F64Ceil, [](double x) { return std::ceil(x); }},
    {"F64Floor", F64Floor, [](double x) { return std::floor(x); }},
    {"F64Trunc", F64Trunc, [](double x) { return std::trunc(x); }},
    {"F64Nearest", F64Nearest, [](double x) { return std::nearbyint(x); }}};

template <class Float>
void CheckRounding(const RoundingRow<Float>& row) {
  for (const Bits<Float> a : FloatValues<Float>(20000)) {
    const Float x = std::bit_cast<Float>(a);
    const auto want = std::bit_cast<Bits<Float>>(row.reference(x));
    const auto got = std::bit_cast<Bits<Float>>(row.function(x));
    if (Matches<Float>(got, want, a)) continue;
    FAIL_CHECK(row.name << " of " << Hex(a) << " gives " << Hex(got));
    return;
  }
  SUCCEED(row.name);
}

/// Whether root is the float nearest to the square root of x: x lies between the squares of the
/// points half way to root's neighbours, which the wide type holds exactly.
template <class Float>
bool IsSquareRoot(Float root, Float x) {
  using Wide = typename Wider<Float>::Type;
  const Wide r = root;
  const auto half_way = [&](Float to) {
    const Wide middle = (r + static_cast<Wide>(std::nextafter(root, to))) / 2;
    return middle * middle;
  };
  const Wide wide = x;
  return half_way(Float{0}) < wide && wide < half_way(std::numeric_limits<Float>::infinity());
}

template <class Float>
void CheckSquareRoot(Float (*function)(Float)) {
  using F = Format<Float>;
  for (const Bits<Float> a : FloatValues<Float>(20000)) {
    const Float x = std::bit_cast<Float>(a);
    const Float root = function(x);
    const auto got = std::bit_cast<Bits<Float>>(root);
    if (F::Magnitude(a) == 0 || a == F::kInfinity) {
      if (got == a) continue;
    } else if (F::IsNan(a) || F::IsNegative(a)) {
      if (Matches<Float>(got, F::kCanonical, a)) continue;
    } else if (IsSquareRoot(root, x)) {
      continue;
    }
    FAIL_CHECK("square root of " << Hex(a) << " gives " << Hex(got));
    return;
  }
  SUCCEED();
}

template <class Float>
void CheckSignInstructions(Bits<Float> (*abs)(Bits<Float>), Bits<Float> (*neg)(Bits<Float>),
                           Bits<Float> (*copysign)(Bits<Float>, Bits<Float>)) {
  using F = Format<Float>;
  for (const Bits<Float> a : FloatValues<Float>()) {
    REQUIRE(abs(a) == a % F::kSign);
    REQUIRE(neg(a) == static_cast<Bits<Float>>(a + F::kSign));
    for (const Bits<Float> b : FloatValues<Float>()) {
      const Bits<Float> sign = b >= F::kSign ? F::kSign : Bits<Float>{0};
      if (copysign(a, b) != static_cast<Bits<Float>>(a % F::kSign + sign)) {
        FAIL_CHECK("copysign of " << Hex(a) << ", " << Hex(b));
        return;
      }
    }
  }
}

// --- conversions --------------------------------------------------------------------------------

template <class Result, class Float>
struct TruncationRow {
  const char* name;
  Result (*function)(Float, TrapCode&);
  const char* saturating_name;
  Result (*saturating)(Float);
  bool is_signed;
};

#define TENON_TEST_TRUNCATIONS(I, F)                                                    \
  {#I "Trunc" #F "S", I##Trunc##F##S, #I "TruncSat" #F "S", I##TruncSat##F##S, true}, { \
    #I "Trunc" #F "U", I##Trunc##F##U, #I "TruncSat" #F "U", I##TruncSat##F##U, false   \
  }

const std::vector<TruncationRow<std::uint32_t, float>> kI32F32 = {TENON_TEST_TRUNCATIONS(I32, F32)};
const std::vector<TruncationRow<std::uint32_t, double>> kI32F64 = {
    TENON_TEST_TRUNCATIONS(I32, F64)};
const std::vector<TruncationRow<std::uint64_t, float>> kI64F32 = {TENON_TEST_TRUNCATIONS(I64, F32)};
const std::vector<TruncationRow<std::uint64_t, double>> kI64F64 = {
    TENON_TEST_TRUNCATIONS(I64, F64)};

template <class Result, class Float>
void CheckTruncation(const TruncationRow<Result, Float>& row) {
  using F = Format<Float>;
  constexpr unsigned kBits = kWidth<Result>;
  for (const Bits<Float> a : FloatValues<Float>(20000)) {
    const Finite finite = Decode<Float>(a);
    // Past 2^70 the exact value does not matter.
    Int128 value = kOne << 70;
    if (finite.exponent <= 0) {
      value = finite.exponent < -60 ? 0 : static_cast<Int128>(finite.mantissa >> -finite.exponent);
    } else if (finite.exponent < 17) {
      value = static_cast<Int128>(finite.mantissa) << finite.exponent;
    } else if (F::kPrecision < 30 && finite.exponent < 46) {
      value = static_cast<Int128>(finite.mantissa) << finite.exponent;
    }
    if (F::IsNegative(a)) value = -value;
    const Int128 clamped = row.is_signed ? ClampSigned(value, kBits) : ClampUnsigned(value, kBits);
    Outcome want{clamped == value ? TrapCode::None : TrapCode::IntegerOverflow, value};
    if (F::IsNan(a)) want = {TrapCode::InvalidConversionToInteger, 0};
    const std::uint64_t want_saturated = F::IsNan(a) ? 0 : Wrap(clamped, kBits);

    TrapCode trap = kUntouched;
    const Result got = row.function(std::bit_cast<Float>(a), trap);
    const Result saturated = row.saturating(std::bit_cast<Float>(a));
    if (IsOutcome(got, trap, want, kBits) && saturated == want_saturated) continue;
    FAIL_CHECK(row.name << " of " << Hex(a) << " gives " << Hex(got) << ", saturating "
                        << Hex(saturated));
    return;
  }
  SUCCEED(row.name);
}

template <class Float, class T>
struct ConversionRow {
  const char* name;
  Float (*function)(T);
  bool is_signed;
};

#define TENON_TEST_CONVERSIONS(F, I) \
  {#F "Convert" #I "S", F##Convert##I##S, true}, { #F "Convert" #I "U", F##Convert##I##U, false }

const std::vector<ConversionRow<float, std::uint32_t>> kF32I32 = {TENON_TEST_CONVERSIONS(F32, I32)};
const std::vector<ConversionRow<float, std::uint64_t>> kF32I64 = {TENON_TEST_CONVERSIONS(F32, I64)};
const std::vector<ConversionRow<double, std::uint32_t>> kF64I32 = {
    TENON_TEST_CONVERSIONS(F64, I32)};
const std::vector<ConversionRow<double, std::uint64_t>> kF64I64 = {
    TENON_TEST_CONVERSIONS(F64, I64)};

template <class Float, class T>
void CheckConversion(const ConversionRow<Float, T>& row) {
  std::vector<std::uint64_t> values = IntegerValues(kWidth<T>);
  // Ties, and their neighbours, at every size.
  for (unsigned top = 25; top < kWidth<T>; ++top) {
    for (const unsigned precision : {24u, 53u}) {
      if (top <= precision) continue;
      const std::uint64_t half = std::uint64_t{1} << (top - precision - 1);
      for (const std::uint64_t odd : {1u, 3u, 0u}) {
        for (const std::uint64_t offset : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1}}) {
          values.push_back((std::uint64_t{1} << (top - 1)) + half * odd + offset);
        }
      }
    }
  }
  Random random;
  for (int i = 0; i < 5000; ++i) values.push_back(random.Next() >> (random.Next() % 64));
  for (const std::uint64_t wide : values) {
    const T value = static_cast<T>(wide);
    const Int128 exact = row.is_signed ? AsSigned(value, kWidth<T>) : static_cast<Int128>(value);
    const auto magnitude = static_cast<std::uint64_t>(exact < 0 ? -exact : exact);
    const Bits<Float> want = Encode<Float>(exact < 0, {magnitude, 0});
    const auto got = std::bit_cast<Bits<Float>>(row.function(value));
    if (got == want) continue;
    FAIL_CHECK(row.name << " of " << Hex(value) << " gives " << Hex(got));
    return;
  }
  SUCCEED(row.name);
}

template <class To, class From>
void CheckFloatToFloat(To (*function)(From)) {
  for (const Bits<From> a : FloatValues<From>(20000)) {
    Bits<To> want = 0;
    const bool negative = Format<From>::IsNegative(a);
    if (Format<From>::IsNan(a)) {
      want = Format<To>::kCanonical;
    } else if (Format<From>::Magnitude(a) == Format<From>::kInfinity) {
      want = Format<To>::kInfinity | (negative ? Format<To>::kSign : Bits<To>{0});
    } else {
      want = Encode<To>(negative, Decode<From>(a));
    }
    const auto got = std::bit_cast<Bits<To>>(function(std::bit_cast<From>(a)));
    if (Matches<To>(got, want, a)) continue;
    FAIL_CHECK("conversion of " << Hex(a) << " gives " << Hex(got));
    return;
  }
  SUCCEED();
}

template <class Rows>
void Collect(std::set<std::string_view>& names, const Rows& rows) {
  for (const auto& row : rows) {
    names.insert(row.name);
    if constexpr (requires { row.saturating_name; }) names.insert(row.saturating_name);
  }
}

}  // namespace

TEST_CASE("every scalar numeric row has a function of the row's types", "[interp][numeric]") {
  const std::set<std::string_view> on_bits = {"F32Abs",
                                              "F32Neg",
                                              "F32Copysign",
                                              "F64Abs",
                                              "F64Neg",
                                              "F64Copysign",
                                              "I32ReinterpretF32",
                                              "I64ReinterpretF64",
                                              "F32ReinterpretI32",
                                              "F64ReinterpretI64"};
  const std::set<std::string_view> trapping = {
      "I32DivS",      "I32DivU",      "I32RemS",      "I32RemU",
      "I64DivS",      "I64DivU",      "I64RemS",      "I64RemU",
      "I32TruncF32S", "I32TruncF32U", "I32TruncF64S", "I32TruncF64U",
      "I64TruncF32S", "I64TruncF32U", "I64TruncF64S", "I64TruncF64U"};
  const std::vector<Row> rows = ScalarRows();
  CHECK(rows.size() == 136);
  for (const Row& row : rows) {
    INFO(row.name);
    std::string want{row.info.signature};
    for (char& letter : want) {
      if (on_bits.count(row.name) != 0) letter = letter == 'f' ? 'i' : letter == 'd' ? 'l' : letter;
    }
    if (trapping.count(row.name) != 0) want.insert(want.find(':'), 1, 't');
    CHECK(row.function == want);
  }
}

TEST_CASE("every scalar numeric row has a reference here", "[interp][numeric]") {
  std::set<std::string_view> names = {"F32Abs",       "F32Neg",       "F32Copysign", "F64Abs",
                                      "F64Neg",       "F64Copysign",  "F32Sqrt",     "F64Sqrt",
                                      "F32DemoteF64", "F64PromoteF32"};
  Collect(names, kI32Rows), Collect(names, kI64Comparisons), Collect(names, kI64Rows);
  Collect(names, kI32Divisions), Collect(names, kI64Divisions);
  Collect(names, kI32Unary), Collect(names, kI64Unary);
  Collect(names, kI64ToI32), Collect(names, kI32ToI64);
  Collect(names, kF32Comparisons), Collect(names, kF64Comparisons);
  Collect(names, kF32Rows), Collect(names, kF64Rows);
  Collect(names, kF32Roundings), Collect(names, kF64Roundings);
  Collect(names, kI32F32), Collect(names, kI32F64), Collect(names, kI64F32);
  Collect(names, kI64F64), Collect(names, kF32I32), Collect(names, kF32I64);
  Collect(names, kF64I32), Collect(names, kF64I64);
  for (const Row& row : ScalarRows()) {
    INFO(row.name);
    CHECK(names.count(row.name) == 1);
  }
}

TEST_CASE("integer instructions agree with 128-bit arithmetic", "[interp][numeric]") {
  for (const auto& row : kI32Rows) CheckInteger(row);
  for (const auto& row : kI64Comparisons) CheckInteger(row);
  for (const auto& row : kI64Rows) CheckInteger(row);
  for (const auto& row : kI32Unary) CheckUnary(row);
  for (const auto& row : kI64Unary) CheckUnary(row);
  for (const auto& row : kI64ToI32) CheckUnary(row);
  for (const auto& row : kI32ToI64) CheckUnary(row);
}

TEST_CASE("divisions trap exactly where the result does not exist", "[interp][numeric]") {
  for (const auto& row : kI32Divisions) CheckDivision(row);
  for (const auto& row : kI64Divisions) CheckDivision(row);
}

TEST_CASE("float comparisons follow the order of the bits, NaN differs from all",
          "[interp][numeric]") {
  for (const auto& row : kF32Comparisons) CheckComparison(row);
  for (const auto& row : kF64Comparisons) CheckComparison(row);
}

TEST_CASE("float arithmetic agrees with a wider type rounded once", "[interp][numeric]") {
  for (const auto& row : kF32Rows) CheckFloat(row);
  for (const auto& row : kF64Rows) CheckFloat(row);
}

TEST_CASE("square roots are rounded correctly", "[interp][numeric]") {
  CheckSquareRoot<float>(F32Sqrt);
  CheckSquareRoot<double>(F64Sqrt);
}

TEST_CASE("roundings to integers agree with the library, NaN results are quiet",
          "[interp][numeric]") {
  for (const auto& row : kF32Roundings) CheckRounding(row);
  for (const auto& row : kF64Roundings) CheckRounding(row);
}

TEST_CASE("roundings to integers ignore the rounding mode", "[interp][numeric]") {
  const auto in_mode = [](int mode, auto function, auto x) {
    volatile auto operand = x;
    std::fesetround(mode);
    volatile auto result = function(operand);
    std::fesetround(FE_TONEAREST);
    return decltype(x){result};
  };
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    CHECK(in_mode(mode, F32Nearest, 2.5f) == 2.0f);
    CHECK(in_mode(mode, F32Nearest, 3.5f) == 4.0f);
    CHECK(in_mode(mode, F32Nearest, -1.25f) == -1.0f);
    CHECK(in_mode(mode, F64Nearest, 2.5) == 2.0);
    CHECK(in_mode(mode, F64Nearest, -3.5) == -4.0);
    CHECK(in_mode(mode, F64Nearest, 0.75) == 1.0);
    CHECK(in_mode(mode, F64Ceil, 4503599627370494.5) == 4503599627370495.0);
    CHECK(in_mode(mode, F64Floor, -4503599627370494.5) == -4503599627370495.0);
  }
}

TEST_CASE("abs, neg and copysign touch nothing but the sign bit", "[interp][numeric]") {
  CheckSignInstructions<float>(F32Abs, F32Neg, F32Copysign);
  CheckSignInstructions<double>(F64Abs, F64Neg, F64Copysign);
}

TEST_CASE("truncations to integers trap or saturate outside the range", "[interp][numeric]") {
  for (const auto& row : kI32F32) CheckTruncation(row);
  for (const auto& row : kI32F64) CheckTruncation(row);
  for (const auto& row : kI64F32) CheckTruncation(row);
  for (const auto& row : kI64F64) CheckTruncation(row);
}

TEST_CASE("conversions of integers to floats round once, ties to even", "[interp][numeric]") {
  for (const auto& row : kF32I32) CheckConversion(row);
  for (const auto& row : kF32I64) CheckConversion(row);
  for (const auto& row : kF64I32) CheckConversion(row);
  for (const auto& row : kF64I64) CheckConversion(row);
}

TEST_CASE("floats convert to the other width rounded to nearest, NaN becomes quiet",
          "[interp][numeric]") {
  CheckFloatToFloat<float, double>(F32DemoteF64);
  CheckFloatToFloat<double, float>(F64PromoteF32);
}
