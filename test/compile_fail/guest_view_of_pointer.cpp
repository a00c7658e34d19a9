// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 points to a type without layout in guest memory
/// @file
/// A host pointer is nothing in guest memory.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::View<int*>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::View<tenon::GuestPtr<int>>) {});
#endif
