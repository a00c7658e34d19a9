// SPDX-License-Identifier: Apache-2.0
/// @file
/// Decodes the sections of a module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/constant_expression.hpp>
#include <tenon/wasm/detail/module_header.hpp>
#include <tenon/wasm/detail/section_id.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/type_reader.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm::detail {

/// One decoding of one module.
class ModuleDecoder {
 public:
  constexpr ModuleDecoder(std::span<const std::uint8_t> bytes, CoreFeatures features,
                          const ImplementationLimits& limits, Module& out,
                          bool interface_only = false)
      : bytes_{bytes},
        features_{features},
        limits_{limits},
        module_{out},
        interface_only_{interface_only} {}

  [[gnu::cold]] constexpr Fault Run() {
    module_ = Module{};
    if (bytes_.size() > limits_.module_size) {
      Fault fault;
      fault.code = ErrorCode::LimitExceeded;
      fault.arguments[0] = "module bytes";
      fault.arguments[1] = std::uint64_t{bytes_.size()};
      fault.arguments[2] = std::uint64_t{limits_.module_size};
      return fault;
    }
    if (const Fault fault = CheckHeader(bytes_); !fault.IsNone()) return fault;
    module_.bytes = bytes_;
    ByteReader reader{bytes_,
                      {kHeaderSize, static_cast<std::uint32_t>(bytes_.size()) - kHeaderSize}};
    while (!reader.AtEnd()) {
      if (!DecodeSection(reader)) return reader.FirstFault();
    }
    if (!interface_only_) CheckCounts(reader);
    return reader.FirstFault();
  }

 private:
  /// Whether a section says what a module imports or exports.
  static constexpr bool IsPartOfInterface(SectionId id) {
    return id == SectionId::Type || id == SectionId::Import || id == SectionId::Function ||
           id == SectionId::Export;
  }

  [[gnu::cold]] constexpr bool DecodeSection(ByteReader& reader) {
    const std::uint32_t id_offset = reader.Offset();
    std::uint8_t id = 0;
    std::uint32_t size = 0;
    ByteRange range;
    if (!reader.ReadByte(id)) return false;
    if (id >= kSectionCount) {
      return reader.Fail(ErrorCode::UnknownSection, id_offset, std::uint64_t{id});
    }
    if (!reader.ReadU32(size) || !reader.ReadRange(size, range)) return false;
    const std::uint8_t order = kSectionOrder[id];
    if (order != 0) {
      if (order <= last_order_) {
        return reader.Fail(ErrorCode::SectionOrder, id_offset, std::uint64_t{id});
      }
      last_order_ = order;
    }
    if (interface_only_ && !IsPartOfInterface(static_cast<SectionId>(id))) return true;
    ByteReader in{bytes_, range};
    if (DecodeContent(in, static_cast<SectionId>(id)) && !in.AtEnd()) {
      const std::uint64_t used = in.Offset() - range.offset;
      in.Fail(ErrorCode::SectionSizeMismatch, in.Offset(), std::uint64_t{size}, used);
    }
    if (!in.HasFault()) return true;
    const Fault& fault = in.FirstFault();
    return reader.Fail(fault.code, fault.offset, fault.arguments[0], fault.arguments[1],
                       fault.arguments[2]);
  }

  [[gnu::cold]] constexpr bool DecodeContent(ByteReader& in, SectionId id) {
    switch (id) {
      case SectionId::Custom:
        return DecodeCustom(in);
      case SectionId::Type:
        return DecodeTypes(in);
      case SectionId::Import:
        return DecodeImports(in);
      case SectionId::Function:
        return DecodeFunctions(in);
      case SectionId::Table:
        return DecodeTables(in);
      case SectionId::Memory:
        return DecodeMemories(in);
      case SectionId::Global:
        return DecodeGlobals(in);
      case SectionId::Export:
        return DecodeExports(in);
      case SectionId::Start:
        return DecodeStart(in);
      case SectionId::Element:
        return DecodeElements(in);
      case SectionId::Code:
        return DecodeCode(in);
      case SectionId::Data:
        return DecodeData(in);
      case SectionId::DataCount:
        return DecodeDataCount(in);
    }
    return false;
  }

  /// What only the whole module shows.
  [[gnu::cold]] constexpr bool CheckCounts(ByteReader& reader) const {
    const std::uint32_t defined = DefinedFunctions();
    if (module_.bodies.size() != defined) {
      return reader.Fail(ErrorCode::FunctionCodeMismatch, reader.Offset(), std::uint64_t{defined},
                         std::uint64_t{module_.bodies.size()});
    }
    if (module_.data_count != kNoIndex && module_.data_count != module_.data.size()) {
      return reader.Fail(ErrorCode::DataCountMismatch, reader.Offset(),
                         std::uint64_t{module_.data_count}, std::uint64_t{module_.data.size()});
    }
    return true;
  }

