// SPDX-License-Identifier: Apache-2.0
// expect: tenon: this is not callable: pass a function, a lambda
/// @file
/// An object without operator().
#include <tenon/bind.hpp>

struct Point {
  float x, y;
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(Point{});
#else
auto function = tenon::bind::MakeHostFunction([] {});
#endif
