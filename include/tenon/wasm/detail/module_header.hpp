// SPDX-License-Identifier: Apache-2.0
/// @file
/// Recognises the first bytes of a module, and what is often taken for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/wasm/fault.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

inline constexpr std::uint8_t kMagic[4] = {0x00, 0x61, 0x73, 0x6D};
inline constexpr std::uint32_t kHeaderSize = 8;

/// Whether `bytes`, after white space and a byte order mark, begin with `text` (lower case; ASCII
/// case is ignored).
[[gnu::cold]] constexpr bool BeginsWithText(std::span<const std::uint8_t> bytes,
                                            std::string_view text) {
  std::size_t i = 0;
  if (bytes.size() >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF) i = 3;
  while (i < bytes.size() && (bytes[i] == ' ' || (bytes[i] >= '\t' && bytes[i] <= '\r'))) ++i;
  if (bytes.size() - i < text.size()) return false;
  for (const char expected : text) {
    const std::uint8_t byte = bytes[i++];
    const int lower = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
    if (lower != expected) return false;
  }
  return true;
}

/// Why bytes that do not begin with the magic number are no module.
[[gnu::cold]] constexpr ErrorCode ClassifyForeign(std::span<const std::uint8_t> bytes) {
  if (bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B) return ErrorCode::NotAModuleGzip;
  for (const std::string_view text : {"(module", ";;", "(;"}) {
    if (BeginsWithText(bytes, text)) return ErrorCode::NotAModuleText;
  }
  if (BeginsWithText(bytes, "<!doctype html") || BeginsWithText(bytes, "<html")) {
    return ErrorCode::NotAModuleHtml;
  }
  if (BeginsWithText(bytes, "version https://git-lfs.")) return ErrorCode::NotAModuleLfs;
  if (BeginsWithText(bytes, "#!")) return ErrorCode::NotAModuleScript;
  for (const std::string_view text : {"{\"", "{}", "{ ", "{\n", "{\r", "[{", "[\"", "[\n", "[]"}) {
    if (BeginsWithText(bytes, text)) return ErrorCode::NotAModuleJson;
  }
  return ErrorCode::BadMagic;
}

/// Checks magic number and version.
[[gnu::cold]] constexpr Fault CheckHeader(std::span<const std::uint8_t> bytes) {
  Fault fault;
  if (bytes.empty()) {
    fault.code = ErrorCode::EmptyModule;
    return fault;
  }
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    if (bytes[i] != kMagic[i]) {
      fault.code = ClassifyForeign(bytes);
      return fault;
    }
  }
  if (bytes.size() < kHeaderSize) {
    fault.code = ErrorCode::UnexpectedEnd;
    fault.offset = static_cast<std::uint32_t>(bytes.size());
    return fault;
  }
  std::uint32_t version = 0;
  for (unsigned i = 0; i < 4; ++i) version |= std::uint32_t{bytes[4 + i]} << (8 * i);
  if (version == 1) return fault;
  // A component has a version of its own and layer 1 in the upper half.
  fault.code = version >> 16 == 1 ? ErrorCode::NotAModuleComponent : ErrorCode::BadVersion;
  fault.offset = 4;
  fault.arguments[0] = std::uint64_t{version};
  return fault;
}

}  // namespace tenon::inline TENON_ABI::wasm::detail
