// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of entry.hpp.
#pragma once

#include <algorithm>
#include <cstring>

#include <tenon/cache/checksum.hpp>
#include <tenon/cache/entry.hpp>
#include <tenon/wasm/hmac.hpp>

namespace tenon::inline TENON_ABI::cache {

namespace detail {

/// Not text, so that a transfer that changes line ends shows.
inline constexpr std::array<std::uint8_t, 8> kEntryMagic = {0x89, 't', 'e',  'n',
                                                            'o',  'n', '\r', '\n'};
inline constexpr std::uint64_t kEntryFormat = 1;

inline std::span<const std::uint8_t> BytesOf(const EntryHeader& header) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&header), sizeof(header)};
}

inline std::uint64_t HeaderChecksum(EntryHeader header) noexcept {
  header.header_checksum = 0;
  header.mac = {};
  return Checksum(BytesOf(header));
}

[[gnu::cold]] inline wasm::Sha256Digest SignatureOf(
    EntryHeader header, std::span<const std::uint8_t> body,
    std::span<const std::uint8_t> mac_key) noexcept {
  header.mac = {};
  wasm::HmacSha256 hmac{mac_key};
  hmac.Update(BytesOf(header));
  hmac.Update(body);
  return hmac.Finish();
}

constexpr std::uint64_t ObjectOffset(std::uint64_t module_size) noexcept {
  return (kEntryHeaderSize + module_size + kObjectAlignment - 1) & ~(kObjectAlignment - 1);
}

/// Whether sizes and offsets are the only ones that fit together; then all are in bounds.
[[gnu::cold]] inline bool IsConsistent(const EntryHeader& header, std::uint64_t size) noexcept {
  return header.size == size && header.module_size <= size &&
         header.object_offset == ObjectOffset(header.module_size) && header.object_offset <= size &&
         header.object_size == size - header.object_offset;
}

}  // namespace detail

[[gnu::cold]] TENON_DECL const char* EntryFaultText(EntryFault fault) noexcept {
  switch (fault) {
    case EntryFault::None:
      break;
    case EntryFault::Truncated:
      return "it is truncated";
    case EntryFault::NotAnEntry:
      return "it is no cache entry";
    case EntryFault::OtherFormat:
      return "its format is of another version of the library";
    case EntryFault::Inconsistent:
      return "its sizes contradict each other";
    case EntryFault::Damaged:
      return "its checksum is wrong";
    case EntryFault::NotAuthentic:
      return "it is not signed with the key";
    case EntryFault::OtherVersion:
      return "it is of another version of the library";
    case EntryFault::OtherProcessor:
      return "it is for another processor";
    case EntryFault::OtherKey:
      return "it is of another module or other settings";
    case EntryFault::OtherModule:
      return "what it holds does not fit the module";
  }
  return "";
}

TENON_DECL std::vector<std::uint8_t> BuildEntry(const EntryIdentity& identity,
                                                std::span<const std::uint8_t> module,
                                                std::span<const std::uint8_t> object,
                                                std::span<const std::uint8_t> mac_key) {
  EntryHeader header;
  header.magic = detail::kEntryMagic;
  header.format = detail::kEntryFormat;
  header.module_size = module.size();
  header.object_offset = detail::ObjectOffset(module.size());
  header.object_size = object.size();
  header.size = header.object_offset + header.object_size;
  header.key = identity.key;
  header.engine = identity.engine;
  header.engine_revision = identity.engine_revision;
  header.version = identity.version;
  header.layout = identity.layout;
  header.cpu = identity.cpu;
  std::vector<std::uint8_t> entry(static_cast<std::size_t>(header.size));
  std::ranges::copy(module, entry.begin() + kEntryHeaderSize);
  std::ranges::copy(object, entry.begin() + static_cast<std::ptrdiff_t>(header.object_offset));
  const std::span<const std::uint8_t> body = std::span{entry}.subspan(kEntryHeaderSize);
  header.body_checksum = Checksum(body);
  header.header_checksum = detail::HeaderChecksum(header);
  if (!mac_key.empty()) header.mac = detail::SignatureOf(header, body, mac_key);
  std::memcpy(entry.data(), &header, sizeof(header));
  return entry;
}

TENON_DECL EntryFault CheckEntry(std::span<const std::uint8_t> bytes, const EntryTrust& trust,
                                 EntryView& view) noexcept {
  if (bytes.size() < sizeof(detail::kEntryMagic) ||
      !std::ranges::equal(bytes.first(sizeof(detail::kEntryMagic)), detail::kEntryMagic)) {
    return bytes.empty() ? EntryFault::Truncated : EntryFault::NotAnEntry;
  }
  if (bytes.size() < kEntryHeaderSize) return EntryFault::Truncated;
  EntryHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.format != detail::kEntryFormat) return EntryFault::OtherFormat;
  if (header.size > bytes.size()) return EntryFault::Truncated;
  const std::span<const std::uint8_t> body = bytes.subspan(kEntryHeaderSize);
  if (!trust.mac_key.empty()) {
    if (!wasm::IsSameDigest(header.mac, detail::SignatureOf(header, body, trust.mac_key))) {
      return EntryFault::NotAuthentic;
    }
  } else if (header.header_checksum != detail::HeaderChecksum(header) ||
             (!trust.skip_checksum && header.body_checksum != Checksum(body))) {
    return EntryFault::Damaged;
  }
  if (!detail::IsConsistent(header, bytes.size())) return EntryFault::Inconsistent;
  view.header = header;
  view.module = bytes.subspan(kEntryHeaderSize, static_cast<std::size_t>(header.module_size));
  view.object = bytes.subspan(static_cast<std::size_t>(header.object_offset));
  return EntryFault::None;
}

[[gnu::cold]] TENON_DECL EntryFault CompareEntry(const EntryHeader& header,
                                                 const EntryIdentity& expected) noexcept {
  if (header.version != expected.version || header.layout != expected.layout ||
      header.engine != expected.engine || header.engine_revision != expected.engine_revision) {
    return EntryFault::OtherVersion;
  }
  if (header.cpu != expected.cpu) return EntryFault::OtherProcessor;
  return header.key == expected.key ? EntryFault::None : EntryFault::OtherKey;
}

}  // namespace tenon::inline TENON_ABI::cache
