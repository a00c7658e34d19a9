// SPDX-License-Identifier: Apache-2.0
/// @file
/// Decodes the binary format of WebAssembly 2.0 into a Module.
#pragma once

#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/detail/section_decoder.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// What a decoder accepts.
struct DecodeOptions {
  CoreFeatures features = CoreFeatures::V2();
  ImplementationLimits limits;
  /// Decode types, imports, the types of functions, and exports; of other sections only that they
  /// are there.
  bool interface_only = false;
};

/// Decodes a module (core specification 2.0, chapter 5): every section, without the instructions
/// and locals of function bodies, which are left to the validator, as is every rule about indices
/// and types.
///
/// Returns the first fault; `out` is complete if there is none, else unspecified. `out` refers to
/// `bytes` and copies none of them. Time is linear in the size of `bytes` and memory a small
/// multiple of it, whatever counts the module claims. Usable in constant expressions. Throws
/// nothing but std::bad_alloc.
constexpr Fault Decode(std::span<const std::uint8_t> bytes, const DecodeOptions& options,
                       Module& out) {
  return detail::ModuleDecoder{bytes, options.features, options.limits, out, options.interface_only}
      .Run();
}

}  // namespace tenon::inline TENON_ABI::wasm
