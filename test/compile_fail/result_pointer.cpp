// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a raw pointer: return std::uint32_t for an offset
/// @file
/// A pointer as result.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> const char* { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> int { return {}; });
#endif
