// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is long double, which WebAssembly does not have: return double
/// @file
/// A number that WebAssembly does not have.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> long double { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> double { return {}; });
#endif
