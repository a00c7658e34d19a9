// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with bit-fields
/// @file
/// As wide as its type, so that it can hold every number.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  unsigned name : 32;
#else
  unsigned name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
