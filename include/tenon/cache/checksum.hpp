// SPDX-License-Identifier: Apache-2.0
/// @file
/// A checksum at the speed of memory, against accidents only.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::cache {

/// 64 bits over `bytes` and their number. Every step is a bijection of its lane, so that a change
/// within eight bytes always shows; others escape by chance alone. No protection against those who
/// mean it.
inline std::uint64_t Checksum(std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::size_t kLanes = 8;  // as many as multiplications are under way at once
  // Odd. Carries go only upwards: the word is multiplied before its upper bits are brought down by
  // the rotation, and after, or else they could be taken for lower bits of the next word.
  constexpr std::uint64_t kBefore = 0xD6E8FEB86659FD93;
  constexpr std::uint64_t kMultiplier = 0xA0761D6478BD642F;
  const auto step = [](std::uint64_t lane, std::uint64_t word) {
    return std::rotl(lane + word * kBefore, 29) * kMultiplier;
  };
  std::uint64_t lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = (i + 1) * kMultiplier;
  const std::uint8_t* data = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof(lanes); left -= sizeof(lanes), data += sizeof(lanes)) {
    std::uint64_t words[kLanes];
    std::memcpy(words, data, sizeof(words));
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = step(lanes[i], words[i]);
  }
  std::uint64_t sum = bytes.size();
  for (; left != 0; left -= left < 8 ? left : 8, data += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, left < 8 ? left : 8);
    sum = step(sum, word);
  }
  for (const std::uint64_t lane : lanes) sum = step(sum, lane);
  sum = (sum ^ sum >> 32) * kMultiplier;
  sum = (sum ^ sum >> 29) * kMultiplier;
  return sum ^ sum >> 32;
}

}  // namespace tenon::inline TENON_ABI::cache
