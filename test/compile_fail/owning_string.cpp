// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a container that owns its elements: take std::string_view
/// @file
/// A string that owns its characters.
#include <string>
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](const std::string&) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::string_view) {});
#endif
