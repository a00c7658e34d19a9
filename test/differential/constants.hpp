// SPDX-License-Identifier: Apache-2.0
/// @file
/// Numbers at which instructions change their behaviour.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <tenon/abi/value_type.hpp>

namespace differential {

inline constexpr std::array<std::uint32_t, 38> kI32Constants{
    0,          1,          2,          3,          4,          5,          7,     8,
    0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x7FFFFFFE, 31,    32,
    33,         63,         64,         0x7F,       0x80,       0xFF,       0x100, 0x7FFF,
    0x8000,     0xFFFF,     0x10000,    0xFFFFFF80, 0xFFFF8000, 0x55555555, 10,    100,
    0xAAAAAAAA, 0x12345678, 0x00FF00FF, 0x40000000, 1000000007, 0xC0000000};

inline constexpr std::array<std::uint64_t, 38> kI64Constants{0,
                                                             1,
                                                             2,
                                                             3,
                                                             4,
                                                             5,
                                                             7,
                                                             8,
                                                             0xFFFFFFFFFFFFFFFF,
                                                             0xFFFFFFFFFFFFFFFE,
                                                             0x7FFFFFFFFFFFFFFF,
                                                             0x8000000000000000,
                                                             0x8000000000000001,
                                                             0x7FFFFFFF,
                                                             0x80000000,
                                                             0xFFFFFFFF,
                                                             0x100000000,
                                                             0xFFFFFFFF80000000,
                                                             0xFFFFFFFF7FFFFFFF,
                                                             0xFFFFFFFF00000000,
                                                             31,
                                                             32,
                                                             63,
                                                             64,
                                                             65,
                                                             0x7F,
                                                             0x80,
                                                             0xFF,
                                                             0x8000,
                                                             0xFFFF,
                                                             0xFFFFFFFFFFFFFF80,
                                                             0xFFFFFFFFFFFF8000,
                                                             0x5555555555555555,
                                                             0x123456789ABCDEF0,
                                                             10,
                                                             1000,
                                                             0x20000000000001,
                                                             0x4000000000000000};

/// Bits. The conversion limits come with their neighbours.
inline constexpr std::array<std::uint32_t, 48> kF32Constants{
    0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x40000000, 0x3F000000, 0xBF000000, 0x3FC00000,
    0x40200000, 0xBFC00000, 0x3EFFFFFF, 0x3F7FFFFF, 0xBF7FFFFF, 0xBF800001, 0x3F800001, 0x7F800000,
    0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FA00000, 0xFFA00001, 0x7FC12345, 0x7F800001, 0x7FFFFFFF,
    0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x4EFFFFFF,
    0x4F000000, 0xCF000000, 0xCF000001, 0x4F7FFFFF, 0x4F800000, 0x5EFFFFFF, 0x5F000000, 0xDF000000,
    0xDF000001, 0x5F7FFFFF, 0x5F800000, 0x4B000000, 0x4AFFFFFF, 0x42280000, 0xC2C80000, 0x3DCCCCCD};

/// Bits.
inline constexpr std::array<std::uint64_t, 50> kF64Constants{
    0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000,
    0x4000000000000000, 0x3FE0000000000000, 0xBFE0000000000000, 0x3FF8000000000000,
    0x4004000000000000, 0xBFF8000000000000, 0x3FDFFFFFFFFFFFFF, 0x3FEFFFFFFFFFFFFF,
    0xBFEFFFFFFFFFFFFF, 0xBFF0000000000001, 0x3FF0000000000001, 0x7FF0000000000000,
    0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000000, 0x7FF4000000000000,
    0xFFF4000000000001, 0x7FF8000012345678, 0x7FF0000000000001, 0x7FFFFFFFFFFFFFFF,
    0x0000000000000001, 0x8000000000000001, 0x000FFFFFFFFFFFFF, 0x0010000000000000,
    0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x41DFFFFFFFC00000, 0x41DFFFFFFFFFFFFF,
    0x41E0000000000000, 0xC1E0000000000000, 0xC1E00000001FFFFF, 0xC1E0000000200000,
    0x41EFFFFFFFE00000, 0x41EFFFFFFFFFFFFF, 0x41F0000000000000, 0x43DFFFFFFFFFFFFF,
    0x43E0000000000000, 0xC3E0000000000000, 0xC3E0000000000001, 0x43EFFFFFFFFFFFFF,
    0x43F0000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000, 0x36A0000000000000,
    0x369FFFFFFFFFFFFF, 0x4330000000000000};

/// Bits of an interesting value of `type` (a number) in `low`, and of a vector in `low` and `high`.
/// `Source` has Below(limit) and Bits(); zeros give 0.
struct ConstantBits {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

namespace detail {

template <class Source>
std::uint64_t LaneBits(Source& source, unsigned bytes) {
  switch (bytes) {
    case 4:
      return source.Below(2) == 0 ? kI32Constants[source.Below(kI32Constants.size())]
                                  : kF32Constants[source.Below(kF32Constants.size())];
    case 8:
      return source.Below(2) == 0 ? kI64Constants[source.Below(kI64Constants.size())]
                                  : kF64Constants[source.Below(kF64Constants.size())];
    default:
      return kI32Constants[source.Below(kI32Constants.size())] & (bytes == 1 ? 0xFFu : 0xFFFFu);
  }
}

template <class Source>
std::uint64_t HalfVector(Source& source, unsigned bytes) {
  std::uint64_t half = 0;
  for (unsigned at = 0; at < 8; at += bytes) half |= LaneBits(source, bytes) << (8 * at);
  return half;
}

}  // namespace detail

template <class Source>
ConstantBits InterestingBits(Source& source, tenon::ValueType type) {
  const std::size_t kind = source.Below(8);
  ConstantBits bits;
  if (type == tenon::ValueType::I32) {
    bits.low = kind < 5   ? kI32Constants[source.Below(kI32Constants.size())]
               : kind < 7 ? source.Below(256)
                          : source.Below(std::size_t{1} << 32);
  } else if (type == tenon::ValueType::I64) {
    bits.low = kind < 5   ? kI64Constants[source.Below(kI64Constants.size())]
               : kind < 7 ? source.Below(256)
                          : source.Bits();
  } else if (type == tenon::ValueType::F32) {
    const auto number = static_cast<float>(source.Below(2000)) / 8;
    std::uint32_t number_bits = 0;
    std::memcpy(&number_bits, &number, 4);
    bits.low = kind < 5   ? kF32Constants[source.Below(kF32Constants.size())]
               : kind < 7 ? number_bits
                          : source.Below(std::size_t{1} << 32);
  } else if (type == tenon::ValueType::F64) {
    const double number = static_cast<double>(source.Below(2000)) / 8;
    std::memcpy(&bits.low, &number, 8);
    if (kind < 5) bits.low = kF64Constants[source.Below(kF64Constants.size())];
    if (kind == 7) bits.low = source.Bits();
  } else if (type.IsVector()) {
    if (kind == 0) return bits;
    constexpr std::array<unsigned, 8> kLaneBytes{1, 1, 2, 2, 4, 4, 8, 8};
    const unsigned bytes = kLaneBytes[source.Below(8)];
    bits.low = detail::HalfVector(source, bytes);
    bits.high = detail::HalfVector(source, bytes);
  }
  return bits;
}

}  // namespace differential
