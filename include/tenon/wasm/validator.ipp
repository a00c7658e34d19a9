// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bodies of validator.hpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tenon/abi/config.hpp>
#include <tenon/abi/error_text.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/core_features.hpp>
#include <tenon/wasm/byte_reader.hpp>
#include <tenon/wasm/fault.hpp>
#include <tenon/wasm/limits.hpp>
#include <tenon/wasm/module.hpp>
#include <tenon/wasm/opcode.hpp>
#include <tenon/wasm/sorted_positions.hpp>
#include <tenon/wasm/type_reader.hpp>
#include <tenon/wasm/types.hpp>
#include <tenon/wasm/validation_context.hpp>
#include <tenon/wasm/validator.hpp>

namespace tenon::inline TENON_ABI::wasm {

namespace detail {

/// Where the contents of the section with this id begin; 0 if there is none.
[[gnu::cold]] TENON_DECL std::uint32_t FindSectionOffset(std::span<const std::uint8_t> bytes,
                                                         std::uint8_t id) {
  ByteReader reader{bytes};
  std::uint8_t found = 0;
  std::uint32_t size = 0;
  ByteRange contents;
  if (!reader.Skip(8)) return 0;
  while (reader.ReadByte(found) && reader.ReadU32(size) && reader.ReadRange(size, contents)) {
    if (found == id) return contents.offset;
  }
  return 0;
}

/// Validation of what stands outside function bodies. Functions that return bool return false
/// after a fault, which is kept.
class DeclarationValidator {
 public:
  explicit DeclarationValidator(ValidationContext& context)
      : context_{context}, module_{*context.module} {}

  [[gnu::cold]] const Fault& FirstFault() const { return fault_; }

  [[gnu::cold]] bool Run() {
    context_.declared_functions.assign(module_.functions.size(), false);
    return Types() && Imports() && Functions() && Tables() && Memories() && Globals() &&
           Exports() && Start() && Elements() && Data();
  }

 private:
  static constexpr std::uint8_t kTypeSection = 1, kFunctionSection = 3, kTableSection = 4,
                                kMemorySection = 5, kStartSection = 8, kElementSection = 9,
                                kDataSection = 11;

  [[gnu::cold]] bool Fail(std::uint32_t offset, ErrorCode code, FaultArgument first = {},
                          FaultArgument second = {}, FaultArgument third = {}) {
    fault_.code = code;
    fault_.offset = offset;
    fault_.arguments[0] = first;
    fault_.arguments[1] = second;
    fault_.arguments[2] = third;
    return false;
  }

  [[gnu::cold]] std::uint32_t Section(std::uint8_t id) const {
    return FindSectionOffset(module_.bytes, id);
  }

  /// Where to point for entry `index` of an index space whose first `imported` entries are imports.
  [[gnu::cold]] std::uint32_t Place(ExternKind kind, std::uint32_t index, std::uint32_t imported,
                                    std::uint8_t section) const {
    if (index < imported) {
      for (const Import& import : module_.imports) {
        if (import.kind == kind && import.index == index) return import.module.offset;
      }
    }
    return Section(section);
  }

  [[gnu::cold]] bool Types() {
    context_.type_slots.assign(module_.types.size(), {});
    context_.slot_types.clear();
    context_.slot_types.reserve(module_.type_pool.size());
    for (std::uint32_t i = 0; i < module_.types.size(); ++i) {
      if (module_.types[i].kind != TypeKind::Function) continue;
      TypeSlots& slots = context_.type_slots[i];
      slots.first = static_cast<std::uint32_t>(context_.slot_types.size());
      slots.parameters = AppendSlots(module_.Parameters(i));
      slots.results = AppendSlots(module_.Results(i));
    }
    return true;
  }

  [[gnu::cold]] std::uint32_t AppendSlots(std::span<const ValueType> types) {
    const std::size_t before = context_.slot_types.size();
    for (const ValueType type : types) {
      context_.slot_types.insert(context_.slot_types.end(), type.SlotCount(), type);
    }
    return static_cast<std::uint32_t>(context_.slot_types.size() - before);
  }

