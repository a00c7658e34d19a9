// SPDX-License-Identifier: Apache-2.0
/// @file
/// A vector seen as lanes, and the shapes that vector instructions have.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

template <class T>
using Lanes = std::array<T, sizeof(V128) / sizeof(T)>;

template <class T>
inline constexpr std::size_t kLaneCount = sizeof(V128) / sizeof(T);

/// The lanes as an operand of the compiler's vector operators, which work on all lanes at once,
/// without promotion; comparisons give all bits for true. Not every operation can be written so,
/// and compilers make little of loops over bytes of a value in registers.
template <class T>
using Vector __attribute__((vector_size(sizeof(V128)))) = T;

template <class T>
inline Lanes<T> Split(V128 v) {
  return std::bit_cast<Lanes<T>>(v);
}

template <class T>
inline V128 Join(const Lanes<T>& lanes) {
  return std::bit_cast<V128>(lanes);
}

template <class T>
inline V128 Splat(T value) {
  Lanes<T> result;
  for (T& lane : result) lane = value;
  return Join<T>(result);
}

/// `operation` on all lanes at once.
template <class T, class Operation>
inline V128 Apply(V128 v, Operation operation) {
  return std::bit_cast<V128>(operation(std::bit_cast<Vector<T>>(v)));
}

/// `operation` on all pairs of lanes at once.
template <class T, class Operation>
inline V128 Apply(V128 a, V128 b, Operation operation) {
  return std::bit_cast<V128>(operation(std::bit_cast<Vector<T>>(a), std::bit_cast<Vector<T>>(b)));
}

/// `operation(lanes, count)` on all lanes at once, the count taken modulo the lanes' width.
template <class T, class Operation>
inline V128 Shift(V128 v, std::uint32_t count, Operation operation) {
  const T masked = static_cast<T>(count & (sizeof(T) * 8 - 1));
  return std::bit_cast<V128>(operation(std::bit_cast<Vector<T>>(v), masked));
}

/// The bits of a where those of `mask` are 1, those of b where they are 0.
template <class Mask>
inline V128 Choose(Mask mask, V128 a, V128 b) {
  const auto ones = std::bit_cast<Vector<std::uint64_t>>(mask);
  return std::bit_cast<V128>((std::bit_cast<Vector<std::uint64_t>>(a) & ones) |
                             (std::bit_cast<Vector<std::uint64_t>>(b) & ~ones));
}

/// A scalar instruction as an operation. Unlike a pointer, the type tells which, so that it is
/// inlined into the loop over the lanes.
template <auto kFunction>
struct Scalar {
  template <class... Operands>
  auto operator()(Operands... operands) const {
    return kFunction(operands...);
  }
};

/// `operation` on each lane by itself.
template <class T, class Operation>
inline V128 Map(V128 v, Operation operation) {
  Lanes<T> lanes = Split<T>(v);
  for (T& lane : lanes) lane = operation(lane);
  return Join<T>(lanes);
}

/// `operation` on each pair of lanes by itself.
template <class T, class Operation>
inline V128 Map(V128 a, V128 b, Operation operation) {
  const Lanes<T> x = Split<T>(a);
  const Lanes<T> y = Split<T>(b);
  Lanes<T> result;
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = operation(x[i], y[i]);
  return Join<T>(result);
}

/// The lanes of `To` made from as many lanes of `From`, the first of them lane `first`.
template <class To, class From, class Operation>
inline V128 Convert(V128 v, std::size_t first, Operation operation) {
  static_assert(sizeof(To) >= sizeof(From));
  const Lanes<From> lanes = Split<From>(v);
  Lanes<To> result;
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = operation(lanes[first + i]);
  return Join<To>(result);
}

/// The lanes of `To` made from the lanes of `From`; there are fewer of those, the rest is zero.
template <class To, class From, class Operation>
inline V128 ConvertZero(V128 v, Operation operation) {
  static_assert(sizeof(To) < sizeof(From));
  const Lanes<From> lanes = Split<From>(v);
  Lanes<To> result{};
  for (std::size_t i = 0; i < lanes.size(); ++i) result[i] = operation(lanes[i]);
  return Join<To>(result);
}

/// Half of the lanes of `From`, from lane `first` on, extended to `To`.
template <class To, class From>
inline V128 Extend(V128 v, std::size_t first) {
  return Convert<To, From>(v, first, [](From lane) { return To{lane}; });
}

/// The products of half of the lanes of `From`, from lane `first` on, in full width.
template <class To, class From>
inline V128 ExtendMultiply(V128 a, V128 b, std::size_t first) {
  const Lanes<From> x = Split<From>(a);
  const Lanes<From> y = Split<From>(b);
  Lanes<To> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<To>(To{x[first + i]} * To{y[first + i]});
  }
  return Join<To>(result);
}

/// The sums of adjacent lanes of `From`, in full width.
template <class To, class From>
inline V128 ExtendAddPairs(V128 v) {
  const Lanes<From> lanes = Split<From>(v);
  Lanes<To> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<To>(To{lanes[2 * i]} + To{lanes[2 * i + 1]});
  }
  return Join<To>(result);
}

/// The value of T nearest to `value`.
template <class T>
constexpr T Saturate(std::int32_t value) {
  constexpr std::int32_t kLowest = std::numeric_limits<T>::min();
  constexpr std::int32_t kHighest = std::numeric_limits<T>::max();
  return static_cast<T>(value < kLowest ? kLowest : value > kHighest ? kHighest : value);
}

/// The lanes of a, then those of b, each the value of `To` nearest to it.
template <class To, class From>
inline V128 Narrow(V128 a, V128 b) {
  const Lanes<From> x = Split<From>(a);
  const Lanes<From> y = Split<From>(b);
  Lanes<To> result;
  for (std::size_t i = 0; i < x.size(); ++i) result[i] = Saturate<To>(x[i]);
  for (std::size_t i = 0; i < y.size(); ++i) result[x.size() + i] = Saturate<To>(y[i]);
  return Join<To>(result);
}

template <class T>
inline std::uint32_t AllTrue(V128 v) {
  bool all = true;
  for (const T lane : Split<T>(v)) all &= lane != 0;
  return all;
}

/// Bit i is the highest bit of lane i.
template <class T>
inline std::uint32_t Bitmask(V128 v) {
  const Lanes<T> lanes = Split<T>(v);
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    mask |= static_cast<std::uint32_t>(lanes[i] >> (sizeof(T) * 8 - 1)) << i;
  }
  return mask;
}

template <class T>
inline T ExtractLane(V128 v, std::uint32_t lane) {
  return Split<T>(v)[lane % kLaneCount<T>];
}

template <class T>
inline V128 ReplaceLane(V128 v, T value, std::uint32_t lane) {
  Lanes<T> lanes = Split<T>(v);
  lanes[lane % kLaneCount<T>] = value;
  return Join<T>(lanes);
}

}  // namespace tenon::inline TENON_ABI::interp::detail
