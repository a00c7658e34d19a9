// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a string, view or container of the host
/// @file
/// A string owns memory of the host.
#include <string>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  std::string name;
#else
  tenon::GuestPtr<char> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
