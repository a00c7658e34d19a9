// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the embedded bytes are no valid WebAssembly module: the note has the fault
/// @file
/// An embedded guest that was cut short.

#include <tenon/typed_guest.hpp>


#if TENON_MUST_NOT_COMPILE
inline constexpr unsigned char kBytes[] = {0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 7};
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();
#else
inline constexpr unsigned char kBytes[] = {0, 0x61, 0x73, 0x6D, 1, 0, 0, 0};
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();
#endif
