// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 points to a type without layout in guest memory
/// @file
/// Structs need the header that knows their fields.
#include <tenon/bind.hpp>

struct Point {
  float x, y;
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, tenon::In<Point>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, tenon::In<float>) {});
#endif
