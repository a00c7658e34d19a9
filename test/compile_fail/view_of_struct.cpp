// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a view whose elements cannot be shared with a guest
/// @file
/// The layout of a class is not the guest's.
#include <span>

#include <tenon/bind.hpp>

struct Point {
  float x, y;
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, std::span<Point>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, std::span<float>) {});
#endif
