// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a std::array of no elements
/// @file
/// C has no arrays of no elements.
#include <array>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  std::array<int, 0> rest;
#else
  std::array<int, 1> rest;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
