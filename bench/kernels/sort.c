// SPDX-License-Identifier: Apache-2.0
/// @file
/// Sorting: quicksort of `n` numbers (at most a million).
#include "kernel.h"

enum { kMax = 1000000 };

static uint32_t values[kMax];

static void insertion_sort(uint32_t* first, uint32_t* last) {
  for (uint32_t* i = first + 1; i < last; ++i) {
    const uint32_t value = *i;
    uint32_t* hole = i;
    for (; hole > first && hole[-1] > value; --hole) *hole = hole[-1];
    *hole = value;
  }
}

static void quicksort(uint32_t* first, uint32_t* last) {
  while (last - first > 12) {
    const uint32_t pivot = first[(last - first) / 2];
    uint32_t* low = first;
    uint32_t* high = last - 1;
    while (low <= high) {
      while (*low < pivot) ++low;
      while (*high > pivot) --high;
      if (low <= high) {
        const uint32_t value = *low;
        *low++ = *high;
        *high-- = value;
      }
    }
    quicksort(first, high + 1);
    first = low;
  }
  insertion_sort(first, last);
}

int run(int n) {
  if (n > kMax) n = kMax;
  uint32_t state = 7;
  for (int i = 0; i < n; ++i) values[i] = kernel_random(&state);
  quicksort(values, values + n);
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) checksum = checksum * 31 + values[i];
  return (int)checksum;
}
