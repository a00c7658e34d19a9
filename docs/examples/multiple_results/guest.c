// SPDX-License-Identifier: Apache-2.0
// Functions with several results. C has none, so the guest is compiled with clang's multivalue ABI,
// in which a struct of scalars is returned as one result a field.

struct Division {
  int quotient;
  int remainder;
};

struct Range {
  double low;
  double high;
};

__attribute__((import_module("env"), import_name("min_max"))) struct Range min_max(
    const double* values, unsigned count);

__attribute__((export_name("divide"))) struct Division divide(int a, int b) {
  struct Division division = {a / b, a % b};
  return division;
}

static const double kSamples[] = {3.5, -1.25, 8.0, 2.0};

__attribute__((export_name("sample_range"))) struct Range sample_range(void) {
  return min_max(kSamples, sizeof kSamples / sizeof *kSamples);
}
