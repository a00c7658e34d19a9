// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a global is read as std::int32_t
/// @file
/// A global read as something that no global holds.
#include <string>

#include <tenon/global.hpp>

#if TENON_MUST_NOT_COMPILE
std::string Read(const tenon::Global& global) { return global.Get<std::string>(); }
#else
int Read(const tenon::Global& global) { return global.Get<int>(); }
#endif
