// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a reference: take it by value
/// @file
/// A reference to something that crosses by value.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](const double&) {});
#else
auto function = tenon::bind::MakeHostFunction([](double) {});
#endif
