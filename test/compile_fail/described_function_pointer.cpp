// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a raw pointer: take std::string_view
/// @file
/// A raw pointer parameter in a host module described as a value.
#include <string_view>

#include <tenon/typed_guest.hpp>


#if TENON_MUST_NOT_COMPILE
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"log">([](const char*) {}));
#else
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"log">([](std::string_view) {}));
#endif
