// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a raw pointer
/// @file
/// A Callback whose signature cannot be called.
#include <tenon/bind.hpp>
#include <tenon/callback.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::Callback<void(int*)>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Callback<void(int)>) {});
#endif
