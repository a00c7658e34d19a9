// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 points to a type without layout in guest memory
/// @file
/// C has no arrays of no elements.
#include <array>

#include <tenon/struct.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::In<std::array<int, 0>>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::In<std::array<int, 1>>) {});
#endif
