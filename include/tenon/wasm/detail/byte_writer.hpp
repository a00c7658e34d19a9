// SPDX-License-Identifier: Apache-2.0
/// @file
/// Writes the primitives of the binary format.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

using ByteVector = std::vector<std::uint8_t>;

constexpr void WriteBytes(ByteVector& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// LEB128 in its shortest form. Serves u32 and u64.
constexpr void WriteUnsigned(ByteVector& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

/// LEB128 in its shortest form. Serves s32, s33 and s64.
constexpr void WriteSigned(ByteVector& out, std::int64_t value) {
  while (value < -0x40 || value >= 0x40) {
    out.push_back(static_cast<std::uint8_t>((value & 0x7F) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value & 0x7F));
}

/// The lowest `size` bytes, little-endian.
constexpr void WriteFixed(ByteVector& out, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

constexpr void WriteName(ByteVector& out, std::string_view name) {
  WriteUnsigned(out, name.size());
  for (const char c : name) out.push_back(static_cast<std::uint8_t>(c));
}

constexpr void WriteHeapType(ByteVector& out, HeapType type) {
  if (type.IsConcrete()) {
    WriteSigned(out, type.Index());
  } else {
    out.push_back(type.Code());
  }
}

/// Nullable references to abstract heap types in their one-byte form.
constexpr void WriteValueType(ByteVector& out, ValueType type) {
  const bool is_short = !type.IsReference() || (type.IsNullable() && !type.Heap().IsConcrete());
  if (!is_short) out.push_back(type.Code());
  if (type.IsReference()) {
    WriteHeapType(out, type.Heap());
  } else {
    out.push_back(type.Code());
  }
}

constexpr void WriteLimits(ByteVector& out, const Limits& limits) {
  out.push_back(static_cast<std::uint8_t>((limits.has_maximum ? 1 : 0) |
                                          (limits.is_shared ? 2 : 0) | (limits.is_64 ? 4 : 0)));
  WriteUnsigned(out, limits.minimum);
  if (limits.has_maximum) WriteUnsigned(out, limits.maximum);
}

constexpr void WriteTableType(ByteVector& out, const TableType& type) {
  WriteValueType(out, type.element);
  WriteLimits(out, type.limits);
}

constexpr void WriteGlobalType(ByteVector& out, const GlobalType& type) {
  WriteValueType(out, type.type);
  out.push_back(type.is_mutable ? 1 : 0);
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
