// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable is generic or overloaded, so its signature cannot be deduced: name it
/// @file
/// An object with two operator() and no signature.
#include <tenon/bind.hpp>

struct Twice {
  int operator()(int value) const { return 2 * value; }
  double operator()(double value) const { return 2 * value; }
};

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(Twice{});
#else
auto function = tenon::bind::MakeHostFunction<int(int)>(Twice{});
#endif
