// SPDX-License-Identifier: Apache-2.0
/// @file
/// Memory: the primes below `n` (at most 8 million) by sieving, and a copy of the sieve.
#include "kernel.h"

enum { kMax = 8000000 };

static uint8_t composite[kMax];
static uint8_t copy[kMax];

int run(int n) {
  if (n > kMax) n = kMax;
  for (int i = 0; i < n; ++i) composite[i] = 0;
  for (int i = 2; (int64_t)i * i < n; ++i) {
    if (composite[i]) continue;
    for (int j = i * i; j < n; j += i) composite[j] = 1;
  }
  for (int i = 0; i < n; ++i) copy[n - 1 - i] = composite[i];
  uint32_t checksum = 0;
  for (int i = 2; i < n; ++i) {
    if (!copy[n - 1 - i]) checksum = checksum * 31 + (uint32_t)i;
  }
  return (int)checksum;
}
