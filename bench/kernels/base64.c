// SPDX-License-Identifier: Apache-2.0
/// @file
/// Base64 (RFC 4648): encodes and decodes 3 KiB, `n` times.
#include "kernel.h"

enum { kPlain = 3072, kEncoded = kPlain / 3 * 4, kInvalid = 255 };

static const char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t plain[kPlain];
static uint8_t decoded[kPlain];
static char encoded[kEncoded];
static uint8_t values[256];

static uint32_t encode(char* out, const uint8_t* in, uint32_t size) {
  char* const begin = out;
  for (uint32_t i = 0; i + 3 <= size; i += 3) {
    const uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = alphabet[group >> 6 & 63];
    *out++ = alphabet[group & 63];
  }
  return (uint32_t)(out - begin);
}

/// Bytes written; 0 if a character is not of the alphabet.
static uint32_t decode(uint8_t* out, const char* in, uint32_t size) {
  uint8_t* const begin = out;
  for (uint32_t i = 0; i + 4 <= size; i += 4) {
    const uint32_t a = values[(uint8_t)in[i]];
    const uint32_t b = values[(uint8_t)in[i + 1]];
    const uint32_t c = values[(uint8_t)in[i + 2]];
    const uint32_t d = values[(uint8_t)in[i + 3]];
    if ((a | b | c | d) == kInvalid) return 0;
    const uint32_t group = a << 18 | b << 12 | c << 6 | d;
    *out++ = (uint8_t)(group >> 16);
    *out++ = (uint8_t)(group >> 8);
    *out++ = (uint8_t)group;
  }
  return (uint32_t)(out - begin);
}

int run(int n) {
  for (int i = 0; i < 256; ++i) values[i] = kInvalid;
  for (int i = 0; i < 64; ++i) values[(uint8_t)alphabet[i]] = (uint8_t)i;
  uint32_t state = 3;
  for (int i = 0; i < kPlain; ++i) plain[i] = (uint8_t)kernel_random(&state);
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    const uint32_t size = encode(encoded, plain, kPlain);
    checksum = checksum * 31 + (uint8_t)encoded[(uint32_t)i % size];
    if (decode(decoded, encoded, size) != kPlain) __builtin_trap();
    // The next round encodes what this one decoded, changed.
    plain[i % kPlain] = (uint8_t)(decoded[(i + 1) % kPlain] + i);
  }
  for (int i = 0; i < kPlain; ++i) checksum = checksum * 31 + decoded[i];
  return (int)checksum;
}
