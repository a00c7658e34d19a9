// SPDX-License-Identifier: Apache-2.0
/// @file
/// 128-bit vectors of gcc and clang, the same source for SSE4.1 and WebAssembly's SIMD.
#pragma once

#include <stdint.h>

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint16_t Shorts __attribute__((vector_size(16)));
typedef uint8_t Bytes __attribute__((vector_size(16)));

// Loads and stores without alignment.
#define VECTOR_ACCESS(Type, load, store)        \
  static inline Type load(const void* at) {     \
    Type value;                                 \
    __builtin_memcpy(&value, at, sizeof value); \
    return value;                               \
  }                                             \
  static inline void store(void* at, Type value) { __builtin_memcpy(at, &value, sizeof value); }
VECTOR_ACCESS(Floats, load_floats, store_floats)
VECTOR_ACCESS(Bytes, load_bytes, store_bytes)
#undef VECTOR_ACCESS
