// SPDX-License-Identifier: Apache-2.0
/// @file
/// Dynamic programming: the edit distance of two texts of `n` characters (at most 8192).
#include "kernel.h"

enum { kMax = 8192 };

static char first[kMax];
static char second[kMax];
static int32_t row[kMax + 1];

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

int run(int n) {
  if (n > kMax) n = kMax;
  uint32_t state = 5;
  for (int i = 0; i < n; ++i) {
    first[i] = (char)('a' + kernel_random(&state) % 4);
    second[i] = (char)('a' + kernel_random(&state) % 4);
  }
  for (int k = 0; k <= n; ++k) row[k] = k;
  for (int i = 0; i < n; ++i) {
    int32_t diagonal = row[0];
    row[0] = i + 1;
    for (int k = 0; k < n; ++k) {
      const int32_t substituted = diagonal + (first[i] != second[k]);
      diagonal = row[k + 1];
      row[k + 1] = smaller(substituted, smaller(row[k], diagonal) + 1);
    }
  }
  uint32_t checksum = 0;
  for (int k = 0; k <= n; ++k) checksum = checksum * 31 + (uint32_t)row[k];
  return (int)checksum;
}
