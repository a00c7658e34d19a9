// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a container that owns its elements: take std::string_view or std::span<const T>
/// @file
/// A container that owns its elements.
#include <span>
#include <vector>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::vector<int>) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::span<const int>) {});
#endif
