// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 has a type without a WebAssembly value: specialise tenon::WasmType<T> for it
/// @file
/// A class that nobody has mapped.
#include <tenon/bind.hpp>

struct Point {
  float x, y;
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, Point) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, float) {});
#endif
