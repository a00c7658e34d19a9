// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 of the precondition cannot take the function's argument
/// @file
/// A precondition with a parameter of another type.
#include <cstdint>

#include <tenon/host_module.hpp>

void Define(tenon::HostFunctionBuilder builder) {
  builder.WithFunc([](std::int32_t value, double ratio) { return value * ratio; })
#if TENON_MUST_NOT_COMPILE
      .WithPrecondition([](std::int32_t, const char*) { return true; });
#else
      .WithPrecondition([](std::int32_t, const double&) { return true; });
#endif
}
