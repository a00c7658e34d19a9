// SPDX-License-Identifier: Apache-2.0
/// @file
/// Takes module bytes through decoder and validator, for tests of what comes out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tenon/core_features.hpp>
#include <tenon/wasm/decoder.hpp>
#include <tenon/wasm/error_format.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/validator.hpp>

namespace tenon_test {

/// A module with its bytes and the first fault of decoding, declarations and bodies.
struct ValidatedModule {
  explicit ValidatedModule(std::vector<std::uint8_t> module_bytes,
                           tenon::CoreFeatures features = tenon::CoreFeatures::V2(),
                           const tenon::wasm::ImplementationLimits& limits = {})
      : bytes{std::move(module_bytes)} {
    fault = tenon::wasm::Decode(bytes, {features, limits}, module);
    if (!fault.IsNone()) return;
    is_decoded = true;
    fault = tenon::wasm::ValidateModule(module, features, limits, context);
    if (!fault.IsNone()) return;
    are_declarations_valid = true;
    fault = tenon::wasm::ValidateFunctions(context);
  }
  ValidatedModule(const ValidatedModule&) = delete;
  ValidatedModule& operator=(const ValidatedModule&) = delete;

  /// The fault as text; "" if there is none.
  std::string Text() const { return fault.IsNone() ? "" : tenon::wasm::FormatFault(module, fault); }

  std::vector<std::uint8_t> bytes;
  tenon::wasm::Module module;
  tenon::wasm::ValidationContext context;
  tenon::wasm::Fault fault;
  bool is_decoded = false;
  bool are_declarations_valid = false;
};

}  // namespace tenon_test
