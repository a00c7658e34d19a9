// SPDX-License-Identifier: Apache-2.0
// A guest that is embedded in its host: what both call is compared when the host is compiled.

__attribute__((import_module("env"), import_name("roll"))) int roll(int sides);
__attribute__((import_module("env"), import_name("log"))) void log_text(const char* text,
                                                                        unsigned length);

static double total;
static int rolls;

__attribute__((export_name("play"))) int play(int rounds, int sides) {
  static const char kDone[] = "played";
  int best = 0;
  for (int i = 0; i < rounds; ++i) {
    const int rolled = roll(sides);
    total += rolled;
    ++rolls;
    if (rolled > best) best = rolled;
  }
  log_text(kDone, sizeof kDone - 1);
  return best;
}

__attribute__((export_name("average"))) double average(void) { return rolls ? total / rolls : 0; }
