// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a view or a container
/// @file
/// A view cannot be given back.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::View<int> view) { return view; });
#else
auto function = tenon::bind::MakeHostFunction([](tenon::View<int> view) { return view.Offset(); });
#endif
