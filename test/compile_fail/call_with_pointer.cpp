// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a raw pointer
/// @file
/// A typed handle that is given a pointer.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<int(const char*)>::kSlotCount <= 2);
#else
static_assert(tenon::bind::CallSignature<int(int)>::kSlotCount <= 2);
#endif