  [[gnu::cold]] bool Imports() {
    for (const Import& import : module_.imports) {
      if (import.kind == ExternKind::Global && module_.globals[import.index].is_mutable &&
          !context_.features.IsEnabled(Feature::MutableGlobal)) {
        return Fail(import.module.offset, ErrorCode::FeatureDisabled, Feature::MutableGlobal,
                    "an imported mutable global");
      }
    }
    return true;
  }

  [[gnu::cold]] bool Functions() {
    for (std::uint32_t i = 0; i < module_.functions.size(); ++i) {
      const std::uint32_t type = module_.functions[i];
      if (type < module_.types.size() && module_.types[type].kind == TypeKind::Function) continue;
      return Fail(Place(ExternKind::Func, i, module_.imported_functions, kFunctionSection),
                  ErrorCode::UnknownType, type);
    }
    return true;
  }

  [[gnu::cold]] bool Tables() {
    for (std::uint32_t i = 0; i < module_.tables.size(); ++i) {
      const auto place = [&] {
        return Place(ExternKind::Table, i, module_.imported_tables, kTableSection);
      };
      const Limits& limits = module_.tables[i].limits;
      if (i == 1 && !context_.features.IsEnabled(Feature::ReferenceTypes)) {
        return Fail(place(), ErrorCode::MultipleTables, Feature::ReferenceTypes);
      }
      if (limits.has_maximum && limits.minimum > limits.maximum) {
        return Fail(place(), ErrorCode::LimitsOrder, limits.minimum, limits.maximum);
      }
    }
    return true;
  }

  [[gnu::cold]] bool Memories() {
    const auto place = [this](std::uint32_t index) {
      return Place(ExternKind::Memory, index, module_.imported_memories, kMemorySection);
    };
    for (std::uint32_t i = 0; i < module_.memories.size(); ++i) {
      const Limits& limits = module_.memories[i].limits;
      if (i == 1) return Fail(place(i), ErrorCode::MultipleMemories);
      if (limits.is_shared && !limits.has_maximum) {
        return Fail(place(i), ErrorCode::SharedWithoutMaximum);
      }
      if (limits.has_maximum && limits.minimum > limits.maximum) {
        return Fail(place(i), ErrorCode::LimitsOrder, limits.minimum, limits.maximum);
      }
      const std::uint64_t size = limits.has_maximum ? limits.maximum : limits.minimum;
      if (!limits.is_64 && size > kMaxPages32) {
        return Fail(place(i), ErrorCode::MemoryTooLarge, size);
      }
      if (size > kMaxPages64) return Fail(place(i), ErrorCode::Memory64TooLarge, size);
      if (!limits.is_64 && limits.minimum > context_.limits.memory_pages) {
        return Fail(place(i), ErrorCode::LimitExceeded, "memory pages", limits.minimum,
                    std::uint64_t{context_.limits.memory_pages});
      }
    }
    return true;
  }

  [[gnu::cold]] bool Globals() {
    for (std::size_t i = 0; i < module_.global_inits.size(); ++i) {
      const GlobalType& global = module_.globals[module_.imported_globals + i];
      if (!CheckConstant(module_.global_inits[i], global.type)) return false;
    }
    return true;
  }

  [[gnu::cold]] bool Exports() {
    for (const Export& entry : module_.exports) {
      if (!CheckExport(entry)) return false;
    }
    // Sorted rather than hashed: nobody can choose names that make it slow.
    const auto name = [this](std::uint32_t index) {
      return module_.Text(module_.exports[index].name);
    };
    const FlatArray<std::uint32_t> order = SortedPositions(
        module_.exports.size(),
        [&](std::uint32_t left, std::uint32_t right) { return name(left) < name(right); });
    std::uint32_t duplicate = kNoIndex;
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (order[i] < duplicate && name(order[i - 1]) == name(order[i])) duplicate = order[i];
    }
    if (duplicate == kNoIndex) return true;
    const ByteRange where = module_.exports[duplicate].name;
    return Fail(where.offset, ErrorCode::DuplicateExport, where);
  }

