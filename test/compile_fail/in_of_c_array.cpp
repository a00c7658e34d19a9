// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 points to a C array: write std::array<T, N> for it
/// @file
/// C arrays cannot be returned, so that nothing could be read into one.
#include <array>

#include <tenon/struct.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, tenon::In<int[3]>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, tenon::In<std::array<int, 3>>) {});
#endif
