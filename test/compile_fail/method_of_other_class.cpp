// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the member function cannot be called on this object
/// @file
/// A member function with an object of another class.
#include <tenon/bind.hpp>

struct Counter {
  int Next() { return ++count; }
  int count = 0;
};
Counter counter;
struct Other {
} other;

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(&Counter::Next, other);
#else
auto function = tenon::bind::MakeHostFunction(&Counter::Next, counter);
#endif
