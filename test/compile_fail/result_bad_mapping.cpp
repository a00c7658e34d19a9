// SPDX-License-Identifier: Apache-2.0
// expect: tenon: the result has an incomplete tenon::WasmResult<T>
/// @file
/// A mapping of a result without its conversion.
#include <utility>

#include <tenon/bind.hpp>

struct Parsed {
  double value;
};

template <>
struct tenon::WasmResult<Parsed> {
  using Values = std::pair<double, bool>;
#if !TENON_MUST_NOT_COMPILE
  static Values ToWasm(Parsed&& parsed) { return {parsed.value, true}; }
#endif
};

auto function = tenon::bind::MakeHostFunction([]() -> Parsed { return {}; });
