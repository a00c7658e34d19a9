// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a raw pointer: take std::string_view, std::span<T>, In<T>
/// @file
/// A raw pointer parameter.
#include <cstdint>
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::int32_t, const char*) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::int32_t, std::string_view) {});
#endif
