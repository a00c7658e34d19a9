// SPDX-License-Identifier: Apache-2.0
/// @file
/// 64-bit arithmetic: SipHash-2-4 of `n` messages of 256 bytes.
#include "kernel.h"

enum { kWords = 32 };

typedef struct {
  uint64_t v0, v1, v2, v3;
} State;

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void mix(State* s) {
  s->v0 += s->v1;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v0 = rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static uint64_t hash(const uint64_t* words, uint64_t key0, uint64_t key1) {
  State s = {key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du, key0 ^ 0x6c7967656e657261u,
             key1 ^ 0x7465646279746573u};
  for (int i = 0; i < kWords; ++i) {
    s.v3 ^= words[i];
    mix(&s);
    mix(&s);
    s.v0 ^= words[i];
  }
  const uint64_t last = (uint64_t)(kWords * 8) << 56;
  s.v3 ^= last;
  mix(&s);
  mix(&s);
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) mix(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

int run(int n) {
  uint64_t words[kWords];
  for (int i = 0; i < kWords; ++i) words[i] = (uint64_t)i * 0x9E3779B97F4A7C15u;
  uint64_t key = 0x0706050403020100u;
  for (int i = 0; i < n; ++i) {
    key = hash(words, key, (uint64_t)i);
    words[i % kWords] ^= key;
  }
  return (int)(uint32_t)(key ^ key >> 32);
}
