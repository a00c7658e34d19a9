// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the host module has no function of this name
/// @file
/// A misspelt function of a host module described as a value.
#include <cstdint>

#include <tenon/typed_guest.hpp>

std::int32_t Mix(std::int32_t a, std::int32_t b);
inline constexpr auto kEnv = tenon::HostModule<"env">(tenon::Fn<"mix">(Mix));

#if TENON_MUST_NOT_COMPILE
auto Try() { return kEnv.Call<"mixx">(1, 2); }
#else
auto Try() { return kEnv.Call<"mix">(1, 2); }
#endif
