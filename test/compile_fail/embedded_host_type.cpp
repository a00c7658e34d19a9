// SPDX-License-Identifier: Apache-2.0
// expect: tenon: what a guest imports from is given as a HostModule, as what its Mount returned
/// @file
/// A module of the runtime in place of its name.
#include <tenon/typed_guest.hpp>

// (module
//   (import "env" "mix" (func (param i32 i32) (result i32)))
//   (func (export "sum") (param i32 i32) (result i32) local.get 0 local.get 1 call 0))
inline constexpr unsigned char kBytes[] = {
    0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7F, 0x7F,
    0x01, 0x7F, 0x02, 0x0B, 0x01, 0x03, 'e',  'n',  'v',  0x03, 'm',  'i',  'x',  0x00, 0x00,
    0x03, 0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 's',  'u',  'm',  0x00, 0x01, 0x0A, 0x0A,
    0x01, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x00, 0x0B};
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();

#if TENON_MUST_NOT_COMPILE
auto Start(const tenon::Runtime& runtime, const tenon::Module& env) {
  return kGuest.Instantiate(runtime, env);
}
#else
auto Start(const tenon::Runtime& runtime) {
  return kGuest.Instantiate(runtime, tenon::Linked<"env">());
}
#endif
