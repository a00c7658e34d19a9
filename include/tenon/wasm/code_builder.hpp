// SPDX-License-Identifier: Apache-2.0
/// @file
/// Writes the instructions of a function body or constant expression.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <tenon/abi/config.hpp>
#include <tenon/abi/value_type.hpp>
#include <tenon/wasm/opcode.hpp>

namespace tenon::inline TENON_ABI::wasm {

/// Items passed to a builder: in braces, an array, a vector or a span. Refers to them, so use it
/// for parameters only.
template <class T>
class ListArgument {
 public:
  constexpr ListArgument() = default;
  constexpr ListArgument(std::initializer_list<T> items) : items_{items.begin(), items.size()} {}
  template <class Range>
    requires std::convertible_to<const Range&, std::span<const T>>
  constexpr ListArgument(const Range& items) : items_{items} {}

  constexpr std::size_t Size() const { return items_.size(); }
  constexpr std::span<const T> Items() const { return items_; }
  constexpr auto begin() const { return items_.begin(); }
  constexpr auto end() const { return items_.end(); }

 private:
  std::span<const T> items_;
};

using ValueTypeList = ListArgument<ValueType>;
using IndexList = ListArgument<std::uint32_t>;

/// Type of a block: none, one result, or a function type.
class BlockType {
 public:
  /// No parameters and no results.
  constexpr BlockType() = default;
  /// No parameters, one result.
  constexpr BlockType(ValueType result) : kind_{Kind::Result}, result_{result} {}
  /// The function type with this index.
  static constexpr BlockType Index(std::uint32_t type) {
    BlockType block;
    block.kind_ = Kind::Index;
    block.index_ = type;
    return block;
  }

 private:
  friend class CodeBuilder;
  enum class Kind : std::uint8_t { Empty, Result, Index };
  Kind kind_ = Kind::Empty;
  ValueType result_;
  std::uint32_t index_ = 0;
};

/// Alignment and offset of a memory access.
struct MemoryArgument {
  static constexpr std::uint32_t kNaturalAlign = 0xFFFFFFFF;

  std::uint32_t align = kNaturalAlign;  ///< base-2 logarithm; by default that of the access
  std::uint64_t offset = 0;
};

/// Instructions in the order in which they are written. There is a method for each kind of
/// immediate, and shorter ones for common instructions; all return *this. An opcode that takes
/// other immediates than the method writes is an assertion failure in debug builds. Nothing else is
/// checked: invalid code is written as asked.
///
///     code.LocalGet(0).I32Const(1).Emit(Opcode::I32Add);
///     code.Block(ValueType::I32, [](CodeBuilder& inner) { inner.I32Const(7).Br(0); });
class CodeBuilder {
 public:
  /// An instruction without immediates.
  TENON_DECL CodeBuilder& Emit(Opcode opcode);
  /// An instruction whose one immediate is an index, or a label (0 is the innermost block).
  TENON_DECL CodeBuilder& Index(Opcode opcode, std::uint32_t index);
  TENON_DECL CodeBuilder& Memory(Opcode opcode, MemoryArgument argument = {});
  TENON_DECL CodeBuilder& Lane(Opcode opcode, std::uint8_t lane);
  TENON_DECL CodeBuilder& MemoryLane(Opcode opcode, MemoryArgument argument, std::uint8_t lane);
  /// Bytes as they are, to write what no instruction is.
  TENON_DECL CodeBuilder& Raw(ListArgument<std::uint8_t> bytes);
  /// All instructions of `other`.
  TENON_DECL CodeBuilder& Append(const CodeBuilder& other);

  /// Block, Loop or If without its end.
  TENON_DECL CodeBuilder& Begin(Opcode opcode, BlockType type = {});
  CodeBuilder& End() { return Emit(Opcode::End); }

  template <std::invocable<CodeBuilder&> Body>
  CodeBuilder& Block(BlockType type, Body&& body) {
    return Nest(Opcode::Block, type, std::forward<Body>(body));
  }
  template <std::invocable<CodeBuilder&> Body>
  CodeBuilder& Loop(BlockType type, Body&& body) {
    return Nest(Opcode::Loop, type, std::forward<Body>(body));
  }
  template <std::invocable<CodeBuilder&> Then>
  CodeBuilder& If(BlockType type, Then&& then) {
    return Nest(Opcode::If, type, std::forward<Then>(then));
  }
  template <std::invocable<CodeBuilder&> Then, std::invocable<CodeBuilder&> Else>
  CodeBuilder& If(BlockType type, Then&& then, Else&& otherwise) {
    Begin(Opcode::If, type);
    std::forward<Then>(then)(*this);
    Emit(Opcode::Else);
    std::forward<Else>(otherwise)(*this);
    return End();
  }

  CodeBuilder& Br(std::uint32_t label) { return Index(Opcode::Br, label); }
  CodeBuilder& BrIf(std::uint32_t label) { return Index(Opcode::BrIf, label); }
  TENON_DECL CodeBuilder& BrTable(IndexList labels, std::uint32_t default_label);
  CodeBuilder& Return() { return Emit(Opcode::Return); }
  CodeBuilder& Unreachable() { return Emit(Opcode::Unreachable); }
  CodeBuilder& Call(std::uint32_t function) { return Index(Opcode::Call, function); }
  TENON_DECL CodeBuilder& CallIndirect(std::uint32_t type, std::uint32_t table = 0);

