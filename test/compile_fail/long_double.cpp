// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is long double, which WebAssembly does not have: take double
/// @file
/// A number that WebAssembly does not have.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](long double) {});
#else
auto function = tenon::bind::MakeHostFunction([](double) {});
#endif
