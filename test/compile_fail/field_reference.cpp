// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a reference
/// @file
/// A reference is a pointer of the host.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  int& name;
#else
  tenon::GuestPtr<int> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
