// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is long double
/// @file
/// No such type in WebAssembly.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  long double name;
#else
  double name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::Out<Record>) {});
