// SPDX-License-Identifier: Apache-2.0
/// @file
/// SIMD, bytes: lays an image of 64 KiB over another with an opacity for each byte, `n` times.
#include "kernel.h"
#include "vectors.h"

enum { kSize = 65536 };

static uint8_t front[kSize];
static uint8_t back[kSize];
static uint8_t alpha[kSize];

static Shorts low_half(Bytes bytes) {
  const Bytes zero = {0};
  return (Shorts)__builtin_shufflevector(bytes, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                         22, 7, 23);
}

static Shorts high_half(Bytes bytes) {
  const Bytes zero = {0};
  return (Shorts)__builtin_shufflevector(bytes, zero, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                         14, 30, 15, 31);
}

static Shorts mix(Shorts front, Shorts back, Shorts alpha) {
  const Shorts sum = front * alpha + back * (255 - alpha) + 128;
  return (sum + (sum >> 8)) >> 8;  // a division by 255
}

/// The low bytes of all lanes.
static Bytes narrow(Shorts low, Shorts high) {
  return __builtin_shufflevector((Bytes)low, (Bytes)high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,
                                 24, 26, 28, 30);
}

static void blend(void) {
  for (int i = 0; i < kSize; i += 16) {
    const Bytes f = load_bytes(front + i);
    const Bytes b = load_bytes(back + i);
    const Bytes a = load_bytes(alpha + i);
    store_bytes(back + i, narrow(mix(low_half(f), low_half(b), low_half(a)),
                                 mix(high_half(f), high_half(b), high_half(a))));
  }
}

int run(int n) {
  uint32_t state = 23;
  for (int i = 0; i < kSize; ++i) {
    front[i] = (uint8_t)kernel_random(&state);
    back[i] = (uint8_t)kernel_random(&state);
    alpha[i] = (uint8_t)(kernel_random(&state) % 64);
  }
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    blend();
    checksum = checksum * 31 + back[i % kSize];
    front[i % kSize] = (uint8_t)(front[i % kSize] + checksum);
  }
  for (int i = 0; i < kSize; ++i) checksum = checksum * 31 + back[i];
  return (int)checksum;
}
