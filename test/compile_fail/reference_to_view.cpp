// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a reference: take it by value
/// @file
/// A reference to a view.
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](const std::string_view&) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::string_view) {});
#endif
