// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the precondition cannot be called with the function's arguments
/// @file
/// A precondition with fewer parameters than the function.
#include <cstdint>

#include <tenon/host_module.hpp>

void Define(tenon::HostFunctionBuilder builder) {
  builder.WithFunc([](std::int32_t value, double ratio) { return value * ratio; })
#if TENON_MUST_NOT_COMPILE
      .WithPrecondition([](std::int32_t) { return true; });
#else
      .WithPrecondition([](std::int32_t, double) { return true; });
#endif
}
