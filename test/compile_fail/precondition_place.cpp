// SPDX-License-Identifier: Apache-2.0
// expect: tenon: this WithPrecondition does not know the function's parameters: put it directly behind WithFunc
/// @file
/// A precondition behind something that forgot the function's types.
#include <cstdint>

#include <tenon/host_module.hpp>

void Define(tenon::HostFunctionBuilder builder) {
  builder.WithFunc([](std::int32_t value, double ratio) { return value * ratio; })
#if TENON_MUST_NOT_COMPILE
      .WithName("f").WithPrecondition([](std::int32_t, double) { return true; });
#else
      .WithPrecondition([](std::int32_t, double) { return true; }).WithName("f");
#endif
}
