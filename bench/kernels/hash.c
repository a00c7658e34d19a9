// SPDX-License-Identifier: Apache-2.0
/// @file
/// Hashing with allocation: a chained hash table of text keys that grows, `n` insertions and
/// look-ups.
#include "kernel.h"

typedef struct Entry {
  struct Entry* next;
  uint32_t hash;
  uint32_t count;
  char key[12];
} Entry;

enum { kArena = 32 << 20 };

static uint8_t arena[kArena] __attribute__((aligned(16)));
static uint32_t arena_used;

static void* allocate(uint32_t size) {
  size = (size + 15) & ~15u;
  if (size > kArena - arena_used) __builtin_trap();
  void* memory = arena + arena_used;
  arena_used += size;
  return memory;
}

static uint32_t write_key(char* key, uint32_t number) {
  uint32_t length = 0;
  do {
    key[length++] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  key[length] = 0;
  return length;
}

static uint32_t hash_key(const char* key) {
  uint32_t hash = 2166136261u;
  for (; *key; ++key) hash = (hash ^ (uint8_t)*key) * 16777619u;
  return hash;
}

static int equal(const char* a, const char* b) {
  for (; *a && *a == *b; ++a, ++b) {
  }
  return *a == *b;
}

static Entry** make_buckets(uint32_t count) {
  Entry** buckets = allocate(count * (uint32_t)sizeof(Entry*));
  for (uint32_t i = 0; i < count; ++i) buckets[i] = 0;
  return buckets;
}

int run(int n) {
  arena_used = 0;
  uint32_t bucket_count = 16;
  uint32_t entry_count = 0;
  Entry** buckets = make_buckets(bucket_count);
  uint32_t state = 99;
  for (int i = 0; i < n; ++i) {
    char key[12];
    const uint32_t length = write_key(key, kernel_random(&state) % 100000);
    const uint32_t hash = hash_key(key);
    Entry* entry = buckets[hash & (bucket_count - 1)];
    while (entry && !(entry->hash == hash && equal(entry->key, key))) entry = entry->next;
    if (entry) {
      ++entry->count;
      continue;
    }
    if (entry_count >= bucket_count) {
      Entry** grown = make_buckets(bucket_count * 2);
      for (uint32_t k = 0; k < bucket_count; ++k) {
        while (buckets[k]) {
          Entry* moved = buckets[k];
          buckets[k] = moved->next;
          Entry** place = &grown[moved->hash & (bucket_count * 2 - 1)];
          moved->next = *place;
          *place = moved;
        }
      }
      buckets = grown;
      bucket_count *= 2;
    }
    entry = allocate(sizeof(Entry));
    entry->hash = hash;
    entry->count = 1;
    for (uint32_t k = 0; k <= length; ++k) entry->key[k] = key[k];
    entry->next = buckets[hash & (bucket_count - 1)];
    buckets[hash & (bucket_count - 1)] = entry;
    ++entry_count;
  }
  uint32_t checksum = entry_count;
  for (uint32_t k = 0; k < bucket_count; ++k) {
    uint32_t sum = 0;
    for (const Entry* entry = buckets[k]; entry; entry = entry->next) {
      sum += entry->hash ^ entry->count * 2654435761u;
    }
    checksum = checksum * 31 + sum;
  }
  return (int)checksum;
}
