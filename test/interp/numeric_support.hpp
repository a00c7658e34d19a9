// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the tests of numeric instructions share: corner values, an independent arithmetic on
/// 128-bit integers, and the functions found for the rows of the opcode table.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <tenon/abi/trap_code.hpp>
#include <tenon/abi/value.hpp>
#include <tenon/interp/numeric.hpp>
#include <tenon/interp/simd.hpp>
#include <tenon/wasm/opcode.hpp>

namespace numeric_test {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr Int128 kOne = 1;

/// Pseudo-random numbers, the same in every run.
class Random {
 public:
  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }

 private:
  std::uint64_t state_ = 0;
};

inline Int128 AsSigned(std::uint64_t value, unsigned width) {
  const Int128 wide = static_cast<Int128>(value);
  return (value >> (width - 1) & 1) != 0 ? wide - (kOne << width) : wide;
}

inline std::uint64_t Wrap(Int128 value, unsigned width) {
  return static_cast<std::uint64_t>(static_cast<Uint128>(value) & ((Uint128{1} << width) - 1));
}

/// Two integer operands of `width` bits, as they are read unsigned and signed.
struct Operands {
  Operands(std::uint64_t a, std::uint64_t b, unsigned bits)
      : ua(static_cast<Int128>(a)),
        ub(static_cast<Int128>(b)),
        sa(AsSigned(a, bits)),
        sb(AsSigned(b, bits)),
        width(bits) {}
  Int128 ua, ub, sa, sb;
  unsigned width;
};

using Reference = Int128 (*)(const Operands&);

