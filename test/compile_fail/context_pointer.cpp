// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a special parameter in a form that cannot be passed
/// @file
/// A special parameter as a pointer.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::CallContext*) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::CallContext&) {});
#endif
