// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a base class
/// @file
/// Boost.PFR takes the base for a field.
#include <tenon/aggregate.hpp>

struct Base {
  int first;
};
#if TENON_MUST_NOT_COMPILE
struct Record : Base {
  int second;
};
#else
struct Record {
  Base base;
  int second;
};
#endif

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
