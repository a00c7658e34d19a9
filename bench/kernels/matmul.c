// SPDX-License-Identifier: Apache-2.0
/// @file
/// Matrix multiplication of doubles, `n` x `n` (at most 400).
#include "kernel.h"

enum { kMax = 400 };

static double a[kMax * kMax];
static double b[kMax * kMax];
static double c[kMax * kMax];

int run(int n) {
  if (n > kMax) n = kMax;
  uint32_t state = 42;
  for (int i = 0; i < n * n; ++i) {
    a[i] = (double)(kernel_random(&state) % 100);
    b[i] = (double)(kernel_random(&state) % 100);
  }
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int k = 0; k < n; ++k) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
  }
  uint32_t checksum = 0;
  for (int i = 0; i < n * n; ++i) checksum = checksum * 31 + (uint32_t)c[i];
  return (int)checksum;
}
