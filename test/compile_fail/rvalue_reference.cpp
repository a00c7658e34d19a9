// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 2 is a reference: take it by value
/// @file
/// An rvalue reference.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](float, double, int&&) {});
#else
auto function = tenon::bind::MakeHostFunction([](float, double, int) {});
#endif
