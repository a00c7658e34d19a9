// SPDX-License-Identifier: Apache-2.0
/// @file
/// Recursion: Fibonacci numbers the slow way.
#include "kernel.h"

static uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int run(int n) { return (int)fib((uint32_t)n); }
