// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of ModuleBuilder.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/code_builder.hpp>
#include <tenon/wasm/detail/byte_writer.hpp>
#include <tenon/wasm/detail/module_header.hpp>
#include <tenon/wasm/detail/section_id.hpp>
#include <tenon/wasm/module_builder.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

inline constexpr auto kEnd = static_cast<std::uint8_t>(Opcode::End);

inline void WriteExpression(ByteVector& out, const ConstantExpression& expression) {
  WriteBytes(out, expression.Bytes());
  out.push_back(kEnd);
}

/// Size, locals in runs of equal types, code, end.
[[gnu::cold]] inline ByteVector EncodeBody(ValueTypeList locals,
                                           std::span<const std::uint8_t> code) {
  ByteVector runs;
  std::uint32_t run_count = 0;
  const std::span<const ValueType> types = locals.Items();
  for (std::size_t i = 0; i < types.size();) {
    std::size_t next = i;
    while (next < types.size() && types[next] == types[i]) ++next;
    WriteUnsigned(runs, next - i);
    WriteValueType(runs, types[i]);
    ++run_count;
    i = next;
  }
  ByteVector body;
  WriteUnsigned(body, run_count);
  WriteBytes(body, runs);
  WriteBytes(body, code);
  body.push_back(kEnd);
  return body;
}

inline std::span<const std::uint8_t> TextBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[gnu::cold]] inline Limits MakeLimits(std::uint64_t minimum,
                                       std::optional<std::uint64_t> maximum) {
  Limits limits;
  limits.minimum = minimum;
  limits.maximum = maximum.value_or(0);
  limits.has_maximum = maximum.has_value();
  return limits;
}

}  // namespace detail

[[gnu::cold]] TENON_DECL ElementItems ElementItems::Functions(IndexList functions) {
  ElementItems items;
  detail::WriteUnsigned(items.bytes_, functions.Size());
  for (const std::uint32_t function : functions) detail::WriteUnsigned(items.bytes_, function);
  return items;
}

