// SPDX-License-Identifier: Apache-2.0
/// @file
/// Prints every error text of the library as `table<TAB>name<TAB>text`, for check_errors.py.
#include <cstdio>

#include <tenon/abi/error_text.hpp>
#include <tenon/abi/trap_code.hpp>
#include <tenon/bind/diagnostics.hpp>
#include <tenon/bind/field_refusal.hpp>
#include <tenon/typed/interface_refusal.hpp>

#define PRINT_ROW(table, name, text) std::printf("%s\t%s\t%s\n", table, #name, text);
#define PRINT_DECODE_ROW(name, text) PRINT_ROW("decode", name, text)
#define PRINT_VALIDATION_ROW(name, text) PRINT_ROW("validation", name, text)
#define PRINT_LINK_ROW(name, text) PRINT_ROW("link", name, text)
#define PRINT_USAGE_ROW(name, text) PRINT_ROW("usage", name, text)
#define PRINT_TRAP_ROW(name, text) PRINT_ROW("trap", name, text)
#define PRINT_BINDING_ROW(name, text) PRINT_ROW("binding", name, text)
#define PRINT_INTERFACE_ROW(name, text) PRINT_ROW("interface", name, text)

int main() {
  TENON_DECODE_ERRORS(PRINT_DECODE_ROW)
  TENON_VALIDATION_ERRORS(PRINT_VALIDATION_ROW)
  TENON_LINK_ERRORS(PRINT_LINK_ROW)
  TENON_USAGE_ERRORS(PRINT_USAGE_ROW)
  TENON_TRAP_CODES(PRINT_TRAP_ROW)
  TENON_PARAMETER_REFUSALS(PRINT_BINDING_ROW)
  TENON_CALLABLE_REFUSALS(PRINT_BINDING_ROW)
  TENON_FIELD_REFUSALS(PRINT_BINDING_ROW)
  TENON_STRUCT_REFUSALS(PRINT_BINDING_ROW)
  TENON_INTERFACE_REFUSALS(PRINT_INTERFACE_ROW)
}
