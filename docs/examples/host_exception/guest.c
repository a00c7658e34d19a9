// SPDX-License-Identifier: Apache-2.0
// A guest between two pieces of host code: the one that calls it and the one that it calls.

__attribute__((import_module("env"), import_name("open_account"))) void open_account(int id);

static int opened;

__attribute__((export_name("open_all"))) int open_all(int first, int count) {
  for (int i = 0; i < count; ++i) {
    open_account(first + i);
    ++opened;
  }
  return opened;
}

__attribute__((export_name("opened"))) int get_opened(void) { return opened; }
