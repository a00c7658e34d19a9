// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a raw pointer
/// @file
/// A named signature with a fault of its own.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction<int(int, int*)>([](auto value, auto) { return value; });
#else
auto function = tenon::bind::MakeHostFunction<int(int, int)>([](auto value, auto) { return value; });
#endif
