// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is an Out or InOut of something const
/// @file
/// Nothing can be written to a constant.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::Out<const int>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Out<int>) {});
#endif
