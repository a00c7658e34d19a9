// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the callable cannot be copied and was not given as an rvalue: pass std::move(f)
/// @file
/// A move-only callable given as an lvalue.
#include <utility>

#include <tenon/bind.hpp>

struct Counter {
  Counter() = default;
  Counter(Counter&&) = default;
  int operator()() { return ++count; }
  int count = 0;
};
Counter counter;

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(counter);
#else
auto function = tenon::bind::MakeHostFunction(std::move(counter));
#endif
