// SPDX-License-Identifier: Apache-2.0
/// @file
/// Makes modules in the binary format from typed parts.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/detail/section_id.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// What an element segment holds.
class ElementItems {
 public:
  /// References to functions, by index.
  static TENON_DECL ElementItems Functions(IndexList functions);
  /// References of one type, each an expression.
  static TENON_DECL ElementItems Expressions(ValueType type,
                                             ListArgument<ConstantExpression> items);

 private:
  friend class ModuleBuilder;
  ElementItems() = default;
  ValueType type_ = ValueType::FuncRef;
  bool are_expressions_ = false;
  std::vector<std::uint8_t> bytes_;  // count and items
};

/// Collects the parts of a module in any order and writes them in the canonical one. Methods that
/// add a part return its index in its index space. Imports come first in an index space, so import
/// before you define (within each kind of extern; asserted in debug builds). Nothing else is
/// checked, so that tests can make invalid modules.
///
///     ModuleBuilder builder;
///     const std::uint32_t type = builder.Type({ValueType::I32, ValueType::I32}, {ValueType::I32});
///     const std::uint32_t add = builder.Function(type, {}, [](CodeBuilder& code) {
///       code.LocalGet(0).LocalGet(1).Emit(Opcode::I32Add);
///     });
///     builder.Export("add", ExternKind::Func, add);
///     const std::vector<std::uint8_t> bytes = builder.Build();
class ModuleBuilder {
 public:
  /// A function type; equal types share an index.
  TENON_DECL std::uint32_t Type(ValueTypeList parameters, ValueTypeList results);

  TENON_DECL std::uint32_t ImportFunction(std::string_view module, std::string_view name,
                                          std::uint32_t type);
  TENON_DECL std::uint32_t ImportTable(std::string_view module, std::string_view name,
                                       const TableType& type);
  TENON_DECL std::uint32_t ImportMemory(std::string_view module, std::string_view name,
                                        const MemoryType& type);
  TENON_DECL std::uint32_t ImportGlobal(std::string_view module, std::string_view name,
                                        const GlobalType& type);

  /// `body` goes without its final `end`.
  TENON_DECL std::uint32_t Function(std::uint32_t type, ValueTypeList locals,
                                    const CodeBuilder& body);
  template <std::invocable<CodeBuilder&> Body>
  std::uint32_t Function(std::uint32_t type, ValueTypeList locals, Body&& body) {
    CodeBuilder code;
    std::forward<Body>(body)(code);
    return Function(type, locals, code);
  }
  /// A function to be defined later, for code that must call it first. Its body is `unreachable`
  /// until then.
  TENON_DECL std::uint32_t DeclareFunction(std::uint32_t type);
  /// Gives a declared function its body. A second call replaces it.
  TENON_DECL void DefineFunction(std::uint32_t function, ValueTypeList locals,
                                 const CodeBuilder& body);
  template <std::invocable<CodeBuilder&> Body>
  void DefineFunction(std::uint32_t function, ValueTypeList locals, Body&& body) {
    CodeBuilder code;
    std::forward<Body>(body)(code);
    DefineFunction(function, locals, code);
  }

  TENON_DECL std::uint32_t Table(const TableType& type);
  TENON_DECL std::uint32_t Table(ValueType element, std::uint64_t minimum,
                                 std::optional<std::uint64_t> maximum = {});
  TENON_DECL std::uint32_t Memory(const MemoryType& type);
  /// Sizes in pages.
  TENON_DECL std::uint32_t Memory(std::uint64_t minimum, std::optional<std::uint64_t> maximum = {});
  TENON_DECL std::uint32_t Global(const GlobalType& type, const ConstantExpression& init);

  TENON_DECL void Export(std::string_view name, ExternKind kind, std::uint32_t index);
  TENON_DECL void Start(std::uint32_t function);

  TENON_DECL std::uint32_t ActiveElement(std::uint32_t table, const ConstantExpression& offset,
                                         const ElementItems& items);
  TENON_DECL std::uint32_t PassiveElement(const ElementItems& items);
  TENON_DECL std::uint32_t DeclarativeElement(const ElementItems& items);

  TENON_DECL std::uint32_t ActiveData(const ConstantExpression& offset,
                                      ListArgument<std::uint8_t> bytes, std::uint32_t memory = 0);
  TENON_DECL std::uint32_t ActiveData(const ConstantExpression& offset, std::string_view text,
                                      std::uint32_t memory = 0);
  TENON_DECL std::uint32_t PassiveData(ListArgument<std::uint8_t> bytes);
  TENON_DECL std::uint32_t PassiveData(std::string_view text);
  /// Writes the data count section even if no function body names a data segment.
  void RequireDataCount() { needs_data_count_ = true; }

  /// A custom section, after all others.
  TENON_DECL void Custom(std::string_view name, ListArgument<std::uint8_t> bytes);

  /// Names for the name section.
  TENON_DECL void NameModule(std::string_view name);
  TENON_DECL void NameFunction(std::uint32_t function, std::string_view name);
  TENON_DECL void NameLocal(std::uint32_t function, std::uint32_t local, std::string_view name);
  /// No part of the specification: read by NameSection::Result, skipped by everybody else.
  TENON_DECL void NameResult(std::uint32_t function, std::uint32_t result, std::string_view name);

  /// The module. May be called again after more parts were added.
  TENON_DECL std::vector<std::uint8_t> Build() const;

 private:
  using ByteVector = std::vector<std::uint8_t>;
  using NameMap = std::map<std::uint32_t, std::string>;

  /// The entries of a section that is a vector.
  struct Section {
    std::uint32_t count = 0;
    ByteVector bytes;
  };
  /// How many externs of one kind there are.
  struct Space {
    std::uint32_t imported = 0;
    std::uint32_t defined = 0;
  };

  TENON_DECL Space& SpaceOf(ExternKind kind);
  /// Takes the next index of a defined extern.
  TENON_DECL std::uint32_t Define(ExternKind kind, Section& section);
  /// Writes the names of an import; its type follows.
  TENON_DECL std::uint32_t Import(std::string_view module, std::string_view name, ExternKind kind);
  TENON_DECL std::uint32_t AddData(std::uint32_t flags, std::uint32_t memory,
                                   const ConstantExpression* offset,
                                   std::span<const std::uint8_t> bytes);
  TENON_DECL std::uint32_t AddUnplacedElement(std::uint8_t flags, const ElementItems& items);
  TENON_DECL Section CodeSection() const;
  TENON_DECL ByteVector NameSectionContent() const;
  static TENON_DECL void WriteSection(ByteVector& out, detail::SectionId id,
                                      const ByteVector& content);
  static TENON_DECL void WriteVector(ByteVector& out, detail::SectionId id, const Section& section);
  static TENON_DECL void WriteNameMap(ByteVector& out, const NameMap& names);

  std::map<std::string, std::uint32_t> types_by_encoding_;
  Section types_, imports_, functions_, tables_, memories_, globals_, exports_, elements_, data_;
  Space spaces_[4];  // by ExternKind
  std::vector<ByteVector> bodies_;
  std::optional<std::uint32_t> start_;
  bool needs_data_count_ = false;
  std::vector<std::pair<std::string, ByteVector>> custom_sections_;
  std::optional<std::string> module_name_;
  NameMap function_names_;
  std::map<std::uint32_t, NameMap> local_names_;
  std::map<std::uint32_t, NameMap> result_names_;
};

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/module_builder.ipp>
#endif
