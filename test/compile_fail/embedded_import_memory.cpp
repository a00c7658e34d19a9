// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the guest imports what is no function, and host modules described as values have functions only
/// @file
/// A memory imported from a host module described as a value.

#include <tenon/typed_guest.hpp>

// (module (import "env" "memory" (memory 1)))
inline constexpr unsigned char kBytes[] = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00, 0x02,
                                    0x0F, 0x01, 0x03, 'e',  'n',  'v',  0x06, 'm',  'e',
                                    'm',  'o',  'r',  'y',  0x02, 0x00, 0x01};
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();

#if TENON_MUST_NOT_COMPILE
auto Start(const tenon::Runtime& runtime) {
  return kGuest.Instantiate(runtime, tenon::HostModule<"env">());
}
#else
auto Start(const tenon::Runtime& runtime) {
  return kGuest.Instantiate(runtime, tenon::Linked<"env">());
}
#endif