[[gnu::cold]] TENON_DECL ElementItems
ElementItems::Expressions(ValueType type, ListArgument<ConstantExpression> expressions) {
  ElementItems items;
  items.type_ = type;
  items.are_expressions_ = true;
  detail::WriteUnsigned(items.bytes_, expressions.Size());
  for (const ConstantExpression& item : expressions) detail::WriteExpression(items.bytes_, item);
  return items;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::Type(ValueTypeList parameters,
                                                           ValueTypeList results) {
  ByteVector encoding{0x60};
  for (const ValueTypeList& list : {parameters, results}) {
    detail::WriteUnsigned(encoding, list.Size());
    for (const ValueType type : list) detail::WriteValueType(encoding, type);
  }
  const auto [place, is_new] =
      types_by_encoding_.try_emplace(std::string{encoding.begin(), encoding.end()}, types_.count);
  if (is_new) {
    detail::WriteBytes(types_.bytes, encoding);
    ++types_.count;
  }
  return place->second;
}

TENON_DECL ModuleBuilder::Space& ModuleBuilder::SpaceOf(ExternKind kind) {
  return spaces_[static_cast<std::size_t>(kind)];
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::Define(ExternKind kind, Section& section) {
  Space& space = SpaceOf(kind);
  ++section.count;
  return space.imported + space.defined++;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::Import(std::string_view module,
                                                             std::string_view name,
                                                             ExternKind kind) {
  Space& space = SpaceOf(kind);
  assert(space.defined == 0 && "import before you define");
  detail::WriteName(imports_.bytes, module);
  detail::WriteName(imports_.bytes, name);
  imports_.bytes.push_back(static_cast<std::uint8_t>(kind));
  ++imports_.count;
  return space.imported++;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::ImportFunction(std::string_view module,
                                                                     std::string_view name,
                                                                     std::uint32_t type) {
  const std::uint32_t index = Import(module, name, ExternKind::Func);
  detail::WriteUnsigned(imports_.bytes, type);
  return index;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::ImportTable(std::string_view module,
                                                                  std::string_view name,
                                                                  const TableType& type) {
  const std::uint32_t index = Import(module, name, ExternKind::Table);
  detail::WriteTableType(imports_.bytes, type);
  return index;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::ImportMemory(std::string_view module,
                                                                   std::string_view name,
                                                                   const MemoryType& type) {
  const std::uint32_t index = Import(module, name, ExternKind::Memory);
  detail::WriteLimits(imports_.bytes, type.limits);
  return index;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::ImportGlobal(std::string_view module,
                                                                   std::string_view name,
                                                                   const GlobalType& type) {
  const std::uint32_t index = Import(module, name, ExternKind::Global);
  detail::WriteGlobalType(imports_.bytes, type);
  return index;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::Function(std::uint32_t type,
                                                               ValueTypeList locals,
                                                               const CodeBuilder& body) {
  const std::uint32_t function = DeclareFunction(type);
  DefineFunction(function, locals, body);
  return function;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::DeclareFunction(std::uint32_t type) {
  detail::WriteUnsigned(functions_.bytes, type);
  bodies_.push_back({0x00, static_cast<std::uint8_t>(Opcode::Unreachable), detail::kEnd});
  return Define(ExternKind::Func, functions_);
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::DefineFunction(std::uint32_t function,
                                                            ValueTypeList locals,
                                                            const CodeBuilder& body) {
  const std::uint32_t imported = SpaceOf(ExternKind::Func).imported;
  assert(function >= imported && function - imported < bodies_.size());
  bodies_[function - imported] = detail::EncodeBody(locals, body.Bytes());
  needs_data_count_ = needs_data_count_ || body.UsesData();
}

TENON_DECL std::uint32_t ModuleBuilder::Table(const TableType& type) {
  detail::WriteTableType(tables_.bytes, type);
  return Define(ExternKind::Table, tables_);
}

TENON_DECL std::uint32_t ModuleBuilder::Table(ValueType element, std::uint64_t minimum,
                                              std::optional<std::uint64_t> maximum) {
  return Table(TableType{element, detail::MakeLimits(minimum, maximum)});
}

TENON_DECL std::uint32_t ModuleBuilder::Memory(const MemoryType& type) {
  detail::WriteLimits(memories_.bytes, type.limits);
  return Define(ExternKind::Memory, memories_);
}

TENON_DECL std::uint32_t ModuleBuilder::Memory(std::uint64_t minimum,
                                               std::optional<std::uint64_t> maximum) {
  return Memory(MemoryType{detail::MakeLimits(minimum, maximum)});
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::Global(const GlobalType& type,
                                                             const ConstantExpression& init) {
  detail::WriteGlobalType(globals_.bytes, type);
  detail::WriteExpression(globals_.bytes, init);
  return Define(ExternKind::Global, globals_);
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::Export(std::string_view name, ExternKind kind,
                                                    std::uint32_t index) {
  detail::WriteName(exports_.bytes, name);
  exports_.bytes.push_back(static_cast<std::uint8_t>(kind));
  detail::WriteUnsigned(exports_.bytes, index);
  ++exports_.count;
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::Start(std::uint32_t function) { start_ = function; }

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::ActiveElement(
    std::uint32_t table, const ConstantExpression& offset, const ElementItems& items) {
  // The short forms have no table index and no type.
  const bool is_short = table == 0 && items.type_ == ValueType::FuncRef;
  ByteVector& out = elements_.bytes;
  detail::WriteUnsigned(out, (items.are_expressions_ ? 4u : 0u) | (is_short ? 0u : 2u));
  if (!is_short) detail::WriteUnsigned(out, table);
  detail::WriteExpression(out, offset);
  if (!is_short) {
    if (items.are_expressions_) {
      detail::WriteValueType(out, items.type_);
    } else {
      out.push_back(0x00);
    }
  }
  detail::WriteBytes(out, items.bytes_);
  return elements_.count++;
}

TENON_DECL std::uint32_t ModuleBuilder::PassiveElement(const ElementItems& items) {
  return AddUnplacedElement(1, items);
}

TENON_DECL std::uint32_t ModuleBuilder::DeclarativeElement(const ElementItems& items) {
  return AddUnplacedElement(3, items);
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::AddUnplacedElement(
    std::uint8_t flags, const ElementItems& items) {
  ByteVector& out = elements_.bytes;
  if (items.are_expressions_) {
    out.push_back(static_cast<std::uint8_t>(flags | 4));
    detail::WriteValueType(out, items.type_);
  } else {
    out.push_back(flags);
    out.push_back(0x00);
  }
  detail::WriteBytes(out, items.bytes_);
  return elements_.count++;
}

[[gnu::cold]] TENON_DECL std::uint32_t ModuleBuilder::AddData(std::uint32_t flags,
                                                              std::uint32_t memory,
                                                              const ConstantExpression* offset,
                                                              std::span<const std::uint8_t> bytes) {
  detail::WriteUnsigned(data_.bytes, flags);
  if (flags == 2) detail::WriteUnsigned(data_.bytes, memory);
  if (offset != nullptr) detail::WriteExpression(data_.bytes, *offset);
  detail::WriteUnsigned(data_.bytes, bytes.size());
  detail::WriteBytes(data_.bytes, bytes);
  return data_.count++;
}

TENON_DECL std::uint32_t ModuleBuilder::ActiveData(const ConstantExpression& offset,
                                                   ListArgument<std::uint8_t> bytes,
                                                   std::uint32_t memory) {
  return AddData(memory == 0 ? 0 : 2, memory, &offset, bytes.Items());
}

TENON_DECL std::uint32_t ModuleBuilder::ActiveData(const ConstantExpression& offset,
                                                   std::string_view text, std::uint32_t memory) {
  return AddData(memory == 0 ? 0 : 2, memory, &offset, detail::TextBytes(text));
}

TENON_DECL std::uint32_t ModuleBuilder::PassiveData(ListArgument<std::uint8_t> bytes) {
  return AddData(1, 0, nullptr, bytes.Items());
}

TENON_DECL std::uint32_t ModuleBuilder::PassiveData(std::string_view text) {
  return AddData(1, 0, nullptr, detail::TextBytes(text));
}

TENON_DECL void ModuleBuilder::Custom(std::string_view name, ListArgument<std::uint8_t> bytes) {
  custom_sections_.emplace_back(name, ByteVector{bytes.begin(), bytes.end()});
}

TENON_DECL void ModuleBuilder::NameModule(std::string_view name) { module_name_.emplace(name); }

TENON_DECL void ModuleBuilder::NameFunction(std::uint32_t function, std::string_view name) {
  function_names_.insert_or_assign(function, std::string{name});
}

TENON_DECL void ModuleBuilder::NameLocal(std::uint32_t function, std::uint32_t local,
                                         std::string_view name) {
  local_names_[function].insert_or_assign(local, std::string{name});
}

TENON_DECL void ModuleBuilder::NameResult(std::uint32_t function, std::uint32_t result,
                                          std::string_view name) {
  result_names_[function].insert_or_assign(result, std::string{name});
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::WriteSection(ByteVector& out, detail::SectionId id,
                                                          const ByteVector& content) {
  out.push_back(static_cast<std::uint8_t>(id));
  detail::WriteUnsigned(out, content.size());
  detail::WriteBytes(out, content);
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::WriteVector(ByteVector& out, detail::SectionId id,
                                                         const Section& section) {
  if (section.count == 0) return;
  ByteVector content;
  detail::WriteUnsigned(content, section.count);
  detail::WriteBytes(content, section.bytes);
  WriteSection(out, id, content);
}

[[gnu::cold]] TENON_DECL void ModuleBuilder::WriteNameMap(ByteVector& out, const NameMap& names) {
  detail::WriteUnsigned(out, names.size());
  for (const auto& [index, name] : names) {
    detail::WriteUnsigned(out, index);
    detail::WriteName(out, name);
  }
}

[[gnu::cold]] TENON_DECL ModuleBuilder::Section ModuleBuilder::CodeSection() const {
  Section section;
  section.count = static_cast<std::uint32_t>(bodies_.size());
  for (const ByteVector& body : bodies_) {
    detail::WriteUnsigned(section.bytes, body.size());
    detail::WriteBytes(section.bytes, body);
  }
  return section;
}

[[gnu::cold]] TENON_DECL ModuleBuilder::ByteVector ModuleBuilder::NameSectionContent() const {
  ByteVector content;
  detail::WriteName(content, "name");
  const auto add = [&content](detail::NameSubsection id, const ByteVector& bytes) {
    content.push_back(static_cast<std::uint8_t>(id));
    detail::WriteUnsigned(content, bytes.size());
    detail::WriteBytes(content, bytes);
  };
  if (module_name_) {
    ByteVector bytes;
    detail::WriteName(bytes, *module_name_);
    add(detail::NameSubsection::Module, bytes);
  }
  if (!function_names_.empty()) {
    ByteVector bytes;
    WriteNameMap(bytes, function_names_);
    add(detail::NameSubsection::Functions, bytes);
  }
  const auto add_indirect = [&add](detail::NameSubsection id, const auto& functions) {
    if (functions.empty()) return;
    ByteVector bytes;
    detail::WriteUnsigned(bytes, functions.size());
    for (const auto& [function, names] : functions) {
      detail::WriteUnsigned(bytes, function);
      WriteNameMap(bytes, names);
    }
    add(id, bytes);
  };
  add_indirect(detail::NameSubsection::Locals, local_names_);
  add_indirect(detail::NameSubsection::Results, result_names_);
  return content;
}

[[gnu::cold]] TENON_DECL std::vector<std::uint8_t> ModuleBuilder::Build() const {
  using detail::SectionId;
  ByteVector out{std::begin(detail::kMagic), std::end(detail::kMagic)};
  detail::WriteFixed(out, 1, 4);
  WriteVector(out, SectionId::Type, types_);
  WriteVector(out, SectionId::Import, imports_);
  WriteVector(out, SectionId::Function, functions_);
  WriteVector(out, SectionId::Table, tables_);
  WriteVector(out, SectionId::Memory, memories_);
  WriteVector(out, SectionId::Global, globals_);
  WriteVector(out, SectionId::Export, exports_);
  if (start_) {
    ByteVector content;
    detail::WriteUnsigned(content, *start_);
    WriteSection(out, SectionId::Start, content);
  }
  WriteVector(out, SectionId::Element, elements_);
  if (needs_data_count_) {
    ByteVector content;
    detail::WriteUnsigned(content, data_.count);
    WriteSection(out, SectionId::DataCount, content);
  }
  WriteVector(out, SectionId::Code, CodeSection());
  WriteVector(out, SectionId::Data, data_);
  if (module_name_ || !function_names_.empty() || !local_names_.empty() || !result_names_.empty()) {
    WriteSection(out, SectionId::Custom, NameSectionContent());
  }
  for (const auto& [name, bytes] : custom_sections_) {
    ByteVector content;
    detail::WriteName(content, name);
    detail::WriteBytes(content, bytes);
    WriteSection(out, SectionId::Custom, content);
  }
  return out;
}

}  // namespace tenon::inline TENON_ABI::wasm
