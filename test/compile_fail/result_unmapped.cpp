// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result has a type without a WebAssembly value
/// @file
/// A class that nobody has mapped as result.
#include <tenon/bind.hpp>

struct Point {
  float x, y;
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> Point { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> int { return {}; });
#endif
