// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the processor can do.
#pragma once

#include <cstdint>
#include <string>

#include <cpuid.h>

#include <tenon/abi/config.hpp>
#include <tenon/cpu_features.hpp>

namespace tenon::inline TENON_ABI::jit {

/// The extensions of this machine's processor that the system lets programs use.
[[gnu::cold]] inline CpuFeatures DetectCpu() noexcept {
  static const CpuFeatures detected = [] {
    CpuFeatures features;
    const auto add = [&](std::uint32_t word, unsigned bit, CpuFeature feature) {
      if ((word >> bit & 1) != 0) features = features.With(feature);
    };
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    std::uint32_t d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return features;
    add(c, 19, CpuFeature::Sse41);
    add(c, 20, CpuFeature::Sse42);
    add(c, 23, CpuFeature::Popcnt);
    // The system must keep the vector registers for the instructions that widen them.
    constexpr std::uint32_t kVectorState = 6;
    bool keeps_vectors = false;
    if ((c >> 27 & 1) != 0) {
      std::uint32_t low = 0;
      std::uint32_t high = 0;
      asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      keeps_vectors = (low & kVectorState) == kVectorState;
    }
    const bool has_avx = keeps_vectors && (c >> 28 & 1) != 0;
    if (has_avx) features = features.With(CpuFeature::Avx);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
      if (has_avx) add(b, 5, CpuFeature::Avx2);
      // Encoded as vector instructions are, and like them unusable without AVX.
      if (has_avx) add(b, 3, CpuFeature::Bmi1);
      if (has_avx) add(b, 8, CpuFeature::Bmi2);
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0) add(c, 5, CpuFeature::Lzcnt);
    return features;
  }();
  return detected;
}

/// Why compiled code cannot run with these extensions; "" if it can.
[[gnu::cold]] inline std::string CpuRefusal(CpuFeatures features) {
  if (features.Has(CpuFeature::Sse41)) return {};
  return DetectCpu().Has(CpuFeature::Sse41) ? "the configuration turns SSE4.1 off"
                                            : "the processor has no SSE4.1";
}

}  // namespace tenon::inline TENON_ABI::jit
