// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is const or volatile
/// @file
/// What is volatile cannot be read into either.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  volatile int second;
#else
  int second;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::View<Record>) {});
