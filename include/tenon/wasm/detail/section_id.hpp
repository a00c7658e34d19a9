// SPDX-License-Identifier: Apache-2.0
/// @file
/// Section ids of the binary format, and the order in which sections stand.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

enum class SectionId : std::uint8_t {
  Custom,
  Type,
  Import,
  Function,
  Table,
  Memory,
  Global,
  Export,
  Start,
  Element,
  Code,
  Data,
  DataCount,
};

inline constexpr std::uint32_t kSectionCount = 13;

/// Place in the required order, by section id. Custom sections may stand anywhere.
inline constexpr std::uint8_t kSectionOrder[kSectionCount] = {0, 1, 2, 3,  4,  5, 6,
                                                              7, 8, 9, 11, 12, 10};

/// Subsections of the custom section "name" (core specification 2.0, appendix 7.4.1), and one of
/// our own with the names of results, made as that of the locals. Others skip what they do not
/// know.
enum class NameSubsection : std::uint8_t { Module, Functions, Locals, Results = 0x7F };

}  // namespace tenon::inline TENON_ABI::wasm::detail
