// SPDX-License-Identifier: Apache-2.0
/// @file
/// Validation of a decoded module (core specification 2.0, chapter 3).
#pragma once

#include <tenon/abi/config.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator_body.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Validates everything but function bodies: index spaces, limits, constant expressions, imports,
/// exports, segments and the start function. `module` must come from Decode with the same features.
/// Returns the first fault, or none, in which case `context` is ready for ValidateFunction.
///
/// A fault's offset is that of the instruction in constant expressions, of the name of imports and
/// exports, else of the contents of the section. Time is linear in the module, but for the check
/// of export names, which sorts them.
TENON_DECL Fault ValidateModule(const Module& module, CoreFeatures features,
                                const ImplementationLimits& limits, ValidationContext& context);

/// The same for callers that do not go on to bodies.
TENON_DECL Fault ValidateModule(const Module& module, CoreFeatures features,
                                const ImplementationLimits& limits);

/// Validates all function bodies, for callers that build nothing on the way.
TENON_DECL Fault ValidateFunctions(const ValidationContext& context);

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/validator.ipp>
#endif
