// SPDX-License-Identifier: Apache-2.0
/// @file
/// A decoded module: compact, immutable once decoded, shared by engines and instances.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/types.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// A run of bytes of the module, by offset from its first byte.
struct ByteRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;

  constexpr std::uint32_t End() const { return offset + size; }
};

enum class TypeKind : std::uint8_t { Function, Struct, Array };

/// An entry of the type section. Parameters, then results (later: fields) are consecutive in
/// Module::type_pool.
struct TypeDefinition {
  std::uint32_t first = 0;
  std::uint32_t parameter_count = 0;
  std::uint32_t result_count = 0;
  TypeKind kind = TypeKind::Function;
  bool is_final = true;
  std::uint32_t group_first = 0;  ///< first type index of its recursive group
  std::uint32_t group_size = 1;
};

struct Import {
  ByteRange module;
  ByteRange name;
  ExternKind kind = ExternKind::Func;
  std::uint32_t index = 0;  ///< in the index space of its kind
};

struct Export {
  ByteRange name;
  ExternKind kind = ExternKind::Func;
  std::uint32_t index = 0;
};

enum class SegmentMode : std::uint8_t { Active, Passive, Declarative };

struct ElementSegment {
  ValueType type = ValueType::FuncRef;
  SegmentMode mode = SegmentMode::Passive;
  bool items_are_expressions = false;  ///< else function indices
  std::uint32_t table = 0;             ///< active only
  ByteRange offset;                    ///< active only: constant expression
  std::uint32_t count = 0;
  ByteRange items;  ///< `count` LEB128 function indices, or constant expressions with their `end`
};

struct DataSegment {
  SegmentMode mode = SegmentMode::Passive;
  std::uint32_t memory = 0;  ///< active only
  ByteRange offset;          ///< active only: constant expression
  ByteRange bytes;
};

struct CustomSection {
  ByteRange name;
  ByteRange data;
};

inline constexpr std::uint32_t kNoIndex = 0xFFFFFFFF;

/// Everything a module declares. Index spaces hold imports first. Bodies, initialisers and names
/// stay in `bytes`, which the owner of the Module keeps alive.
struct Module {
  std::span<const std::uint8_t> bytes;

  std::vector<ValueType> type_pool;
  std::vector<TypeDefinition> types;
  std::vector<Import> imports;
  std::vector<std::uint32_t> functions;  ///< type index of each function
  std::vector<TableType> tables;
  std::vector<MemoryType> memories;
  std::vector<GlobalType> globals;
  std::vector<Export> exports;
  std::vector<ByteRange> bodies;        ///< of the functions that are not imported
  std::vector<ByteRange> global_inits;  ///< of the globals that are not imported, with `end`
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> data;
  std::vector<CustomSection> custom_sections;

  std::uint32_t imported_functions = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_globals = 0;
  std::uint32_t start = kNoIndex;       ///< function index, or kNoIndex
  std::uint32_t data_count = kNoIndex;  ///< data count section, or kNoIndex
  ByteRange code_section;

  constexpr std::span<const ValueType> Parameters(std::uint32_t type) const {
    return std::span{type_pool}.subspan(types[type].first, types[type].parameter_count);
  }
  constexpr std::span<const ValueType> Results(std::uint32_t type) const {
    return std::span{type_pool}.subspan(types[type].first + types[type].parameter_count,
                                        types[type].result_count);
  }
  /// Whether instructions on memory take i64 addresses.
  constexpr bool HasMemory64() const { return !memories.empty() && memories[0].limits.is_64; }
  /// Whether memory 0 may be used by several threads.
  constexpr bool HasSharedMemory() const {
    return !memories.empty() && memories[0].limits.is_shared;
  }
  constexpr std::span<const std::uint8_t> Bytes(ByteRange range) const {
    return bytes.subspan(range.offset, range.size);
  }
  /// The bytes as text; names are valid UTF-8 once the module has been decoded.
  std::string_view Text(ByteRange range) const {
    return {reinterpret_cast<const char*>(bytes.data()) + range.offset, range.size};
  }
};

}  // namespace tenon::inline TENON_ABI::wasm
