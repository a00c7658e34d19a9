// SPDX-License-Identifier: Apache-2.0
/// @file
/// What became of modules that were prepared before they are needed.
#pragma once

#include <exception>
#include <string>

#include <tenon/abi/config.hpp>
#include <tenon/code_origin.hpp>
#include <tenon/compiled_module.hpp>

namespace tenon::inline TENON_ABI {

/// What Runtime::WarmUp made of a module.
struct WarmUpResult {
  CodeOrigin origin = CodeOrigin::Refused;
  /// For Runtime::InstantiateModule, and to keep the code where no cache does; empty if refused.
  CompiledModule module;
  /// What Runtime::CompileModule would have thrown; null unless refused.
  std::exception_ptr error;
  std::string reason;  ///< the text of `error`
};

}  // namespace tenon::inline TENON_ABI
