// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct without default constructor
/// @file
/// A struct is made before its fields are read.
#include <tenon/struct.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  explicit Record(int value) : first{value} {}
#else
  explicit Record(int value = 0) : first{value} {}
#endif
};

template <>
struct tenon::Fields<Record> : tenon::FieldList<&Record::first> {};

auto function = tenon::bind::MakeHostFunction([](int, tenon::Flat<Record>) {});
