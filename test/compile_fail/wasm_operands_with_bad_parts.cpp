// SPDX-License-Identifier: Apache-2.0
// expect: tenon: parameter 0 has an incomplete tenon::WasmOperands<T>
/// @file
/// A part that is no parameter type.
#include <tenon/bind.hpp>

struct Label {};

template <>
struct tenon::WasmOperands<Label> {
#if TENON_MUST_NOT_COMPILE
  using Parts = tenon::Parts<const char*>;
#else
  using Parts = tenon::Parts<tenon::CString>;
#endif
  static Label FromWasm(std::string_view) { return {}; }
};

auto function = tenon::bind::MakeHostFunction([](Label) {});
