// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a reference: return it by value
/// @file
/// A reference as result.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
int counter = 0;
auto function = tenon::bind::MakeHostFunction([]() -> int& { return counter; });
#else
int counter = 0;
auto function = tenon::bind::MakeHostFunction([]() -> int { return counter; });
#endif
