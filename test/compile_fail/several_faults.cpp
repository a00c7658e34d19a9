// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is long double
/// @file
/// Only the first of several faults is reported.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, long double, int*) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, double, int) {});
#endif
