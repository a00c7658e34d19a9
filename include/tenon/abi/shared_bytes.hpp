// SPDX-License-Identifier: Apache-2.0
/// @file
/// Guest memory that other threads may write to at any time.
///
/// Its bytes are reached by atomic accesses alone, so that a race with a guest is no undefined
/// behaviour of the host and nothing that was read is read again. Aligned words are whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tenon/abi/config.hpp>

namespace tenon::inline TENON_ABI::abi {

namespace detail {

/// A word of memory that is declared as bytes.
using SharedWord [[gnu::may_alias]] = std::uint64_t;

inline bool IsWord(const void* address, std::size_t size) noexcept {
  return size >= sizeof(SharedWord) &&
         reinterpret_cast<std::uintptr_t>(address) % sizeof(SharedWord) == 0;
}

}  // namespace detail

/// Copies `size` bytes of shared memory to memory of the host, each of them read once.
inline void LoadShared(void* to, const std::uint8_t* from, std::size_t size) noexcept {
  auto* out = static_cast<std::uint8_t*>(to);
  while (size != 0) {
    if (detail::IsWord(from, size)) {
      const std::uint64_t word =
          __atomic_load_n(reinterpret_cast<const detail::SharedWord*>(from), __ATOMIC_RELAXED);
      __builtin_memcpy(out, &word, sizeof(word));
      from += sizeof(word);
      out += sizeof(word);
      size -= sizeof(word);
    } else {
      *out++ = __atomic_load_n(from++, __ATOMIC_RELAXED);
      --size;
    }
  }
}

/// Copies `size` bytes of the host to shared memory.
inline void StoreShared(std::uint8_t* to, const void* from, std::size_t size) noexcept {
  const auto* in = static_cast<const std::uint8_t*>(from);
  while (size != 0) {
    if (detail::IsWord(to, size)) {
      std::uint64_t word = 0;
      __builtin_memcpy(&word, in, sizeof(word));
      __atomic_store_n(reinterpret_cast<detail::SharedWord*>(to), word, __ATOMIC_RELAXED);
      to += sizeof(word);
      in += sizeof(word);
      size -= sizeof(word);
    } else {
      __atomic_store_n(to++, *in++, __ATOMIC_RELAXED);
      --size;
    }
  }
}

/// Copies `size` bytes between two places of shared memory, which may overlap.
inline void MoveShared(std::uint8_t* to, const std::uint8_t* from, std::size_t size) noexcept {
  const bool is_backwards = to > from && to < from + size;
  std::uint8_t block[256];
  while (size != 0) {
    const std::size_t part = size < sizeof(block) ? size : sizeof(block);
    size -= part;
    const std::size_t at = is_backwards ? size : 0;
    LoadShared(block, from + at, part);
    StoreShared(to + at, block, part);
    if (is_backwards) continue;
    to += part;
    from += part;
  }
}

/// Writes `size` bytes of one value to shared memory.
inline void FillShared(std::uint8_t* to, std::uint8_t value, std::size_t size) noexcept {
  std::uint8_t block[256];
  __builtin_memset(block, value, sizeof(block));
  while (size != 0) {
    const std::size_t part = size < sizeof(block) ? size : sizeof(block);
    StoreShared(to, block, part);
    to += part;
    size -= part;
  }
}

/// A number of shared memory, at any address. Whole if it is aligned.
template <class T>
inline T LoadSharedNumber(const std::uint8_t* from) noexcept {
  using Word [[gnu::may_alias]] = T;
  if (reinterpret_cast<std::uintptr_t>(from) % sizeof(T) == 0) [[likely]] {
    return __atomic_load_n(reinterpret_cast<const Word*>(from), __ATOMIC_RELAXED);
  }
  T value;
  LoadShared(&value, from, sizeof(T));
  return value;
}
template <class T>
inline void StoreSharedNumber(std::uint8_t* to, T value) noexcept {
  using Word [[gnu::may_alias]] = T;
  if (reinterpret_cast<std::uintptr_t>(to) % sizeof(T) == 0) [[likely]] {
    __atomic_store_n(reinterpret_cast<Word*>(to), value, __ATOMIC_RELAXED);
  } else {
    StoreShared(to, &value, sizeof(T));
  }
}

/// LoadShared of what may be a number, which is whole if it is aligned.
inline void CopyFromShared(void* to, const std::uint8_t* from, std::size_t size) noexcept {
  const auto number = [&]<class T>(T) {
    const T value = LoadSharedNumber<T>(from);
    __builtin_memcpy(to, &value, sizeof(T));
  };
  switch (size) {
    case 2:
      return number(std::uint16_t{});
    case 4:
      return number(std::uint32_t{});
    default:
      return LoadShared(to, from, size);
  }
}
/// StoreShared likewise.
inline void CopyToShared(std::uint8_t* to, const void* from, std::size_t size) noexcept {
  const auto number = [&]<class T>(T value) {
    __builtin_memcpy(&value, from, sizeof(T));
    StoreSharedNumber(to, value);
  };
  switch (size) {
    case 2:
      return number(std::uint16_t{});
    case 4:
      return number(std::uint32_t{});
    default:
      return StoreShared(to, from, size);
  }
}

}  // namespace tenon::inline TENON_ABI::abi
