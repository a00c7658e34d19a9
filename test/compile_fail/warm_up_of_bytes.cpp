// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of WarmUp is no range of modules' bytes: for one module, WarmUp({bytes})
/// @file
/// The bytes of one module where a range of modules is asked for.
#include <cstdint>
#include <vector>

#include <tenon/runtime.hpp>

#if TENON_MUST_NOT_COMPILE
void WarmUp(const tenon::Runtime& runtime, const std::vector<std::uint8_t>& bytes) {
  runtime.WarmUp(bytes);
}
#else
void WarmUp(const tenon::Runtime& runtime, const std::vector<std::uint8_t>& bytes) {
  runtime.WarmUp({bytes});
}
#endif
