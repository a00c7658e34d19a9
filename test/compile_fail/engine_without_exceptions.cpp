// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the engine needs exceptions; with -fno-exceptions include tenon/bind.hpp only
/// @file
/// The engine in a program without exceptions. (The macro stands for the compiler's option.)
#if TENON_MUST_NOT_COMPILE
#undef __cpp_exceptions
#endif
#include <tenon/tenon.hpp>
