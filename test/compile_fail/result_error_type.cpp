// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result's error type has no number to cross as: use tenon::Errno
/// @file
/// A result whose error cannot be told to a guest.
#include <string>

#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> tenon::Result<int, std::string> { return 1; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> tenon::Result<int, tenon::Errno> { return 1; });
#endif
