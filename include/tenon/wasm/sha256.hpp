// SPDX-License-Identifier: Apache-2.0
/// @file
/// SHA-256 (FIPS 180-4), which identifies modules in caches.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::wasm {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Which code compresses blocks at run time. The digest is the same.
enum class Sha256Path : std::uint8_t {
  Fastest,   ///< the processor's SHA extensions, where it has them
  Portable,  ///< what constant expressions use
};

namespace detail {

inline constexpr std::size_t kSha256Block = 64;

/// First 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2).
inline constexpr std::uint32_t kSha256Constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One round; the caller rotates the names instead of the values.
constexpr void Sha256Round(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t& d,
                           std::uint32_t e, std::uint32_t f, std::uint32_t g, std::uint32_t& h,
                           std::uint32_t input) {
  const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
  const std::uint32_t choice = g ^ (e & (f ^ g));
  const std::uint32_t first = h + sum1 + choice + input;
  const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
  const std::uint32_t majority = (a & b) | (c & (a | b));
  d += first;
  h = first + sum0 + majority;
}

constexpr void CompressSha256Block(std::uint32_t (&state)[8], const std::uint8_t* block) {
  std::uint32_t w[64] = {};
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
  }
  for (unsigned i = 16; i < 64; ++i) {
    const std::uint32_t x = w[i - 15];
    const std::uint32_t y = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3)) + w[i - 7] +
           (std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10));
  }
  std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  std::uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (unsigned i = 0; i < 64; i += 8) {
    Sha256Round(a, b, c, d, e, f, g, h, kSha256Constants[i] + w[i]);
    Sha256Round(h, a, b, c, d, e, f, g, kSha256Constants[i + 1] + w[i + 1]);
    Sha256Round(g, h, a, b, c, d, e, f, kSha256Constants[i + 2] + w[i + 2]);
    Sha256Round(f, g, h, a, b, c, d, e, kSha256Constants[i + 3] + w[i + 3]);
    Sha256Round(e, f, g, h, a, b, c, d, kSha256Constants[i + 4] + w[i + 4]);
    Sha256Round(d, e, f, g, h, a, b, c, kSha256Constants[i + 5] + w[i + 5]);
    Sha256Round(c, d, e, f, g, h, a, b, kSha256Constants[i + 6] + w[i + 6]);
    Sha256Round(b, c, d, e, f, g, h, a, kSha256Constants[i + 7] + w[i + 7]);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/// Compresses `count` blocks by the fastest means.
TENON_DECL void CompressSha256(std::uint32_t (&state)[8], const std::uint8_t* blocks,
                               std::size_t count) noexcept;

}  // namespace detail

/// Whether Sha256Path::Fastest is the processor's SHA extensions.
TENON_DECL bool HasSha256Instructions() noexcept;

/// Hashes bytes that arrive in pieces: Update any number of times, then Finish once. Usable in
/// constant expressions.
class Sha256 {
 public:
  constexpr Sha256() = default;
  explicit constexpr Sha256(Sha256Path path) : path_{path} {}

  constexpr void Update(std::span<const std::uint8_t> bytes) {
    length_ += bytes.size();
    if (pending_size_ != 0) {
      const std::size_t room = kBlockSize - pending_size_;
      const std::span<const std::uint8_t> head = bytes.first(std::min(room, bytes.size()));
      Keep(head);
      bytes = bytes.subspan(head.size());
      if (pending_size_ != kBlockSize) return;
      Compress(pending_, 1);
      pending_size_ = 0;
    }
    const std::size_t blocks = bytes.size() / kBlockSize;
    Compress(bytes.data(), blocks);
    Keep(bytes.subspan(blocks * kBlockSize));
  }

  /// The digest of everything so far. The hasher must not be used afterwards.
  constexpr Sha256Digest Finish() {
    const std::uint64_t bits = length_ * 8;
    pending_[pending_size_++] = 0x80;
    if (pending_size_ > kBlockSize - 8) {
      PadTo(kBlockSize);
      Compress(pending_, 1);
      pending_size_ = 0;
    }
    PadTo(kBlockSize - 8);
    for (unsigned i = 0; i < 8; ++i) {
      pending_[kBlockSize - 8 + i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
    }
    Compress(pending_, 1);
    Sha256Digest digest{};
    for (unsigned i = 0; i < 32; ++i) {
      digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
  }

 private:
  static constexpr std::size_t kBlockSize = detail::kSha256Block;

  constexpr void Keep(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) pending_[pending_size_++] = byte;
  }

  constexpr void PadTo(std::size_t size) {
    while (pending_size_ < size) pending_[pending_size_++] = 0;
  }

  constexpr void Compress(const std::uint8_t* blocks, std::size_t count) {
    if (!std::is_constant_evaluated() && path_ == Sha256Path::Fastest) {
      detail::CompressSha256(state_, blocks, count);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      detail::CompressSha256Block(state_, blocks + i * kBlockSize);
    }
  }

  std::uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint8_t pending_[kBlockSize] = {};
  std::size_t pending_size_ = 0;
  std::uint64_t length_ = 0;
  Sha256Path path_ = Sha256Path::Fastest;
};

/// The SHA-256 digest of `bytes`.
constexpr Sha256Digest HashSha256(std::span<const std::uint8_t> bytes) {
  Sha256 hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/sha256.ipp>
#endif
