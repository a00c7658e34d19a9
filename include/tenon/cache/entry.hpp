// SPDX-License-Identifier: Apache-2.0
/// @file
/// The form in which a compiled module is kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/cache_store.hpp>
#include <tenon/wasm/sha256.hpp>

namespace tenon::inline TENON_ABI::cache {

/// What an entry is good for. An entry fits where all of it is the same.
struct EntryIdentity {
  CacheKey key{};
  std::array<char, 16> engine{};  ///< its name, padded with zeros
  std::uint32_t engine_revision = 0;
  std::uint32_t version = 0;  ///< of the library
  std::uint64_t layout = 0;   ///< abi::LayoutDigest
  std::uint64_t cpu = 0;      ///< extensions that the code may use
};

/// The first bytes of an entry. The module's bytes follow, then zeros up to the next page, then the
/// engine's object, which ends the entry. Little-endian, as all machines that run this library.
struct EntryHeader {
  std::array<std::uint8_t, 8> magic{};
  std::uint64_t format = 0;
  /// Over this header, with itself and `mac` zero.
  std::uint64_t header_checksum = 0;
  /// Over everything behind this header.
  std::uint64_t body_checksum = 0;
  /// HMAC-SHA-256 over the entry with these bytes zero; zero if there is no key.
  wasm::Sha256Digest mac{};
  std::uint64_t size = 0;  ///< of the entry
  std::uint64_t module_size = 0;
  std::uint64_t object_offset = 0;
  std::uint64_t object_size = 0;
  CacheKey key{};
  std::array<char, 16> engine{};
  std::uint32_t engine_revision = 0;
  std::uint32_t version = 0;
  std::uint64_t layout = 0;
  std::uint64_t cpu = 0;
  std::array<std::uint8_t, 88> reserved{};
};

inline constexpr std::size_t kEntryHeaderSize = 256;
static_assert(sizeof(EntryHeader) == kEntryHeaderSize);
static_assert(offsetof(EntryHeader, mac) == 32 && offsetof(EntryHeader, size) == 64 &&
              offsetof(EntryHeader, key) == 96 && offsetof(EntryHeader, engine) == 128 &&
              offsetof(EntryHeader, layout) == 152);

/// Objects begin on a page, so that their code can be executed where it lies.
inline constexpr std::uint64_t kObjectAlignment = 4096;

/// Entries beyond this are none of ours, and may be holes that nobody has memory for.
inline constexpr std::uint64_t kLargestEntry = std::uint64_t{4} << 30;

/// Why an entry is not used.
enum class EntryFault : std::uint8_t {
  None,
  Truncated,       ///< shorter than it says, or than a header
  NotAnEntry,      ///< the first bytes are others
  OtherFormat,     ///< of an older or newer library
  Inconsistent,    ///< sizes and offsets contradict each other
  Damaged,         ///< the checksum is another
  NotAuthentic,    ///< not signed with our key
  OtherVersion,    ///< of the library, its ABI or the engine
  OtherProcessor,  ///< code for other extensions
  OtherKey,        ///< of another module or other settings
  OtherModule,     ///< the engine or the decoder refuses it
};

/// A few words for people.
TENON_DECL const char* EntryFaultText(EntryFault fault) noexcept;

/// How much an entry must prove before it is believed.
struct EntryTrust {
  std::span<const std::uint8_t> mac_key;  ///< empty: the checksum is enough
  bool skip_checksum = false;
};

/// An entry whose form was checked; refers to its bytes.
struct EntryView {
  EntryHeader header;
  std::span<const std::uint8_t> module;
  std::span<const std::uint8_t> object;
};

/// Makes an entry.
TENON_DECL std::vector<std::uint8_t> BuildEntry(const EntryIdentity& identity,
                                                std::span<const std::uint8_t> module,
                                                std::span<const std::uint8_t> object,
                                                std::span<const std::uint8_t> mac_key);

/// Checks everything about `bytes` that does not depend on who asks; `view` is set if there is no
/// fault.
TENON_DECL EntryFault CheckEntry(std::span<const std::uint8_t> bytes, const EntryTrust& trust,
                                 EntryView& view) noexcept;

/// Whether a checked entry is the one that was asked for.
TENON_DECL EntryFault CompareEntry(const EntryHeader& header,
                                   const EntryIdentity& expected) noexcept;

}  // namespace tenon::inline TENON_ABI::cache

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/cache/entry.ipp>
#endif
