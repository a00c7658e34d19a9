// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a span of fixed extent
/// @file
/// The guest says how many elements there are.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::InOut<std::span<int, 4>>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::InOut<std::span<int>>) {});
#endif
