// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the type of a function to call is no signature: name result and parameters
/// @file
/// A typed handle of a function pointer's type.
#include <tenon/module.hpp>

#if TENON_MUST_NOT_COMPILE
int Call(const tenon::Module& module) { return module.ExportedFunction<int (*)(int)>("f")(1); }
#else
int Call(const tenon::Module& module) { return module.ExportedFunction<int(int)>("f")(1); }
#endif
