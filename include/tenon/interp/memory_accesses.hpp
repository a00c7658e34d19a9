// SPDX-License-Identifier: Apache-2.0
/// @file
/// Loads and stores of the memory as rows: what each moves, and what it makes of it.
#pragma once

// clang-format off

/// X(name, stored type, result type): the value is extended as the two types say.
#define TENON_DETAIL_LOADS(X)                      \
  X(I32Load, std::uint32_t, std::uint32_t)         \
  X(I64Load, std::uint64_t, std::uint64_t)         \
  X(F32Load, std::uint32_t, std::uint32_t)         \
  X(F64Load, std::uint64_t, std::uint64_t)         \
  X(I32Load8S, std::int8_t, std::uint32_t)         \
  X(I32Load8U, std::uint8_t, std::uint32_t)        \
  X(I32Load16S, std::int16_t, std::uint32_t)       \
  X(I32Load16U, std::uint16_t, std::uint32_t)      \
  X(I64Load8S, std::int8_t, std::uint64_t)         \
  X(I64Load8U, std::uint8_t, std::uint64_t)        \
  X(I64Load16S, std::int16_t, std::uint64_t)       \
  X(I64Load16U, std::uint16_t, std::uint64_t)      \
  X(I64Load32S, std::int32_t, std::uint64_t)       \
  X(I64Load32U, std::uint32_t, std::uint64_t)

/// X(name, stored type).
#define TENON_DETAIL_STORES(X) \
  X(I32Store, std::uint32_t)   \
  X(I64Store, std::uint64_t)   \
  X(F32Store, std::uint32_t)   \
  X(F64Store, std::uint64_t)   \
  X(I32Store8, std::uint8_t)   \
  X(I32Store16, std::uint16_t) \
  X(I64Store8, std::uint8_t)   \
  X(I64Store16, std::uint16_t) \
  X(I64Store32, std::uint32_t)

/// X(name, stored type): `interp::name` makes a vector of what is stored.
#define TENON_DETAIL_VECTOR_LOADS(X)  \
  X(V128Load8x8S, std::uint64_t)      \
  X(V128Load8x8U, std::uint64_t)      \
  X(V128Load16x4S, std::uint64_t)     \
  X(V128Load16x4U, std::uint64_t)     \
  X(V128Load32x2S, std::uint64_t)     \
  X(V128Load32x2U, std::uint64_t)     \
  X(V128Load8Splat, std::uint8_t)     \
  X(V128Load16Splat, std::uint16_t)   \
  X(V128Load32Splat, std::uint32_t)   \
  X(V128Load64Splat, std::uint64_t)   \
  X(V128Load32Zero, std::uint32_t)    \
  X(V128Load64Zero, std::uint64_t)

/// X(name, stored type): `interp::name` puts what is stored into a lane of a vector.
#define TENON_DETAIL_LANE_LOADS(X)   \
  X(V128Load8Lane, std::uint8_t)     \
  X(V128Load16Lane, std::uint16_t)   \
  X(V128Load32Lane, std::uint32_t)   \
  X(V128Load64Lane, std::uint64_t)

/// X(name, stored type): `interp::name` takes what is stored from a lane of a vector.
#define TENON_DETAIL_LANE_STORES(X)  \
  X(V128Store8Lane, std::uint8_t)    \
  X(V128Store16Lane, std::uint16_t)  \
  X(V128Store32Lane, std::uint32_t)  \
  X(V128Store64Lane, std::uint64_t)

// clang-format on
