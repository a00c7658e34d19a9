// SPDX-License-Identifier: Apache-2.0
/// @file
/// Floating point with branches: the Mandelbrot set in `n` x `n` points.
#include "kernel.h"

enum { kIterations = 100 };

static int escape(double x, double y) {
  double real = 0;
  double imaginary = 0;
  for (int i = 0; i < kIterations; ++i) {
    const double real_square = real * real;
    const double imaginary_square = imaginary * imaginary;
    if (real_square + imaginary_square > 4.0) return i;
    imaginary = 2.0 * real * imaginary + y;
    real = real_square - imaginary_square + x;
  }
  return kIterations;
}

int run(int n) {
  uint32_t checksum = 0;
  for (int row = 0; row < n; ++row) {
    const double y = 2.4 * row / n - 1.2;
    for (int column = 0; column < n; ++column) {
      const double x = 3.0 * column / n - 2.2;
      checksum = checksum * 31 + (uint32_t)escape(x, y);
    }
  }
  return (int)checksum;
}
