// SPDX-License-Identifier: Apache-2.0
/// @file
/// HMAC with SHA-256 (RFC 2104), by which those who share a key know what is theirs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/wasm/sha256.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Authenticates bytes that arrive in pieces: Update any number of times, then Finish once. Usable
/// in constant expressions.
class HmacSha256 {
 public:
  explicit constexpr HmacSha256(std::span<const std::uint8_t> key) {
    std::array<std::uint8_t, detail::kSha256Block> block{};
    if (key.size() > block.size()) {
      std::ranges::copy(HashSha256(key), block.begin());
    } else {
      std::ranges::copy(key, block.begin());
    }
    for (std::uint8_t& byte : block) byte ^= 0x36;
    inner_.Update(block);
    for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5C;
    outer_.Update(block);
  }

  constexpr void Update(std::span<const std::uint8_t> bytes) { inner_.Update(bytes); }

  /// The code of everything so far. The object must not be used afterwards.
  constexpr Sha256Digest Finish() {
    outer_.Update(inner_.Finish());
    return outer_.Finish();
  }

 private:
  Sha256 inner_;
  Sha256 outer_;
};

/// Whether two codes are the same, in a time that does not tell where they differ.
constexpr bool IsSameDigest(const Sha256Digest& left, const Sha256Digest& right) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    difference |= static_cast<unsigned>(left[i] ^ right[i]);
  }
  return difference == 0;
}

}  // namespace tenon::inline TENON_ABI::wasm
