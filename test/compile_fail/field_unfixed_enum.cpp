// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is an enum without a fixed underlying type
/// @file
/// Its width is the compiler's.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  enum Colour { Red } name;
#else
  enum Colour : int { Red } name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::Flat<Record>) {});
