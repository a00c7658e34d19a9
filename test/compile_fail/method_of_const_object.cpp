// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the member function cannot be called on this object
/// @file
/// A member function that changes a const object.
#include <utility>

#include <tenon/bind.hpp>

struct Counter {
  int Next() { return ++count; }
  int count = 0;
};
Counter counter;

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(&Counter::Next, std::as_const(counter));
#else
auto function = tenon::bind::MakeHostFunction(&Counter::Next, counter);
#endif
