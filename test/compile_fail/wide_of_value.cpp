// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is Wide of a type without an address: write it alone; Wide<P> is for
/// @file
/// A number is what it is, whatever the addresses of a guest's memory.
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, tenon::Wide<int>) {});
#else
auto function = tenon::bind::MakeHostFunction([](int, tenon::Wide<std::string_view>) {});
#endif
