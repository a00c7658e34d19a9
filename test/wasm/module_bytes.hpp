// SPDX-License-Identifier: Apache-2.0
/// @file
/// Writes modules section by section, malformed ones too.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <tenon/wasm/detail/byte_writer.hpp>
#include <tenon/wasm/detail/section_id.hpp>

namespace tenon_test {

using Bytes = std::vector<std::uint8_t>;
using tenon::wasm::detail::SectionId;

inline Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes Unsigned(std::uint64_t value) {
  Bytes bytes;
  tenon::wasm::detail::WriteUnsigned(bytes, value);
  return bytes;
}

inline Bytes Name(std::string_view name) {
  Bytes bytes;
  tenon::wasm::detail::WriteName(bytes, name);
  return bytes;
}

inline Bytes RawSection(std::uint8_t id, const Bytes& content) {
  return Join({{id}, Unsigned(content.size()), content});
}

inline Bytes Section(SectionId id, const Bytes& content) {
  return RawSection(static_cast<std::uint8_t>(id), content);
}

/// A section that is a vector of `entries`.
inline Bytes Vector(SectionId id, std::initializer_list<Bytes> entries) {
  return Section(id, Join({Unsigned(entries.size()), Join(entries)}));
}

inline Bytes WithHeader(std::initializer_list<Bytes> sections) {
  return Join({{0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00}, Join(sections)});
}

}  // namespace tenon_test
