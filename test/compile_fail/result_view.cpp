// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a view or a container: write the data to a std::span<T> parameter
/// @file
/// A view as result.
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> std::string_view { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> int { return {}; });
#endif
