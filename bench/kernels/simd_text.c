// SPDX-License-Identifier: Apache-2.0
/// @file
/// SIMD, comparisons and masks: turns the case of a text of 64 KiB and counts its line ends, `n`
/// times.
#include "kernel.h"
#include "vectors.h"

enum { kSize = 65536 };

static uint8_t text[kSize];

static Bytes turn_case(Bytes bytes) {
  const Bytes distance = (bytes | 32) - 'a';
  const Bytes is_letter = (Bytes)(distance < 26);
  return bytes ^ (is_letter & 32);
}

/// The sum of all bytes.
static uint32_t sum(Bytes bytes) {
  const Shorts pairs = ((Shorts)bytes & 255) + ((Shorts)bytes >> 8);
  const Ints fours = (Ints)((Shorts)((Ints)pairs & 65535) + (Shorts)((Ints)pairs >> 16));
  return (uint32_t)(fours[0] & 65535) + (uint32_t)(fours[1] & 65535) +
         (uint32_t)(fours[2] & 65535) + (uint32_t)(fours[3] & 65535);
}

static uint32_t turn_and_count(void) {
  uint32_t count = 0;
  for (int i = 0; i < kSize; i += 16 * 128) {
    Bytes found = {0};
    for (int k = i; k < i + 16 * 128; k += 16) {
      const Bytes bytes = load_bytes(text + k);
      found -= (Bytes)(bytes == '\n');
      store_bytes(text + k, turn_case(bytes));
    }
    count += sum(found);
  }
  return count;
}

int run(int n) {
  uint32_t state = 29;
  for (int i = 0; i < kSize; ++i) {
    const uint32_t number = kernel_random(&state) % 128;
    text[i] = number < 4 ? '\n' : (uint8_t)number;
  }
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    checksum = checksum * 31 + turn_and_count();
    text[i % kSize] = (uint8_t)(i & 127);
  }
  for (int i = 0; i < kSize; ++i) checksum = checksum * 31 + text[i];
  return (int)checksum;
}
