// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable cannot be called with the signature that was named
/// @file
/// A named signature that does not fit.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction<int(int, int)>([](auto value) { return value; });
#else
auto function = tenon::bind::MakeHostFunction<int(int)>([](auto value) { return value; });
#endif
