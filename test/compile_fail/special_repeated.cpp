// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 2 repeats Module, Memory or CallContext: take each at most once
/// @file
/// The same special parameter twice.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::Module&, tenon::Memory&, const tenon::Module&) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Module&, tenon::Memory&, tenon::CallContext&) {});
#endif
