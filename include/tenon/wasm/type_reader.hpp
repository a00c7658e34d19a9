// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads types in the binary format (core specification 2.0, section 5.3).
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm {

// All of these return false with the fault in the reader.

namespace detail {

/// FeatureDisabled, unless `feature` is enabled.
constexpr bool RequireFeature(ByteReader& reader, std::uint32_t offset, CoreFeatures features,
                              Feature feature, FaultArgument what) {
  if (features.IsEnabled(feature)) return true;
  return reader.Fail(ErrorCode::FeatureDisabled, offset, feature, what);
}

}  // namespace detail

/// The type with this one-byte code, if WebAssembly 2.0 has one.
constexpr bool FindValueType(std::uint8_t code, ValueType& type) {
  switch (code) {
    case 0x7F:
      type = ValueType::I32;
      return true;
    case 0x7E:
      type = ValueType::I64;
      return true;
    case 0x7D:
      type = ValueType::F32;
      return true;
    case 0x7C:
      type = ValueType::F64;
      return true;
    case 0x7B:
      type = ValueType::V128;
      return true;
    case 0x70:
      type = ValueType::FuncRef;
      return true;
    case 0x6F:
      type = ValueType::ExternRef;
      return true;
    default:
      return false;
  }
}

/// The type of a parameter, result, local, global or select operand. Vectors need Simd, references
/// need ReferenceTypes.
constexpr bool ReadValueType(ByteReader& reader, CoreFeatures features, ValueType& type) {
  const std::uint32_t offset = reader.Offset();
  std::uint8_t code = 0;
  if (!reader.ReadByte(code)) return false;
  if (!FindValueType(code, type)) {
    return reader.Fail(ErrorCode::MalformedValueType, offset, FaultArgument::Byte(code));
  }
  if (type.IsNumber()) return true;
  const Feature feature = type.IsVector() ? Feature::Simd : Feature::ReferenceTypes;
  return detail::RequireFeature(reader, offset, features, feature, type);
}

/// The element type of a table or element segment: `funcref`, with ReferenceTypes also `externref`.
constexpr bool ReadReferenceType(ByteReader& reader, CoreFeatures features, ValueType& type) {
  const std::uint32_t offset = reader.Offset();
  std::uint8_t code = 0;
  if (!reader.ReadByte(code)) return false;
  if (!FindValueType(code, type) || !type.IsReference()) {
    return reader.Fail(ErrorCode::MalformedReferenceType, offset, FaultArgument::Byte(code));
  }
  if (type == ValueType::FuncRef) return true;
  return detail::RequireFeature(reader, offset, features, Feature::ReferenceTypes, type);
}

/// The immediate of ref.null.
constexpr bool ReadHeapType(ByteReader& reader, HeapType& type) {
  const std::uint32_t offset = reader.Offset();
  std::uint8_t code = 0;
  if (!reader.ReadByte(code)) return false;
  if (code != HeapType::Func.Code() && code != HeapType::Extern.Code()) {
    return reader.Fail(ErrorCode::MalformedHeapType, offset);
  }
  type = HeapType::Abstract(code);
  return true;
}

namespace detail {

/// One bound of limits: as wide as the addresses.
constexpr bool ReadBound(ByteReader& reader, bool is_64, std::uint64_t& bound) {
  if (is_64) return reader.ReadU64(bound);
  std::uint32_t narrow = 0;
  const bool is_read = reader.ReadU32(narrow);
  bound = narrow;
  return is_read;
}

}  // namespace detail

/// Flags: bit 0 there is a maximum, bit 1 shared, bit 2 of 64 bits; what is not in `known` is a
/// fault.
constexpr bool ReadLimits(ByteReader& reader, std::uint8_t known, Limits& limits) {
  const std::uint32_t offset = reader.Offset();
  std::uint8_t flags = 0;
  if (!reader.ReadByte(flags)) return false;
  if ((flags & ~std::uint32_t{known}) != 0) {
    return reader.Fail(ErrorCode::MalformedLimits, offset, FaultArgument::Byte(flags));
  }
  limits = {};
  limits.has_maximum = (flags & 1) != 0;
  limits.is_shared = (flags & 2) != 0;
  limits.is_64 = (flags & 4) != 0;
  return detail::ReadBound(reader, limits.is_64, limits.minimum) &&
         (!limits.has_maximum || detail::ReadBound(reader, limits.is_64, limits.maximum));
}

constexpr bool ReadTableType(ByteReader& reader, CoreFeatures features, TableType& type) {
  if (!ReadReferenceType(reader, features, type.element)) return false;
  const std::uint32_t offset = reader.Offset();
  if (!ReadLimits(reader, 5, type.limits)) return false;
  return !type.limits.is_64 || reader.Fail(ErrorCode::Table64, offset);
}

/// 64-bit addresses need Memory64, shared memories need Threads.
constexpr bool ReadMemoryType(ByteReader& reader, CoreFeatures features, MemoryType& type) {
  const std::uint32_t offset = reader.Offset();
  if (!ReadLimits(reader, 7, type.limits)) return false;
  if (type.limits.is_shared &&
      !detail::RequireFeature(reader, offset, features, Feature::Threads, "a shared memory")) {
    return false;
  }
  return !type.limits.is_64 || detail::RequireFeature(reader, offset, features, Feature::Memory64,
                                                      "a memory with 64-bit addresses");
}

constexpr bool ReadGlobalType(ByteReader& reader, CoreFeatures features, GlobalType& type) {
  if (!ReadValueType(reader, features, type.type)) return false;
  const std::uint32_t offset = reader.Offset();
  std::uint8_t mutability = 0;
  if (!reader.ReadByte(mutability)) return false;
  if (mutability > 1) {
    return reader.Fail(ErrorCode::MalformedMutability, offset, FaultArgument::Byte(mutability));
  }
  type.is_mutable = mutability == 1;
  return true;
}

}  // namespace tenon::inline TENON_ABI::wasm
