// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a C array as field
/// @file
/// Longer than any struct may have fields.
#include <array>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  int numbers[200];
#else
  std::array<int, 200> numbers;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
