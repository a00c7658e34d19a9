// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is an Out or InOut of something const
/// @file
/// Nothing can be written through a view of constants.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::Out<std::span<const int>>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Out<std::span<int>>) {});
#endif
