// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 has a type without a WebAssembly value
/// @file
/// Only pointers have a value that can stand for none.
#include <optional>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](std::optional<int>) {});
#else
auto function = tenon::bind::MakeHostFunction([](std::optional<tenon::In<int>>) {});
#endif
