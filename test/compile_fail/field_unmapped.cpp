// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 has a type without layout in guest memory
/// @file
/// A reference to a host object is no memory.
#include <tenon/aggregate.hpp>

struct Record {
  int first;
#if TENON_MUST_NOT_COMPILE
  tenon::ExternRef name;
#else
  std::uint32_t name;
#endif
};

auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Record>) {});
