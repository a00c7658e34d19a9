// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the precondition's result is no answer: return bool
/// @file
/// A precondition that answers nothing.
#include <cstdint>

#include <tenon/host_module.hpp>

void Define(tenon::HostFunctionBuilder builder) {
  builder.WithFunc([](std::int32_t value, double ratio) { return value * ratio; })
#if TENON_MUST_NOT_COMPILE
      .WithPrecondition([](std::int32_t, double) {});
#else
      .WithPrecondition([](std::int32_t, double) { return ""; });
#endif
}
