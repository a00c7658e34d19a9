// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with bit-fields
/// @file
/// Also beside fields that are no numbers.
#include <tenon/aggregate.hpp>

struct Point {
  int x, y;
};
struct Record {
  Point point;
#if TENON_MUST_NOT_COMPILE
  unsigned flags : 5;
#else
  unsigned flags;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
