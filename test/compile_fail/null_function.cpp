// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a null pointer is not a function: pass the function to call
/// @file
/// A null pointer constant.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(nullptr);
#else
auto function = tenon::bind::MakeHostFunction([] {});
#endif
