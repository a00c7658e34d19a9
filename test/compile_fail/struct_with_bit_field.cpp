// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with bit-fields
/// @file
/// They have no address and no common layout.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  unsigned name : 3; unsigned rest : 5;
#else
  unsigned char name; unsigned char rest;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
