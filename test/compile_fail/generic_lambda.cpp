// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable is generic or overloaded, so its signature cannot be deduced: name it, as in WithFunc<int(int)>(f)
/// @file
/// A generic lambda without a signature.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](auto value) { return value; });
#else
auto function = tenon::bind::MakeHostFunction<int(int)>([](auto value) { return value; });
#endif
