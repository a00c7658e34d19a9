// SPDX-License-Identifier: Apache-2.0
// expect: tenon: volatile values do not exist in WebAssembly: drop volatile
/// @file
/// A volatile result.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-volatile"
#endif
#pragma GCC diagnostic ignored "-Wignored-qualifiers"

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
extern volatile int (&Read)();
auto function = tenon::bind::MakeHostFunction(Read);
#else
extern int (&Read)();
auto function = tenon::bind::MakeHostFunction(Read);
#endif
