// SPDX-License-Identifier: Apache-2.0
/// @file
/// SIMD, single precision: y += a * x and the dot product of x and y over 4096 floats, `n` times.
#include "kernel.h"
#include "vectors.h"

enum { kSize = 4096 };

static float x[kSize];
static float y[kSize];

static void add_multiple(float factor) {
  const Floats factors = {factor, factor, factor, factor};
  for (int i = 0; i < kSize; i += 4) {
    store_floats(y + i, load_floats(y + i) + factors * load_floats(x + i));
  }
}

static Floats products(int i) { return load_floats(x + i) * load_floats(y + i); }

/// Four sums, so that additions do not wait for each other.
static float dot(void) {
  Floats a = {0}, b = {0}, c = {0}, d = {0};
  for (int i = 0; i < kSize; i += 16) {
    a += products(i);
    b += products(i + 4);
    c += products(i + 8);
    d += products(i + 12);
  }
  const Floats sum = (a + b) + (c + d);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

int run(int n) {
  uint32_t state = 17;
  for (int i = 0; i < kSize; ++i) {
    x[i] = (float)(kernel_random(&state) % 64) - 31.5f;
    y[i] = (float)(kernel_random(&state) % 64);
  }
  float factor = 0.5f;
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    add_multiple(factor);
    // Pulls y towards a right angle to x, so that it stays small.
    const float product = dot();
    factor = product > 0 ? -0.25f : 0.125f;
    checksum = checksum * 31 + (uint32_t)(int32_t)product;
  }
  return (int)checksum;
}
