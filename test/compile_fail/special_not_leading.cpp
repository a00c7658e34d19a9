// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 1 is Module, Memory or CallContext behind an ordinary parameter: move it to the front
/// @file
/// A special parameter that does not lead.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](int, tenon::Module&) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Module&, int) {});
#endif
