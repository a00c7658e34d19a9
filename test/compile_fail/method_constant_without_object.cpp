// SPDX-License-Identifier: Apache-2.0
// expect: tenon: a member function needs its object
/// @file
/// A member function constant without an object.
#include <tenon/bind.hpp>

struct Counter {
  int Next() { return ++count; }
  int count = 0;
};
Counter counter;

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction<&Counter::Next>();
#else
auto function = tenon::bind::MakeHostFunction<&Counter::Next>(counter);
#endif
