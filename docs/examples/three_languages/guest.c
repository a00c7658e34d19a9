// SPDX-License-Identifier: Apache-2.0
// The guest in C: strings, arrays, structs and callbacks that come from and go to the host.

typedef unsigned size_t;

struct Summary {
  unsigned count;
  double mean, largest;
};

__attribute__((import_module("env"), import_name("report"))) void report(const struct Summary*);
__attribute__((import_module("env"), import_name("for_each"))) void for_each(unsigned count,
                                                                             double (*callback)(double));

// --- an allocator: a list of free blocks, each with its size in front -----------------------------

struct Block {
  size_t size;
  struct Block* next;
  double data[];
};

extern unsigned char __heap_base;
static struct Block* free_blocks;
static unsigned char* end;

__attribute__((export_name("malloc"))) void* malloc(size_t size) {
  if (size > 0x7FFFFFF0) return 0;
  size = (size + 7) & ~7u;
  for (struct Block** link = &free_blocks; *link; link = &(*link)->next) {
    struct Block* block = *link;
    if (block->size < size) continue;
    *link = block->next;
    return block->data;
  }
  if (!end) end = (unsigned char*)(((size_t)&__heap_base + 15) & ~15u);
  size_t needed = (size_t)end + sizeof(struct Block) + size;
  size_t have = __builtin_wasm_memory_size(0) << 16;
  if (needed > have &&
      __builtin_wasm_memory_grow(0, (needed - have + 0xFFFF) >> 16) == (size_t)-1) {
    return 0;
  }
  struct Block* block = (struct Block*)end;
  end += sizeof(struct Block) + size;
  block->size = size;
  return block->data;
}

__attribute__((export_name("free"))) void free(void* data) {
  if (!data) return;
  struct Block* block = (struct Block*)((unsigned char*)data - sizeof(struct Block));
  block->next = free_blocks;
  free_blocks = block;
}

// --- what the host calls --------------------------------------------------------------------------

static char* append(char* to, const char* from, size_t size) {
  for (size_t i = 0; i < size; ++i) *to++ = from[i];
  return to;
}

// The host frees the result.
__attribute__((export_name("greet"))) char* greet(const char* name, size_t size) {
  char* text = malloc(size + sizeof "Hello, , says C");
  char* to = append(text, "Hello, ", 7);
  to = append(to, name, size);
  append(to, ", says C", sizeof ", says C");
  return text;
}

__attribute__((export_name("mean"))) double mean(const double* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += values[i];
  return count ? sum / count : 0;
}

__attribute__((export_name("scale"))) void scale(double* values, size_t count, double factor) {
  for (size_t i = 0; i < count; ++i) values[i] *= factor;
}

// The struct is returned as C returns one: to a place that the caller gives.
__attribute__((export_name("summarize"))) struct Summary summarize(const double* values,
                                                                   size_t count) {
  struct Summary summary = {count, mean(values, count), 0};
  for (size_t i = 0; i < count; ++i) {
    if (i == 0 || values[i] > summary.largest) summary.largest = values[i];
  }
  return summary;
}

__attribute__((export_name("merge"))) struct Summary merge(const struct Summary* left,
                                                           const struct Summary* right) {
  struct Summary both = {left->count + right->count, 0,
                         left->largest > right->largest ? left->largest : right->largest};
  both.mean = (left->count * left->mean + right->count * right->mean) / both.count;
  report(&both);
  return both;
}

static double square(double value) { return value * value; }

// Gives the host a function of this guest to call.
__attribute__((export_name("squares"))) void squares(unsigned count) { for_each(count, square); }
