// SPDX-License-Identifier: Apache-2.0
/// @file
/// String scanning: `n` passes over a text of 64 KiB that find its lines eight bytes at a time, as
/// C libraries do, and its words byte by byte.
#include "kernel.h"

enum { kSize = 65536 };

static char text[kSize + 8];

static uint64_t load(const char* at) {
  uint64_t word;
  __builtin_memcpy(&word, at, sizeof word);
  return word;
}

/// Nonzero if a byte of `word` is zero.
static uint64_t has_zero(uint64_t word) {
  return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

/// The text is followed by eight zeros, so that whole words can be read.
static uint32_t length_of(const char* begin) {
  const char* at = begin;
  while (!has_zero(load(at))) at += 8;
  while (*at) ++at;
  return (uint32_t)(at - begin);
}

static const char* find(const char* at, const char* end, char wanted) {
  const uint64_t pattern = 0x0101010101010101u * (uint8_t)wanted;
  while (at < end && !has_zero(load(at) ^ pattern)) at += 8;
  while (at < end && *at != wanted) ++at;
  return at < end ? at : end;
}

static int is_letter(char c) { return (uint8_t)((c | 32) - 'a') < 26; }

static void write_text(void) {
  uint32_t state = 7;
  for (int i = 0; i < kSize; ++i) {
    const uint32_t number = kernel_random(&state) % 256;
    text[i] = number < 4    ? '\n'
              : number < 40 ? ' '
              : number < 50 ? ','
              : number < 60 ? (char)('0' + number % 10)
              : number < 70 ? (char)('A' + number % 26)
                            : (char)('a' + number % 26);
  }
  for (int i = kSize; i < kSize + 8; ++i) text[i] = 0;
}

/// Hashes of the words and the sum of the numbers.
static uint32_t scan_tokens(const char* at, const char* end) {
  uint32_t checksum = 0;
  while (at < end) {
    if (is_letter(*at)) {
      uint32_t hash = 5381;
      for (; at < end && is_letter(*at); ++at) hash = hash * 33 + (uint8_t)(*at | 32);
      checksum += hash;
    } else if (*at >= '0' && *at <= '9') {
      uint32_t value = 0;
      for (; at < end && *at >= '0' && *at <= '9'; ++at) value = value * 10 + (uint32_t)(*at - '0');
      checksum += value;
    } else {
      ++at;
    }
  }
  return checksum;
}

int run(int n) {
  write_text();
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    const char* end = text + length_of(text);
    for (const char* line = text; line < end;) {
      const char* line_end = find(line, end, '\n');
      checksum = checksum * 31 + scan_tokens(line, line_end);
      line = line_end + 1;
    }
    text[i % kSize] = 'x';
  }
  return (int)checksum;
}