  [[gnu::cold]] bool CheckExport(const Export& entry) {
    const std::uint32_t offset = entry.name.offset;
    switch (entry.kind) {
      case ExternKind::Func:
        if (entry.index >= module_.functions.size()) {
          return Fail(offset, ErrorCode::UnknownFunction, entry.index);
        }
        context_.declared_functions[entry.index] = true;
        return true;
      case ExternKind::Table:
        return entry.index < module_.tables.size() ||
               Fail(offset, ErrorCode::UnknownTable, entry.index);
      case ExternKind::Memory:
        return entry.index < module_.memories.size() ||
               Fail(offset, ErrorCode::UnknownMemory, entry.index);
      case ExternKind::Global:
        if (entry.index >= module_.globals.size()) {
          return Fail(offset, ErrorCode::UnknownGlobal, entry.index);
        }
        if (module_.globals[entry.index].is_mutable &&
            !context_.features.IsEnabled(Feature::MutableGlobal)) {
          return Fail(offset, ErrorCode::FeatureDisabled, Feature::MutableGlobal,
                      "an exported mutable global");
        }
        return true;
      case ExternKind::Tag:
        break;
    }
    return Fail(offset, ErrorCode::MalformedExportKind,
                FaultArgument::Byte(static_cast<std::uint64_t>(entry.kind)));
  }

  [[gnu::cold]] bool Start() {
    if (module_.start == kNoIndex) return true;
    if (module_.start >= module_.functions.size()) {
      return Fail(Section(kStartSection), ErrorCode::UnknownFunction, module_.start);
    }
    const TypeDefinition& type = module_.types[module_.functions[module_.start]];
    if (type.parameter_count == 0 && type.result_count == 0) return true;
    return Fail(Section(kStartSection), ErrorCode::StartFunctionType);
  }

  [[gnu::cold]] bool Elements() {
    for (const ElementSegment& segment : module_.elements) {
      if (segment.mode == SegmentMode::Active) {
        const std::uint32_t offset = segment.offset.offset;
        if (segment.table >= module_.tables.size()) {
          return Fail(offset, ErrorCode::UnknownTable, segment.table);
        }
        const TableType& table = module_.tables[segment.table];
        if (segment.type != table.element) {
          return Fail(offset, ErrorCode::TypeMismatchElement, segment.type, table.element);
        }
        if (!CheckConstant(segment.offset, AddressType(table.limits))) return false;
      }
      if (!CheckItems(segment)) return false;
    }
    return true;
  }

  [[gnu::cold]] bool CheckItems(const ElementSegment& segment) {
    ByteReader reader{module_.bytes, segment.items};
    for (std::uint32_t i = 0; i < segment.count; ++i) {
      if (segment.items_are_expressions) {
        if (!CheckConstant(reader, segment.type)) return false;
        continue;
      }
      const std::uint32_t offset = reader.Offset();
      std::uint32_t function = 0;
      if (!reader.ReadU32(function)) return Keep(reader);
      if (!Declare(function, offset)) return false;
    }
    return true;
  }

  [[gnu::cold]] bool Data() {
    for (const DataSegment& segment : module_.data) {
      if (segment.mode != SegmentMode::Active) continue;
      if (segment.memory >= module_.memories.size()) {
        return Fail(segment.offset.offset, ErrorCode::UnknownMemory, segment.memory);
      }
      const Limits& limits = module_.memories[segment.memory].limits;
      if (!CheckConstant(segment.offset, AddressType(limits))) return false;
    }
    return true;
  }

  static ValueType AddressType(const Limits& limits) {
    return limits.is_64 ? ValueType::I64 : ValueType::I32;
  }

  [[gnu::cold]] bool Declare(std::uint32_t function, std::uint32_t offset) {
    if (function >= module_.functions.size()) {
      return Fail(offset, ErrorCode::UnknownFunction, function);
    }
    context_.declared_functions[function] = true;
    return true;
  }

  bool Keep(const ByteReader& reader) {
    fault_ = reader.FirstFault();
    return false;
  }

  bool CheckConstant(ByteRange range, ValueType expected) {
    ByteReader reader{module_.bytes, range};
    return CheckConstant(reader, expected);
  }

