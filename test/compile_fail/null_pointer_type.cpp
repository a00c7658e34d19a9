// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 has a type without a WebAssembly value
/// @file
/// A type with one value.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](decltype(nullptr)) {});
#else
auto function = tenon::bind::MakeHostFunction([](int) {});
#endif
