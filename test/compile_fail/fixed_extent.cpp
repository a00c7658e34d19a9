// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a span of fixed extent: take std::span<T> and check its size()
/// @file
/// A span whose length the guest cannot choose.
#include <span>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::span<int, 4>) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::span<int>) {});
#endif
