// SPDX-License-Identifier: Apache-2.0
/// @file
/// Makes random valid modules.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "choices.hpp"
#include "environment.hpp"

namespace differential {

/// X(name, text)
#define DIFFERENTIAL_PROFILES(X) \
  X(Mixed, "mixed")              \
  X(Numeric, "numeric")          \
  X(Simd, "simd")                \
  X(Memory, "memory")            \
  X(Calls, "calls")              \
  X(Tables, "tables")            \
  X(Pressure, "pressure")        \
  X(Nested, "nested")            \
  X(Straight, "straight")        \
  X(Huge, "huge")

/// What a module is rich in.
enum class Profile : std::uint8_t {
#define DIFFERENTIAL_ROW(name, text) name,
  DIFFERENTIAL_PROFILES(DIFFERENTIAL_ROW)
#undef DIFFERENTIAL_ROW
};

inline constexpr std::array kProfileNames{
#define DIFFERENTIAL_ROW(name, text) std::string_view{text},
    DIFFERENTIAL_PROFILES(DIFFERENTIAL_ROW)
#undef DIFFERENTIAL_ROW
};
#undef DIFFERENTIAL_PROFILES

constexpr std::string_view ProfileName(Profile profile) {
  return kProfileNames[static_cast<std::size_t>(profile)];
}
std::optional<Profile> FindProfile(std::string_view name);
/// The profile of a seed where none is asked for: large modules are rarer than small ones, and huge
/// ones not among them.
Profile ProfileOf(std::uint64_t seed);

struct GeneratorOptions {
  Profile profile = Profile::Mixed;
  /// The module may look at the bits of computed NaNs: only for engines that make them canonical.
  /// Else it does so only after it replaced NaNs by a constant.
  bool observes_nan_bits = false;
};

/// A valid module that ends whatever it is called with: loops and calls count down its exported
/// global "fuel", and it returns or traps when that is used up. Everything it has is exported.
Bytes GenerateModule(Choices& choices, const GeneratorOptions& options);

}  // namespace differential