inline Int128 Clamp(Int128 value, Int128 lowest, Int128 highest) {
  return value < lowest ? lowest : value > highest ? highest : value;
}
inline Int128 ClampSigned(Int128 value, unsigned width) {
  return Clamp(value, -(kOne << (width - 1)), (kOne << (width - 1)) - 1);
}
inline Int128 ClampUnsigned(Int128 value, unsigned width) {
  return Clamp(value, 0, (kOne << width) - 1);
}
/// The quotient by 2^count, rounded down.
inline Int128 FloorShift(Int128 value, Int128 count) {
  const Int128 divisor = kOne << static_cast<int>(count);
  const Int128 quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// Corner values of integers of `width` bits, then some random ones.
inline std::vector<std::uint64_t> IntegerValues(unsigned width) {
  std::vector<std::uint64_t> values;
  const auto add = [&](Int128 value) { values.push_back(Wrap(value, width)); };
  for (unsigned bit = 0; bit <= width; bit += bit % 8 == 7 || bit % 8 == 0 ? 1 : 6) {
    for (int offset = -1; offset <= 1; ++offset) {
      add((kOne << bit) + offset);
      add(-(kOne << bit) + offset);
    }
  }
  for (int small = 2; small < 12; ++small) add(small);
  add(static_cast<Int128>(0x5555555555555555));
  add(static_cast<Int128>(0xAAAAAAAAAAAAAAAA));
  add(static_cast<Int128>(0x0123456789ABCDEF));
  Random random;
  for (int i = 0; i < 12; ++i) add(static_cast<Int128>(random.Next() >> (random.Next() % 64)));
  return values;
}

template <class Float>
struct Format {
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  static constexpr int kPrecision = std::numeric_limits<Float>::digits;
  static constexpr int kWidth = sizeof(Float) * 8;
  static constexpr int kMinExponent = std::numeric_limits<Float>::min_exponent - 1;
  static constexpr Bits kSign = Bits{1} << (kWidth - 1);
  static constexpr Bits kQuiet = Bits{1} << (kPrecision - 2);
  static constexpr Bits kImplicit = Bits{1} << (kPrecision - 1);
  static constexpr Bits kInfinity = static_cast<Bits>(kSign - kImplicit);
  static constexpr Bits kCanonical = kInfinity | kQuiet;

  static constexpr Bits Magnitude(Bits bits) { return bits & ~kSign; }
  static constexpr bool IsNan(Bits bits) { return Magnitude(bits) > kInfinity; }
  static constexpr bool IsQuiet(Bits bits) { return IsNan(bits) && (bits & kQuiet) != 0; }
  static constexpr bool IsCanonical(Bits bits) { return Magnitude(bits) == kCanonical; }
  static constexpr bool IsNegative(Bits bits) { return (bits & kSign) != 0; }

  /// Numbers in the order of the floats; both zeros are 0. Not for NaN.
  static constexpr std::int64_t Order(Bits bits) {
    const auto magnitude = static_cast<std::int64_t>(Magnitude(bits));
    return IsNegative(bits) ? -magnitude : magnitude;
  }
};

/// A finite float: mantissa * 2^exponent, up to its sign.
struct Finite {
  std::uint64_t mantissa;
  int exponent;
};

template <class Float>
Finite Decode(typename Format<Float>::Bits bits) {
  using F = Format<Float>;
  const auto magnitude = F::Magnitude(bits);
  const int biased = static_cast<int>(magnitude >> (F::kPrecision - 1));
  const std::uint64_t fraction = magnitude & (F::kImplicit - 1);
  const int lowest = F::kMinExponent - (F::kPrecision - 1);
  if (biased == 0) return {fraction, lowest};
  return {fraction | F::kImplicit, lowest + biased - 1};
}

/// The float nearest to mantissa * 2^exponent, of two the even one.
template <class Float>
typename Format<Float>::Bits Encode(bool negative, Finite value) {
  using F = Format<Float>;
  using Bits = typename F::Bits;
  const Bits sign = negative ? F::kSign : Bits{0};
  if (value.mantissa == 0) return sign;
  const int top = value.exponent + 63 - std::countl_zero(value.mantissa);
  int quantum = (top < F::kMinExponent ? F::kMinExponent : top) - (F::kPrecision - 1);
  Uint128 rounded = value.mantissa;
  const int drop = quantum - value.exponent;
  if (drop <= 0) {
    rounded <<= -drop;
  } else if (drop > 100) {
    rounded = 0;
  } else {
    const Uint128 remainder = rounded & ((Uint128{1} << drop) - 1);
    const Uint128 half = Uint128{1} << (drop - 1);
    rounded >>= drop;
    if (remainder > half || (remainder == half && (rounded & 1) != 0)) ++rounded;
  }
  if (rounded == Uint128{F::kImplicit} * 2) {
    rounded >>= 1;
    ++quantum;
  }
  if (rounded < F::kImplicit) return static_cast<Bits>(sign | static_cast<Bits>(rounded));
  const int biased = quantum + (F::kPrecision - 1) - F::kMinExponent + 1;
  if (biased >= 2 - 2 * F::kMinExponent + 1) return sign | F::kInfinity;
  return sign | static_cast<Bits>(static_cast<Bits>(biased) << (F::kPrecision - 1)) |
         static_cast<Bits>(rounded & (F::kImplicit - 1));
}

/// Corner values of floats, both signs, then some random ones.
template <class Float>
std::vector<typename Format<Float>::Bits> FloatValues(int random_count = 40) {
  using F = Format<Float>;
  using Bits = typename F::Bits;
  std::vector<Bits> values;
  const auto add = [&](Bits bits) {
    values.push_back(bits);
    values.push_back(bits ^ F::kSign);
  };
  const auto add_number = [&](double number) {
    add(std::bit_cast<Bits>(static_cast<Float>(number)));
  };
  add(0);
  add(1);
  add(F::kImplicit - 1);
  add(F::kImplicit);
  add(F::kInfinity - 1);
  add(F::kInfinity);
  add(F::kInfinity + 1);
  add(F::kInfinity | (F::kQuiet >> 1));
  add(F::kCanonical - 1);
  add(F::kCanonical);
  add(F::kCanonical + 1);
  add(F::kSign - 1);
  for (const int exponent : {-1, 0, 1, 22, 23, 24, 31, 32, 52, 53, 63, 64, 100}) {
    const Bits power = std::bit_cast<Bits>(static_cast<Float>(std::ldexp(1.0, exponent)));
    for (const Bits neighbour : {power - 1, power, power + 1}) add(static_cast<Bits>(neighbour));
  }
  for (int half = 1; half < 12; ++half) add_number(half / 2.0);
  for (const double limit : {2147483648.0, 4294967296.0, 8388608.0, 4503599627370496.0}) {
    for (const double offset : {-1.5, -1.0, -0.5, 0.5, 1.0, 1.5}) add_number(limit + offset);
  }
  add_number(1e-40);
  add_number(0.1);
  Random random;
  for (int i = 0; i < random_count; ++i) values.push_back(static_cast<Bits>(random.Next()));
  return values;
}

/// Whether `got` is what an instruction with these operands may give where `want` is expected:
/// equal, or a quiet NaN that is canonical if all NaN operands are.
template <class Float, class... Inputs>
bool Matches(typename Format<Float>::Bits got, typename Format<Float>::Bits want,
             Inputs... inputs) {
  if (!Format<Float>::IsNan(want)) return got == want;
  const auto canonical = []<class Bits>(Bits bits) {
    using Input = std::conditional_t<sizeof(Bits) == 4, float, double>;
    return !Format<Input>::IsNan(bits) || Format<Input>::IsCanonical(bits);
  };
  return (canonical(inputs) && ...) ? Format<Float>::IsCanonical(got) : Format<Float>::IsQuiet(got);
}

inline std::string Hex(std::uint64_t value) {
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[value >> shift & 15];
  return digits;
}

/// Stands for the function of a row that has none.
struct Missing {};

template <class T>
constexpr char Letter() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return 'b';
  if constexpr (std::is_same_v<T, std::uint16_t>) return 'h';
  if constexpr (std::is_same_v<T, std::uint32_t>) return 'i';
  if constexpr (std::is_same_v<T, std::uint64_t>) return 'l';
  if constexpr (std::is_same_v<T, float>) return 'f';
  if constexpr (std::is_same_v<T, double>) return 'd';
  if constexpr (std::is_same_v<T, tenon::V128>) return 'v';
  if constexpr (std::is_same_v<T, const std::uint8_t*>) return 'p';
  if constexpr (std::is_same_v<T, tenon::TrapCode&>) return 't';
  return '?';
}

