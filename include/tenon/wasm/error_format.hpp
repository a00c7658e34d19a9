// SPDX-License-Identifier: Apache-2.0
/// @file
/// Error codes, faults and types as text for people.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/module.hpp>

namespace tenon::inline TENON_ABI {

/// The text of `code` with argument n in place of every `{n}`. A placeholder without an argument
/// stays as it is.
TENON_DECL std::string FormatError(ErrorCode code,
                                   std::initializer_list<std::string_view> arguments);

/// A value type as the text format spells it: "i32", "funcref", "(ref null 3)".
TENON_DECL std::string TypeName(ValueType type);

/// A signature such as "(i32, i32) -> i64"; "()" stands for no parameters or no results, and
/// several results are in parentheses: "(f64) -> (i32, i64)".
TENON_DECL std::string SignatureText(std::span<const ValueType> parameters,
                                     std::span<const ValueType> results);

namespace wasm {

/// One line for a fault of `module`: the text of its code, then where it is, as in
/// `type mismatch: expected i32, found f32 (function 12 "main", i32.add at byte 0x1a3)`.
/// The module's bytes must still be alive. `function_name`, if not empty, is written behind the
/// function's index. Control characters and overlong names are abbreviated.
TENON_DECL std::string FormatFault(const Module& module, const Fault& fault,
                                   std::string_view function_name = {});

}  // namespace wasm
}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/error_format.ipp>
#endif
