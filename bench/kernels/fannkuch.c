// SPDX-License-Identifier: Apache-2.0
/// @file
/// Permutations: counts how often the first `n` permutations of ten numbers must be flipped until
/// a 1 comes first.
#include "kernel.h"

enum { kLength = 10 };

static int count_flips(const uint8_t* permutation) {
  uint8_t work[kLength];
  for (int i = 0; i < kLength; ++i) work[i] = permutation[i];
  int flips = 0;
  for (int first = work[0]; first != 0; first = work[0]) {
    for (int low = 0, high = first; low < high; ++low, --high) {
      const uint8_t kept = work[low];
      work[low] = work[high];
      work[high] = kept;
    }
    ++flips;
  }
  return flips;
}

/// Turns the permutation into its successor; 0 if it was the last.
static int advance(uint8_t* permutation, uint8_t* counts) {
  for (int i = 1; i < kLength; ++i) {
    const uint8_t first = permutation[0];
    for (int k = 0; k < i; ++k) permutation[k] = permutation[k + 1];
    permutation[i] = first;
    if (counts[i]++ < i) return 1;
    counts[i] = 0;
  }
  return 0;
}

int run(int n) {
  uint8_t permutation[kLength];
  uint8_t counts[kLength];
  for (int i = 0; i < kLength; ++i) {
    permutation[i] = (uint8_t)i;
    counts[i] = 0;
  }
  int most = 0;
  int32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    const int flips = count_flips(permutation);
    if (flips > most) most = flips;
    checksum += i % 2 == 0 ? flips : -flips;
    if (!advance(permutation, counts)) break;
  }
  return (int)((uint32_t)checksum * 100 + (uint32_t)most);
}
