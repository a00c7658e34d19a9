// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with bit-fields
/// @file
/// A reference to it would be one to a copy.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  const bool name : 1;
#else
  bool name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
