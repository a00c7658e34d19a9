// SPDX-License-Identifier: Apache-2.0
/// @file
/// What every kernel provides: a function that does work in proportion to `n` and returns a number
/// that depends on all of it. Kernels use no library, so that they compile for wasm32 as they are.
#pragma once

#include <stdint.h>

int run(int n);

#if defined(KERNEL_FIXED_N)
/// For engines whose command line passes no arguments.
int run_fixed(void);
int run_fixed(void) { return run(KERNEL_FIXED_N); }
#endif

/// A linear congruential generator; equal on every machine.
static inline uint32_t kernel_random(uint32_t* state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}
