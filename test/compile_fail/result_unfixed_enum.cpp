// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is an enum without a fixed underlying type
/// @file
/// An enum without a fixed underlying type as result.
#include <cstdint>

#include <tenon/bind.hpp>

enum Loose { kLoose };
enum Fixed : std::int32_t { kFixed };

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> Loose { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> Fixed { return {}; });
#endif
