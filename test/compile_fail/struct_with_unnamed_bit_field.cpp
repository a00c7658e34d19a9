// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a gap between its fields
/// @file
/// Nothing that names fields sees it.
#include <tenon/aggregate.hpp>

struct Record {
  std::uint8_t first;
#if TENON_MUST_NOT_COMPILE
  std::uint8_t : 8;
#else
  std::uint8_t unused;
#endif
  std::uint8_t second;
};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
