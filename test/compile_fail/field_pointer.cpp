// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer
/// @file
/// A pointer of the host means nothing to a guest.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  const char* name;
#else
  tenon::GuestPtr<char> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
