// SPDX-License-Identifier: Apache-2.0
// A guest that counts primes with a sieve.

static unsigned char composite[10000];

__attribute__((export_name("count_primes"))) int count_primes(int limit) {
  if (limit > 10000) limit = 10000;
  int count = 0;
  for (int i = 2; i < limit; ++i) {
    if (composite[i]) continue;
    ++count;
    for (int k = i + i; k < limit; k += i) composite[k] = 1;
  }
  return count;
}
