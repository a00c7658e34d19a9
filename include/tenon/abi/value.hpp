// SPDX-License-Identifier: Apache-2.0
/// @file
/// How WebAssembly values are carried between thunks, engines and the runtime API.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI {

/// A 128-bit vector value. Byte 0 is the least significant byte of lane 0.
struct alignas(16) V128 {
  std::uint8_t bytes[16];

  friend constexpr bool operator==(const V128&, const V128&) = default;
};

namespace abi {

/// One untyped 64-bit cell of a value stack, argument area or table.
///
/// | value type | contents |
/// |---|---|
/// | i32, f32 | the bits in the low half; the upper half is unspecified when read |
/// | i64, f64 | the bits |
/// | v128 | two consecutive slots, least significant first |
/// | funcref | address of a FunctionRecord, 0 for null |
/// | externref | the host's pointer-sized value, 0 for null |
using Slot = std::uint64_t;

/// Form in which a v128 crosses a native call: a vector register where the platform has one.
using NativeV128 = std::uint8_t __attribute__((vector_size(16)));

}  // namespace abi
}  // namespace tenon::inline TENON_ABI
