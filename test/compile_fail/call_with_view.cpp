// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 of a function to call is a view: write the data to the guest
/// @file
/// A typed handle that is given a view.
#include <cstdint>
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<int(int, std::string_view)>::kSlotCount <= 2);
#else
static_assert(tenon::bind::CallSignature<int(int, std::uint32_t)>::kSlotCount <= 2);
#endif