  constexpr std::uint32_t DefinedFunctions() const {
    return static_cast<std::uint32_t>(module_.functions.size()) - module_.imported_functions;
  }

  static constexpr bool CheckLimit(ByteReader& in, std::uint32_t offset, const char* what,
                                   std::uint64_t count, std::uint32_t limit) {
    if (count <= limit) return true;
    return in.Fail(ErrorCode::LimitExceeded, offset, what, count, std::uint64_t{limit});
  }

  /// A count of entries that add to the `present` ones.
  [[gnu::cold]] static constexpr bool ReadLimitedCount(ByteReader& in, const char* what,
                                                       std::size_t present, std::uint32_t limit,
                                                       std::uint32_t& count) {
    const std::uint32_t offset = in.Offset();
    return in.ReadCount(count) &&
           CheckLimit(in, offset, what, std::uint64_t{present} + count, limit);
  }

  /// Makes room for `count` more entries, but for no more than the bytes that remain can hold.
  template <class Vector>
  static constexpr void Reserve(Vector& vector, const ByteReader& in, std::uint32_t count,
                                std::uint32_t smallest_entry) {
    const std::uint32_t possible = in.Remaining() / smallest_entry;
    vector.reserve(vector.size() + (count < possible ? count : possible));
  }

  [[gnu::cold]] constexpr bool DecodeCustom(ByteReader& in) {
    CustomSection section;
    if (!in.ReadName(section.name) || !in.ReadRange(in.Remaining(), section.data)) return false;
    module_.custom_sections.push_back(section);
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeTypes(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "types", 0, limits_.types, count)) return false;
    Reserve(module_.types, in, count, 3);
    // Form and two counts take three bytes or more, the rest are value types.
    const std::uint64_t fixed = std::uint64_t{count} * 3;
    if (in.Remaining() > fixed) {
      module_.type_pool.reserve(static_cast<std::size_t>(in.Remaining() - fixed));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!DecodeType(in, i)) return false;
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeType(ByteReader& in, std::uint32_t index) {
    const std::uint32_t offset = in.Offset();
    std::uint8_t form = 0;
    if (!in.ReadByte(form)) return false;
    if (form != 0x60) {
      return in.Fail(ErrorCode::MalformedTypeForm, offset, FaultArgument::Byte(form));
    }
    TypeDefinition type;
    type.first = static_cast<std::uint32_t>(module_.type_pool.size());
    type.group_first = index;
    if (!DecodeValueTypes(in, "parameters", limits_.parameters, type.parameter_count)) return false;
    const std::uint32_t results_offset = in.Offset();
    if (!DecodeValueTypes(in, "results", limits_.results, type.result_count)) return false;
    if (type.result_count > 1 && !RequireFeature(in, results_offset, features_, Feature::MultiValue,
                                                 "a function type with several results")) {
      return false;
    }
    module_.types.push_back(type);
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeValueTypes(ByteReader& in, const char* what,
                                                std::uint32_t limit, std::uint32_t& count) {
    if (!ReadLimitedCount(in, what, 0, limit, count)) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
      ValueType type;
      if (!ReadValueType(in, features_, type)) return false;
      module_.type_pool.push_back(type);
    }
    return true;
  }

  /// Adds an import to the index space of its kind.
  template <class Vector, class Entry>
  static constexpr bool Append(ByteReader& in, std::uint32_t offset, Vector& space,
                               const Entry& entry, const char* what, std::uint32_t limit,
                               std::uint32_t& index) {
    index = static_cast<std::uint32_t>(space.size());
    space.push_back(entry);
    return CheckLimit(in, offset, what, space.size(), limit);
  }

