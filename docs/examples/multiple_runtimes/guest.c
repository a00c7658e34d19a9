// SPDX-License-Identifier: Apache-2.0
// A guest that calls a host function with state.

__attribute__((import_module("env"), import_name("next"))) int next(void);

__attribute__((export_name("advance"))) int advance(int times) {
  int last = 0;
  for (int i = 0; i < times; ++i) last = next();
  return last;
}
