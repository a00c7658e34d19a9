// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is an enum without a fixed underlying type: declare it as enum E : std::int32_t
/// @file
/// An enum for which not every number of its type is a value.
#include <cstdint>

#include <tenon/bind.hpp>

enum Loose { kLoose };
enum Fixed : std::int32_t { kFixed };

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](Loose) {});
#else
auto function = tenon::bind::MakeHostFunction([](Fixed) {});
#endif
