// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a view whose elements cannot be shared with a guest
/// @file
/// Volatile elements.
#include <span>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::span<volatile int>) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::span<int>) {});
#endif
