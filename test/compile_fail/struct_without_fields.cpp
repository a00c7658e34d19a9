// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct of more than 32 fields, or of none
/// @file
/// C has no empty struct.
#include <tenon/aggregate.hpp>

struct Record {
#if !TENON_MUST_NOT_COMPILE
  int first;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
