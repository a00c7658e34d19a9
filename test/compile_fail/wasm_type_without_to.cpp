// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result has an incomplete tenon::WasmType<T>: give it
/// @file
/// A mapping in one direction used in the other.
#include <tenon/bind.hpp>

struct Celsius {
  int degrees;
};

#if TENON_MUST_NOT_COMPILE
template <>
struct tenon::WasmType<Celsius> {
  using Wire = int;
  static Celsius FromWasm(int value) { return {value}; }
};
#else
template <>
struct tenon::WasmType<Celsius> {
  using Wire = int;
  static int ToWasm(Celsius value) { return value.degrees; }
};
#endif

auto function = tenon::bind::MakeHostFunction([]() -> Celsius { return {}; });