  [[gnu::cold]] constexpr bool DecodeImports(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "imports", 0, limits_.imports, count)) return false;
    Reserve(module_.imports, in, count, 4);
    for (std::uint32_t i = 0; i < count; ++i) {
      Import import;
      if (!in.ReadName(import.module) || !in.ReadName(import.name)) return false;
      if (!DecodeImportType(in, import)) return false;
      module_.imports.push_back(import);
    }
    module_.imported_functions = static_cast<std::uint32_t>(module_.functions.size());
    module_.imported_tables = static_cast<std::uint32_t>(module_.tables.size());
    module_.imported_memories = static_cast<std::uint32_t>(module_.memories.size());
    module_.imported_globals = static_cast<std::uint32_t>(module_.globals.size());
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeImportType(ByteReader& in, Import& import) {
    const std::uint32_t offset = in.Offset();
    std::uint8_t kind = 0;
    if (!in.ReadByte(kind)) return false;
    import.kind = static_cast<ExternKind>(kind);
    switch (import.kind) {
      case ExternKind::Func: {
        std::uint32_t type = 0;
        return in.ReadU32(type) && Append(in, offset, module_.functions, type, "functions",
                                          limits_.functions, import.index);
      }
      case ExternKind::Table: {
        TableType type;
        return ReadTableType(in, features_, type) &&
               Append(in, offset, module_.tables, type, "tables", limits_.tables, import.index) &&
               CheckTableCount(in, offset, module_.tables.size());
      }
      case ExternKind::Memory: {
        MemoryType type;
        return ReadMemoryType(in, features_, type) &&
               Append(in, offset, module_.memories, type, "memories", limits_.memories,
                      import.index);
      }
      case ExternKind::Global: {
        GlobalType type;
        return ReadGlobalType(in, features_, type) &&
               Append(in, offset, module_.globals, type, "globals", limits_.globals, import.index);
      }
      default:
        return in.Fail(ErrorCode::MalformedImportKind, offset, FaultArgument::Byte(kind));
    }
  }

  /// More than one table came with reference types.
  constexpr bool CheckTableCount(ByteReader& in, std::uint32_t offset, std::uint64_t count) const {
    if (count <= 1 || features_.IsEnabled(Feature::ReferenceTypes)) return true;
    return in.Fail(ErrorCode::MultipleTables, offset, Feature::ReferenceTypes);
  }

  [[gnu::cold]] constexpr bool DecodeFunctions(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "functions", module_.functions.size(), limits_.functions, count)) {
      return false;
    }
    Reserve(module_.functions, in, count, 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t type = 0;
      if (!in.ReadU32(type)) return false;
      module_.functions.push_back(type);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeTables(ByteReader& in) {
    const std::uint32_t offset = in.Offset();
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "tables", module_.tables.size(), limits_.tables, count) ||
        !CheckTableCount(in, offset, std::uint64_t{module_.tables.size()} + count)) {
      return false;
    }
    Reserve(module_.tables, in, count, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      TableType type;
      if (!ReadTableType(in, features_, type)) return false;
      module_.tables.push_back(type);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeMemories(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "memories", module_.memories.size(), limits_.memories, count)) {
      return false;
    }
    Reserve(module_.memories, in, count, 2);
    for (std::uint32_t i = 0; i < count; ++i) {
      MemoryType type;
      if (!ReadMemoryType(in, features_, type)) return false;
      module_.memories.push_back(type);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeGlobals(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "globals", module_.globals.size(), limits_.globals, count)) {
      return false;
    }
    Reserve(module_.globals, in, count, 3);
    Reserve(module_.global_inits, in, count, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      GlobalType type;
      ByteRange init;
      if (!ReadGlobalType(in, features_, type) || !ReadConstantExpression(in, features_, init)) {
        return false;
      }
      module_.globals.push_back(type);
      module_.global_inits.push_back(init);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeExports(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "exports", 0, limits_.exports, count)) return false;
    Reserve(module_.exports, in, count, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      Export entry;
      if (!in.ReadName(entry.name)) return false;
      const std::uint32_t offset = in.Offset();
      std::uint8_t kind = 0;
      if (!in.ReadByte(kind)) return false;
      if (kind > static_cast<std::uint8_t>(ExternKind::Global)) {
        return in.Fail(ErrorCode::MalformedExportKind, offset, FaultArgument::Byte(kind));
      }
      entry.kind = static_cast<ExternKind>(kind);
      if (!in.ReadU32(entry.index)) return false;
      module_.exports.push_back(entry);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeElements(ByteReader& in) {
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "element segments", 0, limits_.element_segments, count)) return false;
    Reserve(module_.elements, in, count, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      ElementSegment segment;
      if (!DecodeElement(in, segment)) return false;
      module_.elements.push_back(segment);
    }
    return true;
  }

  /// Flags: bit 0 no offset, bit 1 explicit table (or declarative, without an offset), bit 2 items
  /// are expressions. Forms 0 and 4 state no type.
  [[gnu::cold]] constexpr bool DecodeElement(ByteReader& in, ElementSegment& segment) {
    const std::uint32_t offset = in.Offset();
    std::uint32_t flags = 0;
    if (!in.ReadU32(flags)) return false;
    if (flags > 7) {
      return in.Fail(ErrorCode::MalformedElementFlags, offset, FaultArgument::Byte(flags));
    }
    if (flags != 0 && !RequireFeature(in, offset, features_, Feature::BulkMemory,
                                      "an element segment with flags")) {
      return false;
    }
    const bool bit1 = (flags & 2) != 0;
    segment.items_are_expressions = (flags & 4) != 0;
    if ((flags & 1) == 0) {
      segment.mode = SegmentMode::Active;
      if (bit1 && !in.ReadU32(segment.table)) return false;
      if (!ReadConstantExpression(in, features_, segment.offset)) return false;
    } else {
      segment.mode = bit1 ? SegmentMode::Declarative : SegmentMode::Passive;
    }
    if ((flags & 3) != 0 && !DecodeElementType(in, segment)) return false;
    return DecodeElementItems(in, segment);
  }

  [[gnu::cold]] constexpr bool DecodeElementType(ByteReader& in, ElementSegment& segment) const {
    if (segment.items_are_expressions) return ReadReferenceType(in, features_, segment.type);
    const std::uint32_t offset = in.Offset();
    std::uint8_t kind = 0;
    if (!in.ReadByte(kind)) return false;
    if (kind == 0) return true;
    return in.Fail(ErrorCode::MalformedElementKind, offset, FaultArgument::Byte(kind));
  }

  [[gnu::cold]] constexpr bool DecodeElementItems(ByteReader& in, ElementSegment& segment) const {
    if (!ReadLimitedCount(in, "elements of a segment", 0, limits_.element_segment_items,
                          segment.count)) {
      return false;
    }
    const std::uint32_t begin = in.Offset();
    for (std::uint32_t i = 0; i < segment.count; ++i) {
      if (segment.items_are_expressions) {
        ByteRange item;
        if (!ReadConstantExpression(in, features_, item)) return false;
      } else {
        std::uint32_t function = 0;
        if (!in.ReadU32(function)) return false;
      }
    }
    segment.items = in.Since(begin);
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeStart(ByteReader& in) {
    const std::uint32_t offset = in.Offset();
    if (!in.ReadU32(module_.start)) return false;
    // What stands for no start function is a function that no module has.
    return module_.start != kNoIndex || in.Fail(ErrorCode::UnknownFunction, offset, module_.start);
  }

  [[gnu::cold]] constexpr bool DecodeDataCount(ByteReader& in) {
    const std::uint32_t offset = in.Offset();
    return RequireFeature(in, offset, features_, Feature::BulkMemory, "the data count section") &&
           in.ReadU32(module_.data_count) &&
           CheckLimit(in, offset, "data segments", module_.data_count, limits_.data_segments);
  }

  [[gnu::cold]] constexpr bool DecodeCode(ByteReader& in) {
    const std::uint32_t begin = in.Offset();
    module_.code_section = {begin, in.Remaining()};
    std::uint32_t count = 0;
    if (!in.ReadCount(count)) return false;
    if (count != DefinedFunctions()) {
      return in.Fail(ErrorCode::FunctionCodeMismatch, begin, std::uint64_t{DefinedFunctions()},
                     std::uint64_t{count});
    }
    Reserve(module_.bodies, in, count, 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t offset = in.Offset();
      std::uint32_t size = 0;
      ByteRange body;
      if (!in.ReadU32(size) ||
          !CheckLimit(in, offset, "function body bytes", size, limits_.function_body) ||
          !in.ReadRange(size, body)) {
        return false;
      }
      module_.bodies.push_back(body);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeData(ByteReader& in) {
    const std::uint32_t begin = in.Offset();
    std::uint32_t count = 0;
    if (!ReadLimitedCount(in, "data segments", 0, limits_.data_segments, count)) return false;
    if (module_.data_count != kNoIndex && module_.data_count != count) {
      return in.Fail(ErrorCode::DataCountMismatch, begin, std::uint64_t{module_.data_count},
                     std::uint64_t{count});
    }
    Reserve(module_.data, in, count, 2);
    for (std::uint32_t i = 0; i < count; ++i) {
      DataSegment segment;
      if (!DecodeDataSegment(in, segment)) return false;
      module_.data.push_back(segment);
    }
    return true;
  }

  [[gnu::cold]] constexpr bool DecodeDataSegment(ByteReader& in, DataSegment& segment) const {
    const std::uint32_t offset = in.Offset();
    std::uint32_t flags = 0;
    std::uint32_t size = 0;
    if (!in.ReadU32(flags)) return false;
    if (flags > 2) {
      return in.Fail(ErrorCode::MalformedDataFlags, offset, FaultArgument::Byte(flags));
    }
    if (flags != 0 &&
        !RequireFeature(in, offset, features_, Feature::BulkMemory, "a data segment with flags")) {
      return false;
    }
    if (flags != 1) {
      segment.mode = SegmentMode::Active;
      if (flags == 2 && !in.ReadU32(segment.memory)) return false;
      if (!ReadConstantExpression(in, features_, segment.offset)) return false;
    }
    return in.ReadU32(size) && in.ReadRange(size, segment.bytes);
  }

  std::span<const std::uint8_t> bytes_;
  CoreFeatures features_;
  ImplementationLimits limits_;
  Module& module_;
  bool interface_only_;
  std::uint8_t last_order_ = 0;
};

}  // namespace tenon::inline TENON_ABI::wasm::detail
