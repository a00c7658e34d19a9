// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 of a function to call lies in the guest's memory: give the guest's allocator
/// @file
/// A typed handle that is given a view, but no allocator.
#include <string_view>

#include <tenon/bind.hpp>
#include <tenon/bind/guest_call.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<int(int, std::string_view)>::kSlotCount <= 2);
#else
static_assert(tenon::bind::GuestCall<int(int, std::string_view)>::kIsAccepted);
#endif
