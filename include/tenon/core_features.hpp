// SPDX-License-Identifier: Apache-2.0
/// @file
/// The set of WebAssembly features that a runtime accepts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>

/// The one table of features: X(name, bit, text). Mvp is always on and has no bit to switch.
#define TENON_FEATURES(X)                                           \
  X(Mvp, 0, "mvp")                                                  \
  X(MutableGlobal, 1, "mutable-global")                             \
  X(SignExtension, 2, "sign-extension-ops")                         \
  X(SaturatingFloatToInt, 3, "nontrapping-float-to-int-conversion") \
  X(MultiValue, 4, "multi-value")                                   \
  X(BulkMemory, 5, "bulk-memory-operations")                        \
  X(ReferenceTypes, 6, "reference-types")                           \
  X(Simd, 7, "simd")                                                \
  X(Memory64, 8, "memory64")                                        \
  X(Threads, 9, "threads")

namespace tenon::inline TENON_ABI {

/// One feature beyond, or making up, the minimum viable product of WebAssembly.
enum class Feature : std::uint8_t {
#define TENON_DETAIL_ROW(name, bit, text) name = bit,
  TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// Name of a feature as in the proposals, such as "multi-value".
constexpr std::string_view FeatureName(Feature feature) {
  switch (feature) {
#define TENON_DETAIL_ROW(name, bit, text) \
  case Feature::name:                     \
    return text;
    TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
  }
  return "unknown";
}

/// A set of features. A value type; every member but SetEnabled is const.
class CoreFeatures {
 public:
  /// WebAssembly 1.0: the minimum viable product and mutable globals.
  static constexpr CoreFeatures V1() {
    return CoreFeatures{}.SetEnabled(Feature::MutableGlobal, true);
  }
  /// WebAssembly 2.0. The default of RuntimeConfig. What is listed behind Simd came later.
  static constexpr CoreFeatures V2() {
    CoreFeatures all;
#define TENON_DETAIL_ROW(name, bit, text) \
  if (Feature::name <= Feature::Simd) all = all.SetEnabled(Feature::name, true);
    TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    return all;
  }

  /// The minimum viable product alone.
  constexpr CoreFeatures() = default;

  /// A changed copy. Mvp cannot be disabled.
  [[nodiscard]] constexpr CoreFeatures SetEnabled(Feature feature, bool enabled) const {
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(feature);
    CoreFeatures changed = *this;
    changed.bits_ = (enabled ? bits_ | bit : bits_ & ~bit) | 1;
    return changed;
  }
  constexpr bool IsEnabled(Feature feature) const {
    return (bits_ >> static_cast<unsigned>(feature) & 1) != 0;
  }
  /// Names of the enabled features other than "mvp", sorted as declared and separated by "|".
  std::string String() const {
    std::string text;
#define TENON_DETAIL_ROW(name, bit, feature_text)                  \
  if (Feature::name != Feature::Mvp && IsEnabled(Feature::name)) { \
    text += (text.empty() ? "" : "|") + std::string{feature_text}; \
  }
    TENON_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
    return text;
  }
  /// One bit a feature; part of cache keys.
  constexpr std::uint64_t Bits() const { return bits_; }

  friend constexpr bool operator==(CoreFeatures, CoreFeatures) = default;

 private:
  std::uint64_t bits_ = 1;
};

}  // namespace tenon::inline TENON_ABI
