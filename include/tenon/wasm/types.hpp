// SPDX-License-Identifier: Apache-2.0
/// @file
/// Types of functions, tables, memories and globals as a module declares them.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Size limits of a table (elements) or memory (pages of 64 KiB).
struct Limits {
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;  ///< meaningful only if has_maximum
  bool has_maximum = false;
  bool is_64 = false;      ///< addressed by i64
  bool is_shared = false;  ///< memories only

  friend constexpr bool operator==(const Limits&, const Limits&) = default;
};

struct TableType {
  ValueType element = ValueType::FuncRef;
  Limits limits;

  friend constexpr bool operator==(const TableType&, const TableType&) = default;
};

struct MemoryType {
  Limits limits;

  friend constexpr bool operator==(const MemoryType&, const MemoryType&) = default;
};

struct GlobalType {
  ValueType type;
  bool is_mutable = false;

  friend constexpr bool operator==(const GlobalType&, const GlobalType&) = default;
};

/// Bytes of one page of memory.
inline constexpr std::uint64_t kPageSize = 65536;
/// Pages that an i32 can address.
inline constexpr std::uint64_t kMaxPages32 = 65536;
/// Pages that an i64 can address.
inline constexpr std::uint64_t kMaxPages64 = std::uint64_t{1} << 48;

}  // namespace tenon::inline TENON_ABI::wasm
