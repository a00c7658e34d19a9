// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a host module has two functions of one name
/// @file
/// Two functions of one name in a host module described as a value.
#include <cstdint>

#include <tenon/typed_guest.hpp>

std::int32_t Mix(std::int32_t a, std::int32_t b);

#if TENON_MUST_NOT_COMPILE
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"mix">(Mix), tenon::Fn<"mix">(Mix));
#else
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"mix">(Mix), tenon::Fn<"mix2">(Mix));
#endif
