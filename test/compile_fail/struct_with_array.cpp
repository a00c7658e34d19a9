// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a C array as field
/// @file
/// Boost.PFR takes its elements for fields.
#include <array>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  char name[4];
#else
  std::array<char, 4> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