  CodeBuilder& Drop() { return Emit(Opcode::Drop); }
  CodeBuilder& Select() { return Emit(Opcode::Select); }
  /// `select` with types (one, to be valid).
  TENON_DECL CodeBuilder& Select(ValueTypeList types);

  CodeBuilder& LocalGet(std::uint32_t local) { return Index(Opcode::LocalGet, local); }
  CodeBuilder& LocalSet(std::uint32_t local) { return Index(Opcode::LocalSet, local); }
  CodeBuilder& LocalTee(std::uint32_t local) { return Index(Opcode::LocalTee, local); }
  CodeBuilder& GlobalGet(std::uint32_t global) { return Index(Opcode::GlobalGet, global); }
  CodeBuilder& GlobalSet(std::uint32_t global) { return Index(Opcode::GlobalSet, global); }

  TENON_DECL CodeBuilder& I32Const(std::int32_t value);
  TENON_DECL CodeBuilder& I64Const(std::int64_t value);
  TENON_DECL CodeBuilder& F32Const(float value);
  TENON_DECL CodeBuilder& F64Const(double value);
  /// Exactly these bits: a signalling NaN stays one.
  TENON_DECL CodeBuilder& F32ConstBits(std::uint32_t bits);
  TENON_DECL CodeBuilder& F64ConstBits(std::uint64_t bits);
  /// Lowest byte first.
  TENON_DECL CodeBuilder& V128Const(const std::array<std::uint8_t, 16>& bytes);
  TENON_DECL CodeBuilder& Shuffle(const std::array<std::uint8_t, 16>& lanes);

  TENON_DECL CodeBuilder& RefNull(HeapType type);
  CodeBuilder& RefFunc(std::uint32_t function) { return Index(Opcode::RefFunc, function); }

  CodeBuilder& TableGet(std::uint32_t table) { return Index(Opcode::TableGet, table); }
  CodeBuilder& TableSet(std::uint32_t table) { return Index(Opcode::TableSet, table); }
  CodeBuilder& TableSize(std::uint32_t table) { return Index(Opcode::TableSize, table); }
  CodeBuilder& TableGrow(std::uint32_t table) { return Index(Opcode::TableGrow, table); }
  CodeBuilder& TableFill(std::uint32_t table) { return Index(Opcode::TableFill, table); }
  TENON_DECL CodeBuilder& TableInit(std::uint32_t element, std::uint32_t table = 0);
  TENON_DECL CodeBuilder& TableCopy(std::uint32_t destination, std::uint32_t source);
  CodeBuilder& ElemDrop(std::uint32_t element) { return Index(Opcode::ElemDrop, element); }

  CodeBuilder& MemorySize(std::uint32_t memory = 0) { return Index(Opcode::MemorySize, memory); }
  CodeBuilder& MemoryGrow(std::uint32_t memory = 0) { return Index(Opcode::MemoryGrow, memory); }
  CodeBuilder& MemoryFill(std::uint32_t memory = 0) { return Index(Opcode::MemoryFill, memory); }
  TENON_DECL CodeBuilder& MemoryInit(std::uint32_t data, std::uint32_t memory = 0);
  TENON_DECL CodeBuilder& MemoryCopy(std::uint32_t destination = 0, std::uint32_t source = 0);
  CodeBuilder& DataDrop(std::uint32_t data) { return Index(Opcode::DataDrop, data); }

  std::span<const std::uint8_t> Bytes() const { return bytes_; }
  /// Whether an instruction names a data segment, so that the module must state their number.
  bool UsesData() const { return uses_data_; }

 private:
  template <class Body>
  CodeBuilder& Nest(Opcode opcode, BlockType type, Body&& body) {
    Begin(opcode, type);
    std::forward<Body>(body)(*this);
    return End();
  }

  TENON_DECL void WriteOpcode(Opcode opcode);
  TENON_DECL void WriteMemoryArgument(Opcode opcode, MemoryArgument argument);
  TENON_DECL CodeBuilder& TwoIndices(Opcode opcode, std::uint32_t first, std::uint32_t second);

  std::vector<std::uint8_t> bytes_;
  bool uses_data_ = false;
};

/// Initial value of a global, offset of a segment, or item of an element segment.
class ConstantExpression {
 public:
  static ConstantExpression I32(std::int32_t value) { return CodeBuilder{}.I32Const(value); }
  static ConstantExpression I64(std::int64_t value) { return CodeBuilder{}.I64Const(value); }
  static ConstantExpression F32(float value) { return CodeBuilder{}.F32Const(value); }
  static ConstantExpression F64(double value) { return CodeBuilder{}.F64Const(value); }
  static ConstantExpression V128(const std::array<std::uint8_t, 16>& bytes) {
    return CodeBuilder{}.V128Const(bytes);
  }
  static ConstantExpression RefNull(HeapType type) { return CodeBuilder{}.RefNull(type); }
  static ConstantExpression RefFunc(std::uint32_t function) {
    return CodeBuilder{}.RefFunc(function);
  }
  static ConstantExpression GlobalGet(std::uint32_t global) {
    return CodeBuilder{}.GlobalGet(global);
  }

  /// Any instructions, without the final `end`.
  ConstantExpression(const CodeBuilder& code) : bytes_{code.Bytes().begin(), code.Bytes().end()} {}

  /// Without the final `end`.
  std::span<const std::uint8_t> Bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace tenon::inline TENON_ABI::wasm

#if !defined(TENON_SEPARATE_COMPILATION)
#include <tenon/wasm/code_builder.ipp>
#endif
