// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 is a reference: take it by value
/// @file
/// A C++ reference to a Ref as parameter.
#include <tenon/bind.hpp>

struct File {};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](const tenon::Ref<File>&) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Ref<File>) {});
#endif
