// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a C array as field
/// @file
/// One element is counted right, but is an array still.
#include <array>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  char name[1];
#else
  std::array<char, 1> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::Flat<Record>) {});
