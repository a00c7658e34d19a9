// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 0 is a host pointer
/// @file
/// The struct within is named by the note.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  struct Inner { int* pointer; } name;
#else
  struct Inner { int pointer; } name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::Indirect<Record>) {});
