// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a packed struct
/// @file
/// Its fields are at no natural places.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  double name; } __attribute__((packed)); struct Unused {
#else
  double name; }; struct Unused {
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
