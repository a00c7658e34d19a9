// SPDX-License-Identifier: Apache-2.0
// A guest that works on text in its memory, and lets the host put it there.

__attribute__((import_module("env"), import_name("shout"))) void shout(char* text, unsigned size);

extern unsigned char __heap_base;
static unsigned next;

// Hands out memory and never takes it back, which is enough for an example.
__attribute__((export_name("allocate"))) void* allocate(unsigned size) {
  if (next == 0) next = ((unsigned)&__heap_base + 15) & ~15u;
  unsigned start = next;
  unsigned end = start + ((size + 15) & ~15u);
  unsigned pages = (end + 0xFFFF) >> 16;
  unsigned have = __builtin_wasm_memory_size(0);
  if (pages > have && __builtin_wasm_memory_grow(0, pages - have) == (unsigned long)-1) return 0;
  next = end;
  return (void*)start;
}

__attribute__((export_name("reverse"))) void reverse(char* text, unsigned size) {
  for (unsigned i = 0; i < size / 2; ++i) {
    char swapped = text[i];
    text[i] = text[size - 1 - i];
    text[size - 1 - i] = swapped;
  }
}

__attribute__((export_name("shout_reversed"))) void shout_reversed(char* text, unsigned size) {
  reverse(text, size);
  shout(text, size);
}

__attribute__((export_name("shout_at"))) void shout_at(char* text, unsigned size) {
  shout(text, size);
}