/// A function's type in the manner of the table's signatures.
template <class Result, class... Parameters>
std::string Describe(Result (*)(Parameters...)) {
  return {Letter<Parameters>()..., ':', Letter<Result>()};
}
inline std::string Describe(Missing) { return "missing"; }

struct Row {
  std::string_view name;
  tenon::wasm::OpcodeInfo info;
  std::string function;
};

}  // namespace numeric_test

// In row_lookup a row's name finds interp's function or else, further out, what is declared here.
namespace absent_rows {
#define TENON_TEST_ROW(name, text, code, immediate, signature, width, feature) \
  inline constexpr numeric_test::Missing name{};
TENON_OPCODES(TENON_TEST_ROW)
#undef TENON_TEST_ROW
}  // namespace absent_rows

namespace tenon::inline TENON_ABI::interp::row_lookup {
using namespace absent_rows;

inline std::vector<numeric_test::Row> AllRows() {
  return {
#define TENON_TEST_ROW(name, text, code, immediate, signature, width, feature) \
  {#name, wasm::Info(wasm::Opcode::name), numeric_test::Describe(name)},
      TENON_OPCODES(TENON_TEST_ROW)
#undef TENON_TEST_ROW
  };
}
}  // namespace tenon::inline TENON_ABI::interp::row_lookup

namespace numeric_test {

/// The rows whose instructions only compute on scalars.
inline std::vector<Row> ScalarRows() {
  std::vector<Row> rows;
  for (const Row& row : tenon::interp::row_lookup::AllRows()) {
    if (row.info.immediate == tenon::wasm::Immediate::None &&
        row.info.signature.find_first_of("*av") == std::string_view::npos) {
      rows.push_back(row);
    }
  }
  return rows;
}

/// The rows with a vector that do more than move it.
inline std::vector<Row> VectorRows() {
  std::vector<Row> rows;
  for (const Row& row : tenon::interp::row_lookup::AllRows()) {
    if (row.info.signature.find('v') != std::string_view::npos && row.name != "V128Load" &&
        row.name != "V128Store" && row.name != "V128Const") {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace numeric_test
