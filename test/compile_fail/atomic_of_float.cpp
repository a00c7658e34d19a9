// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a GuestAtomic of something that is no number of 8 to 64 bits: take an
/// @file
/// Guests have atomic instructions for integers alone.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, tenon::GuestAtomic<float>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, tenon::GuestAtomic<int>) {});
#endif
