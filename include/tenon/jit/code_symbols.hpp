// SPDX-License-Identifier: Apache-2.0
/// @file
/// Names for the parts of compiled code, as profilers and debuggers show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/jit/code_object.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI::jit {

/// A named range of code, from the code's first byte.
struct CodeSymbol {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::string name;
};

/// `name` on one line: control characters become "?".
TENON_DECL std::string OneLine(std::string_view name);

/// "module.function" for each body, or "module.[index]" (GDB cuts names at "$"); "module.[stubs]"
/// and the like for what lies behind the bodies. By rising offset. A module without a name is
/// called "wasm".
TENON_DECL std::vector<CodeSymbol> NameCode(const wasm::Module& module, const CodeView& code);

}  // namespace tenon::inline TENON_ABI::jit

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/jit/code_symbols.ipp>
#endif
