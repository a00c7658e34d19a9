// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of definition.hpp.
#pragma once

#include <tenon/definition.hpp>
#include <tenon/wasm/error_format.hpp>

namespace tenon::inline TENON_ABI {

TENON_DECL std::string ValueTypeName(ValueType type) { return TypeName(type); }

TENON_DECL std::string_view ExternKindName(ExternKind kind) {
  switch (kind) {
    case ExternKind::Func:
      return "func";
    case ExternKind::Table:
      return "table";
    case ExternKind::Memory:
      return "memory";
    case ExternKind::Global:
      return "global";
    case ExternKind::Tag:
      return "tag";
  }
  return "unknown";
}

TENON_DECL std::string FunctionDefinition::DebugName() const {
  return module_name + "." + (name.empty() ? "$" + std::to_string(index) : name);
}

TENON_DECL std::string FunctionDefinition::Signature() const {
  return SignatureText(parameter_types, result_types);
}

}  // namespace tenon::inline TENON_ABI
