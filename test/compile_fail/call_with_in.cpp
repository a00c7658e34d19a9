// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 of a function to call lies in the guest's memory
/// @file
/// Nothing says where in the guest's memory the copy would go.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
inline constexpr auto count = tenon::bind::CallSignature<int(tenon::In<int>)>::kParameterCount;
#else
inline constexpr auto count = tenon::bind::CallSignature<int(int)>::kParameterCount;
#endif
