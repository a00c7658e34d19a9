// SPDX-License-Identifier: Apache-2.0
/// @file
/// Indirect calls: `n` calls through a table of small functions, the next depending on the last.
#include "kernel.h"

typedef uint32_t (*Operation)(uint32_t, uint32_t);

static uint32_t add(uint32_t x, uint32_t y) { return x + y; }
static uint32_t subtract(uint32_t x, uint32_t y) { return x - y; }
static uint32_t exclusive(uint32_t x, uint32_t y) { return x ^ y; }
static uint32_t multiply(uint32_t x, uint32_t y) { return x * (y | 1); }
static uint32_t rotate(uint32_t x, uint32_t y) { return (x << 7 | x >> 25) + y; }
static uint32_t invert(uint32_t x, uint32_t y) { return ~x - y; }
static uint32_t larger(uint32_t x, uint32_t y) { return x > y ? x + 3 : y + 5; }
static uint32_t shift(uint32_t x, uint32_t y) { return (x >> 3) + (y << 2); }

static Operation operations[8] = {add,    subtract, exclusive, multiply,
                                  rotate, invert,   larger,    shift};

int run(int n) {
  uint32_t value = 1;
  for (uint32_t i = 0; i < (uint32_t)n; ++i) {
    value = operations[(value ^ i) & 7](value, i);
  }
  return (int)value;
}
