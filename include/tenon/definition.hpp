// SPDX-License-Identifier: Apache-2.0
/// @file
/// What a module says of its imports and exports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>

namespace tenon::inline TENON_ABI {

/// "i32", "i64", "f32", "f64", "v128", "funcref", "externref", or the text form of other
/// references.
TENON_DECL std::string ValueTypeName(ValueType type);
/// "func", "table", "memory", "global", "tag".
TENON_DECL std::string_view ExternKindName(ExternKind kind);

/// Module and name of an import.
struct ImportName {
  std::string module;
  std::string name;

  friend bool operator==(const ImportName&, const ImportName&) = default;
};

/// What every definition has. Values; they outlive the module they describe.
struct ExternDefinition {
  std::string module_name;                ///< of the module that declares it; may be empty
  std::uint32_t index = 0;                ///< in the index space of its kind
  std::optional<ImportName> import;       ///< set if it is imported
  std::vector<std::string> export_names;  ///< in the order of the export section
};

/// A function as its module declares it.
struct FunctionDefinition : ExternDefinition {
  std::string name;  ///< from the name section; may be empty
  std::vector<ValueType> parameter_types;
  std::vector<std::string> parameter_names;  ///< empty, or one a parameter
  std::vector<ValueType> result_types;
  std::vector<std::string> result_names;  ///< empty, or one a result
  bool is_host_function = false;
  /// Of a host function made of a C++ callable, as in "int(tenon::Module&, std::string_view)", with
  /// fundamental types named as the compiler names them; else "".
  std::string cpp_signature;
  /// The types in it by parameter and result of the WebAssembly type, as far as one stands for
  /// another: empty, or one each.
  std::vector<std::string> parameter_cpp_types;
  std::vector<std::string> result_cpp_types;
  /// What an importer must have been granted; see HostFunctionBuilder::WithCapability.
  std::vector<std::string> capabilities;
  std::uint64_t cost = 0;  ///< units that a call takes from budgets: HostFunctionBuilder::WithCost
  bool is_traced = false;  ///< HostFunctionBuilder::WithTrace

  /// "module.name", or "module.$index" where there is no name.
  TENON_DECL std::string DebugName() const;
  /// The type as in "(i32, i32) -> i64".
  TENON_DECL std::string Signature() const;
};

/// A memory as its module declares it. Sizes count pages of 64 KiB.
struct MemoryDefinition : ExternDefinition {
  std::uint64_t minimum = 0;
  std::optional<std::uint64_t> maximum;
  bool is_64 = false;      ///< its addresses are i64 (Feature::Memory64)
  bool is_shared = false;  ///< several threads may use it (Feature::Threads)
};

/// A table as its module declares it. Sizes count elements.
struct TableDefinition : ExternDefinition {
  ValueType element_type;
  std::uint64_t minimum = 0;
  std::optional<std::uint64_t> maximum;
};

/// A global as its module declares it.
struct GlobalDefinition : ExternDefinition {
  ValueType type;
  bool is_mutable = false;
};

/// A custom section.
struct CustomSectionDefinition {
  std::string name;
  std::vector<std::uint8_t> data;
};

}  // namespace tenon::inline TENON_ABI

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/definition.ipp>
#endif
