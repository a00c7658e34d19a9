// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a raw pointer
/// @file
/// An optional of something that cannot cross.
#include <optional>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> std::optional<int*> { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> std::optional<int> { return {}; });
#endif
