// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a view whose elements cannot be shared with a guest
/// @file
/// bool has bytes that are no values.
#include <cstdint>
#include <span>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::span<bool>) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::span<std::uint8_t>) {});
#endif
