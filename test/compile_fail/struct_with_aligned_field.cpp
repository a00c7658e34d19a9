// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a struct with a gap between its fields
/// @file
/// Of a field's alignment, other than the struct's, nothing is left in its type.
#include <tenon/aggregate.hpp>

struct Record {
  std::uint8_t first;
#if TENON_MUST_NOT_COMPILE
  alignas(8) std::uint8_t second;
#else
  std::uint8_t second;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::In<Record>) {});
