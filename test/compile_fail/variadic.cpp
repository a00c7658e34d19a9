// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable has C variadic parameters (...)
/// @file
/// C variadic parameters.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
int Print(int, ...);
auto function = tenon::bind::MakeHostFunction(Print);
#else
int Print(int);
auto function = tenon::bind::MakeHostFunction(Print);
#endif
