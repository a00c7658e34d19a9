// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the bytes of an embedded guest are a constexpr array of unsigned char
/// @file
/// Text of char as an embedded guest.

#include <tenon/typed_guest.hpp>


#if TENON_MUST_NOT_COMPILE
inline constexpr char kBytes[] = "\0asm\1\0\0";
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();
#else
inline constexpr unsigned char kBytes[] = "\0asm\1\0\0";
inline constexpr auto kGuest = tenon::ParseInterface<kBytes>();
#endif
