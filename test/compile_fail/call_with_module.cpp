// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of a function to call is Module, Memory or CallContext: leave it out
/// @file
/// A typed handle with a special parameter.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<int(tenon::Module&, int)>::kSlotCount <= 2);
#else
static_assert(tenon::bind::CallSignature<int(int)>::kSlotCount <= 2);
#endif
