// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a Ref refers to objects of a class: name it without const and without &
/// @file
/// A Ref to something that is no class of objects.
#include <tenon/bind.hpp>

struct File {};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction([](tenon::Ref<const File>) {});
#else
auto function = tenon::bind::MakeHostFunction([](tenon::Ref<File>) {});
#endif
