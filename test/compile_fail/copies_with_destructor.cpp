// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 copies elements of a type with a destructor
/// @file
/// Copies of elements lie in raw memory.
#include <span>

#include <tenon/struct.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  ~Record() {}
#else
  void Drop() {}
#endif
};

template <>
struct tenon::Fields<Record> : tenon::FieldList<&Record::first> {};

auto function = tenon::bind::MakeHostFunction([](tenon::In<std::span<const Record>>) {});
