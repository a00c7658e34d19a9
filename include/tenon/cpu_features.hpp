// SPDX-License-Identifier: Apache-2.0
/// @file
/// Extensions of the processor that compiled code may use.
#pragma once

#include <cstdint>

#include <tenon/abi/config.hpp>

// X(name, text, bit): the bits are part of cache keys and stay as they are.
#define TENON_CPU_FEATURES(X) \
  X(Sse41, "sse4.1", 0)       \
  X(Sse42, "sse4.2", 1)       \
  X(Popcnt, "popcnt", 2)      \
  X(Avx, "avx", 3)            \
  X(Avx2, "avx2", 4)          \
  X(Bmi1, "bmi1", 5)          \
  X(Bmi2, "bmi2", 6)          \
  X(Lzcnt, "lzcnt", 7)

namespace tenon::inline TENON_ABI {

enum class CpuFeature : std::uint32_t {
#define TENON_DETAIL_ROW(name, text, bit) name = 1u << (bit),
  TENON_CPU_FEATURES(TENON_DETAIL_ROW)
#undef TENON_DETAIL_ROW
};

/// A set of processor extensions. SSE4.1 is the least that compiled code needs. A plain value.
class CpuFeatures {
 public:
  constexpr CpuFeatures() = default;
  explicit constexpr CpuFeatures(std::uint32_t bits) : bits_{bits} {}

  /// What every processor that runs compiled code has.
  static constexpr CpuFeatures Floor() {
    return CpuFeatures{static_cast<std::uint32_t>(CpuFeature::Sse41)};
  }
  static constexpr CpuFeatures All() { return CpuFeatures{0xFFFFFFFF}; }

  constexpr bool Has(CpuFeature feature) const {
    return (bits_ & static_cast<std::uint32_t>(feature)) != 0;
  }
  [[nodiscard]] constexpr CpuFeatures With(CpuFeature feature) const {
    return CpuFeatures{bits_ | static_cast<std::uint32_t>(feature)};
  }
  [[nodiscard]] constexpr CpuFeatures Without(CpuFeature feature) const {
    return CpuFeatures{bits_ & ~static_cast<std::uint32_t>(feature)};
  }
  friend constexpr CpuFeatures operator&(CpuFeatures left, CpuFeatures right) {
    return CpuFeatures{left.bits_ & right.bits_};
  }
  constexpr std::uint32_t Bits() const { return bits_; }
  friend constexpr bool operator==(CpuFeatures, CpuFeatures) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace tenon::inline TENON_ABI
