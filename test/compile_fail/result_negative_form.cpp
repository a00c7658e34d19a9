// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result's error crosses as a negative number, so its value must be an integer
/// @file
/// An error in the place of a value that has no negative numbers to spare.
#include <tenon/bind.hpp>

template <class T>
tenon::Result<T, tenon::NegativeErrno> Read() {
  return T{};
}

#if TENON_MUST_NOT_COMPILE
auto function = tenon::bind::MakeHostFunction(Read<double>);
#else
auto function = tenon::bind::MakeHostFunction(Read<int>);
#endif
