// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer
/// @file
/// Results are judged as parameters are.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  int* second;
#else
  int second;
#endif
};

auto function = tenon::bind::MakeHostFunction([]() -> tenon::Indirect<Record> { return Record{}; });
