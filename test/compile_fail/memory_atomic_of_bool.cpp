// SPDX-License-Identifier: Apache-2.0
// expect: tenon: Memory::Atomic<T> is for integers and enums of 8 to 64 bits that are not const
/// @file
/// What a guest writes may be no bool.
#include <tenon/memory.hpp>

#if TENON_MUST_NOT_COMPILE
auto number = tenon::Memory{}.Atomic<bool>(0);
#else
auto number = tenon::Memory{}.Atomic<unsigned char>(0);
#endif
