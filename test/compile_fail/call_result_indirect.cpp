// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call is a struct in the guest's memory
/// @file
/// Nothing says where in the guest's memory the result would be written.
#include <tenon/bind.hpp>
#include <tenon/struct.hpp>

struct Point {
  float x, y;
};
template <>
struct tenon::Fields<Point> : tenon::FieldList<&Point::x, &Point::y> {};

#if TENON_MUST_NOT_COMPILE
inline constexpr auto count = tenon::bind::CallSignature<tenon::Indirect<Point>()>::kResultCount;
#else
inline constexpr auto count = tenon::bind::CallSignature<tenon::Flat<Point>()>::kResultCount;
#endif
