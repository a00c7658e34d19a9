// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 points to a C array
/// @file
/// Elements of views are values.
#include <array>

#include <tenon/struct.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::View<int[3]>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::View<std::array<int, 3>>) {});
#endif
