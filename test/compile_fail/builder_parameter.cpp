// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is a raw pointer
/// @file
/// As programs meet it: by way of the builder, with every header there is in front.
#include <tenon/aggregate.hpp>
#include <tenon/tenon.hpp>

void Define(tenon::HostModuleBuilder& env) {
#if TENON_MUST_NOT_COMPILE
  env.NewFunctionBuilder().WithFunc([](int, int*) {}).Export("f");
#else
  env.NewFunctionBuilder().WithFunc([](int, tenon::In<int>) {}).Export("f");
#endif
}
