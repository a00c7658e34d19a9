// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result is a Callback, which only a guest can give: return FuncRef
/// @file
/// A Callback as result.
#include <tenon/bind.hpp>
#include <tenon/callback.hpp>

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([]() -> tenon::Callback<void()> { return {}; });
#else
auto function = tenon::bind::MakeHostFunction([]() -> tenon::FuncRef { return {}; });
#endif
