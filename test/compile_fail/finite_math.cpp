// SPDX-License-Identifier: Apache-2.0
// expect: tenon: -ffast-math and its parts break WebAssembly's floating point rules
/// @file
/// Code compiled as if there were no NaN.
#if TENON_MUST_NOT_COMPILE
#undef __FINITE_MATH_ONLY__
#define __FINITE_MATH_ONLY__ 1
#endif
#include <tenon/bind.hpp>
