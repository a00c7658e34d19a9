// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a view whose elements cannot be shared with a guest
/// @file
/// What a parameter is refused for, it is refused for as an optional one.
#include <optional>
#include <span>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, std::optional<std::span<bool>>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, std::optional<std::span<char>>) {});
#endif
