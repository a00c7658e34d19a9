// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a string, view or container of the host
/// @file
/// A view holds a host pointer.
#include <string_view>

#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  std::string_view name;
#else
  tenon::GuestPtr<char> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::View<Record>) {});
