// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable is generic or overloaded, so its signature cannot be deduced: name it
/// @file
/// std::bind_front has a generic operator().
#include <functional>

#include <tenon/bind.hpp>

int Add(int a, int b);

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(std::bind_front(Add, 1));
#else
auto function = tenon::bind::MakeHostFunction<int(int)>(std::bind_front(Add, 1));
#endif
