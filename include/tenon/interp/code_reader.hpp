// SPDX-License-Identifier: Apache-2.0
/// @file
/// Reads immediates of validated code.
#pragma once

#include <cstdint>
#include <cstring>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::interp::detail {

// The loop's registers must not have their addresses taken: what takes `pc` by reference is always
// inlined, and what is too long for that takes it by value.

struct LongLeb {
  std::uint64_t value;
  const std::uint8_t* next;
};

inline LongLeb ReadLongLeb(const std::uint8_t* pc) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint64_t byte = *pc++;
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return {value, pc};
  }
}

/// Sign-extended to 64 bits, which narrower types are cut from.
inline LongLeb ReadLongSignedLeb(const std::uint8_t* pc) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;;) {
    const std::uint64_t byte = *pc++;
    value |= (byte & 0x7F) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    if (shift < 64 && (byte & 0x40) != 0) value |= ~std::uint64_t{0} << shift;
    return {value, pc};
  }
}

[[gnu::always_inline]] inline std::uint32_t ReadLeb(const std::uint8_t*& pc) {
  const std::uint32_t first = *pc;
  if (first < 0x80) [[likely]] {
    ++pc;
    return first;
  }
  const LongLeb read = ReadLongLeb(pc);
  pc = read.next;
  return static_cast<std::uint32_t>(read.value);
}

[[gnu::always_inline]] inline std::uint64_t ReadSignedLeb(const std::uint8_t*& pc) {
  const std::uint8_t first = *pc;
  if (first < 0x80) [[likely]] {
    ++pc;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::uint64_t{first} << 57) >> 57);
  }
  const LongLeb read = ReadLongSignedLeb(pc);
  pc = read.next;
  return read.value;
}

[[gnu::always_inline]] inline void SkipLeb(const std::uint8_t*& pc) {
  while (*pc++ >= 0x80) {
  }
}

template <class T>
inline T LoadFrom(const std::uint8_t* address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

}  // namespace tenon::inline TENON_ABI::interp::detail
