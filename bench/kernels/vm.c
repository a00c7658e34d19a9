// SPDX-License-Identifier: Apache-2.0
/// @file
/// A big switch: a small register machine that counts the steps of Collatz sequences below `n`.
#include "kernel.h"

enum {
  kLoad,        // r[a] = b
  kMove,        // r[a] = r[b]
  kAdd,         // r[a] += r[b]
  kSubtract,    // r[a] -= r[b]
  kMultiply,    // r[a] *= r[b]
  kAnd,         // r[a] &= r[b]
  kOr,          // r[a] |= r[b]
  kExclusive,   // r[a] ^= r[b]
  kShiftRight,  // r[a] >>= b
  kShiftLeft,   // r[a] <<= b
  kAddNumber,   // r[a] += b
  kIfZero,      // if r[a] == 0 go to b
  kIfSet,       // if r[a] != 0 go to b
  kIfLess,      // if r[a] < r[a + 1] go to b
  kGo,          // go to b
  kStore,       // memory[r[a] & 63] = r[b]
  kFetch,       // r[a] = memory[r[b] & 63]
  kHalt,
};

typedef struct {
  uint8_t code;
  uint8_t a;
  int16_t b;
} Instruction;

// r0: the start of a sequence, r1: its bound, r2: steps in all, r3: current number, r4, r5:
// scratch.
static const Instruction program[] = {
    {kLoad, 0, 1},        // 0: outer loop begins behind
    {kMove, 3, 0},        // 1: current = start
    {kMove, 4, 3},        // 2: inner loop
    {kAddNumber, 4, -1},  // 3
    {kIfZero, 4, 15},     // 4: current == 1
    {kMove, 4, 3},        // 5
    {kLoad, 5, 1},        // 6
    {kAnd, 4, 5},         // 7
    {kIfSet, 4, 11},      // 8: odd
    {kShiftRight, 3, 1},  // 9
    {kGo, 0, 13},         // 10
    {kMove, 4, 3},        // 11: 3 * current + 1
    {kGo, 0, 19},         // 12
    {kAddNumber, 2, 1},   // 13
    {kGo, 0, 2},          // 14
    {kStore, 0, 2},       // 15: sequence done
    {kAddNumber, 0, 1},   // 16
    {kIfLess, 0, 1},      // 17
    {kHalt, 0, 0},        // 18
    {kShiftLeft, 3, 1},   // 19
    {kAdd, 3, 4},         // 20
    {kAddNumber, 3, 1},   // 21
    {kFetch, 5, 2},       // 22
    {kExclusive, 5, 3},   // 23
    {kStore, 3, 5},       // 24
    {kGo, 0, 13},         // 25
};

int run(int n) {
  uint32_t r[8] = {0};
  uint32_t memory[64] = {0};
  r[1] = (uint32_t)n;
  uint32_t pc = 0;
  for (;;) {
    const Instruction i = program[pc++];
    switch (i.code) {
      case kLoad:
        r[i.a] = (uint32_t)i.b;
        break;
      case kMove:
        r[i.a] = r[i.b];
        break;
      case kAdd:
        r[i.a] += r[i.b];
        break;
      case kSubtract:
        r[i.a] -= r[i.b];
        break;
      case kMultiply:
        r[i.a] *= r[i.b];
        break;
      case kAnd:
        r[i.a] &= r[i.b];
        break;
      case kOr:
        r[i.a] |= r[i.b];
        break;
      case kExclusive:
        r[i.a] ^= r[i.b];
        break;
      case kShiftRight:
        r[i.a] >>= i.b;
        break;
      case kShiftLeft:
        r[i.a] <<= i.b;
        break;
      case kAddNumber:
        r[i.a] += (uint32_t)i.b;
        break;
      case kIfZero:
        if (r[i.a] == 0) pc = (uint32_t)i.b;
        break;
      case kIfSet:
        if (r[i.a] != 0) pc = (uint32_t)i.b;
        break;
      case kIfLess:
        if (r[i.a] < r[i.a + 1]) pc = (uint32_t)i.b;
        break;
      case kGo:
        pc = (uint32_t)i.b;
        break;
      case kStore:
        memory[r[i.a] & 63] = r[i.b];
        break;
      case kFetch:
        r[i.a] = memory[r[i.b] & 63];
        break;
      default: {
        uint32_t checksum = r[2];
        for (int k = 0; k < 64; ++k) checksum = checksum * 31 + memory[k];
        return (int)checksum;
      }
    }
  }
}
