// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct of more than 32 fields, or of none
/// @file
/// A list of fields has at least one.
#include <tenon/struct.hpp>

struct Record {
  int first;
};

template <>
#if TENON_MUST_NOT_COMPILE
struct tenon::Fields<Record> : tenon::FieldList<> {};
#else
struct tenon::Fields<Record> : tenon::FieldList<&Record::first> {};
#endif

auto function = tenon::bind::MakeHostFunction([](tenon::Out<Record>) {});
