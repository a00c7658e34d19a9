// SPDX-License-Identifier: Apache-2.0
// The guest of the quickstart. guest.wasm beside it was made by docs/examples/build_guests.sh.

#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

// What the host gives.
IMPORT("mix") unsigned mix(unsigned a, unsigned b);
IMPORT("log") void log_text(const char* text, unsigned length);
IMPORT("average") double average(const double* values, unsigned count);
IMPORT("next_ticket") int next_ticket(void);

static const char kHello[] = "hello from C";
static const double kTemperatures[] = {19.5, 21.0, 18.0, 25.5};

EXPORT("run") unsigned run(unsigned seed) {
  log_text(kHello, sizeof kHello - 1);
  for (int i = 0; i < 3; ++i) seed = mix(seed, (unsigned)next_ticket());
  return seed;
}

EXPORT("average_temperature") double average_temperature(void) {
  return average(kTemperatures, sizeof kTemperatures / sizeof *kTemperatures);
}

__attribute__((noinline)) static int divide(int a, int b) { return a / b; }

EXPORT("percent") int percent(int part, int whole) { return divide(part * 100, whole); }
