// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call is a view, a string or a container
/// @file
/// A typed handle that returns text, but has no allocator.
#include <tenon/bind/refusal.hpp>
#include <tenon/guest_string.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<tenon::GuestString()>::kSlotCount <= 2);
#else
static_assert(tenon::bind::CallSignature<int()>::kSlotCount <= 2);
#endif
