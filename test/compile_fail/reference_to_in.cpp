// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a reference
/// @file
/// A reference to what is a reference itself.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](const tenon::In<int>&) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::In<int>) {});
#endif
