// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of sha256.hpp: SHA-256 by the processor's own instructions.
#pragma once

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <tenon/wasm/sha256.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

#if defined(__x86_64__)

#define TENON_DETAIL_SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))

// The compilers' own vectors and builtins: <immintrin.h> is the heaviest header of all.
using Sha256Words = int __attribute__((vector_size(16)));
using Sha256Bytes = char __attribute__((vector_size(16)));

inline bool DetectSha256Instructions() noexcept {
  constexpr unsigned kSsse3 = 9;
  constexpr unsigned kSse41 = 19;
  constexpr unsigned kSha = 29;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> kSsse3 & c >> kSse41 & 1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> kSha & 1) != 0;
}

/// Four words of the message, most significant byte first.
TENON_DETAIL_SHA_CODE inline Sha256Words LoadSha256Words(const std::uint8_t* bytes) noexcept {
  Sha256Bytes loaded;
  std::memcpy(&loaded, bytes, sizeof(loaded));
  return reinterpret_cast<Sha256Words>(__builtin_shufflevector(loaded, loaded, 3, 2, 1, 0, 7, 6, 5,
                                                               4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/// Rounds `4 * group` to `4 * group + 3` with the words `w`.
TENON_DETAIL_SHA_CODE inline void Sha256Rounds(Sha256Words& abef, Sha256Words& cdgh, Sha256Words w,
                                               unsigned group) noexcept {
  Sha256Words constants;
  std::memcpy(&constants, kSha256Constants + std::size_t{4} * group, sizeof(constants));
  // Unsigned, as sums wrap.
  using Unsigned = unsigned __attribute__((vector_size(16)));
  const auto sum = reinterpret_cast<Sha256Words>(reinterpret_cast<Unsigned>(w) +
                                                 reinterpret_cast<Unsigned>(constants));
  cdgh = __builtin_ia32_sha256rnds2(cdgh, abef, sum);
  abef = __builtin_ia32_sha256rnds2(abef, cdgh, __builtin_shufflevector(sum, sum, 2, 3, 2, 3));
}

/// Replaces the oldest words, `w0`, by those that follow the newest, `w3`.
TENON_DETAIL_SHA_CODE inline void ExtendSha256Words(Sha256Words& w0, Sha256Words w1, Sha256Words w2,
                                                    Sha256Words w3) noexcept {
  using Unsigned = unsigned __attribute__((vector_size(16)));
  const Sha256Words seventh = __builtin_shufflevector(w2, w3, 1, 2, 3, 4);
  const auto sum = reinterpret_cast<Unsigned>(__builtin_ia32_sha256msg1(w0, w1)) +
                   reinterpret_cast<Unsigned>(seventh);
  w0 = __builtin_ia32_sha256msg2(reinterpret_cast<Sha256Words>(sum), w3);
}

TENON_DETAIL_SHA_CODE inline void CompressSha256ByInstructions(std::uint32_t (&state)[8],
                                                               const std::uint8_t* blocks,
                                                               std::size_t count) noexcept {
  const auto word = [&](unsigned i) { return static_cast<int>(state[i]); };
  Sha256Words abef = {word(5), word(4), word(1), word(0)};
  Sha256Words cdgh = {word(7), word(6), word(3), word(2)};
  for (; count != 0; --count, blocks += kSha256Block) {
    using Unsigned = unsigned __attribute__((vector_size(16)));
    const auto first = reinterpret_cast<Unsigned>(abef);
    const auto second = reinterpret_cast<Unsigned>(cdgh);
    Sha256Words w0 = LoadSha256Words(blocks);
    Sha256Words w1 = LoadSha256Words(blocks + 16);
    Sha256Words w2 = LoadSha256Words(blocks + 32);
    Sha256Words w3 = LoadSha256Words(blocks + 48);
    for (unsigned group = 0; group < 12; group += 4) {
      Sha256Rounds(abef, cdgh, w0, group);
      ExtendSha256Words(w0, w1, w2, w3);
      Sha256Rounds(abef, cdgh, w1, group + 1);
      ExtendSha256Words(w1, w2, w3, w0);
      Sha256Rounds(abef, cdgh, w2, group + 2);
      ExtendSha256Words(w2, w3, w0, w1);
      Sha256Rounds(abef, cdgh, w3, group + 3);
      ExtendSha256Words(w3, w0, w1, w2);
    }
    Sha256Rounds(abef, cdgh, w0, 12);
    Sha256Rounds(abef, cdgh, w1, 13);
    Sha256Rounds(abef, cdgh, w2, 14);
    Sha256Rounds(abef, cdgh, w3, 15);
    abef = reinterpret_cast<Sha256Words>(reinterpret_cast<Unsigned>(abef) + first);
    cdgh = reinterpret_cast<Sha256Words>(reinterpret_cast<Unsigned>(cdgh) + second);
  }
  const int after[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
  std::memcpy(state, after, sizeof(after));
}

#undef TENON_DETAIL_SHA_CODE

#endif

TENON_DECL void CompressSha256(std::uint32_t (&state)[8], const std::uint8_t* blocks,
                               std::size_t count) noexcept {
#if defined(__x86_64__)
  if (HasSha256Instructions()) {
    CompressSha256ByInstructions(state, blocks, count);
    return;
  }
#endif
  for (std::size_t i = 0; i < count; ++i) CompressSha256Block(state, blocks + i * kSha256Block);
}

}  // namespace detail

TENON_DECL bool HasSha256Instructions() noexcept {
#if defined(__x86_64__)
  static const bool detected = detail::DetectSha256Instructions();
  return detected;
#else
  return false;
#endif
}

}  // namespace tenon::inline TENON_ABI::wasm
