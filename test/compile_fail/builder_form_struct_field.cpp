// SPDX-License-Identifier: Apache-2.0
// expect: tenon: field 1 is a host pointer: declare it tenon::GuestPtr<T>
/// @file
/// The form is chosen beside the function.
#include <tenon/aggregate.hpp>
#include <tenon/tenon.hpp>

struct Player {
  int id;
#if TENON_MUST_NOT_COMPILE
  const char* name;
#else
  tenon::GuestPtr<const char> name;
#endif
};

void Define(tenon::HostModuleBuilder& env) {
  env.NewFunctionBuilder().WithFunc<tenon::StructForm::Flat>([](Player) {}).Export("f");
}
