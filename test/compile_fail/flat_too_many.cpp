// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a Flat struct of more than 64 values
/// @file
/// Nobody wants to pass so many operands.
#include <array>

#include <tenon/aggregate.hpp>

struct Record {
#if TENON_MUST_NOT_COMPILE
  std::array<int, 65> values;
#else
  std::array<int, 64> values;
#endif
};

auto function = tenon::bind::MakeHostFunction([](tenon::Flat<Record>) {});
