// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is const
/// @file
/// What is const cannot be read into.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  const int name;
#else
  int name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::InOut<Record>) {});
