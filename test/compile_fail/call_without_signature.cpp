// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the type of a function to call is no signature: name result and parameters
/// @file
/// A typed handle of a type that is no function type.
#include <tenon/typed_function.hpp>

#if TENON_MUST_NOT_COMPILE
int Call(const tenon::Function& function) { return function.As<int>()(1); }
#else
int Call(const tenon::Function& function) { return function.As<int(int)>()(1); }
#endif
