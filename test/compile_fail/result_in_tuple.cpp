// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a raw pointer
/// @file
/// One of several results at fault.
#include <tuple>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> std::tuple<int, int*> { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> std::tuple<int, int> { return {}; });
#endif
