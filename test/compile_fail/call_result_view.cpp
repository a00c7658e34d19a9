// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result of a function to call is a view, a string or a container
/// @file
/// A typed handle that returns a view.
#include <string_view>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
static_assert(tenon::bind::CallSignature<std::string_view(int)>::kSlotCount <= 2);
#else
static_assert(tenon::bind::CallSignature<int(int)>::kSlotCount <= 2);
#endif