  /// Reads a constant expression, which must give one value of this type.
  [[gnu::cold]] bool CheckConstant(ByteReader& reader, ValueType expected) {
    std::uint64_t count = 0;
    while (true) {
      const std::uint32_t offset = reader.Offset();
      std::uint32_t code = 0;
      if (!reader.ReadOpcode(code)) return Keep(reader);
      if (code == static_cast<std::uint32_t>(Opcode::End)) {
        if (count == 0) return Fail(offset, ErrorCode::TypeMismatchEmpty, expected);
        if (count > 1) return Fail(offset, ErrorCode::TypeMismatchHeight, count - 1);
        return true;
      }
      ValueType type;
      if (!ReadConstant(reader, offset, code, type)) return false;
      if (count++ == 0 && type != expected) {
        return Fail(offset, ErrorCode::TypeMismatch, expected, type);
      }
    }
  }

  [[gnu::cold]] bool ReadConstant(ByteReader& reader, std::uint32_t offset, std::uint32_t code,
                                  ValueType& type) {
    const OpcodeInfo& info = FindOpcode(code);
    if (!info.IsValid()) return Fail(offset, ErrorCode::IllegalOpcode, OpcodeBytes(code));
    if (!context_.features.IsEnabled(info.feature)) {
      return Fail(offset, ErrorCode::FeatureDisabled, info.feature, info.opcode);
    }
    bool is_read = true;
    switch (info.opcode) {
      case Opcode::I32Const: {
        std::int32_t ignored = 0;
        type = ValueType::I32;
        is_read = reader.ReadS32(ignored);
        break;
      }
      case Opcode::I64Const: {
        std::int64_t ignored = 0;
        type = ValueType::I64;
        is_read = reader.ReadS64(ignored);
        break;
      }
      case Opcode::F32Const:
        type = ValueType::F32;
        is_read = reader.Skip(4);
        break;
      case Opcode::F64Const:
        type = ValueType::F64;
        is_read = reader.Skip(8);
        break;
      case Opcode::V128Const:
        type = ValueType::V128;
        is_read = reader.Skip(16);
        break;
      case Opcode::RefNull: {
        HeapType heap = HeapType::Func;
        is_read = ReadHeapType(reader, heap);
        type = ValueType::Reference(heap, true);
        break;
      }
      case Opcode::RefFunc: {
        std::uint32_t function = 0;
        if (!reader.ReadU32(function)) return Keep(reader);
        type = ValueType::FuncRef;
        return Declare(function, offset);
      }
      case Opcode::GlobalGet: {
        std::uint32_t global = 0;
        if (!reader.ReadU32(global)) return Keep(reader);
        // Only imports are known while a module's own globals are made.
        if (global >= module_.imported_globals) {
          return Fail(offset, ErrorCode::UnknownGlobal, global);
        }
        type = module_.globals[global].type;
        return !module_.globals[global].is_mutable ||
               Fail(offset, ErrorCode::ConstantExpressionRequired);
      }
      default:
        return Fail(offset, ErrorCode::ConstantExpressionRequired);
    }
    return is_read || Keep(reader);
  }

  ValidationContext& context_;
  const Module& module_;
  Fault fault_;
};

}  // namespace detail

[[gnu::cold]] TENON_DECL Fault ValidateModule(const Module& module, CoreFeatures features,
                                              const ImplementationLimits& limits,
                                              ValidationContext& context) {
  context.module = &module;
  context.features = features;
  context.limits = limits;
  detail::DeclarationValidator validator{context};
  return validator.Run() ? Fault{} : validator.FirstFault();
}

TENON_DECL Fault ValidateModule(const Module& module, CoreFeatures features,
                                const ImplementationLimits& limits) {
  ValidationContext context;
  return ValidateModule(module, features, limits, context);
}

[[gnu::cold]] TENON_DECL Fault ValidateFunctions(const ValidationContext& context) {
  ValidationScratch scratch;
  NullSink sink;
  for (std::uint32_t i = 0; i < context.module->bodies.size(); ++i) {
    if (const Fault fault = ValidateFunction(context, i, scratch, sink); !fault.IsNone()) {
      return fault;
    }
  }
  return {};
}

}  // namespace tenon::inline TENON_ABI::wasm
