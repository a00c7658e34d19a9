// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 0 is a host pointer
/// @file
/// Fields are looked at behind a pointer that may be null as well.
#include <optional>

#include <tenon/aggregate.hpp>

struct Record {
#if TENON_MUST_NOT_COMPILE
  const char* name;
#else
  tenon::GuestPtr<const char> name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](std::optional<tenon::In<Record>>) {});
