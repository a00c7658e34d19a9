// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable can be called only as an rvalue
/// @file
/// An operator() for rvalues only.
#include <tenon/bind.hpp>

#if TENON_MUST_NOT_COMPILE
struct Once {
  void operator()() && {}
};
auto function = tenon::bind::MakeHostFunction(Once{});
#else
struct Once {
  void operator()() & {}
};
auto function = tenon::bind::MakeHostFunction(Once{});
#endif
