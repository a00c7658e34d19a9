// SPDX-License-Identifier: Apache-2.0
// expect: tenon: this is not callable: pass a function, a lambda
/// @file
/// A number is not a function.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(42);
#else
auto function = tenon::bind::MakeHostFunction([] {});
#endif
