// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 16 or later is a raw pointer
/// @file
/// A position beyond those that have a text of their own.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int*) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int) {});
#endif
