// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 has an incomplete tenon::WasmType<T>: give it
/// @file
/// A mapping to something that does not cross.
#include <tenon/bind.hpp>

struct Celsius {
  int degrees;
};

#if TENON_MUST_NOT_COMPILE
template <>
struct tenon::WasmType<Celsius> {
  using Wire = const char*;
  static Celsius FromWasm(int value) { return {value}; }
};
#else
template <>
struct tenon::WasmType<Celsius> {
  using Wire = int;
  static Celsius FromWasm(int value) { return {value}; }
};
#endif

auto function = tenon::bind::MakeHostFunction([](Celsius) {});
